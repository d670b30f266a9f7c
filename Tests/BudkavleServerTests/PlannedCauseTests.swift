import CaseNotifications
import Relay
import STOMP
import Testing

@testable import BudkavleServer

/// What `send --dry-run` says of a `causationid`, against what SEND does with it.
@Suite(.timeLimit(.minutes(10))) struct PlannedCauseTests {
    private static let invented = "01JQ0000000000000000000000"

    /// What the plan says: the decision with code and path, and who would get it.
    private static func plan(_ event: String, by client: CoreClient) throws -> String {
        let answer = try client.query("plan", event)
        let words = ["decision", "code", "path"].compactMap { answer[$0]?.string }
        let parties = (answer["recipients"]?.array ?? []) + (answer["refused"]?.array ?? [])
        return (words + parties.compactMap { $0["party"]?.string }).joined(separator: " ")
    }

    /// Code and path of what SEND is refused with.
    private static func refusal(of event: String, by client: CoreClient) throws -> String? {
        do {
            _ = try client.ask(event)
            return nil
        } catch CoreClient.Fault.refused(let frame) {
            return "\(frame.headers["code"] ?? "") \(frame.headers["path"] ?? "")"
        }
    }

    @Test func `a cause that is none, of another case, or asked by somebody else is refused as SEND would`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("report-1", case: 1)
        let refused = [
            CoreClient.feedback("answer-1", case: 1, on: Self.invented, to: "pol-18-rlc"),
            CoreClient.feedback("answer-1", case: 2, on: id, to: "pol-18-rlc"),
            CoreClient.feedback("answer-1", case: 1, on: id, to: "reg-18-akm"),
        ]
        let board = try relay.connect("soc-1880", "verksamhetssystem")
        for event in refused {
            #expect(try Self.plan(event, by: board) == "refused schema /causationid", "\(event)")
            let sender = try relay.connect("soc-1880", "verksamhetssystem")
            #expect(try Self.refusal(of: event, by: sender) == "schema /causationid")
        }
        let good = CoreClient.feedback("answer-1", case: 1, on: id, to: "pol-18-rlc")
        #expect(try Self.plan(good, by: board) == "accepted pol-18-rlc")
        #expect(try board.ask(good)["status"] == "accepted")
        try relay.stop()
    }

    @Test func `a cause that only the journal knows is for SEND to judge`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, finishedLimit: 1, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let station = try relay.connect("jour-1880", "jourdator")
        try station.subscribe("/inbox/jour-1880")
        for number in 1...2 {
            _ = try police.report("report-\(number)", case: number)
            try station.finish(try station.hear(.message))
        }
        #expect(try relay.onLoop { $0.relay.hasReleased })
        let board = try relay.connect("soc-1880", "verksamhetssystem")
        let event = CoreClient.feedback("answer-1", case: 1, on: Self.invented, to: "pol-18-rlc")
        #expect(try Self.plan(event, by: board) == "accepted pol-18-rlc")
        #expect(try Self.refusal(of: event, by: board) == "schema /causationid")
        try relay.stop()
    }
}
