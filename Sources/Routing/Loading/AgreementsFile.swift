import CaseNotifications
import Settings

/// Reads `agreements.yaml`.
struct AgreementsFile {
    /// Agreements by id; nil if the file could not be read.
    private(set) var agreements: [String: Agreement]?
    private let context: ReadingContext
    private let collaboration: CollaborationFile.Known?
    private let partyIDs: Set<String>?
    /// Parties by organisation, sorted.
    private let organisations: [String: [PartyID]]

    init(
        _ root: SettingsNode?, collaboration: CollaborationFile.Known?, parties: [Party], partyIDs: Set<String>?,
        context: ReadingContext
    ) {
        self.context = context
        self.collaboration = collaboration
        self.partyIDs = partyIDs
        organisations = Dictionary(grouping: parties, by: \.organisation).mapValues { $0.map(\.id).sorted() }
        guard var reader = context.reader(root, "agreements.yaml") else { return }
        var agreements: [String: Agreement] = [:]
        var seen: [String: SourceLocation] = [:]
        for item in reader.requiredSequence("agreements") {
            if let agreement = agreement(item, seen: &seen) { agreements[agreement.id] = agreement }
        }
        reader.finish()
        self.agreements = agreements
    }

    /// A signature, and the parties that it binds.
    private struct Signature {
        var signed: CivilDay?
        /// Who is bound, each with its last day.
        var bound: [(parties: [PartyID], lastDay: CivilDay?)]
    }

    private func agreement(_ node: SettingsNode, seen: inout [String: SourceLocation]) -> Agreement? {
        guard var reader = MappingReader(node, "an agreement", context.log) else { return nil }
        let id = reader.located("id", Scalar<RuleID>.id("agreement"))
        if let id { context.checkUnique(id.asText, "agreement", in: &seen) }
        let labels = context.labels(&reader)
        let level = reader.located("level", .oneOf(Agreement.Level.self, named: "level of agreement"))
        let municipalities = reader.list("municipalities", of: .quotedCode(digits: 4))
        context.check(municipalities, .municipality, among: collaboration?.municipalities)
        if let level, level.value == .municipality, municipalities.isEmpty {
            context.log.error(
                .contradiction, at: level.place, "an agreement of level municipality names its municipalities")
        }
        let programmes = reader.list("programmes", of: .text)
        context.check(programmes, .programme, among: collaboration?.programmes)
        _ = context.optionalLabels(&reader, "purpose")
        let state = reader.located("state", .oneOf(Agreement.State.self, named: "state of agreement"))
        let period = context.validity(&reader)
        let ended = reader.optionalLocated("ended", .day)
        let signatures = reader.requiredSequence("signatories").compactMap(signature)
        reader.finish()
        guard let id, let labels, let level, let state else { return nil }
        if ended != nil, state.value == .draft {
            context.log.error(.contradiction, at: reader.place(of: "ended"), "a draft cannot have ended")
        }
        let isSigned = !signatures.isEmpty && signatures.allSatisfy { $0.signed != nil }
        if state.value == .inForce, !isSigned {
            context.log.warning(
                .partlySigned, at: state.place, "the agreement '\(id.value)' is not signed by all: not in force",
                hint: "add 'signed' to each signatory, or set 'state: draft'")
        }
        var validity = period.intersection(
            Validity(first: signatures.compactMap(\.signed).max(), last: ended?.value, zone: context.zone))
        // One that is ended without saying when counts as ended before any time that can be asked for.
        if state.value == .ended, validity.end == .distantFuture {
            validity = Validity(start: .distantPast, end: .distantPast)
        }
        return Agreement(
            id: id.value.text, labels: labels, level: level.value, municipalities: Set(municipalities.map(\.value)),
            programmes: Set(programmes.map(\.value)), state: state.value, isSigned: isSigned, validity: validity,
            members: members(signatures), location: id.location)
    }

    private func members(_ signatures: [Signature]) -> [PartyID: Validity] {
        var members: [PartyID: Validity] = [:]
        for (parties, lastDay) in signatures.flatMap(\.bound) {
            let validity = Validity(first: nil, last: lastDay, zone: context.zone)
            for party in parties {
                let known = members[party]
                members[party] = known.map { $0.end > validity.end ? $0 : validity } ?? validity
            }
        }
        return members
    }

    private func signature(_ node: SettingsNode) -> Signature? {
        guard var reader = MappingReader(node, "a signatory", context.log) else { return nil }
        let organisation = reader.optionalLocated("organisation", .text)
        let party = reader.optionalLocated("party", Scalar<PartyID>.id("party"))
        let federation = reader.optionalLocated("federation", Scalar<RuleID>.id("federation"))
        let membersPlace = reader.place(of: "members")
        let members = reader.sequence("members").compactMap(member)
        let signed = reader.optional("signed", .day)
        let left = reader.optional("left", .day)
        reader.finish()
        let given = [organisation != nil, party != nil, federation != nil].count { $0 }
        if given != 1 {
            context.log.error(
                .contradiction, at: reader.place, "a signatory is one of organisation, party and federation")
        }
        if federation == nil, !members.isEmpty {
            context.log.error(
                .contradiction, at: membersPlace, "only a federation has members")
        }
        if federation != nil, members.isEmpty {
            context.log.error(
                .missingKey, at: reader.place, "a federation signs for its members, and it has none",
                hint: "list the organisations in 'members'")
        }
        let known = partyIDs == nil ? nil : Set(organisations.keys)
        if let organisation { context.check(organisation, .organisation, among: known) }
        context.check(members.map(\.organisation), .organisation, among: known)
        for (place, member) in members.enumerated()
        where members[..<place].contains(where: { $0.organisation.value == member.organisation.value }) {
            context.log.error(
                .duplicateID, at: member.organisation.place, "'\(member.organisation.value)' is a member twice")
        }
        if let party { context.check(party.asText, .party, among: partyIDs) }
        if let party { return Signature(signed: signed, bound: [([party.value], left)]) }
        if let organisation {
            return Signature(signed: signed, bound: [(organisations[organisation.value] ?? [], left)])
        }
        let bound = members.map { member in
            (organisations[member.organisation.value] ?? [], [member.lastDay, left].compactMap(\.self).min())
        }
        return Signature(signed: signed, bound: bound)
    }

    /// A member of a federation: an organisation, or one with the last day on which it takes part.
    private func member(_ node: SettingsNode) -> (organisation: Located<String>, lastDay: CivilDay?)? {
        guard case .mapping = node.content else {
            return MappingReader.read(node, .text, what: "a member", log: context.log).map { ($0, nil) }
        }
        guard var reader = MappingReader(node, "a member", context.log) else { return nil }
        let organisation = reader.located("organisation", .text)
        let left = reader.optional("left", .day)
        reader.finish()
        return organisation.map { ($0, left) }
    }
}
