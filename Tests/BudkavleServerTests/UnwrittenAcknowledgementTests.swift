import CaseNotifications
import Journal
import Relay
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// A RECEIPT for an ACK or NACK says that it is on disk.
@Suite(.timeLimit(.minutes(10))) struct UnwrittenAcknowledgementTests {
    @Test(arguments: [STOMP.Command.ack, .nack])
    func `what cannot be written gets no RECEIPT, and its message comes again`(_ command: STOMP.Command) throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, segmentBytes: 8 << 20, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let desk = try relay.connect("jour-1880", "jourdator")
        try desk.subscribe("/inbox/jour-1880")
        let message = try desk.hear(.message)
        #expect(message.headers["redelivered"] == "false")
        try relay.resting {
            let all = try relay.onLoop { CoreRelay.exhaust($0) }
            desk.say(Frame(command, ["id": message.headers["ack"] ?? "", "receipt": "r"]))
            let error = #expect(throws: CoreClient.Fault.self) { try desk.hear(.receipt) }
            guard case .refused(let frame) = try #require(error) else {
                Issue.record("no ERROR: \(String(describing: error))")
                return
            }
            #expect(frame.headers["code"] == "unavailable" && frame.headers["receipt-id"] == "r")
            try relay.onLoop { core in
                for grant in all { core.journal.release(grant) }
                core.clock.set(to: core.clock.now.advanced(bySeconds: RelayCore.retrySeconds))
            }
        }
        let again = try relay.connect("jour-1880", "jourdator")
        try again.subscribe("/inbox/jour-1880")
        let second = try again.hear(.message)
        #expect(second.headers["notification"] == id && second.headers["redelivered"] == "true")
        try again.acknowledge(second)
        let delivery = DeliveryID(notification: try #require(NotificationID(text: id)), ordinal: 0)
        #expect(try relay.onLoop { $0.relay.delivery(delivery)?.transport } == .custody)
        try relay.stop()
    }
}
