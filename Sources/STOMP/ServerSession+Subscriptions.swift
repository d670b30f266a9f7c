/// SUBSCRIBE, UNSUBSCRIBE and MESSAGE.
extension ServerSession {
    struct Subscription: Sendable {
        let key: SubscriptionKey
        /// 1.0 may have none.
        let id: String?
        let destination: String
        let mode: AckMode
        let prefetch: Int
        var messages = InFlightTable.List()
        /// `subscription` and `destination` as they stand in each MESSAGE.
        let headerBytes: [UInt8]
        let subscriptionHeaderCount: Int
    }

    mutating func handleSubscribe(
        _ frame: Frame, _ receipt: String?, _ effects: inout [SessionEffect]
    ) throws(Fault) {
        let headers = frame.headers
        guard let destination = headers["destination"] else { throw Self.missing("destination", on: .subscribe) }
        let id = headers["id"]
        if id == nil, version != .v1_0 { throw Self.missing("id", on: .subscribe) }
        if headers.contains("selector") {
            throw Fault(
                "selector is not supported",
                "Nothing is filtered by selectors, so none is taken. Leave the header away.")
        }
        guard let mode = AckMode(rawValue: headers["ack"] ?? "auto") else {
            throw Fault("unknown ack mode", "ack must be auto, client or client-individual.")
        }
        if let refusal = Destination.ackFault(destination, mode) { throw Fault(refusal) }
        let isTaken = subscriptions.contains { id == nil ? $0.destination == destination : $0.id == id }
        if isTaken {
            throw Fault("subscription id is in use", "Each subscription of a connection needs an id of its own.")
        }
        guard subscriptions.count < limits.subscriptions else {
            throw Fault(
                "more than \(limits.subscriptions) subscriptions",
                "A connection may have \(limits.subscriptions) subscriptions. UNSUBSCRIBE from one first.")
        }
        let prefetch = try prefetch(headers)
        lastSubscription += 1
        let key = SubscriptionKey(rawValue: lastSubscription)
        subscriptions.append(makeSubscription(key, id: id, destination, mode, prefetch))
        handOut(
            .subscribe(SubscribeRequest(key: key, destination: destination, mode: mode, prefetch: prefetch)), receipt,
            kind: .subscribe(key), &effects)
    }

    private func prefetch(_ headers: Headers) throws(Fault) -> Int {
        guard let text = headers["prefetch-count"] ?? headers["activemq.prefetchSize"] else {
            return min(limits.defaultPrefetch, limits.unacknowledged)
        }
        let isPlain = (1...9).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) }
        guard isPlain, let count = Int(text), count > 0 else {
            throw Fault(
                "prefetch-count is not a number from 1", "prefetch-count must be 1 to \(limits.unacknowledged).")
        }
        return min(count, limits.unacknowledged)
    }

    private func makeSubscription(
        _ key: SubscriptionKey, id: String?, _ destination: String, _ mode: AckMode, _ prefetch: Int
    ) -> Subscription {
        let version = version ?? .v1_2
        var bytes: [UInt8] = []
        if let id { FrameEncoder.appendHeader("subscription", id, version, into: &bytes) }
        let count = bytes.count
        FrameEncoder.appendHeader("destination", destination, version, into: &bytes)
        return Subscription(
            key: key, id: id, destination: destination, mode: mode, prefetch: prefetch, headerBytes: bytes,
            subscriptionHeaderCount: count)
    }

    mutating func handleUnsubscribe(
        _ frame: Frame, _ receipt: String?, _ effects: inout [SessionEffect]
    ) throws(Fault) {
        let index: Int?
        if let id = frame.headers["id"] {
            index = subscriptions.firstIndex { $0.id == id }
        } else if version == .v1_0, let destination = frame.headers["destination"] {
            index = subscriptions.firstIndex { $0.id == nil && $0.destination == destination }
        } else {
            throw Self.missing("id", on: .unsubscribe)
        }
        guard let index else {
            throw Fault("unknown subscription id", "UNSUBSCRIBE needs the id of a subscription that is open here.")
        }
        var subscription = subscriptions.remove(at: index)
        let returned = inFlight.removeAll(in: &subscription.messages)
        handOut(.unsubscribe(subscription.key, returned: returned), receipt, &effects)
    }

    // MARK: MESSAGE

    /// How many messages may be delivered now, by the subscription's prefetch and the connection's limit. 0 when it is
    /// gone, `Int.max` for `auto`, whose messages are never in flight.
    package func credit(for key: SubscriptionKey) -> Int {
        guard phase == .connected, let subscription = subscriptions.first(where: { $0.key == key }) else { return 0 }
        guard subscription.mode != .auto else { return Int.max }
        return max(0, min(subscription.prefetch - subscription.messages.count, limits.unacknowledged - inFlight.count))
    }

    /// How many messages of a subscription nobody acknowledged yet, those in open transactions among them.
    package func inFlightCount(of key: SubscriptionKey) -> Int {
        subscriptions.first { $0.key == key }?.messages.count ?? 0
    }

    /// Writes a MESSAGE. It is in flight until ACK, NACK, UNSUBSCRIBE or the end, unless the subscription is `auto`.
    ///
    /// - Returns: false where there is no credit or the subscription is gone; nothing is written then.
    package mutating func deliver(
        _ message: OutgoingMessage, to key: SubscriptionKey, tag: MessageTag
    ) -> Bool {
        guard phase == .connected, let version, let index = subscriptions.firstIndex(where: { $0.key == key }) else {
            return false
        }
        let mode = subscriptions[index].mode
        let number: UInt64
        if mode == .auto {
            lastAutoMessage += 1
            number = lastAutoMessage << 16
        } else {
            guard subscriptions[index].messages.count < subscriptions[index].prefetch, !inFlight.isFull else {
                return false
            }
            number = inFlight.insert(tag, of: key, in: &subscriptions[index].messages)
        }
        output.append(contentsOf: "MESSAGE\nmessage-id:".utf8)
        appendMessageID(number, mode)
        if let destination = message.destination {
            output.append(contentsOf: subscriptions[index].headerBytes[..<subscriptions[index].subscriptionHeaderCount])
            FrameEncoder.appendHeader("destination", destination, version, into: &output)
        } else {
            output.append(contentsOf: subscriptions[index].headerBytes)
        }
        if mode != .auto, version == .v1_2 {
            output.append(contentsOf: "ack:".utf8)
            appendMessageID(number, mode)
        }
        appendContentHeaders(message, version)
        FrameEncoder.finish(body: message.body, into: &output)
        return true
    }

    private mutating func appendContentHeaders(_ message: OutgoingMessage, _ version: Version) {
        FrameEncoder.appendHeader("content-type", message.contentType, version, into: &output)
        if let notification = message.notification {
            FrameEncoder.appendHeader("notification", notification, version, into: &output)
        }
        if let urgency = message.urgency { FrameEncoder.appendHeader("urgency", urgency, version, into: &output) }
        if let priority = message.priority {
            FrameEncoder.appendHeader("priority", UInt64(max(0, priority)), into: &output)
        }
        if let acknowledgeBy = message.acknowledgeBy {
            FrameEncoder.appendHeader("acknowledge-by", UInt64(max(0, acknowledgeBy)), into: &output)
        }
        if let deliveryCount = message.deliveryCount {
            FrameEncoder.appendHeader("delivery-count", UInt64(max(0, deliveryCount)), into: &output)
        }
        if let isRedelivered = message.isRedelivered {
            output.append(contentsOf: (isRedelivered ? "redelivered:true\n" : "redelivered:false\n").utf8)
        }
        if message.isDrill { output.append(contentsOf: "drill:true\n".utf8) }
        if let query = message.query { FrameEncoder.appendHeader("query", query, version, into: &output) }
    }

    /// `<session>-<number>`, or `<session>.<number>` where it cannot be acknowledged; with its line end. The session in
    /// front shows a foreign id for what it is.
    private mutating func appendMessageID(_ number: UInt64, _ mode: AckMode) {
        output.append(contentsOf: sessionID.utf8)
        output.append(mode == .auto ? UInt8(ascii: ".") : UInt8(ascii: "-"))
        FrameEncoder.appendDecimal(number, into: &output)
        output.append(Byte.lineFeed)
    }

    /// The number in an id of this session; the one spelling that was sent out and no other.
    func messageNumber(_ text: String) -> UInt64? {
        let prefixCount = sessionID.utf8.count
        let digits = text.utf8.dropFirst(prefixCount + 1)
        guard text.utf8.starts(with: sessionID.utf8), text.utf8.dropFirst(prefixCount).first == UInt8(ascii: "-"),
            (1...19).contains(digits.count), digits.first != UInt8(ascii: "0")
        else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            number = number * 10 + UInt64(digit - 48)
        }
        return number
    }
}
