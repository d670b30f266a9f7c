/// Finds in free texts what must not travel in them: numbers of people, contact data, and words that say that a text should not be
/// here at all. It is a net against mistakes, not against somebody who wants to get round it.
///
/// Time is linear in the text, of which a type allows at most 65,536 bytes; one number is looked for in at most
/// `mostGroups` groups of digits. What is found is named by its kind and never quoted.
package struct TextScan {
    /// The most groups of digits that one number is written in: `+46 (0)70 123 45 67`.
    package static let mostGroups = 7

    /// What was found.
    package enum Finding: String, CaseIterable, Sendable {
        /// A personnummer or samordningsnummer.
        case personalNumber
        case telephone
        case postalCode
        case emailAddress
        /// A street with a number; only where identity is protected or unknown.
        case streetAddress
        /// A marking of the security protection act (2018:585).
        case classification
        /// That somebody's identity is protected, which the envelope has to say.
        case protection
        /// Fictive personal data (fingerade personuppgifter): never relayed.
        case fictiveIdentity
    }

    /// What the envelope says of protection.
    package enum Protection: Sendable {
        case protected, unknown, none

        /// From the attribute `protected`.
        package init(_ isProtected: Bool?) {
            switch isProtected {
            case true?: self = .protected
            case false?: self = .none
            case nil: self = .unknown
            }
        }
    }

    let text: FoldedText
    let numbers: [FoldedText.Number]
    /// Whether the text is a reference, in which a serial number may stand behind a day.
    let isReference: Bool

    private init(_ text: FoldedText, isReference: Bool) {
        self.text = text
        self.isReference = isReference
        numbers = text.numbers
    }

    /// The first thing in a text that must not be there; nil if it may pass.
    package static func finding(in utf8: some Collection<UInt8>, _ protection: Protection) -> Finding? {
        guard !utf8.isEmpty else { return nil }
        let scan = TextScan(FoldedText(utf8, noting: forbidden), isReference: false)
        if let word = scan.forbiddenWord(protection) { return word }
        for place in scan.numbers.indices {
            if scan.isPersonalNumber(place) { return .personalNumber }
            if scan.isTelephone(place) { return .telephone }
            if scan.isPostalCode(place) { return .postalCode }
        }
        if scan.hasEmailAddress { return .emailAddress }
        if protection != .none, scan.hasStreetAddress { return .streetAddress }
        return nil
    }

    /// The first thing in a reference that must not be there; nil if it may pass.
    ///
    /// References are in every view, so a street is looked for whatever the envelope says. No five digits of one are a postal
    /// code; long hexadecimal ones are opaque as a whole, since chance makes some of their digits look like a number.
    package static func finding(inReference utf8: some Collection<UInt8>) -> Finding? {
        guard !isHexadecimal(utf8) else { return nil }
        let scan = TextScan(FoldedText(utf8, noting: forbidden), isReference: true)
        if let word = scan.forbiddenWord(.unknown) { return word }
        for place in scan.numbers.indices {
            if scan.isPersonalNumber(place) { return .personalNumber }
            if scan.isTelephone(place), !scan.isCaseNumber(place) { return .telephone }
        }
        return scan.hasStreetAddress ? .streetAddress : nil
    }

    /// The fewest digits of a hexadecimal reference that is opaque: a UUID's.
    static let leastHexadecimalDigits = 32

    private static func isHexadecimal(_ utf8: some Collection<UInt8>) -> Bool {
        guard utf8.count >= leastHexadecimalDigits else { return false }
        let digits = utf8.count { NameGrammar.isDigit($0) }
        let letters = utf8.count { (0x61...0x66).contains($0 | 0x20) }
        let dashes = utf8.count { $0 == UInt8(ascii: "-") }
        return letters > 0 && digits + letters >= leastHexadecimalDigits && digits + letters + dashes == utf8.count
    }

    // MARK: Words

    private static let markings: Set<String> = [
        "hemlig", "hemligt", "hemliga", "konfidentiell", "konfidentiellt", "secret", "confidential", "restricted",
    ]
    private static let degrees: Set<String> = ["kvalificerat", "begransat"]
    private static let secret: Set<String> = ["hemlig", "hemligt", "hemliga"]
    /// How words begin that say it in one.
    private static let classified = ["hemligstamp", "sakerhetsskyddsklass", "begransathemlig", "kvalificerathemlig"]

    /// How the words begin that `forbiddenWord` looks for.
    private static let forbidden = WordBeginnings(
        of: markings.union(degrees).union([
            "top", "sakerhetsskyddsklass", "sekretessmark", "fingera", "fiktiv", "skyddad",
        ]))

    private func forbiddenWord(_ protection: Protection) -> Finding? {
        for place in text.suspects {
            guard let word = text.word(at: place) else { continue }
            let next = text.nextWord(from: word.upperBound)
            // As a marking these stand in capitals; a hemlig relation is nobody's business but no classified matter.
            if text.isShouted(word), text.isOne(word, of: Self.markings) { return .classification }
            if let next, text.isOne(word, of: Self.degrees), text.isOne(next, of: Self.secret) {
                return .classification
            }
            if let next, text.isOne(word, of: ["top"]), text.isOne(next, of: ["secret"]) { return .classification }
            if Self.classified.contains(where: { text.begins(word, with: $0) }) { return .classification }
            if text.begins(word, with: "sekretessmark") { return .protection }
            guard let next else { continue }
            if isFictiveIdentity(word, next) { return .fictiveIdentity }
            // That contradicts what the envelope says, and one of the two is a mistake.
            if protection == .none, isProtectedIdentity(word, next) { return .protection }
        }
        return nil
    }

    /// Words for who somebody is begin so. Fictive persons are those of drills.
    private static let identities = [
        "identitet", "personuppgift", "personn", "personid", "persondata",
    ]

    private func isIdentity(_ word: Range<Int>) -> Bool {
        Self.identities.contains { text.begins(word, with: $0) }
    }

    private func isFictiveIdentity(_ word: Range<Int>, _ next: Range<Int>) -> Bool {
        if text.begins(word, with: "fingera") { return isIdentity(next) || text.begins(next, with: "uppgift") }
        return text.begins(word, with: "fiktiv") && isIdentity(next)
    }

    private func isProtectedIdentity(_ word: Range<Int>, _ next: Range<Int>) -> Bool {
        text.isOne(word, of: ["skyddad", "skyddade"])
            && (text.begins(next, with: "identitet") || text.begins(next, with: "personuppgift")
                || text.begins(next, with: "folkbokforing"))
    }
}

extension TextScan.Finding {
    /// The refusal of a text in which this was found, at the place that `pointer` names.
    package func refusal(at pointer: String) -> Refusal {
        let (code, message): (RefusalCode, String) =
            switch self {
            case .personalNumber:
                (.schema, "the text holds what looks like a personnummer, which has fields of its own")
            case .telephone: (.schema, "the text holds what looks like a telephone number, which no copy may hold")
            case .postalCode: (.schema, "the text holds what looks like a postal code, which no copy may hold")
            case .emailAddress: (.schema, "the text holds what looks like an e-mail address, which no copy may hold")
            case .streetAddress:
                (
                    .schema,
                    "the text holds what looks like a street address, which no reference may hold, and no text while"
                        + " identity is protected or unknown"
                )
            case .classification:
                (.classified, "the text holds a marking of classified information, which must not enter here")
            case .protection:
                (.protected, "that identity is protected is said by the attribute protected, never in a text")
            case .fictiveIdentity: (.protected, "fictive personal data are never relayed, use another channel")
            }
        return Refusal(code: code, pointer: pointer, message: message)
    }
}
