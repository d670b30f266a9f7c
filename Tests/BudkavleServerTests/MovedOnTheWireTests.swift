import CaseNotifications
import Relay
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// A reload that moves what a station has on the wire and has not confirmed.
extension HeldDeliveryTests {
    @Test func `what a station has and a reload moves comes to the next desk marked as one that may have come before`()
        throws
    {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: Self.log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        let first = try desk.hear(.message)
        #expect(first.headers["notification"] == id && first.headers["redelivered"] == "false")
        let renamed = try Self.policy(
            "parties/jour-1880.yaml", ("  - id: jour-1880\n", "  - id: jour-1880-natt\n"),
            ("stations: [jour-1880]\n", "stations: [jour-1880-natt]\n"),
            ("desks: [jour-1880]\n", "desks: [jour-1880-natt]\n"))
        try Self.activate(renamed, in: relay)
        let next = try relay.connect("jour-1880", "jourdator", under: renamed)
        try next.subscribe("/inbox/jour-1880-natt")
        let second = try next.hear(.message)
        #expect(second.headers["destination"] == "/inbox/jour-1880-natt")
        #expect(second.headers["notification"] == id && second.headers["redelivered"] == "true")
        try next.acknowledge(second)
        #expect(try Self.receipts(police, 2) == ["accepted", "delivered"])
        try relay.stop()
    }
}
