extension Receipt {
    private static let envelopeNames = ["specversion", "id", "source", "type", "time", "data"]
    private static let dataNames = [
        "notification", "source", "id", "digest", "policy", "event", "party", "desk", "role", "outcome", "step",
        "reason", "at", "position", "leaf", "proof", "checkpoint",
    ]

    /// The receipt as a CloudEvent in compact JSON. `time` is the receipt's `at`.
    package func cloudEvent(receiptID: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.reserve(640)
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", receiptID)
        writer.member("source", Self.eventSource)
        writer.member("type", Self.eventType)
        writer.member("time", at.rfc3339)
        writer.name("data")
        writer.beginObject()
        writer.member("notification", notification.text)
        writer.member("source", source.text)
        writer.member("id", id)
        writer.member("digest", digest.hex)
        writer.member("policy", policy)
        writer.member("event", event.text)
        writer.member("party", party?.text)
        writer.member("desk", desk?.text)
        writer.member("role", role)
        writer.member("outcome", outcome?.text)
        writer.member("step", step)
        writer.member("reason", reason?.rawValue)
        writer.member("at", at.rfc3339)
        writer.member("position", position)
        writer.member("leaf", proof?.leaf.base64url)
        writer.member("proof", proof?.pathText)
        writer.member("checkpoint", proof?.checkpoint.text)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// Decodes the CloudEvent of a receipt. Members that a newer relay adds are passed over.
    ///
    /// - Throws: `schema` with the place: not this type, a missing member, one that has not its form.
    package init(json: [UInt8]) throws(Refusal) {
        let value = try MemberReader.parse(json, names: Self.envelopeNames + Self.dataNames)
        let envelope = try MemberReader(value, at: "", names: Self.envelopeNames, .ignoresUnknown)
        let _: Bool = try envelope.required("specversion", "only CloudEvents 1.0 is accepted") {
            $0 == "1.0" ? true : nil
        }
        let _: Bool = try envelope.required("type", "this is no receipt") { $0 == Self.eventType ? true : nil }
        let data = try envelope.object("data", names: Self.dataNames, .ignoresUnknown)
        let event: ReceiptEvent = try data.required("event", "the event of a receipt is needed") {
            ReceiptEvent(text: $0)
        }
        let outcome: Outcome? = try data.optional("outcome", "one of the five outcomes is needed") {
            Outcome(text: $0)
        }
        let reason: RefusalCode? = try data.optional("reason", "a refusal code is needed") {
            RefusalCode(rawValue: $0)
        }
        guard (outcome != nil) == (event == .acknowledged) else {
            throw data.refusal("outcome", "acknowledged has an outcome and nothing else has")
        }
        guard (reason != nil) == (event == .refused) else {
            throw data.refusal("reason", "refused has a reason and nothing else has")
        }
        self.init(
            notification: try data.required("notification", "the relay's id of a notification is needed") {
                NotificationID(text: $0)
            },
            source: try data.required("source", "a party's id is needed") { PartyID($0) },
            id: try data.required("id"),
            digest: try data.required("digest", "64 hexadecimal digits are needed") { Digest(hex: $0) },
            policy: try data.required("policy"),
            event: event,
            party: try data.optional("party", "a party's id is needed") { PartyID($0) },
            desk: try data.optional("desk", "a desk's id is needed") { DeskID($0) },
            role: try data.optional("role"),
            outcome: outcome,
            step: try data.optional("step"),
            reason: reason,
            at: try data.required("at", "a time with zone is needed, RFC 3339") { Timestamp(rfc3339: $0) },
            position: try data.required("position"), proof: try Self.proof(data))
    }

    /// The three members of a proof: all of them or none.
    private static func proof(_ data: MemberReader) throws(Refusal) -> ReceiptProof? {
        let leaf: Digest? = try data.optional("leaf", "43 characters of base64url are needed") {
            Base64URL.bytes($0).flatMap { Digest(bytes: $0) }
        }
        let path: [Digest]? = try data.optional("proof", "hashes in base64url are needed") { ReceiptProof.path($0) }
        let checkpoint: Checkpoint? = try data.optional("checkpoint", "a signed head is needed") { Checkpoint($0) }
        guard leaf != nil || path != nil || checkpoint != nil else { return nil }
        guard let leaf, let path, let checkpoint else {
            throw data.refusal("leaf", "leaf, proof and checkpoint come together")
        }
        return ReceiptProof(leaf: leaf, path: path, checkpoint: checkpoint)
    }
}
