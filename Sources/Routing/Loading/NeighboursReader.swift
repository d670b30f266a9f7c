import CaseNotifications
import Settings

extension Neighbours {
    /// Reads `neighbours` of `rules.yaml`, which may be left out.
    init(_ reader: inout MappingReader, known: RulesFile.Known, context: ReadingContext) {
        place = reader.place(of: "neighbours")
        entries = reader.sequence("neighbours").compactMap { Self.entry($0, known: known, context: context) }
    }

    private static func entry(_ node: SettingsNode, known: RulesFile.Known, context: ReadingContext) -> Entry? {
        guard var reader = MappingReader(node, "a neighbour", context.log) else { return nil }
        let collaboration = reader.located("collaboration", Scalar<CollaborationID>.id("collaboration"))
        if let collaboration, collaboration.value == known.collaboration?.id {
            context.log.error(
                .contradiction, at: collaboration.place, "'\(collaboration.value)' is no neighbour of its own",
                hint: "name the collaboration whose rules reach our parties")
        }
        _ = reader.requiredNode("parties")
        let parties = reader.list("parties", of: Scalar<PartyID>.id("party"))
        refuseEmpty("parties", parties, in: &reader)
        context.check(parties.map(\.asText), .party, among: known.partyIDs)
        for party in parties {
            guard let own = known.collaboration?.county,
                let guest = known.parties.first(where: { $0.id == party.value }), guest.county != own
            else { continue }
            context.log.error(
                .contradiction, at: party.place, "'\(party.value)' is of county \(guest.county), not of ours",
                hint: "its own county's rules must name it", related: [guest.location])
        }
        var types: [Way: [Located<EventType>]] = [:]
        for way in Way.allCases where reader.node(way.rawValue) != nil {
            let named = reader.list(way.rawValue, of: .eventType)
            refuseEmpty(way.rawValue, named, in: &reader)
            types[way] = named.filter { context.check($0, among: known.catalogue?.types) }
        }
        if types.isEmpty {
            context.log.error(
                .missingKey, at: reader.place, "a neighbour needs 'told' or 'tells'",
                hint: "what its rules may tell our parties, or what ours may tell by them")
        }
        reader.finish()
        return collaboration.map { Entry(collaboration: $0, parties: parties, types: types) }
    }

    /// Reports a list that is written and says nothing.
    private static func refuseEmpty(_ key: String, _ list: [some Any], in reader: inout MappingReader) {
        guard let node = reader.node(key), case .list(let items) = node.content, items.isEmpty, list.isEmpty else {
            return
        }
        reader.log.error(.wrongCount, at: node.place, "'\(key)' names nothing")
    }
}
