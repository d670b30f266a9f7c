/// What a client says. Every call writes one frame into the output, or throws and writes nothing.
extension ClientSession {
    /// SEND.
    ///
    /// - Returns: the number of its receipt; nil when none was wanted.
    package mutating func send(
        to destination: String, contentType: String, replyTo: String? = nil, body: [UInt8],
        receipt: ReceiptChoice = .wanted, transaction: String? = nil
    ) throws(ClientFault) -> ReceiptNumber? {
        var headers: Headers = ["destination": destination, "content-type": contentType]
        if let replyTo { headers.append("reply-to", replyTo) }
        if let transaction { headers.append("transaction", transaction) }
        return try write(.send, headers, body: body, receipt)
    }

    /// SUBSCRIBE. `id` is this connection's name for it.
    package mutating func subscribe(
        to destination: String, id: String, ack: AckMode, prefetch: Int? = nil, receipt: ReceiptChoice = .wanted
    ) throws(ClientFault) -> ReceiptNumber? {
        var headers: Headers = ["id": id, "destination": destination, "ack": ack.rawValue]
        if let prefetch { headers.append("prefetch-count", String(prefetch)) }
        return try write(.subscribe, headers, receipt)
    }

    /// UNSUBSCRIBE. What was in flight on it will be delivered again to whoever subscribes.
    package mutating func unsubscribe(
        id: String, receipt: ReceiptChoice = .wanted
    ) throws(ClientFault) -> ReceiptNumber? {
        try write(.unsubscribe, ["id": id], receipt)
    }

    /// ACK: takes custody of a message.
    ///
    /// - Parameter ack: `IncomingMessage.ack`.
    package mutating func acknowledge(
        _ ack: String, receipt: ReceiptChoice = .none, transaction: String? = nil
    ) throws(ClientFault) -> ReceiptNumber? {
        try write(.ack, Self.ackHeaders(ack, transaction), receipt)
    }

    /// NACK: gives a message back, to be delivered again later.
    ///
    /// - Parameter ack: `IncomingMessage.ack`.
    package mutating func reject(
        _ ack: String, receipt: ReceiptChoice = .none, transaction: String? = nil
    ) throws(ClientFault) -> ReceiptNumber? {
        try write(.nack, Self.ackHeaders(ack, transaction), receipt)
    }

    private static func ackHeaders(_ ack: String, _ transaction: String?) -> Headers {
        guard let transaction else { return ["id": ack] }
        return ["id": ack, "transaction": transaction]
    }

    /// BEGIN.
    package mutating func begin(
        _ transaction: String, receipt: ReceiptChoice = .wanted
    ) throws(ClientFault) -> ReceiptNumber? {
        try write(.begin, ["transaction": transaction], receipt)
    }

    /// COMMIT. The receipts of the transaction's frames come just before its own.
    package mutating func commit(
        _ transaction: String, receipt: ReceiptChoice = .wanted
    ) throws(ClientFault) -> ReceiptNumber? {
        try write(.commit, ["transaction": transaction], receipt)
    }

    /// ABORT. The receipts of the transaction's frames come with `status:aborted`.
    package mutating func abort(
        _ transaction: String, receipt: ReceiptChoice = .wanted
    ) throws(ClientFault) -> ReceiptNumber? {
        try write(.abort, ["transaction": transaction], receipt)
    }
}
