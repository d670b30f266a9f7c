import CaseNotifications
import Settings
import Testing

@testable import Routing

extension PolicyFixture {
    /// The fixture in production mode, where approvals count.
    var inProduction: PolicyFixture {
        replacing("mode: exercise\n", with: "mode: production\n", in: "collaboration.yaml")
            .replacing("clock: {start: 2026-12-11T23:00:00+01:00, speed: 1}\n", with: "", in: "collaboration.yaml")
    }

    /// The key of a party's approver, the same in every run.
    static func secret(_ party: String) throws -> ApproverSecret {
        let seed = Digest(sha256Of: "approver of \(party)").bytes
        return try #require(ApproverSecret(secretText: Base64URL.text(seed)))
    }

    /// Everything that needs approvals.
    func parts() throws -> [ApprovalPart] {
        let whole = PolicyLoader.load(files: files, zone: Self.zone, approvals: .waived).whole
        return try #require(whole).approvalParts()
    }

    /// The file of one party's approvals of everything that it has to approve, but for some parts.
    func approvals(
        of party: String, without left: Set<String> = [], in collaboration: String = "orebro",
        signedBy signer: ApproverSecret? = nil, handOver: KeyHandOver? = nil, parts known: [ApprovalPart]? = nil,
        at signed: String = "2026-11-22T08:00:00Z"
    ) throws -> String {
        let secret = try Self.secret(party)
        let id = PartyID(unchecked: party)
        var approvals: [String: Approval] = [:]
        for part in try known ?? parts() where part.approvers.contains(id) && !left.contains(part.id) {
            approvals[part.id] = Approval(form: part.form, day: try #require(CivilDay("2026-11-22")))
        }
        return ApprovalsText(
            collaboration: CollaborationID(unchecked: collaboration), party: id, key: secret.publicKey, next: handOver,
            time: time(signed), approvals: approvals, signer: signer ?? secret
        ).text
    }

    /// The fixture with everything approved by everybody, but for some parts by some parties, as `part party`.
    func approved(without left: Set<String> = []) throws -> PolicyFixture {
        var copy = self
        let parts = try parts()
        for party in Set(parts.flatMap(\.approvers)) {
            let own = left.compactMap { entry -> String? in
                let words = entry.split(separator: " ")
                return words.last.map(String.init) == party.text ? words.first.map(String.init) : nil
            }
            copy.files["approvals/\(party).yaml"] = try approvals(
                of: party.text, without: Set(own), parts: parts)
        }
        return copy
    }

    /// What lacks approvals, as `part: party, party`.
    func missing() throws -> [String] {
        let standing = try #require(PolicyLoader.load(files: files, zone: Self.zone).approvals)
        return standing.missing.map { "\($0.part.id): \($0.parties.map(\.text).joined(separator: ", "))" }
    }
}
