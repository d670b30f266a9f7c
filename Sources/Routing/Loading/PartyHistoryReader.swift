import CaseNotifications
import Settings

/// Reads what a party's file says of its past and future: names, mergers, and gaps that its board has signed.
struct PartyHistoryReader {
    let context: ReadingContext

    /// The most gaps that one party may sign.
    static let mostGaps = 64

    /// A party that merges, as its file names it.
    struct Draft {
        let successor: Located<PartyID>
        let merger: Merger
    }

    /// Former names, oldest first.
    func formerNames(_ items: [SettingsNode]) -> [FormerName] {
        let names: [FormerName] = items.compactMap { item in
            guard var reader = MappingReader(item, "a former name", context.log) else { return nil }
            let labels = context.labels(&reader)
            let until = reader.value("until", .day)
            reader.finish()
            guard let labels, let until else { return nil }
            return FormerName(labels: labels, end: CivilDay(until.number + 1).instant(zone: context.zone))
        }
        return names.sorted { $0.end < $1.end }
    }

    /// The party that this one becomes part of.
    func merger(_ reader: inout MappingReader) -> Draft? {
        let place = reader.place(of: "merged-into")
        guard var merged = reader.optionalMapping("merged-into") else { return nil }
        let party = merged.located("party", Scalar<PartyID>.id("party"))
        let day = merged.located("on", .day)
        merged.finish()
        guard let party, let day else { return nil }
        let merger = Merger(
            successor: party.value, start: day.value.instant(zone: context.zone), location: place.location)
        return Draft(successor: party, merger: merger)
    }

    /// The gaps in `coverage-gap`.
    func gaps(
        _ reader: inout MappingReader, functions: Set<String>, municipalities: [String],
        types: [EventType: EventTypeDefinition]?
    ) -> [CoverageGap] {
        let items = reader.sequence("coverage-gap")
        if items.count > Self.mostGaps {
            context.log.error(
                .wrongCount, at: reader.place(of: "coverage-gap"), "a party signs at most \(Self.mostGaps) gaps")
        }
        return items.compactMap { item in
            guard var gap = MappingReader(item, "a signed gap", context.log) else { return nil }
            let signed = gap.located("signed", .day)
            let function = gap.located("by", .text)
            let until = gap.located("until", .day)
            let places = gap.list("municipalities", of: .quotedCode(digits: 4))
            let taken = gap.list("types", of: .eventType)
            gap.finish()
            if let function { context.check(function, .function, among: functions) }
            if !municipalities.isEmpty { context.check(places, .municipality, among: Set(municipalities)) }
            for type in taken { context.check(type, among: types) }
            guard let signed, let function, let until else { return nil }
            if until.value < signed.value {
                context.log.error(
                    .emptyPeriod, at: until.place, "the gap ends before it was signed",
                    hint: "'until' is its last day", related: [signed.location])
            }
            return CoverageGap(
                signed: signed.value, function: function.value,
                validity: Validity(first: signed.value, last: until.value, zone: context.zone),
                municipalities: Set(places.map(\.value)), types: Set(taken.map(\.value)), location: signed.location)
        }
    }
}
