import CaseNotifications
import Settings
import Testing

@testable import Routing

/// What a file of approvals may say.
struct ApprovalsFileTests {
    static let file = "approvals/soc-1880.yaml"

    /// Everything approved, and then something done to the file of one party.
    private func diagnostics(
        _ change: (inout String) throws -> Void, mode: Mode = .exercise
    ) throws -> [Diagnostic] {
        var fixture = try (mode == .production ? PolicyFixture().inProduction : PolicyFixture()).approved()
        var text = try #require(fixture.files[Self.file])
        try change(&text)
        fixture.files[Self.file] = text
        return PolicyLoader.load(files: fixture.files, zone: PolicyFixture.zone).diagnostics
    }

    private func replace(_ old: String, _ new: String, in text: inout String) throws {
        let range = try #require(text.firstRange(of: old), "no \(old)")
        text.replaceSubrange(range, with: new)
    }

    /// The lines of one approval, from its `- part` on.
    private func approval(_ part: String, in text: String) throws -> String {
        let start = try #require(text.firstRange(of: "  - part: \"\(part)\""))
        let rest = text[start.upperBound...]
        let end = rest.firstRange(of: "  - part: ")?.lowerBound ?? text.endIndex
        return String(text[start.lowerBound..<end])
    }

    @Test func `everything approved says nothing, in an exercise and in production`() throws {
        #expect(try diagnostics { _ in } == [])
        #expect(try diagnostics({ _ in }, mode: .production) == [])
    }

    @Test func `an approval of another collaboration is none`() throws {
        var fixture = try PolicyFixture().approved()
        fixture.files[Self.file] = try PolicyFixture().approvals(of: "soc-1880", in: "dalarna")
        let found = PolicyLoader.load(files: fixture.files, zone: PolicyFixture.zone)
        #expect(found.policy == nil)
        let errors = found.diagnostics.filter { $0.severity == .error }
        #expect(!errors.isEmpty && errors.allSatisfy { $0.code == .wrongSignature })
        #expect(errors.allSatisfy { $0.location.file == Self.file && $0.length == 88 })
    }

    @Test func `an approval by another key is none`() throws {
        var fixture = try PolicyFixture().approved()
        fixture.files[Self.file] = try PolicyFixture().approvals(
            of: "soc-1880", signedBy: try PolicyFixture.secret("soc-1864"))
        let found = fixture.diagnostics.filter { $0.severity == .error }
        #expect(!found.isEmpty && found.allSatisfy { $0.code == .wrongSignature })
    }

    @Test func `the approval of one party is none of another's, under the same key too`() throws {
        let found = try diagnostics { text in
            text = try PolicyFixture().approvals(of: "soc-1864")
            try replace("party: soc-1864", "party: soc-1880", in: &text)
        }
        #expect(found.contains { $0.code == .wrongSignature && $0.severity == .error })
    }

    @Test func `the signature of one part is none of another's`() throws {
        let found = try diagnostics { text in
            try replace("part: \"client:soc-1880/system\"", "part: \"client:soc-1880/other\"", in: &text)
        }
        #expect(found.contains { $0.code == .wrongSignature && $0.message.contains("did not sign what stands here") })
    }

    @Test func `a form that was edited is not what was signed`() throws {
        let found = try diagnostics { text in
            try replace("\"stations: soc-1880-intake\"", "\"stations: soc-1880-intake, rlc\"", in: &text)
        }
        #expect(found.map(\.code).contains(.wrongDigest))
        let digest = try #require(found.first { $0.code == .wrongDigest })
        #expect(digest.location.file == Self.file && digest.sourceLine?.contains("digest:") == true)
    }

    @Test(arguments: [
        ("signed: 2026-11-22T08:00:00.000Z", "signed: 2026-11-22T08:00:00.001Z"),
        ("approved: 2026-11-22", "approved: 2026-11-23"),
    ]) func `the time of signing and the days of approval are signed`(old: String, new: String) throws {
        let found = try diagnostics { try replace(old, new, in: &$0) }
        #expect(found.filter { $0.severity == .error }.map(\.code) == [.wrongSignature])
    }

    @Test func `lines of two files of one party cannot be put together, and none can be left out`() throws {
        let fixture = try PolicyFixture().approved()
        let whole = try #require(fixture.files[Self.file])
        let withdrawn = "client:soc-1880/system"
        let less = try fixture.approvals(of: "soc-1880", without: [withdrawn], at: "2026-11-23T08:00:00Z")
        for mixed in [
            try less + approval(withdrawn, in: whole),
            whole.replacing(try approval(withdrawn, in: whole), with: ""),
        ] {
            var other = fixture
            other.files[Self.file] = mixed
            let errors = other.diagnostics.filter { $0.severity == .error }
            #expect(errors.map(\.code) == [.wrongSignature])
        }
        var newer = fixture
        newer.files[Self.file] = less
        #expect(newer.diagnostics.allSatisfy { $0.severity == .warning }, "as it was signed it is read")
    }

    @Test func `a flipped bit of a signature is an error`() throws {
        let found = try diagnostics { text in
            let start = try #require(text.firstRange(of: "signature: \"")).upperBound
            text.replaceSubrange(start...start, with: text[start] == "A" ? "B" : "A")
        }
        #expect(found.filter { $0.severity == .error }.map(\.code) == [.wrongSignature])
    }

    @Test(arguments: [
        ("party: soc-1880", "party: soc-1999", DiagnosticCode.unknownName),
        ("party: soc-1880", "party: soc-1864", .fileName), ("version: 1", "version: 2", .unknownVersion),
        ("key: \"", "key: \"!", .invalidValue), ("signature: \"", "signature: \"=", .invalidValue),
        ("digest: \"", "digest: \"x", .invalidValue), ("signed: 2026-11-22", "signed: soon", .invalidValue),
        ("approved: 2026-11-22", "approved: soon", .invalidValue), ("signed: 2026-11-22", "since: 2026", .missingKey),
        ("party: soc-1880", "party: soc-1880\nsince: 2026-11-22", .unknownKey),
        ("approvals:\n", "approval:\n", .missingKey),
    ]) func `what is written wrongly is an error at its place`(old: String, new: String, code: DiagnosticCode) throws {
        let found = try diagnostics { try replace(old, new, in: &$0) }
        let error = try #require(found.first { $0.code == code && $0.severity == .error }, "\(found.map(\.text))")
        #expect(error.location.file == Self.file && error.sourceLine != nil)
    }

    @Test(
        arguments: [
            ("signed: 2026-11-22", "signed: soon"), ("party: soc-1880", "party: \"soc 1880\""),
            ("version: 1", "version: 9"),
            ("party: soc-1880", "party: [soc-1880"),
        ], [Mode.exercise, .production])
    func `a file that cannot be read is told once and not for each part`(change: (String, String), mode: Mode) throws {
        let found = try diagnostics({ try replace(change.0, change.1, in: &$0) }, mode: mode)
        #expect(found.contains { $0.severity == .error && $0.location.file == Self.file })
        #expect(!found.contains { $0.code == .approvalMissing }, "\(found.map(\.text))")
    }

    @Test func `one part is approved once`() throws {
        let found = try diagnostics { text in
            text += try approval("client:soc-1880/system", in: text)
        }
        #expect(found.map(\.code).contains(.duplicateID))
    }

    @Test func `an approval of an earlier form counts no longer, and what has changed is told`() throws {
        let approved = try PolicyFixture().inProduction.approved()
        let changed = approved.replacing(
            "fields: [level, criteria]", with: "fields: [criteria, level]", in: "rules.yaml")
        #expect(try changed.missing() == [], "the order of fields is nothing")
        let wider = PolicyLoader.load(
            files: approved.replacing(
                "roles: [sender, receiver], stations: [soc-1880", with: "roles: [receiver], stations: [soc-1880",
                in: "parties/soc-1880.yaml"
            ).files,
            zone: PolicyFixture.zone)
        let warning = try #require(wider.diagnostics.first { $0.code == .noLongerApproved })
        #expect(warning.severity == .warning && warning.location.file == Self.file)
        #expect(
            warning.message == "'client:soc-1880/system' is no longer approved, it is inactive: roles: sender gone",
            "\(warning.message)")
        #expect(warning.related.map(\.file) == ["parties/soc-1880.yaml"])
    }

    @Test func `an approval of what is not there is told and harmless`() throws {
        let approved = try PolicyFixture().approved()
        let less = approved.replacing(
            "people: [{id: staff-17, function: intake, roles: [responder], desks: [soc-1880-intake]}]",
            with: "people: []", in: "parties/soc-1880.yaml")
        let found = PolicyLoader.load(files: less.files, zone: PolicyFixture.zone)
        #expect(found.policy != nil)
        #expect(found.diagnostics.map(\.code) == [.approvesNothing])
    }

    // MARK: Keys

    private func handOver(to next: ApproverSecret, by old: ApproverSecret) -> KeyHandOver {
        let change = ApproverKeyChange(
            to: next.publicKey, collaboration: CollaborationID(unchecked: "orebro"),
            party: PartyID(unchecked: "soc-1880"))
        return KeyHandOver(key: next.publicKey, signature: old.signature(of: change))
    }

    @Test func `behind a change of keys the new key's approvals count, and the old one's no more`() throws {
        let old = try PolicyFixture.secret("soc-1880")
        let new = try PolicyFixture.secret("next")
        var fixture = try PolicyFixture().inProduction.approved()
        fixture.files[Self.file] = try PolicyFixture().inProduction.approvals(
            of: "soc-1880", signedBy: new, handOver: handOver(to: new, by: old))
        let policy = try fixture.policy()
        let approver = try #require(policy.approvers.first { $0.party.text == "soc-1880" })
        #expect(approver.key == old.publicKey && approver.current == new.publicKey)
        #expect(policy.inactive.isEmpty)

        fixture.files[Self.file] = try PolicyFixture().inProduction.approvals(
            of: "soc-1880", signedBy: old, handOver: handOver(to: new, by: old))
        #expect(fixture.diagnostics.contains { $0.code == .wrongSignature && $0.message.contains("'next-key'") })
    }

    @Test func `a change of keys that the old key did not sign is an error`() throws {
        let new = try PolicyFixture.secret("next")
        var fixture = try PolicyFixture().approved()
        fixture.files[Self.file] = try PolicyFixture().approvals(
            of: "soc-1880", signedBy: new, handOver: handOver(to: new, by: new))
        let errors = fixture.diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.code) == [.wrongSignature])
        #expect(errors.first?.message.contains("change of keys") == true)
        #expect(errors.first?.location.file == Self.file)
    }

    // MARK: Modes

    @Test func `an exercise without approvals has no warning but a line, and everything is active`() throws {
        let load = PolicyLoader.load(files: PolicyFixture().files, zone: PolicyFixture.zone)
        #expect(load.diagnostics == [])
        #expect(load.policy?.inactive.isEmpty == true)
        let parts = try PolicyFixture().parts().count
        #expect(
            load.approvals?.summary
                == "no approvals: \(parts) parts of 10 parties; in production mode they would be inactive")
    }

    @Test func `an exercise with approvals warns of each part that lacks some, and everything is active`() throws {
        let fixture = try PolicyFixture().approved(without: ["rule:focus-group frv-18", "client:reg-18/form reg-18"])
        let load = PolicyLoader.load(files: fixture.files, zone: PolicyFixture.zone)
        #expect(load.policy?.inactive.isEmpty == true && load.policy?.digest == load.whole?.digest)
        #expect(load.approvals?.summary == nil)
        #expect(
            Set(load.diagnostics.map(\.message)) == [
                "rule:focus-group would be inactive in production mode: approval of frv-18 missing",
                "client:reg-18/form would be inactive in production mode: approval of reg-18 missing",
            ])
    }

    @Test func `in production a party that has approved nothing at all is an error`() throws {
        let fixture = PolicyFixture().inProduction
        let load = PolicyLoader.load(files: fixture.files, zone: PolicyFixture.zone)
        #expect(load.policy == nil && load.whole != nil)
        #expect(load.diagnostics.map(\.code) == Array(repeating: .nothingApproved, count: 10))
        #expect(load.diagnostics.allSatisfy { $0.severity == .error && $0.location.file.hasPrefix("parties/") })

        var one = try fixture.approved()
        one.files["approvals/reg-18.yaml"] = nil
        #expect(one.diagnostics.map(\.message) == ["'reg-18' has approved nothing, and production mode demands it"])
        let waived = one.files
        one.files["approvals/reg-18.yaml"] = try one.approvals(of: "reg-18", parts: [])
        #expect(one.diagnostics.allSatisfy { $0.severity == .warning }, "an empty list is a word: all is withdrawn")
        #expect(try one.missing().contains { $0 == "secrecy:reg-18: reg-18" })
        #expect(
            PolicyCheck.run(files: waived, zone: PolicyFixture.zone, approvals: .waived).isActivatable,
            "what makes approvals can read it")
    }

    @Test func `so many approvals are read and no more`() throws {
        func text(_ count: Int) throws -> String {
            let none = Digest(sha256Of: "").base64url
            let signature = Base64URL.text([UInt8](repeating: 0, count: ApproverKey.signatureBytes))
            let key = try PolicyFixture.secret("soc-1880").publicKey
            let items = (1...count).map { "  - {part: p\($0), approved: 2026-01-01, digest: \"\(none)\", form: []}\n" }
            return "version: 1\nparty: soc-1880\nkey: \"\(key)\"\nsigned: 2026-01-01T00:00:00Z\n"
                + "signature: \"\(signature)\"\napprovals:\n" + items.joined()
        }
        for (count, isTooMany) in [(ApprovalsFile.mostApprovals, false), (ApprovalsFile.mostApprovals + 1, true)] {
            var fixture = PolicyFixture()
            fixture.files[Self.file] = try text(count)
            #expect(fixture.diagnostics.contains { $0.code == .wrongCount } == isTooMany)
        }
    }

    @Test(arguments: [(65_536, true), (65_537, false)]) func `a line of a form has a longest length`(
        length: Int, isRead: Bool
    ) throws {
        let found = try diagnostics { text in
            let line = "a: " + String(repeating: "b", count: length - 3)
            try replace("    form:\n", "    form:\n      - \"\(line)\"\n", in: &text)
        }
        #expect(found.contains { $0.code == .outOfRange } == !isRead)
        #expect(found.contains { $0.code == .wrongDigest } == isRead)
    }

    @Test func `the text that is written is read again, whatever stands in a form`() throws {
        var form = ApprovalForm()
        form.add("a", ["\"quoted\"", "back\\slash", "tab\tbell\u{7}", "å — §"])
        let secret = try PolicyFixture.secret("soc-1880")
        let id = party("soc-1880")
        let approval = Approval(form: form, day: try #require(CivilDay("2026-11-22")))
        let log = DiagnosticLog()
        let text = ApprovalsText(
            collaboration: CollaborationID(unchecked: "orebro"), party: id, key: secret.publicKey, next: nil,
            time: time("2026-11-22T08:00:00.123Z"), approvals: ["p": approval], signer: secret
        ).text
        let root = try #require(SettingsReader.parse(file: Self.file, text: text, log: log))
        let file = ApprovalsFile(
            root, name: "soc-1880", collaboration: CollaborationID(unchecked: "orebro"), partyIDs: nil,
            context: ReadingContext(zone: PolicyFixture.zone, purpose: .everything, log: log))
        #expect(log.diagnostics == [])
        #expect(file.entries.map(\.approval) == [approval])
        #expect(file.approver?.stamp.time == time("2026-11-22T08:00:00.123Z"))
    }
}
