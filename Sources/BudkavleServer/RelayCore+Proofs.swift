import CaseNotifications
import Journal
import Relay
import Routing
import STOMP

/// A signed head as RECEIPT shows it.
struct WireHead {
    let head: String
    let signature: String

    init(_ signed: SignedHead) {
        head = signed.wireHead
        signature = signed.wireSignature
    }
}

extension RelayCore {
    /// Puts the newest head beside the position of an accepted or known notification: it covers both.
    func signed(_ pending: PendingAnswer) -> PendingAnswer {
        guard let wireHead else { return pending }
        func signed(_ headers: Headers) -> Headers {
            guard headers["notification"] != nil, headers["position"] != nil else { return headers }
            var headers = headers
            headers.append("head", wireHead.head)
            headers.append("signature", wireHead.signature)
            return headers
        }
        let answer: STOMP.Answer
        switch pending.answer {
        case .receipt(let headers): answer = .receipt(signed(headers))
        case .committed(let items): answer = .committed(items.map(signed))
        case .done, .refused, .fault: return pending
        }
        return PendingAnswer(connection: pending.connection, order: pending.order, answer: answer)
    }

    // MARK: Receipts

    /// The proof of a receipt whose record was written lately.
    func recentProof(of receipt: Receipt) -> ReceiptProof? {
        receipt.record.flatMap { journal.archive.recentEvidence(for: $0) }.flatMap { ReceiptProof($0) }
    }

    /// Hands a receipt over when its proof has been read. Where there is none (its record, or one beside it, is lost), the receipt
    /// goes without.
    func prove(_ sending: ReceiptSending) {
        provings[sending.subscriber, default: 0] += 1
        journal.archive.evidence(for: sending.receipt.receipt.record ?? 0) { [self] evidence in
            onLoop { core in core.proved(sending, evidence) }
        }
    }

    private func proved(_ sending: ReceiptSending, _ evidence: MerkleEvidence?) {
        let left = (provings[sending.subscriber] ?? 1) - 1
        provings[sending.subscriber] = left > 0 ? left : nil
        guard let (id, key) = subscribers[sending.subscriber], let client = clients[id] else { return }
        guard checkpointStop == nil else {
            _ = receiptDesk.returned(sending.receipt.number, by: sending.subscriber)
            return
        }
        var numbered = sending.receipt
        numbered.receipt.proof = evidence.flatMap { ReceiptProof($0) }
        hand(numbered, to: sending, on: id, key, client)
    }

    // MARK: /queries/proof

    /// `{"notification"}` or `{"position"}`: the proof of a record, for a party that it concerns. With `{"since": size}`,
    /// also alone: that the log of that size is the beginning of the log of now.
    func proof(_ asked: JSONValue, _ client: ClientState, _ context: QuestionContext) {
        let names: Set = ["notification", "position", "since"]
        if let refusal = unknownMember(asked, names) { return refuse(context, refusal) }
        let roles = client.peer.identity.roles
        guard !roles.isDisjoint(with: [.sender, .receiver, .responder, .auditor]) else {
            return refuse(context, .forbidden)
        }
        let since = asked["since"]?.integer
        guard asked["since"] == nil || since.map({ $0 > 0 }) == true else {
            return refuse(context, .schema("/since", "the size of a checkpoint is needed"))
        }
        var record: UInt64?
        if asked["notification"] != nil || asked["position"] != nil {
            record = self.record(asked, client)
            guard record != nil else { return refuse(context, .unknown) }
        }
        guard record != nil || since != nil else {
            return refuse(context, .schema("", "one of notification, position and since is needed"))
        }
        let archive = journal.archive
        guard let latest = archive.latest else { return answerUnavailable(context) }
        let answer = ProofAnswer(latest: latest, record: record, since: since.map { UInt64($0) })
        guard let record else { return addConsistency(answer, context) }
        archive.evidence(for: record) { [self] evidence in
            onLoop { core in
                guard let proof = evidence.flatMap({ ReceiptProof($0) }) else {
                    return core.refuse(context, .noProof)
                }
                var answer = answer
                answer.proof = proof
                core.addConsistency(answer, context)
            }
        }
    }

    private func addConsistency(_ answer: ProofAnswer, _ context: QuestionContext) {
        guard let since = answer.since else { return reply(context, answer) }
        guard since <= answer.latest.size else { return refuse(context, .unknown) }
        journal.archive.consistency(from: since, to: answer.latest.size) { [self] path in
            onLoop { core in
                guard let path else { return core.refuse(context, .noProof) }
                var answer = answer
                answer.consistency = path.flatMap(\.bytes)
                core.reply(context, answer)
            }
        }
    }

    private func reply(_ context: QuestionContext, _ proof: ProofAnswer) {
        var answer = AnswerObject(schema: "proof", now: clock.now)
        if let record = proof.record { answer.set("position", relay.position(record)) }
        answer.set("leaf", proof.proof?.leaf.base64url)
        answer.set("proof", proof.proof?.pathText)
        answer.set("checkpoint", proof.proof?.checkpoint.text)
        if let path = proof.consistency {
            answer.set("latest", proof.latest.checkpoint)
            answer.set("consistency", Base64URL.text(path))
        }
        reply(context, answer.value)
    }

    /// The record that is meant, when it concerns the asking party: what it submitted or received, or what a receipt told it.
    private func record(_ asked: JSONValue, _ client: ClientState) -> UInt64? {
        let identity = client.peer.identity
        if let id = asked["notification"] {
            guard asked["position"] == nil, let id = id.string.flatMap({ NotificationID(text: $0) }),
                let facts = relay.notification(id)
            else { return nil }
            let isOurs =
                facts.source == identity.party || relay.deliveries(of: id).contains { isOwn($0, client.peer) }
            return isOurs ? facts.sequence : nil
        }
        guard let position = asked["position"]?.string, let dot = position.lastIndex(of: "."),
            let record = UInt64(position[position.index(after: dot)...]), relay.position(record) == position,
            record <= durableSequence
        else { return nil }
        return hasReceipt(.party(identity.party), of: record) ? record : nil
    }

    /// Whether a receipt of this reader speaks of the record. Receipts rise with their records, so few are looked at.
    private func hasReceipt(_ reader: ReceiptReader, of record: UInt64) -> Bool {
        func first(after number: UInt64) -> NumberedReceipt? {
            relay.receipts(for: reader, after: number, limit: 1).first
        }
        var low: UInt64 = 0
        var step: UInt64 = 1
        while let found = first(after: low + step), let place = found.receipt.record, place < record {
            low = found.number
            step *= 2
        }
        while step > 0 {
            if let found = first(after: low + step), let place = found.receipt.record, place < record {
                low = found.number
            } else {
                step /= 2
            }
        }
        var next = first(after: low)
        while let found = next, let place = found.receipt.record, place <= record {
            if place == record { return true }
            next = first(after: found.number)
        }
        return false
    }
}

/// An answer to `/queries/proof` that is being put together.
private struct ProofAnswer: Sendable {
    let latest: SignedHead
    let record: UInt64?
    let since: UInt64?
    var proof: ReceiptProof?
    var consistency: [UInt8]?
}

extension ReceiptProof {
    /// The journal's evidence in the words of the wire.
    init?(_ evidence: MerkleEvidence) {
        guard let leaf = Digest(bytes: evidence.leaf.bytes),
            let checkpoint = Checkpoint(body: evidence.head.body, signature: evidence.head.signature)
        else { return nil }
        self.init(
            leaf: leaf, path: evidence.path.compactMap { Digest(bytes: $0.bytes) }, checkpoint: checkpoint)
    }
}

extension SessionRefusal {
    /// Damage took something that the proof needs, or it is not copied to the audit log yet.
    static let noProof = SessionRefusal(
        code: "no-proof", message: "there is no proof of this now",
        details: "A record that it needs was lost, or is about to be copied. The receipt itself stands.")
}
