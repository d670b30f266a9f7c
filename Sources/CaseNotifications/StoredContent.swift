/// An accepted body with the places of its members: all that a recipient's copy is cut from.
///
/// It is read without a catalogue: what was accepted under yesterday's types is still delivered under today's.
package struct StoredContent: Sendable, Equatable {
    /// The bytes as received.
    package let body: [UInt8]
    /// Envelope attributes that were set, in order, without `data`.
    package let attributes: [RawMember]
    /// Members of `data`, in order.
    package let fields: [RawMember]

    /// What the decoder has found out already.
    package init(_ notification: CaseNotification) {
        body = notification.body
        attributes = notification.attributes
        fields = notification.fields
    }

    /// Finds the members of a body that was accepted before. Null attributes are unset.
    ///
    /// - Throws: where the bytes are not the JSON that the decoder had accepted.
    package init(_ body: [UInt8]) throws(JSONFault) {
        let names = EnvelopeNames()
        let scan = try EnvelopeScan(body, names: names, fieldNames: [])
        self.body = body
        attributes = scan.members.filter { $0.value.kind != .null }.map {
            RawMember(name: $0.attribute.rawValue, value: $0.value.range)
        }
        fields = scan.fields
    }
}
