package import CaseNotifications

/// The text of a file of approvals, as `ApprovalsFile` reads it.
package struct ApprovalsText {
    private let party: PartyID
    private let key: ApproverKey
    private let next: KeyHandOver?
    private let approvals: [String: Approval]

    /// What is to be written.
    package init(party: PartyID, key: ApproverKey, next: KeyHandOver?, approvals: [String: Approval]) {
        self.party = party
        self.key = key
        self.next = next
        self.approvals = approvals
    }

    /// The file.
    package var text: String {
        var lines = [
            "# Made by budkavled approve; an approval that is edited is none.", "version: 1", "party: \(party)",
            "key: \"\(key)\"",
        ]
        if let next {
            lines.append("next-key: {key: \"\(next.key)\", signature: \"\(Base64URL.text(next.signature))\"}")
        }
        lines.append(approvals.isEmpty ? "approvals: []" : "approvals:")
        for (part, approval) in approvals.sorted(by: { $0.key < $1.key }) {
            lines.append("  - part: \(Self.quoted(part))")
            lines.append("    signed: \(approval.signed.text)")
            lines.append("    digest: \"\(approval.form.digest.base64url)\"")
            lines.append("    signature: \"\(Base64URL.text(approval.signature))\"")
            lines.append("    form:")
            lines += approval.form.lines.map { "      - \(Self.quoted($0))" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// YAML's double quotes.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
                let hex = String(scalar.value, radix: 16)
                result += "\\x" + String(repeating: "0", count: 2 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
