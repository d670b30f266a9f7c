import CaseNotifications
import Relay
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// A person hands over what a station has on the wire and has not confirmed.
@Suite(.timeLimit(.minutes(10))) struct HandedOverOnTheWireTests {
    @Test func `what a station has and a person hands over comes to the next desk marked as one that may have come`()
        throws
    {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        let first = try desk.hear(.message)
        #expect(first.headers["notification"] == id && first.headers["redelivered"] == "false")
        let answer = try desk.ask(
            #"{"notification":"\#(id)","person":"staff-71","role":"socialjour","outcome":"handed-over","#
                + #""to":"soc-1880-mottagning"}"#, of: "/acknowledgements")
        #expect(answer["status"] == "accepted")
        let board = try relay.connect("soc-1880", "verksamhetssystem")
        try board.subscribe("/inbox/soc-1880-mottagning")
        let second = try board.hear(.message)
        #expect(second.headers["destination"] == "/inbox/soc-1880-mottagning")
        #expect(second.headers["notification"] == id && second.headers["redelivered"] == "true")
        try board.acknowledge(second)
        let delivery = DeliveryID(notification: try #require(NotificationID(text: id)), ordinal: 0)
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .custody)
        try relay.stop()
    }
}
