package import CaseNotifications

/// The text of a file of approvals, as `ApprovalsFile` reads it.
package struct ApprovalsText {
    private let party: PartyID
    private let key: ApproverKey
    private let next: KeyHandOver?
    private let time: Timestamp
    private let signature: [UInt8]
    private let approvals: [String: Approval]

    /// What is to be written, signed here.
    ///
    /// - Parameter signer: the owner of `next`, or of `key` without one.
    package init(
        collaboration: CollaborationID, party: PartyID, key: ApproverKey, next: KeyHandOver?, time: Timestamp,
        approvals: [String: Approval], signer: ApproverSecret
    ) {
        self.party = party
        self.key = key
        self.next = next
        self.time = time
        self.approvals = approvals
        signature = signer.signature(
            of: ApprovalStatement(collaboration: collaboration, party: party, time: time, approvals: approvals))
    }

    /// The file.
    package var text: String {
        var lines = [
            "# Made by budkavled approve; a file that is edited approves nothing.", "version: 1", "party: \(party)",
            "key: \"\(key)\"",
        ]
        if let next {
            lines.append("next-key: {key: \"\(next.key)\", signature: \"\(Base64URL.text(next.signature))\"}")
        }
        lines.append("signed: \(time.rfc3339)")
        lines.append("signature: \"\(Base64URL.text(signature))\"")
        lines.append(approvals.isEmpty ? "approvals: []" : "approvals:")
        for (part, approval) in approvals.sorted(by: { $0.key < $1.key }) {
            lines.append("  - part: \(Self.quoted(part))")
            lines.append("    approved: \(approval.day.text)")
            lines.append("    digest: \"\(approval.form.digest.base64url)\"")
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
