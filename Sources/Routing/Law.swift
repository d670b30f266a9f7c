package import CaseNotifications
package import Settings

/// A chapter of the secrecy act, or one section of it: `26`, `26:1`, `24:2a`.
package struct SecrecyProvision: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 1...99.
    package let chapter: Int
    /// 1...99, or nil for the whole chapter.
    package let section: Int?
    /// The letter of an inserted section, or empty.
    package let letter: String

    /// What `text` writes as `26:1` or `24:2a`, or nil.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let chapter = Self.number(parts[0]) else { return nil }
        self.chapter = chapter
        guard parts.count == 2 else {
            section = nil
            letter = ""
            return
        }
        var digits = parts[1]
        if let last = digits.last, last.isASCII, last.isLowercase {
            digits = digits.dropLast()
            letter = String(last)
        } else {
            letter = ""
        }
        guard let section = Self.number(digits) else { return nil }
        self.section = section
    }

    private static func number(_ digits: some StringProtocol) -> Int? {
        guard (1...2).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            !digits.hasPrefix("0")
        else { return nil }
        return Int(digits)
    }

    /// As in the envelope: `26:1`.
    package var description: String { section.map { "\(chapter):\($0)\(letter)" } ?? String(chapter) }

    /// As lawyers write it: `26 kap. 1 §`.
    package var citation: String {
        section.map { "\(chapter) kap. \($0)\(letter.isEmpty ? "" : " " + letter) §" } ?? "\(chapter) kap."
    }

    /// By chapter, section and letter.
    package static func < (left: SecrecyProvision, right: SecrecyProvision) -> Bool {
        (left.chapter, left.section ?? 0, left.letter) < (right.chapter, right.section ?? 0, right.letter)
    }
}

/// A set of provisions: chapters, sections, and ranges of either.
package struct SecrecyPattern: Hashable, Sendable, CustomStringConvertible {
    private let first: SecrecyProvision
    private let last: SecrecyProvision

    /// `25:1`, or both ends of a range.
    package var description: String { first == last ? first.description : "\(first) to \(last)" }

    /// What `text` writes as `26`, `21-40`, `25:1` or `25:1-5`, or nil.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let first = SecrecyProvision(parts[0]) else { return nil }
        self.first = first
        guard parts.count == 2 else {
            last = first
            return
        }
        let end = first.section == nil ? SecrecyProvision(parts[1]) : SecrecyProvision("\(first.chapter):\(parts[1])")
        guard let end, (end.section == nil) == (first.section == nil), first < end else { return nil }
        last = end
    }

    /// Whether the pattern covers a provision. A chapter given at the source is covered only by whole chapters.
    package func contains(_ provision: SecrecyProvision) -> Bool {
        if first.section == nil { return (first.chapter...last.chapter).contains(provision.chapter) }
        guard provision.section != nil else { return false }
        return first <= provision && provision <= last
    }

    /// Whether the pattern covers some part of what a provision covers.
    package func touches(_ provision: SecrecyProvision) -> Bool {
        contains(provision)
            || (provision.section == nil && first.chapter <= provision.chapter && provision.chapter <= last.chapter)
    }
}

/// A legal basis, as `law.yaml` describes it.
///
/// A class, so that a decision passes it on without copying its fields.
package final class Basis: Sendable {
    /// Its id.
    package let id: String
    /// Its name.
    package let labels: Labels
    /// Number in Svensk författningssamling.
    package let sfs: String
    /// The latest amendment that the entry follows.
    package let amended: String?
    /// The paragraph.
    package let paragraph: String
    /// Whether it demands or allows.
    package let effect: Effect
    /// When it is in force.
    package let validity: Validity
    /// Who may rely on it; nil is everybody.
    package let senders: PartyMatcher?
    /// For whom; nil is everybody.
    package let recipients: PartyMatcher?
    /// For which types; nil is all.
    package let types: Set<EventType>?
    /// Which secrecy at the source it lifts; empty is any.
    package let secrecyWithin: [SecrecyPattern]
    /// Which it does not lift.
    package let secrecyExcept: [SecrecyPattern]
    /// What every sender must affirm for each notification.
    package let affirmations: [String]
    /// What senders of a kind must affirm besides.
    package let affirmationsFrom: [PartyKind: [String]]
    /// Both, of the kinds that have something besides: made once, for decisions.
    private let allAffirmations: [PartyKind: [String]]
    /// Whose consent it rests on: one of these; empty is nobody's.
    package let consent: [String]
    /// Whether a `may` on it needs an agreement in force.
    package let needsAgreement: Bool
    /// Where `law.yaml` says so.
    package let location: SourceLocation

    /// All of it. Made by the policy's readers only.
    init(
        id: String, labels: Labels, sfs: String, amended: String?, paragraph: String, effect: Effect,
        validity: Validity, senders: PartyMatcher?, recipients: PartyMatcher?, types: Set<EventType>?,
        secrecyWithin: [SecrecyPattern], secrecyExcept: [SecrecyPattern], affirmations: [String],
        affirmationsFrom: [PartyKind: [String]], consent: [String], needsAgreement: Bool, location: SourceLocation
    ) {
        self.id = id
        self.labels = labels
        self.sfs = sfs
        self.amended = amended
        self.paragraph = paragraph
        self.effect = effect
        self.validity = validity
        self.senders = senders
        self.recipients = recipients
        self.types = types
        self.secrecyWithin = secrecyWithin
        self.secrecyExcept = secrecyExcept
        self.affirmations = affirmations
        self.affirmationsFrom = affirmationsFrom
        allAffirmations = affirmationsFrom.mapValues { affirmations + $0 }
        self.consent = consent
        self.needsAgreement = needsAgreement
        self.location = location
    }

    /// What a sender of a kind must affirm for each notification.
    package func affirmations(from kind: PartyKind) -> [String] { allAffirmations[kind] ?? affirmations }

    /// Whether it lifts secrecy at the source. Without any secrecy there is nothing to lift.
    func lifts(_ provision: SecrecyProvision?) -> Bool {
        guard let provision else { return true }
        guard !secrecyExcept.contains(where: { $0.touches(provision) }) else { return false }
        return secrecyWithin.isEmpty || secrecyWithin.contains { $0.contains(provision) }
    }
}

/// Some parties, by kind or id.
package struct PartyMatcher: Sendable {
    /// Kinds; nil is any.
    package let kinds: Set<PartyKind>?
    /// Ids; nil is any.
    package let parties: Set<PartyID>?

    /// Whether it means a party.
    package func matches(_ party: Party) -> Bool {
        (kinds?.contains(party.kind) ?? true) && (parties?.contains(party.id) ?? true)
    }
}

/// An agreement or letter of intent, as `agreements.yaml` describes it.
///
/// A class, so that a decision passes it on without copying its fields.
package final class Agreement: Sendable {
    /// How far an agreement reaches.
    package enum Level: String, CaseIterable, Sendable {
        case county, municipality, agency
    }

    /// What its parties have declared it to be.
    package enum State: String, CaseIterable, Sendable {
        case draft
        case inForce = "in-force"
        case ended
    }

    /// Its id.
    package let id: String
    /// Its name.
    package let labels: Labels
    /// How far it reaches.
    package let level: Level
    /// The municipalities that it covers; empty is all of the county.
    package let municipalities: Set<String>
    /// The programmes that it covers; empty is everything.
    package let programmes: Set<String>
    /// What its parties have declared it to be.
    package let state: State
    /// Whether every signatory has signed.
    package let isSigned: Bool
    /// From the last signature and its first day to its last.
    package let validity: Validity
    /// The parties that it binds, each as long as it takes part.
    package let members: [PartyID: Validity]
    /// By party, who has not approved that it takes part; always empty in exercise mode.
    private let unapproved: [PartyID: Set<PartyID>]
    /// Where `agreements.yaml` says so.
    package let location: SourceLocation

    /// All of it. Made by the policy's readers only.
    init(
        id: String, labels: Labels, level: Level, municipalities: Set<String>, programmes: Set<String>, state: State,
        isSigned: Bool, validity: Validity, members: [PartyID: Validity], unapproved: [PartyID: Set<PartyID>] = [:],
        location: SourceLocation
    ) {
        self.id = id
        self.labels = labels
        self.level = level
        self.municipalities = municipalities
        self.programmes = programmes
        self.state = state
        self.isSigned = isSigned
        self.validity = validity
        self.members = members
        self.unapproved = unapproved
        self.location = location
    }

    /// The same agreement, some of whose parties have not approved it.
    func unapproved(_ parties: [PartyID: Set<PartyID>]) -> Agreement {
        Agreement(
            id: id, labels: labels, level: level, municipalities: municipalities, programmes: programmes, state: state,
            isSigned: isSigned, validity: validity, members: members, unapproved: parties, location: location)
    }

    /// Whether it is about a notification, whoever its parties are.
    func covers(municipality: String?, programme: String?) -> Bool {
        if !municipalities.isEmpty {
            guard let municipality, municipalities.contains(municipality) else { return false }
        }
        if !programmes.isEmpty {
            guard let programme, programmes.contains(programme) else { return false }
        }
        return true
    }

    /// When it holds between two parties; nil if it is not between them, or one has not approved that it is.
    func validity(between first: PartyID, and second: PartyID) -> Validity? {
        guard let one = members[first], let other = members[second] else { return nil }
        for party in unapproved.isEmpty ? [] : [first, second] {
            if let missing = unapproved[party], missing.contains(first) || missing.contains(second) { return nil }
        }
        return validity.intersection(one).intersection(other)
    }
}
