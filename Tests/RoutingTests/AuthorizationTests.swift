import CaseNotifications
import Testing

@testable import Routing

struct AuthorizationTests {
    private static let unknown = String(repeating: "0", count: 64)
    private static let form = String(repeating: "0", count: 62) + "aa"
    private static let cabra = String(repeating: "0", count: 62) + "bb"

    private let policy: Policy

    init() throws { policy = try PolicyFixture().policy() }

    @Test func `a system is known by its URI, with its roles and stations`() {
        let grant = policy.authorize(uris: ["urn:budkavle:pol-18-rlc:rlc-1"], fingerprint: Self.unknown).grant
        #expect(
            grant
                == ClientGrant(
                    party: party("pol-18-rlc"), client: ClientID(unchecked: "rlc-1"), person: nil, function: nil,
                    roles: [.sender, .receiver], desks: [DeskID(unchecked: "rlc")],
                    stations: [DeskID(unchecked: "rlc")],
                    allows10: true, speaksForPeople: false))
    }

    @Test func `a person is known by its URI, with function and desks`() {
        let grant = policy.authorize(uris: ["urn:budkavle:soc-1880:person:staff-17"], fingerprint: Self.unknown).grant
        #expect(grant?.person == PersonID(unchecked: "staff-17"))
        #expect(grant?.function == "intake")
        #expect(grant?.roles == [.responder])
        #expect(grant?.desks.map(\.text) == ["soc-1880-intake"])
        #expect(grant?.stations.isEmpty == true)
    }

    @Test func `a fingerprint alone identifies where the file gives only that`() {
        #expect(policy.authorize(uris: [], fingerprint: Self.form).grant?.party.text == "reg-18")
        let byName = policy.authorize(uris: ["urn:budkavle:reg-18:form"], fingerprint: Self.unknown)
        #expect(byName == .denied(.unknownClient(uri: "urn:budkavle:reg-18:form", party: party("reg-18"))))
    }

    @Test func `where the file gives URI and fingerprint both must fit`() {
        let uri = "urn:budkavle:akl-18:cabra"
        #expect(policy.authorize(uris: [uri], fingerprint: Self.cabra).grant?.party.text == "akl-18")
        #expect(
            policy.authorize(uris: [uri], fingerprint: Self.unknown)
                == .denied(.otherCertificatePinned(uri: uri, party: party("akl-18"))))
        #expect(policy.authorize(uris: [], fingerprint: Self.cabra).grant == nil)
    }

    @Test func `everything else is nobody, and says why`() {
        func fault(_ uris: [String], _ fingerprint: String = Self.unknown) -> AuthorizationFault? {
            if case .denied(let fault) = policy.authorize(uris: uris, fingerprint: fingerprint) { fault } else { nil }
        }
        #expect(fault([]) == .unknownCertificate(uris: []))
        #expect(fault(["https://example.org/"]) == .unknownCertificate(uris: ["https://example.org/"]))
        #expect(fault(["urn:budkavle:soc-9999:x"]) == .unknownParty(uri: "urn:budkavle:soc-9999:x"))
        #expect(
            fault(["urn:budkavle:soc-1880:person:other"])
                == .unknownClient(uri: "urn:budkavle:soc-1880:person:other", party: party("soc-1880")))
        let two = ["urn:budkavle:pol-18-rlc:rlc-1", "urn:budkavle:soc-1880:system"]
        #expect(fault(two) == .ambiguous(two))
        #expect(fault(["urn:budkavle:soc-1880:system"], Self.form) == .ambiguous(["urn:budkavle:soc-1880:system"]))
    }

    @Test func `lookups for the server`() {
        let jour = DeskID(unchecked: "jour-1880")
        let board = party("soc-1880")
        let night = time("2026-12-11T23:10:00+01:00")
        let day = time("2026-12-11T12:00:00+01:00")
        #expect(policy.owner(of: jour) == party("jour-1880"))
        #expect(policy.desks(of: board).map(\.text) == ["soc-1880-intake"])
        #expect(policy.agents(of: board, at: night) == [party("jour-1880")])
        #expect(policy.agents(of: board, at: day) == [])
        #expect(policy.agents(of: board) == [party("jour-1880")])
        #expect(policy.boards(of: party("jour-1880")) == [board, party("soc-1864")])
        #expect(policy.people(at: jour).map(\.id.text) == ["staff-31"])
        #expect(policy.stations(of: DeskID(unchecked: "soc-1880-intake")).map(\.text) == ["system"])
        #expect(policy.isOpen(jour, at: day))
        #expect(!policy.isOpen(DeskID(unchecked: "soc-1880-intake"), at: night))
        #expect(policy.onDuty(at: jour, when: night) == [Duty(person: PersonID(unchecked: "staff-31"), step: 1)])
        #expect(policy.onDuty(at: DeskID(unchecked: "lpo"), when: night) == [])
        #expect(
            policy.onDuty(at: DeskID(unchecked: "lpo"), when: day) == [
                Duty(person: PersonID(unchecked: "p-1"), step: 1)
            ])
        #expect(policy.hasFunction("intake", party: board))
        #expect(!policy.hasFunction("intake", party: party("soc-1864")))
        #expect(policy.members(ofGroup: "kg-1880")?.count == 4)
        #expect(policy.urgencySettings(.u1).escalation.map(\.step) == [.nextPerson, .dutyManager])
        #expect(policy.coordinatorFamilies == ["focus", "support", "coordination"])
        #expect(policy.party(board)?.labels(at: time("2025-12-31T23:59:59+01:00")).en == "West")
        #expect(policy.party(board)?.labels(at: time("2026-01-01T00:00:00+01:00")).en == "Social board")
        #expect(policy.clock == ClockSettings(start: time("2026-12-11T23:00:00+01:00"), speed: 1))
        let type = EventType("se.budkavle.police.intervention.closed.v1") ?? .none
        #expect(policy.label(of: type)?.en == "Intervention")
        #expect(policy.fieldLabels(of: type) == ["needs": Labels(sv: "Behov", en: "Needs")])
        #expect(policy.label(ofCode: "shelter", in: "need")?.sv == "skydd")
    }

    @Test(arguments: [
        ("26", true, true), ("26:1", true, false), ("21-40", true, true), ("25:1-5", false, false),
        ("26:1-6", true, false),
        ("27-40", false, false), ("26:2", false, false),
    ])
    func `secrecy patterns cover sections and chapters`(pattern: String, section: Bool, chapter: Bool) throws {
        let pattern = try #require(SecrecyPattern(pattern))
        #expect(pattern.contains(try #require(SecrecyProvision("26:1"))) == section)
        #expect(pattern.contains(try #require(SecrecyProvision("26"))) == chapter)
    }

    @Test(arguments: ["", "26:", ":1", "0", "26:01", "100", "26:1-", "5-2", "26:5-2", "26:1:2", "26:1A", "26 1"])
    func `what is no provision is refused`(text: String) {
        #expect(SecrecyPattern(text) == nil)
    }

    @Test func `inserted sections stand after the section they follow`() throws {
        let pattern = try #require(SecrecyPattern("24:2a"))
        #expect(pattern.contains(try #require(SecrecyProvision("24:2a"))))
        #expect(!pattern.contains(try #require(SecrecyProvision("24:2"))))
        #expect(try #require(SecrecyProvision("24:2a")).citation == "24 kap. 2 a §")
    }
}
