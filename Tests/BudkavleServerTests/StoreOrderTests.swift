import CaseNotifications
import Foundation
import Journal
import STOMP
import Testing

@testable import BudkavleServer

@Suite struct StoreOrderTests {
    private func reason(_ text: String = "sent by mistake", by: String? = nil) throws -> StatedReason {
        try #require(StatedReason(text, by: by))
    }

    private func read(_ verb: AdministrationVerb, _ json: String) throws -> StoreOrder {
        try StoreOrder.read(verb: verb, try JSONValue(parsing: Array(json.utf8)))
    }

    @Test func `what the command writes is what the daemon reads`() throws {
        let subject = try #require(ErasureTarget(case: "BK-18-2026-7QK2ZD9F", notification: nil))
        let one = try #require(ErasureTarget(case: nil, notification: "01M9VHPHT4PEB31S5DK5YVCBYB"))
        let orders: [StoreOrder] = [
            .listKeys, .rotateKeys, .retireKey("v1"), .erase(subject, try reason(by: "A. Admin")),
            .erase(one, try reason("\"quoted\"\n\u{202E}")), .backup(journal: "/b/orebro", keys: nil),
            .backup(journal: "/b/orebro", keys: "/k/orebro"), .backup(journal: nil, keys: "/k"), .salvage(try reason()),
        ]
        for order in orders {
            let verb = try #require(AdministrationVerb(rawValue: order.verb))
            #expect(try StoreOrder.read(verb: verb, try JSONValue(parsing: order.body)) == order)
        }
    }

    @Test(
        arguments: [
            (.keys, "{}"), (.keys, #"{"action":"retire"}"#), (.keys, #"{"action":"rotate","id":"v1"}"#),
            (.keys, #"{"action":"list","more":1}"#), (.keys, #"{"action":7}"#),
            (.erase, #"{"reason":"x"}"#), (.erase, #"{"case":"BK-18-2026-7QK2ZD9F"}"#),
            (.erase, #"{"case":"BK-18-2026-7QK2ZD9F","reason":""}"#), (.erase, #"{"case":"x","reason":"x"}"#),
            (.erase, #"{"case":"BK-18-2026-7QK2ZD9F","reason":"x","by":7}"#),
            (
                .erase,
                #"{"case":"BK-18-2026-7QK2ZD9F","notification":"01M9VHPHT4PEB31S5DK5YVCBYB","reason":"x"}"#
            ), (.backup, "{}"), (.backup, #"{"journal":"relative"}"#), (.backup, #"{"journal":"/a\u0000b"}"#),
            (.salvage, #"{"reason":"x"}"#), (.salvage, #"{"accept":false,"reason":"x"}"#), (.reload, "{}"),
        ] as [(AdministrationVerb, String)])
    func `an order of another form is refused as schema`(verb: AdministrationVerb, json: String) throws {
        let asked = try JSONValue(parsing: Array(json.utf8))
        let refusal = #expect(throws: SessionRefusal.self) { try StoreOrder.read(verb: verb, asked) }
        #expect(refusal?.code == "schema")
    }

    @Test func `reasons and names are taken at their limits and refused one past them`() {
        let (text, name) = (StatedReason.textLimitBytes, StatedReason.nameLimitBytes)
        #expect(StatedReason(String(repeating: "x", count: text), by: String(repeating: "y", count: name)) != nil)
        #expect(StatedReason(String(repeating: "x", count: text + 1), by: nil) == nil)
        #expect(StatedReason("x", by: String(repeating: "y", count: name + 1)) == nil)
        #expect(StatedReason("x", by: "") == nil)
        #expect(StatedReason(String(repeating: "å", count: text / 2), by: nil) != nil)
        #expect(StatedReason(String(repeating: "å", count: text / 2) + "x", by: nil) == nil)
    }

    @Test func `every kind of refusal has a code of its own on the wire and a status`() {
        let codes = StoreRefusal.Code.allCases
        #expect(Set(codes.map(\.rawValue)).count == codes.count)
        #expect(codes.allSatisfy { $0.status != .ok })
        #expect(StoreRefusal(.masterKeyInUse(id: "v1", paths: [])).code == .keyNeeded)
        #expect(StoreRefusal(.backup(path: "/b", problem: .notEmpty)).code == .directory)
        #expect(StoreRefusal(.noRoom(path: "/d")).code == .unavailable)
        #expect(StoreRefusal(.io, "/k: a: b").wire.message == "/k; a; b")
        #expect(StoreRefusal(.masterKeyMissing(id: "v1")).code == .keyFile)
        #expect(StoreRefusal(.keysDamaged(path: "/d")).code == .damaged)
    }
}
