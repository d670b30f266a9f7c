import CaseNotifications
import Settings
import Testing

@testable import Routing

/// A small policy that shows every construct once, as text, so that tests can change a line and see what follows.
struct PolicyFixture {
    var files: [String: String] = Self.original

    /// The zone, from the system's data.
    static let zone: ZoneTransitions = {
        do { return try ZoneFile.read(zone: "Europe/Stockholm") } catch {
            Issue.record("no zone data, so everything is an hour or two off: \(error)")
            return ZoneTransitions(name: "Europe/Stockholm", initialOffsetSeconds: 0, transitions: [])
        }
    }()

    /// The fixture with `old`, which must occur in `file`, replaced by `new`.
    func replacing(
        _ old: String, with new: String, in file: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) -> PolicyFixture {
        var copy = self
        let text = copy.files[file] ?? ""
        #expect(text.contains(old), "the fixture has no such text in \(file)", sourceLocation: sourceLocation)
        copy.files[file] = Self.replace(old, with: new, in: text)
        return copy
    }

    /// The fixture with more text at the end of a file.
    func appending(_ text: String, to file: String) -> PolicyFixture {
        var copy = self
        copy.files[file, default: ""] += text
        return copy
    }

    /// The policy; a test fails and stops if there is none.
    func policy(sourceLocation: Testing.SourceLocation = #_sourceLocation) throws -> Policy {
        let load = PolicyLoader.load(files: files, zone: Self.zone)
        let text = load.diagnostics.map(\.text).joined(separator: "\n")
        return try #require(load.policy, "\(text)", sourceLocation: sourceLocation)
    }

    /// Everything that loading says.
    var diagnostics: [Diagnostic] { PolicyLoader.load(files: files, zone: Self.zone).diagnostics }

    private static func replace(_ old: String, with new: String, in text: String) -> String {
        var result = ""
        var rest = text[...]
        while let range = rest.firstRange(of: old) {
            result += rest[..<range.lowerBound] + new
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}

/// The instant that `text` writes.
func time(_ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation) -> Timestamp {
    guard let instant = Timestamp(rfc3339: text) else {
        Issue.record("no time: \(text)", sourceLocation: sourceLocation)
        return Timestamp(milliseconds: 0)
    }
    return instant
}

/// A party's id.
func party(_ text: String) -> PartyID { PartyID(unchecked: text) }

/// Who affirms for the senders that list people.
private let affirmers = [
    "pol-18-lpo": "p-1", "soc-1880": "staff-17", "soc-1864": "staff-1", "soc-1780": "staff-1", "frv-18": "staff-1",
    "krim-18-hakte": "staff-141",
]

/// A notification for tests; what is not given is not set. What it affirms counts for twelve hours before and after `at`.
func event(
    _ type: String, from source: String, at: String = "2026-12-11T23:10:00+01:00", municipality: String? = nil,
    audience: [String] = [], isProtected: Bool? = false, circumstances: [String] = [], affirmations: [String] = [],
    consentOf: String? = nil, secrecy: String? = nil, level: String? = nil, programme: String? = nil,
    urgency: UrgencyClass? = nil
) -> CaseNotification {
    let instant = time(at)
    return CaseNotification(
        id: "test", source: party(source), type: EventType("se.budkavle.\(type).v1") ?? EventType.none, time: instant,
        subject: CaseID(county: 18, year: 2026, number: 1), municipality: municipality,
        audience: audience.map { entry in
            let parts = entry.split(separator: "/")
            return AudienceEntry(to: String(parts[0]), why: String(parts[1]))
        }, urgency: urgency, programme: programme, level: level, isProtected: isProtected, secrecy: secrecy,
        circumstances: circumstances,
        affirmations: affirmations.map {
            Affirmation(
                name: $0, person: PersonID(unchecked: affirmers[source] ?? "staff-99"),
                at: instant.advanced(bySeconds: -43_200))
        }, consent: consentOf == nil ? nil : "consent-1", consentOf: consentOf)
}

extension CaseNotification {
    /// The same, affirmed at an instant by somebody of the sender.
    func affirmed(at instant: Timestamp, in policy: Policy) -> CaseNotification {
        var copy = self
        let person = policy.affirmer(of: source)
        copy.affirmations = affirmations.map { Affirmation(name: $0.name, person: person, at: instant) }
        return copy
    }
}

extension EventType {
    /// A type that no policy has. The text is fixed and of the right form; were it not, there is no other value to go on with.
    static var none: EventType {
        guard let type = EventType("se.budkavle.none.v1") else { preconditionFailure("a good type") }
        return type
    }
}

extension Decision {
    /// `party:desk:rule` of each grant, for short expectations.
    var summary: [String] { grants.map { "\($0.party):\($0.desk):\($0.rule)" } }

    /// `party:code` of each refusal; an unreported one in parentheses.
    var refused: [String] {
        refusals.map { $0.isReported ? "\($0.party):\($0.code.rawValue)" : "(\($0.party):\($0.code.rawValue))" }
    }
}
