import CaseNotifications
import Settings

/// Reads one file of `approvals/`: what one party has approved, under which key.
///
/// Whatever is not exactly what its signature says is an error. What is, and is no longer the form of its part, is a warning: it
/// approves nothing.
struct ApprovalsFile {
    /// The most approvals of one party.
    static let mostApprovals = 2_048

    /// One approval; the signature over all of them is the approver's.
    struct Entry {
        let part: Located<String>
        let approval: Approval
        var form: ApprovalForm { approval.form }
    }

    /// Whose file it is, with which key and which statement; nil if that could not be read or is not what was signed.
    private(set) var approver: Approver?
    /// Whose file it is; nil if that could not be read.
    private(set) var party: PartyID?
    /// What was approved, each part once.
    private(set) var entries: [Entry] = []
    private let context: ReadingContext

    init(
        _ root: SettingsNode, name: String, collaboration: CollaborationID?, partyIDs: Set<String>?,
        context: ReadingContext
    ) {
        self.context = context
        guard var reader = context.reader(root, "approvals of '\(name)'") else { return }
        let party = reader.located("party", Scalar<PartyID>.id("party"))
        if let party {
            context.check(party.asText, .party, among: partyIDs)
            if party.value.text != name {
                context.log.error(
                    .fileName, at: party.place, "the party is '\(party.value)' and its file is called \(name).yaml",
                    hint: "name the file \(party.value).yaml")
            }
        }
        let key = reader.located("key", .approverKey)
        let next = reader.optionalMapping("next-key")
        let time = reader.value("signed", .instant)
        let signature = reader.located("signature", .signature)
        let items = reader.requiredSequence("approvals")
        if items.count > Self.mostApprovals {
            context.log.error(
                .wrongCount, at: reader.place(of: "approvals"), "more than \(Self.mostApprovals) approvals")
        }
        reader.finish()
        self.party = party?.value
        guard let party, let key, let collaboration else { return }
        let nextKey = next.flatMap { self.nextKey($0, key.value, party.value, collaboration) }
        guard next == nil || nextKey != nil else { return }
        var seen: [String: SourceLocation] = [:]
        var entries: [Entry] = []
        for item in items.prefix(Self.mostApprovals) {
            if let entry = entry(item, party.value, seen: &seen) { entries.append(entry) }
        }
        // What of the list could not be read is told, and then there is nothing whose signature could be judged.
        guard let time, let signature, entries.count == items.count, seen.count == items.count else { return }
        let statement = ApprovalStatement(
            collaboration: collaboration, party: party.value, time: time,
            approvals: Dictionary(entries.map { ($0.part.value, $0.approval) }) { first, _ in first })
        guard (nextKey?.key ?? key.value).signed(statement, signature.value) else {
            context.log.error(
                .wrongSignature, at: signature.place,
                "the '\(nextKey == nil ? "key" : "next-key")' of '\(party.value)' did not sign what stands here, at this"
                    + " time, in '\(collaboration)'",
                hint: "put the file back as it was signed, or remove it and approve everything anew: budkavled approve"
                    + " --party \(party.value) --key FILE")
            return
        }
        self.entries = entries
        approver = Approver(
            party: party.value, key: key.value, handOver: nextKey,
            stamp: ApprovalStamp(time: time, digest: statement.digest), location: key.location)
    }

    private func nextKey(
        _ mapping: MappingReader, _ old: ApproverKey, _ party: PartyID, _ collaboration: CollaborationID
    ) -> KeyHandOver? {
        var reader = mapping
        let key = reader.value("key", .approverKey)
        let signature = reader.located("signature", .signature)
        reader.finish()
        guard let key, let signature else { return nil }
        guard old.signed(ApproverKeyChange(to: key, collaboration: collaboration, party: party), signature.value) else {
            context.log.error(
                .wrongSignature, at: signature.place,
                "the key above did not sign this change of keys for '\(party)' in '\(collaboration)'",
                hint: "budkavled approve --party \(party) --key OLD --next-key NEW")
            return nil
        }
        return KeyHandOver(key: key, signature: signature.value)
    }

    private func entry(
        _ node: SettingsNode, _ party: PartyID, seen: inout [String: SourceLocation]
    ) -> Entry? {
        guard var reader = MappingReader(node, "an approval", context.log) else { return nil }
        let part = reader.located("part", .text)
        if let part { context.checkUnique(part, "approval of", in: &seen) }
        let day = reader.value("approved", .day)
        let digest = reader.located("digest", .digest)
        let form = reader.requiredSequence("form").compactMap {
            MappingReader.read($0, .formLine, what: "a line of the form", log: context.log)?.value
        }
        reader.finish()
        guard let part, let day, let digest else { return nil }
        let approved = ApprovalForm(lines: form)
        guard approved.digest == digest.value else {
            context.log.error(
                .wrongDigest, at: digest.place, "this is not the digest of the form below",
                hint: "an approval cannot be edited; make a new one: budkavled approve --party \(party) --key FILE")
            return nil
        }
        return Entry(part: part, approval: Approval(form: approved, day: day))
    }

    /// Says which approvals count no longer, and what has changed.
    func compare(with parts: [String: ApprovalPart], mode: Mode, log: DiagnosticLog) {
        guard let approver else { return }
        for entry in entries {
            let name = Diagnostic.quote(entry.part.value)
            guard let part = parts[entry.part.value], part.approvers.contains(approver.party) else {
                log.warning(
                    .approvesNothing, at: entry.part.place,
                    "\(name) is nothing that '\(approver.party)' has to approve",
                    hint: "the next budkavled approve leaves it out")
                continue
            }
            guard part.form != entry.form else { continue }
            let changes = part.form.changes(since: entry.form).map(\.en).joined(separator: "; ")
            let effect = mode == .production ? "it is inactive" : "it would be inactive in production mode"
            log.warning(
                .noLongerApproved, at: entry.part.place, "\(name) is no longer approved, \(effect): \(changes)",
                hint: "budkavled approve --party \(approver.party) --key FILE", related: [part.location])
        }
    }
}

extension Scalar where Value == String {
    /// The longest line of a form, in bytes.
    static var longestFormLineBytes: Int { 65_536 }

    /// A line of a form.
    fileprivate static var formLine: Scalar {
        Scalar("a line of a form") { scalar in
            guard scalar.text.utf8.count <= longestFormLineBytes else {
                return .failure(
                    ScalarFault(.outOfRange, message: "the line is longer than \(longestFormLineBytes) bytes"))
            }
            return .success(scalar.text)
        }
    }
}

extension Scalar where Value == ApproverKey {
    /// 32 bytes in base64url.
    static var approverKey: Scalar {
        Scalar("a public key: 32 bytes, base64url without padding", orNil: { ApproverKey($0) })
    }
}

extension Scalar where Value == [UInt8] {
    /// 64 bytes in base64url.
    static var signature: Scalar {
        Scalar("a signature: 64 bytes, base64url without padding") { scalar in
            guard let bytes = Base64URL.bytes(scalar.text), bytes.count == ApproverKey.signatureBytes else {
                return .failure(ScalarFault())
            }
            return .success(bytes)
        }
    }
}

extension Scalar where Value == Digest {
    /// 32 bytes in base64url.
    static var digest: Scalar {
        Scalar("a digest: 32 bytes, base64url without padding") { scalar in
            guard let digest = Base64URL.bytes(scalar.text).flatMap({ Digest(bytes: $0) }) else {
                return .failure(ScalarFault())
            }
            return .success(digest)
        }
    }
}
