/// Answers: RECEIPT and ERROR in the order of the frames.
extension ServerSession {
    /// False: an earlier frame was refused, or the session is over. Forget the request then. Ask before deciding each
    /// request, and decide them in the order in which they were handed out.
    package func mayDecide(_ order: OrderNumber) -> Bool {
        switch phase {
        case .connected, .disconnecting: true
        // What was handed out before the end still counts: an ACK in one packet with DISCONNECT, or before a refused frame.
        case .failing, .lingering, .closed: order < answers.lastOrder
        case .awaitingConnect, .deciding: false
        }
    }

    /// Answers a request, at any time and in any order. One that asked for no receipt needs no answer; it may still be
    /// refused, at once. Answers to frames that do not count any more are dropped.
    package mutating func answer(
        _ order: OrderNumber, _ answer: Answer, at now: SessionInstant
    ) -> [SessionEffect] {
        var effects: [SessionEffect] = []
        switch phase {
        case .connected, .disconnecting, .failing: break
        case .awaitingConnect, .deciding, .lingering, .closed: return []
        }
        guard mayDecide(order) else { return [] }
        let entry = answers.entry(for: order)
        switch answer {
        case .refused where rejections == .receipt && Self.canRefuseByReceipt(entry):
            guard answers.store(answer, for: order) else { return [] }
            dropSubscription(of: entry, &effects)
        case .refused(let refusal), .fault(let refusal):
            answers.end(at: order, receipt: Self.receiptForError(entry), refusal)
            if case .failing = phase {} else { phase = .failing(giveUp: nil) }
            effects.append(.failed(SessionFailure(reason: .refused, refusal: refusal)))
        case .done, .receipt, .committed:
            guard answers.store(answer, for: order) else { return [] }
        }
        flushAnswers(at: now, &effects)
        return effects
    }

    /// A transaction has as many receipts as its frames asked for; one of them is enough.
    private static func canRefuseByReceipt(_ entry: AnswerQueue.Entry?) -> Bool {
        guard let entry else { return false }
        if entry.receipt != nil { return true }
        if case .commit(let receipts) = entry.kind { return receipts.contains { $0 != nil } }
        return false
    }

    private static func receiptForError(_ entry: AnswerQueue.Entry?) -> String? {
        guard let entry else { return nil }
        if let receipt = entry.receipt { return receipt }
        if case .commit(let receipts) = entry.kind { return receipts.compactMap { $0 }.last }
        return nil
    }

    private mutating func dropSubscription(of entry: AnswerQueue.Entry?, _ effects: inout [SessionEffect]) {
        guard case .subscribe(let key)? = entry?.kind, let index = subscriptions.firstIndex(where: { $0.key == key })
        else { return }
        var subscription = subscriptions.remove(at: index)
        let returned = inFlight.removeAll(in: &subscription.messages)
        if !returned.isEmpty { effects.append(.returned(returned)) }
    }

    mutating func flushAnswers(at now: SessionInstant, _ effects: inout [SessionEffect]) {
        while let entry = answers.popAnswered() {
            switch entry.kind {
            case .plain, .subscribe:
                if let receipt = entry.receipt, let answer = entry.answer { writeReceipt(receipt, answer, nil) }
            case .commit(let receipts):
                for (index, receipt) in receipts.enumerated() {
                    if let receipt, let answer = entry.answer { writeReceipt(receipt, answer, index) }
                }
                if let receipt = entry.receipt, let answer = entry.answer { writeReceipt(receipt, answer, nil) }
            case .disconnect:
                if let receipt = entry.receipt { writeReceipt(receipt, .done, nil) }
                effects += close(.disconnected)
                return
            case .error(let refusal, let versions):
                writeError(refusal, receipt: entry.receipt, versions: versions)
                phase = .lingering(until: now.advanced(byMilliseconds: limits.lingerMilliseconds))
                return
            }
        }
    }

    /// - Parameter item: which frame of a transaction this is for.
    private mutating func writeReceipt(_ receipt: String, _ answer: Answer, _ item: Int?) {
        let version = version ?? .v1_2
        output.append(contentsOf: "RECEIPT\n".utf8)
        FrameEncoder.appendHeader("receipt-id", receipt, version, into: &output)
        switch answer {
        case .receipt(let headers) where item == nil: append(headers, version)
        case .committed(let headers):
            if let item, headers.indices.contains(item) { append(headers[item], version) }
        case .refused(let refusal):
            FrameEncoder.appendHeader("status", "refused", version, into: &output)
            appendRefusal(refusal, version)
        case .done, .receipt, .fault: break
        }
        FrameEncoder.finish(body: [], into: &output)
    }

    private mutating func append(_ headers: Headers, _ version: Version) {
        for (name, value) in headers { FrameEncoder.appendHeader(name, value, version, into: &output) }
    }

    private mutating func appendRefusal(_ refusal: SessionRefusal, _ version: Version) {
        if let code = refusal.code { FrameEncoder.appendHeader("code", code, version, into: &output) }
        if let path = refusal.path { FrameEncoder.appendHeader("path", path, version, into: &output) }
        FrameEncoder.appendHeader("message", refusal.message, version, into: &output)
    }

    private mutating func writeError(_ refusal: SessionRefusal, receipt: String?, versions: String?) {
        let version = version ?? .v1_2
        output.append(contentsOf: "ERROR\n".utf8)
        if let receipt { FrameEncoder.appendHeader("receipt-id", receipt, version, into: &output) }
        if let versions { FrameEncoder.appendHeader("version", versions, version, into: &output) }
        appendRefusal(refusal, version)
        let text = refusal.details.isEmpty ? refusal.message : refusal.details
        FrameEncoder.appendHeader("content-type", "text/plain", version, into: &output)
        FrameEncoder.finish(body: Array("\(text)\n".utf8), into: &output)
    }
}
