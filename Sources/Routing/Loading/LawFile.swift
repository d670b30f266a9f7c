import CaseNotifications
import Settings

/// Reads `law.yaml`: legal bases and what senders affirm.
struct LawFile {
    /// Bases by id; nil if the file could not be read.
    private(set) var bases: [String: Basis]?
    /// What each affirmation says; nil if the file could not be read.
    private(set) var affirmations: [String: Labels]?
    private let context: ReadingContext

    init(
        _ root: SettingsNode?, types: [EventType: EventTypeDefinition]?, partyIDs: Set<String>?,
        context: ReadingContext
    ) {
        self.context = context
        guard var reader = context.reader(root, "law.yaml") else { return }
        let affirmations = context.vocabulary(reader.requiredEntries("affirmations"), "an affirmation")
        self.affirmations = affirmations
        var bases: [String: Basis] = [:]
        var seen: [String: SourceLocation] = [:]
        for item in reader.requiredSequence("bases") {
            let basis = basis(
                item, types: types, partyIDs: partyIDs, affirmations: Set(affirmations.keys), seen: &seen)
            if let basis { bases[basis.id] = basis }
        }
        reader.finish()
        self.bases = bases
    }

    private func basis(
        _ node: SettingsNode, types: [EventType: EventTypeDefinition]?, partyIDs: Set<String>?,
        affirmations: Set<String>, seen: inout [String: SourceLocation]
    ) -> Basis? {
        guard var reader = MappingReader(node, "a basis", context.log) else { return nil }
        let id = reader.located("id", Scalar<RuleID>.id("basis"))
        if let id { context.checkUnique(id.asText, "basis", in: &seen) }
        let labels = context.labels(&reader)
        let sfs = reader.value("sfs", .sfs)
        let amended = reader.optional("amended", .sfs)
        let paragraph = reader.value("paragraph", .text)
        let effect = reader.value("effect", .effect)
        let validity = context.validity(&reader)
        let senders = matcher(&reader, "from", partyIDs: partyIDs)
        let recipients = matcher(&reader, "to", partyIDs: partyIDs)
        let onlyTypes = reader.optionalList("types", of: .eventType)
        for type in onlyTypes ?? [] { context.check(type, among: types) }
        let secrecy = secrecy(&reader)
        let demanded = reader.list("affirmations", of: .text)
        context.check(demanded, .affirmation, among: affirmations)
        let standing = reader.list("standing", of: .text)
        context.check(standing, .affirmation, among: Set(demanded.map(\.value)))
        let demandedFrom = affirmationsFrom(&reader, besides: demanded, senders: senders, among: affirmations)
        let consent = reader.list("consent", of: .oneOf(ConsentGiver.allCases.map(\.rawValue)))
        let agreement = reader.optionalLocated("agreement", .oneOf(["required", "not-required"]))
        if let agreement, agreement.value == "required", effect == .duty {
            context.log.error(
                .contradiction, at: agreement.place, "a duty needs no agreement",
                hint: "no missing agreement may block what a statute demands")
        }
        reader.finish()
        guard let id, let labels, let sfs, let paragraph, let effect else { return nil }
        let standingNames = Set(standing.map(\.value))
        return Basis(
            id: id.value.text, labels: labels, sfs: sfs, amended: amended, paragraph: paragraph, effect: effect,
            validity: validity, senders: senders, recipients: recipients,
            types: onlyTypes.map { Set($0.map(\.value)) }, secrecyWithin: secrecy.within,
            secrecyExcept: secrecy.except,
            affirmations: demanded.map(\.value).filter { !standingNames.contains($0) }, affirmationsFrom: demandedFrom,
            consent: consent.map(\.value),
            needsAgreement: effect == .may && agreement?.value != "not-required", location: reader.location)
    }

    /// What only senders of some kinds must affirm, besides what all must.
    private func affirmationsFrom(
        _ reader: inout MappingReader, besides demanded: [Located<String>], senders: PartyMatcher?,
        among known: Set<String>
    ) -> [PartyKind: [String]] {
        let from = reader.place(of: "from").location
        guard var kinds = reader.optionalMapping("affirmations-from") else { return [:] }
        var result: [PartyKind: [String]] = [:]
        for kind in PartyKind.allCases {
            guard let names = kinds.optionalList(kind.rawValue, of: .text) else { continue }
            context.check(names, .affirmation, among: known)
            if let entitled = senders?.kinds, !entitled.contains(kind) {
                context.log.error(
                    .contradiction, at: kinds.place(of: kind.rawValue),
                    "the basis is for no sender of the kind '\(kind.rawValue)'",
                    hint: "its 'from' has \(entitled.map(\.rawValue).sorted().joined(separator: ", "))", related: [from]
                )
            }
            for name in names {
                guard let first = demanded.first(where: { $0.value == name.value }) else { continue }
                context.log.error(
                    .repeatedValue, at: name.place, "every sender must affirm \(Diagnostic.quote(name.value)) already",
                    hint: "remove one of them", related: [first.location])
            }
            result[kind] = names.map(\.value)
        }
        kinds.finish()
        return result
    }

    private func secrecy(_ reader: inout MappingReader) -> (within: [SecrecyPattern], except: [SecrecyPattern]) {
        guard var secrecy = reader.optionalMapping("secrecy") else { return ([], []) }
        let within = secrecy.list("within", of: .secrecyPattern).map(\.value)
        let except = secrecy.list("except", of: .secrecyPattern).map(\.value)
        secrecy.finish()
        return (within, except)
    }

    private func matcher(_ reader: inout MappingReader, _ key: String, partyIDs: Set<String>?) -> PartyMatcher? {
        guard var matcher = reader.optionalMapping(key) else { return nil }
        let kinds = matcher.optionalList("kinds", of: .oneOf(PartyKind.self, named: "party kind"))
        let parties = matcher.optionalList("parties", of: Scalar<PartyID>.id("party"))
        matcher.finish()
        context.check((parties ?? []).map(\.asText), .party, among: partyIDs)
        return PartyMatcher(
            kinds: kinds.map { Set($0.map(\.value)) }, parties: parties.map { Set($0.map(\.value)) })
    }
}

extension Scalar where Value == Effect {
    /// `duty` or `may`.
    static var effect: Scalar {
        Scalar("duty or may") { scalar in
            if let effect = Effect(rawValue: scalar.text) { return .success(effect) }
            return .failure(ScalarFault(hint: Suggestion.hint(for: scalar.text, among: ["duty", "may"])))
        }
    }
}

extension Scalar where Value == String {
    /// A number in Svensk författningssamling: `2009:400`.
    static var sfs: Scalar {
        Scalar("a number in Svensk författningssamling such as \"2009:400\"") { scalar in
            let parts = scalar.text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].utf8.count == 4, (1...5).contains(parts[1].utf8.count),
                parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
            else { return .failure(ScalarFault()) }
            return .success(scalar.text)
        }
    }
}
