import CaseNotifications
import Foundation
import STOMP
import Testing

@testable import BudkavleServer

/// What an administrator hears of an erasure that cannot reach everything.
@Suite(.timeLimit(.minutes(10))) struct UnreadableSlabOrderTests {
    private static let erase = #"{"case":"BK-18-2026-00000001","reason":"the law says so"}"#

    @Test func `the rest is erased, it is no success and says what to do, and a repeat reaches it all`() throws {
        let scratch = try StoreScratch()
        let log = LogLines()
        var relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        var police = try relay.connect("pol-18-rlc", "station")
        let ids = try (1...2).map { try police.report("n-\($0)", case: $0) }
        try relay.durable()
        try relay.stop()
        let name = try #require(scratch.names("keys").first { $0.hasPrefix("slab-") })
        let slab = URL(filePath: scratch.directory + "/keys/" + name)
        let whole = try Data(contentsOf: slab)
        var rotten = whole
        rotten[5_000] ^= 1
        try rotten.write(to: slab)

        relay = try CoreRelay(scratch, isFolding: false, log: log.log)
        police = try relay.connect("pol-18-rlc", "station")
        let late = try police.report("n-3", case: 1)
        var administrator = try relay.connect("drift-18", "konsol")
        var refusal: Frame?
        do { _ = try administrator.order("erase", Self.erase) } catch CoreClient.Fault.refused(let frame) {
            refusal = frame
        }
        #expect(refusal?.headers["code"] == "damaged", "\(String(describing: refusal))")
        #expect(
            refusal?.headers["message"]
                == "\(name) unreadable, 2 slots stay, 2 went; put it back from a key backup, then repeat")
        let person = try relay.connect("jour-1880", "person:staff-71")
        let states = try #require(try person.query("inbox", "{}")["items"]?.array).compactMap { item in
            item["notification"]?.string.map { "\($0) \(item["state"]?.string ?? "")" }
        }
        #expect(states.count == ids.count + 1 && states.contains("\(late) erased"), "\(states)")
        #expect(try Data(contentsOf: slab) == rotten)

        try whole.write(to: slab)
        administrator = try relay.connect("drift-18", "konsol")
        #expect(try administrator.order("erase", Self.erase)["slots"]?.integer == 2)
        #expect(!scratch.names("keys").contains(name))
        try relay.stop()
    }
}
