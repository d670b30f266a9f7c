import CaseNotifications
import Foundation
import Relay
import STOMP
import Testing

@testable import BudkavleServer

/// What a sender is told it lacks, before it sends and when it does.
@Suite(.timeLimit(.minutes(10))) struct PlanTests {
    /// A breach of a contact ban: the board is told by duty, the prosecutor by 10 kap. 15 a § OSL.
    private static func breach(_ affirmations: [String]) -> String {
        let made = affirmations.map { "\($0)/staff-101/2026-12-11T22:50:00+01:00" }.joined(separator: " ")
        let member = affirmations.isEmpty ? "" : #""affirmations":"\#(made)","#
        return """
            {"specversion":"1.0","id":"breach-\(affirmations.count)","source":"urn:budkavle:pol-18-rlc",\
            "type":"se.budkavle.contactban.breached.v1","time":"2026-12-11T22:58:00+01:00",\
            "subject":"BK-18-2026-00000001","county":"18","municipality":"1880","protected":false,\
            "audience":"akl-18/recipient soc-1880/recipient",\(member)\
            "data":{"breachKind":"tamper","occurredAt":"2026-12-11T22:40:00+01:00","decisionRef":"breach-ref"}}
            """
    }

    @Test func `police are told that 18 kap. must be cleared before the prosecutor gets it`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, isFolding: false, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let cases: [(affirmed: [String], missing: [String])] = [
            ([], ["balance-done", "chapter-18-cleared"]), (["balance-done"], ["chapter-18-cleared"]),
            (["balance-done", "chapter-18-cleared"], []),
        ]
        for (affirmed, missing) in cases {
            let plan = try police.query("plan", Self.breach(affirmed))
            let recipients = plan["recipients"]?.array?.compactMap { $0["party"]?.string }
            #expect(recipients == (missing.isEmpty ? ["akl-18", "soc-1880"] : ["soc-1880"]), "\(plan.text)")
            let refused = plan["refused"]?.array?.map { refusal in
                "\(refusal["party"]?.string ?? "") \(refusal["code"]?.string ?? "")"
            }
            #expect(refused == (missing.isEmpty ? [] : ["akl-18 affirmation-missing"]), "\(plan.text)")
            let told = plan["refused"]?.array?.first?["missing"]?.array?.compactMap(\.string) ?? []
            #expect(told == missing, "\(plan.text)")

            let answer = try police.ask(Self.breach(affirmed))
            let notification = try #require(answer["notification"], "\(answer)")
            let status = try police.query("status", #"{"notification":"\#(notification)"}"#)
            let delivered = status["deliveries"]?.array?.compactMap { $0["party"]?.string }
            #expect(delivered?.sorted() == recipients, "\(status.text)")
            #expect((status["refused"]?.array?.isEmpty ?? true) == missing.isEmpty, "\(status.text)")
        }
        try relay.stop()
    }
}
