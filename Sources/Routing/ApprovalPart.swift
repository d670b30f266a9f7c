package import CaseNotifications
package import Settings

/// Something in a policy that lets somebody read, in exactly one form. Who must approve it is part of what it is.
package struct ApprovalPart: Sendable {
    /// `rule:<id>`, `party:<id>`, `secrecy:<id>`, `client:<party>/<id>`, `person:<party>/<id>`, `desk:<party>/<id>`,
    /// `fallback:<party>`, `agent:<desk's party>/<board>`, `merged:<party>`, `agreement:<id>/<party>` or
    /// `coverage-gap:<party>`.
    package let id: String
    /// What is signed.
    package let form: ApprovalForm
    /// Parties whose data it opens and parties that gain readers, sorted.
    package let approvers: [PartyID]
    /// What it opens, in plain words: a sentence each.
    package let words: [Labels]
    /// Where the policy has it.
    package let location: SourceLocation

    /// What stands before the colon.
    var kind: Substring { id.prefix { $0 != ":" } }

    /// What stands behind it.
    var name: Substring { id.dropFirst(kind.count + 1) }

    /// Of a client, person or desk the party; else nil.
    var reader: Substring? {
        ["client", "person", "desk"].contains(kind) ? name.prefix { $0 != "/" } : nil
    }

    /// Of an on-call desk's acting for a board its party and the board; else nil.
    var agency: (desk: Substring, board: PartyID)? {
        guard kind == "agent" else { return nil }
        let desk = name.prefix { $0 != "/" }
        return (desk, PartyID(unchecked: String(id[desk.endIndex...].dropFirst())))
    }
}

/// The canonical form of a part: lines of a key and values, the same for every order of files, rules and keys.
///
/// It holds what decides who reads what, and nothing else: no labels, calendars, rosters, markings or deadlines.
package struct ApprovalForm: Hashable, Sendable {
    /// `key: value, value`, in a fixed order. A value never holds a comma or a line break.
    package private(set) var lines: [String]

    /// An empty form.
    init() { lines = [] }

    /// A form as a file of approvals has it.
    init(lines: [String]) { self.lines = lines }

    /// What is digested: every line with a line feed behind it, in UTF-8.
    package var bytes: [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }
    /// SHA-256 of `bytes`.
    package var digest: Digest { Digest(sha256Of: bytes) }

    /// Adds a line.
    mutating func add(_ key: String, _ values: [String]) {
        lines.append("\(key): \(values.map(Self.escaped).joined(separator: ", "))")
    }

    /// Adds a line of one value; nothing for nil.
    mutating func add(_ key: String, _ value: String?) {
        if let value { add(key, [value]) }
    }

    /// Adds a line of sorted values; `*` for nil, which is any.
    mutating func add(_ key: String, any values: (some Collection<String>)?) {
        add(key, values.map { $0.sorted() } ?? ["*"])
    }

    /// Adds a line of sorted values unless there is none.
    mutating func add(_ key: String, some values: some Collection<String>) {
        if !values.isEmpty { add(key, values.sorted()) }
    }

    /// Texts come from YAML and may hold anything: what separates lines and values is written otherwise.
    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { [0x5C, 0x2C, 0x0A, 0x0D].contains($0) }) else { return value }
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case ",": result += "\\c"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Whose signatures count for one party.
package struct Approver: Hashable, Sendable {
    /// The party.
    package let party: PartyID
    /// The key in its file of approvals.
    package let key: ApproverKey
    /// The key that this one handed over to; its signature was verified. From then on only that one's approvals count.
    package let handOver: KeyHandOver?
    /// Which of the party's statements the file is; its signature by `current` was verified.
    package let stamp: ApprovalStamp
    /// Where the file has the key.
    package let location: SourceLocation

    /// The key whose approvals count.
    package var current: ApproverKey { handOver?.key ?? key }
}

/// Which of a party's statements one is. Of two the later counts; at one time there is one.
package struct ApprovalStamp: Hashable, Sendable {
    /// When it was signed.
    package let time: Timestamp
    /// Of the `ApprovalStatement`.
    package let digest: Digest

    /// A stamp.
    package init(time: Timestamp, digest: Digest) {
        self.time = time
        self.digest = digest
    }
}

/// A key that another hands over to.
package struct KeyHandOver: Hashable, Sendable {
    /// The key from now on.
    package let key: ApproverKey
    /// The old key's signature of the `ApproverKeyChange`.
    package let signature: [UInt8]

    /// A key with the old key's signature.
    package init(key: ApproverKey, signature: [UInt8]) {
        self.key = key
        self.signature = signature
    }
}
