import CaseNotifications

/// What a part opens, in plain words, in both languages: for whoever signs it, who need not know the files.
extension Policy {
    /// What a rule opens.
    func words(of rule: Rule, from senders: [PartyID], to recipients: [PartyID]) -> [Labels] {
        var lines = rule.labels.map { [$0.quoted] } ?? []
        guard !senders.isEmpty, !recipients.isEmpty else {
            let (sv, en) = senders.isEmpty ? ("lämnar ut", "sends") : ("får", "receives")
            lines.append(
                Labels(
                    sv: "Den öppnar ingenting: ingen part \(sv) något enligt den.",
                    en: "It opens nothing: no party of the policy \(en) anything by it."))
            return lines
        }
        let (from, to) = (names(senders), names(recipients))
        lines.append(Labels(sv: "Lämnar ut: \(from.sv).", en: "Sends: \(from.en)."))
        lines.append(Labels(sv: "Får läsa: \(to.sv).", en: "Reads: \(to.en)."))
        for type in rule.types.sorted() {
            guard let view = rule.views[type] else { continue }
            let type = (name: name(type), labels: fieldLabels(of: type))
            let read = Self.fields(view.fields, view.attributes, type.labels)
            let strict = Self.fields(view.strictFields, view.strictAttributes, type.labels)
            lines.append(
                rule.kind == .duty
                    ? Labels(
                        sv: "Ska underrättas enligt lag. Av \(type.name.sv): \(read.sv).",
                        en: "Must be told by law. Of \(type.name.en): \(read.en).")
                    : Labels(
                        sv: "Får underrättas. Av \(type.name.sv): \(read.sv).",
                        en: "May be told. Of \(type.name.en): \(read.en)."))
            lines.append(
                Labels(
                    sv: "Vid skyddade personuppgifter bara: \(strict.sv).",
                    en: "With protected identity only: \(strict.en)."))
        }
        if let basis = rule.basis.flatMap({ bases[$0] }) { lines += words(of: basis) }
        lines += limits(of: rule, from: senders).map { Labels(sv: "Bara om \($0.sv).", en: "Only if \($0.en).") }
        if let period = period(of: rule.validity) {
            lines.append(Labels(sv: "Gäller \(period.sv).", en: "In force \(period.en)."))
        }
        let never = rules.filter { $0.kind == .never && !$0.types.isDisjoint(with: rule.types) }
        if !never.isEmpty {
            let all = Labels.list(never.map { $0.labels?.quoted ?? Labels(of: $0.id.text) })
            lines.append(
                Labels(sv: "Förbud som går före: \(all.sv).", en: "What forbids and goes before: \(all.en)."))
        }
        return lines
    }

    private func words(of basis: Basis) -> [Labels] {
        var (sv, en) = (basis.labels.sv, basis.labels.en)
        let source = " (SFS \(basis.sfs), \(basis.paragraph)"
        sv += source + (basis.amended.map { ", i lydelse enligt SFS \($0))" } ?? ")")
        en += source + (basis.amended.map { ", as amended by SFS \($0))" } ?? ")")
        if let period = period(of: basis.validity) {
            sv += ", gäller \(period.sv)"
            en += ", in force \(period.en)"
        }
        var lines = [Labels(sv: "Rättslig grund: \(sv).", en: "Legal basis: \(en).")]
        let lifts = Self.chapters(basis.secrecyWithin)
        if !lifts.isEmpty {
            lines.append(
                Labels(
                    sv: "Den bryter bara sekretess enligt OSL \(lifts).", en: "It lifts secrecy by OSL \(lifts) only."))
        }
        let stays = Self.chapters(basis.secrecyExcept)
        if !stays.isEmpty {
            lines.append(
                Labels(
                    sv: "Den bryter inte sekretess enligt OSL \(stays).",
                    en: "It does not lift secrecy by OSL \(stays)."))
        }
        return lines
    }

    private static func chapters(_ patterns: [SecrecyPattern]) -> String {
        patterns.map { $0.description.split(separator: " to ").joined(separator: "–") }.joined(separator: ", ")
    }

    // MARK: Conditions

    /// The conditions that a rule and its basis set for some senders.
    private func limits(of rule: Rule, from senders: [PartyID]) -> [Labels] {
        let basis = rule.basis.flatMap { bases[$0] }
        var limits: [Labels] = []
        func add(_ sv: String, _ en: String) { limits.append(Labels(sv: sv, en: en)) }
        if rule.from.servesMunicipality { add("avsändaren verkar i kommunen", "the sender serves the municipality") }
        if rule.to.servesMunicipality { add("mottagaren verkar i kommunen", "the recipient serves the municipality") }
        if rule.to.isGroup {
            add("mottagaren är med i kommunens grupp", "the recipient is in the municipality's group")
        }
        if rule.to.isNamed {
            let roles = rule.to.roles.map { vocabulary.audienceRoles[$0] ?? Labels(of: $0) }
            let which = roles.isEmpty ? Labels(of: "") : Labels.either(roles)
            add(
                "avsändaren anger mottagaren\(roles.isEmpty ? "" : " som \(which.sv)")",
                "the sender names the recipient\(roles.isEmpty ? "" : " as \(which.en)")")
        }
        limits += self.limits(of: rule.when)
        for affirmation in (basis?.affirmations ?? []) + rule.affirmations {
            let text = text(ofAffirmation: affirmation)
            add("avsändaren intygar: \(text.sv)", "the sender affirms: \(text.en)")
        }
        if let basis { limits += self.limits(of: basis, from: senders) }
        for consent in [basis?.consent ?? [], rule.consent] where !consent.isEmpty {
            let whose = Labels.either(consent.map(Self.consenting))
            add("samtycke finns av \(whose.sv)", "there is consent of \(whose.en)")
        }
        if rule.kind == .may, basis?.needsAgreement ?? false {
            let named = Labels.either(agreements.filter { rule.agreements.contains($0.id) }.map(\.labels.quoted))
            add(
                "en överenskommelse\(named.sv.isEmpty ? "" : " (\(named.sv))") gäller, eller båda är samma myndighet",
                "an agreement\(named.en.isEmpty ? "" : " (\(named.en))") is in force, or both are one authority")
        }
        return limits
    }

    /// What the law lets senders of some kinds affirm besides.
    private func limits(of basis: Basis, from senders: [PartyID]) -> [Labels] {
        let kinds = Set(senders.compactMap { party($0)?.kind })
        return Set(kinds.flatMap { basis.affirmationsFrom[$0] ?? [] }).sorted().map { name in
            let text = text(ofAffirmation: name)
            let bound = kinds.filter { basis.affirmationsFrom[$0]?.contains(name) ?? false }
            guard bound != kinds else {
                return Labels(sv: "avsändaren intygar: \(text.sv)", en: "the sender affirms: \(text.en)")
            }
            let whose = Labels.either(bound.map(\.rawValue).sorted().map { Labels(of: $0) })
            return Labels(
                sv: "avsändaren, när den är av slaget \(whose.sv), intygar: \(text.sv)",
                en: "the sender, where it is of the kind \(whose.en), affirms: \(text.en)")
        }
    }

    private func limits(of when: Condition) -> [Labels] {
        func circumstances(_ names: [String]) -> [Labels] {
            names.map { label(ofCircumstance: $0)?.quoted ?? Labels(of: $0) }
        }
        var limits: [Labels] = []
        func add(_ names: [Labels], _ sv: String, _ en: String, _ join: ([Labels]) -> Labels) {
            guard !names.isEmpty else { return }
            let all = join(names)
            limits.append(Labels(sv: "\(sv) \(all.sv)", en: "\(en) \(all.en)"))
        }
        add(circumstances(when.all), "det anges:", "it is stated:", Labels.list)
        add(circumstances(when.any), "det anges:", "it is stated:", Labels.either)
        add(circumstances(when.none), "det inte anges:", "it is not stated:", Labels.either)
        add(when.levels.map { Labels(of: $0) }, "nivån är", "the level is", Labels.either)
        let programmes = when.programmes.map { settings.programmes[$0]?.quoted ?? Labels(of: $0) }
        add(programmes, "det hör till", "it belongs to", Labels.either)
        add(when.attributes.map(Self.attribute), "det har", "it has", Labels.list)
        for name in when.affirmed {
            add([text(ofAffirmation: name)], "det intygas:", "it is affirmed:", Labels.list)
        }
        for name in when.notAffirmed {
            add([text(ofAffirmation: name)], "det inte intygas:", "it is not affirmed:", Labels.list)
        }
        switch when.isProtected {
        case true?:
            limits.append(
                Labels(
                    sv: "personuppgifterna är skyddade, eller det är okänt",
                    en: "the identity is protected, or that is not known"))
        case false?:
            limits.append(Labels(sv: "personuppgifterna inte är skyddade", en: "the identity is not protected"))
        case nil: break
        }
        return limits
    }

    /// Without its full stop: one comes behind it.
    private func text(ofAffirmation name: String) -> Labels {
        guard let text = label(ofAffirmation: name) else { return Labels(of: name) }
        func cut(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }
        return Labels(sv: cut(text.sv), en: cut(text.en)).quoted
    }

    // MARK: Names

    /// Parties by name and id.
    func names(_ ids: some Sequence<PartyID>) -> Labels { Labels.list(ids.map(name)) }

    /// A party by name and id.
    func name(_ id: PartyID) -> Labels {
        guard let labels = party(id)?.labels else { return Labels(of: id.text) }
        return Labels(sv: "\(labels.sv) (\(id))", en: "\(labels.en) (\(id))")
    }

    /// A type by name and id.
    func name(_ type: EventType) -> Labels {
        guard let labels = label(of: type)?.quoted else { return Labels(of: type.shortName) }
        return Labels(sv: "\(labels.sv) (\(type.shortName))", en: "\(labels.en) (\(type.shortName))")
    }

    /// Municipalities by name and code; the whole county for none.
    func places(_ codes: some Collection<String>, county: String) -> Labels {
        guard !codes.isEmpty else { return Labels(sv: "hela län \(county)", en: "all of county \(county)") }
        return Labels(
            of: codes.sorted().map { code in municipalities[code].map { "\($0) (\(code))" } ?? code }
                .joined(separator: ", "))
    }

    /// Days by the calendar; nil for always.
    func period(of validity: Validity) -> Labels? {
        let first = CivilDay(civilTime(validity.start).day).text
        let last = CivilDay(civilTime(validity.end).day - 1).text
        switch (validity.start == .distantPast, validity.end == .distantFuture) {
        case (true, true): return nil
        case (false, true): return Labels(sv: "från och med \(first)", en: "from \(first) on")
        case (true, false): return Labels(sv: "till och med \(last)", en: "up to and with \(last)")
        case (false, false):
            return Labels(sv: "\(first) till och med \(last)", en: "\(first) up to and with \(last)")
        }
    }

    private static func fields(_ fields: [String], _ attributes: [String], _ known: [String: Labels]) -> Labels {
        let all = fields.map { known[$0] ?? Labels(of: $0) } + attributes.map(attribute)
        return all.isEmpty ? Labels(sv: "ingen uppgift", en: "nothing") : Labels.list(all)
    }

    private static func consenting(_ code: String) -> Labels {
        switch code {
        case "protected-person": Labels(sv: "den skyddade personen", en: "the protected person")
        case "respondent": Labels(sv: "den som förbudet eller misstanken gäller", en: "the respondent")
        default: Labels(of: code)
        }
    }

    /// What the envelope says besides the fields.
    private static func attribute(_ name: String) -> Labels {
        switch name {
        case "municipality": Labels(sv: "kommun", en: "municipality")
        case "audience": Labels(sv: "vilka det är riktat till", en: "whom it is addressed to")
        case "programme": Labels(sv: "program", en: "programme")
        case "level": Labels(sv: "nivå", en: "level")
        case "protected": Labels(sv: "om personuppgifter är skyddade", en: "whether an identity is protected")
        case "secrecy": Labels(sv: "sekretess hos avsändaren", en: "secrecy at the sender")
        case "circumstances": Labels(sv: "omständigheter", en: "circumstances")
        case "consent": Labels(sv: "om samtycke finns", en: "whether there is consent")
        case "consentof": Labels(sv: "vem som har samtyckt", en: "who has consented")
        case "causationid": Labels(sv: "vad det är svar på", en: "what it answers")
        case "expirytime": Labels(sv: "när det slutar gälla", en: "when it expires")
        default: Labels(of: name)
        }
    }
}

extension Labels {
    /// The same in both languages.
    init(of text: String) { self.init(sv: text, en: text) }

    /// In the quotation marks of each language.
    var quoted: Labels { Labels(sv: "”\(sv)”", en: "“\(en)”") }

    /// One after another, with commas.
    static func list(_ all: [Labels]) -> Labels {
        Labels(sv: all.map(\.sv).joined(separator: ", "), en: all.map(\.en).joined(separator: ", "))
    }

    /// One or another.
    static func either(_ all: [Labels]) -> Labels {
        Labels(sv: all.map(\.sv).joined(separator: " eller "), en: all.map(\.en).joined(separator: " or "))
    }
}
