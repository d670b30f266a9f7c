/// Who a certificate speaks for: a system or a person of one party (design, "Identity and authorisation").
package struct CertificateHolder: Hashable, Sendable {
    /// What the second part of the identity names.
    package enum Bearer: Hashable, Sendable {
        /// A system, `urn:budkavle:<party>:<client>`.
        case client(String)
        /// A person by an opaque staff id, `urn:budkavle:<party>:person:<id>`.
        case person(String)
    }

    /// The party's id.
    package let party: String
    /// The system or person.
    package let bearer: Bearer

    /// Reads `<party>/<client>` or `<party>/person:<id>`.
    ///
    /// - Throws: `.invalidIdentity` unless each id is `[a-z0-9][a-z0-9.-]{0,63}`.
    package init(_ text: some StringProtocol) throws(PKIError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .invalidIdentity(String(text)) }
        let marker = "person:"
        if parts[1].hasPrefix(marker) {
            try self.init(party: String(parts[0]), bearer: .person(String(parts[1].dropFirst(marker.count))))
        } else {
            try self.init(party: String(parts[0]), bearer: .client(String(parts[1])))
        }
    }

    /// Reads a SAN URI, as a party's file names it.
    ///
    /// - Throws: `.invalidIdentity` for what is not of the form of `uri`.
    package init(uri: String) throws(PKIError) {
        let parts = uri.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, parts[0] == "urn", parts[1] == "budkavle" else { throw .invalidIdentity(uri) }
        switch (parts.count, parts[3]) {
        case (4, _): try self.init(party: parts[2], bearer: .client(parts[3]))
        case (5, "person"): try self.init(party: parts[2], bearer: .person(parts[4]))
        default: throw .invalidIdentity(uri)
        }
    }

    /// - Throws: `.invalidIdentity` unless each id is `[a-z0-9][a-z0-9.-]{0,63}`.
    package init(party: String, bearer: Bearer) throws(PKIError) {
        self.party = party
        self.bearer = bearer
        // "person" as a client would read as the start of a person's URI.
        guard Self.isIdentifier(party), Self.isIdentifier(name), bearer != .client("person") else {
            throw .invalidIdentity("\(party)/\(name)")
        }
    }

    /// The id after the party's: also the file name without its ending.
    package var name: String {
        switch bearer {
        case .client(let id), .person(let id): id
        }
    }

    /// The SAN URI by which the relay knows the bearer.
    package var uri: String {
        switch bearer {
        case .client(let id): "urn:budkavle:\(party):\(id)"
        case .person(let id): "urn:budkavle:\(party):person:\(id)"
        }
    }

    private static func isIdentifier(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 64, isLetterOrDigit(first) else { return false }
        return bytes.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
