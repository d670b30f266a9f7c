import CaseNotifications
import Foundation
import Journal
import Relay
import STOMP
import Testing

@testable import BudkavleServer

/// What is asked about a notification that has left memory.
@Suite(.timeLimit(.minutes(10))) struct HistoricTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    /// A relay that keeps one finished notification in memory, with two finished ones: the first has left.
    private func twoFinished() throws -> (CoreRelay, police: CoreClient, station: CoreClient, ids: [String]) {
        let relay = try CoreRelay(scratch, finishedLimit: 1, log: log.log)
        let (police, station) = (
            try relay.connect("pol-18-rlc", "station"), try relay.connect("jour-1880", "jourdator")
        )
        try station.subscribe("/inbox/jour-1880")
        var ids: [String] = []
        for number in 1...2 {
            ids.append(try police.report("report-\(number)", case: number))
            try station.finish(try station.hear(.message))
        }
        try relay.durable()
        return (relay, police, station, ids)
    }

    private func isInMemory(_ id: String, _ relay: CoreRelay) throws -> Bool {
        let id = try #require(NotificationID(text: id))
        return try relay.onLoop { $0.relay.notification(id) != nil }
    }

    /// An answer without what differs between two notifications or two moments.
    private func form(_ answer: JSONValue, _ id: String, _ sent: String) -> String {
        let text = answer.text.replacing(id, with: "ID").replacing(sent, with: "SENT")
        return text.replacing(#/\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)/#, with: "TIME")
            .replacing(#/0000000\d/#, with: "CASE")
    }

    @Test func `status and show of a notification that has left memory are answered from disk, like any other`() throws
    {
        let (relay, police, _, ids) = try twoFinished()
        #expect(try !isInMemory(ids[0], relay) && isInMemory(ids[1], relay))
        let statuses = try ids.map { try police.query("status", #"{"notification":"\#($0)"}"#) }
        #expect(statuses[0]["complete"]?.bool == true)
        #expect(form(statuses[0], ids[0], "report-1") == form(statuses[1], ids[1], "report-2"))
        #expect(try police.query("status", #"{"id":"report-1"}"#)["notification"]?.string == ids[0])
        let person = try relay.connect("jour-1880", "person:staff-71")
        let shown = try ids.map { try person.query("notification", #"{"notification":"\#($0)"}"#) }
        #expect(shown[0]["event"]?["data"]?["note"]?.string == "report-1")
        #expect(form(shown[0], ids[0], "report-1") == form(shown[1], ids[1], "report-2"))
        let audited = try relay.events().contains { event in
            if case .audited = event.body { true } else { false }
        }
        #expect(audited, "that it was shown is on record")
        try relay.stop()
    }

    @Test func `status of a notification on disk is no answer for a party that has nothing to do with it`() throws {
        let (relay, _, _, ids) = try twoFinished()
        let other = try relay.connect("soc-1881", "verksamhetssystem")
        other.send(#"{"notification":"\#(ids[0])"}"#, to: "/queries/status", replyTo: "/replies/q")
        #expect(throws: CoreClient.Fault.self) { _ = try other.hear(.receipt) }
        try relay.stop()
    }

    @Test func `receipts of a notification that has left memory are made from disk, in their order`() throws {
        let (relay, police, _, ids) = try twoFinished()
        try police.subscribe("/receipts")
        var told: [String: [String]] = [:]
        for _ in 0..<8 {
            let message = try police.hear(.message)
            let receipt = try JSONValue(parsing: message.body)
            let id = try #require(message.headers["notification"])
            told[id, default: []].append(receipt["data"]?["event"]?.string ?? receipt["type"]?.string ?? "")
        }
        #expect(told[ids[0]]?.count == 4, "\(told)")
        #expect(told[ids[0]] == told[ids[1]])
        try relay.stop()
    }

    @Test func `what has left memory can be superseded, and what was sent behind it is answered behind it`() throws {
        let (relay, police, _, ids) = try twoFinished()
        let numbers = [
            police.send(CoreClient.concern("report-3", case: 1, supersedes: ids[0])),
            police.send(CoreClient.concern("report-4", case: 1)), police.send(CoreClient.concern("report-3", case: 1)),
        ]
        for number in numbers.prefix(2) {
            let receipt = try police.hear(.receipt)
            #expect(receipt.headers["receipt-id"] == number && receipt.headers["status"] == "accepted")
        }
        #expect(throws: CoreClient.Fault.self, "another body under a known id") { _ = try police.hear(.receipt) }
        try relay.stop()
    }

    @Test func `feedback on a concern that has left memory goes to its reporter, on an unknown one to nobody`() throws {
        let (relay, _, _, ids) = try twoFinished()
        let board = try relay.connect("soc-1880", "verksamhetssystem")
        let given = CoreClient.feedback("answer-1", case: 1, on: ids[0], to: "pol-18-rlc")
        #expect(try board.ask(given)["status"] == "accepted")
        let invented = CoreClient.feedback("answer-2", case: 2, on: "01JQ0000000000000000000000", to: "reg-18-akm")
        #expect(throws: CoreClient.Fault.self) { _ = try board.ask(invented) }
        let second = try relay.connect("soc-1880", "verksamhetssystem")
        let other = CoreClient.feedback("answer-2", case: 1, on: ids[0], to: "reg-18-akm")
        #expect(throws: CoreClient.Fault.self, "it did not report") { _ = try second.ask(other) }
        try relay.stop()
    }

    @Test func `superseding what has left memory across cases is refused, and nothing behind it is decided`() throws {
        let (relay, police, _, ids) = try twoFinished()
        let before = try relay.onLoop { $0.relay.sequence }
        police.send(CoreClient.concern("report-3", case: 2, supersedes: ids[0]))
        police.send(CoreClient.concern("report-4", case: 2))
        do {
            _ = try police.hear(.receipt)
            Issue.record("it was accepted")
        } catch CoreClient.Fault.refused(let frame) {
            #expect(frame.headers["code"] == "schema", "\(frame)")
        }
        let accepted = try relay.events().dropFirst(Int(before)).contains { event in
            if case .accepted = event.body { true } else { false }
        }
        #expect(!accepted)
        try relay.stop()
    }

    @Test func `a transaction that supersedes what has left memory is committed whole`() throws {
        let (relay, police, _, ids) = try twoFinished()
        police.say(Frame(.begin, ["transaction": "t"]))
        for (id, old) in [("report-3", ids[0]), ("report-4", nil)] {
            police.say(
                Frame(
                    .send,
                    [
                        "destination": "/notifications", "content-type": "application/json", "transaction": "t",
                        "receipt": id,
                    ], body: Array(CoreClient.concern(id, case: 1, supersedes: old).utf8)))
        }
        police.say(Frame(.commit, ["transaction": "t", "receipt": "commit"]))
        for id in ["report-3", "report-4", "commit"] {
            #expect(try police.hear(.receipt).headers["receipt-id"] == id)
        }
        try relay.stop()
    }

    @Test func `already known from what has left memory is accepted, from an unknown one refused`() throws {
        let (relay, police, station, ids) = try twoFinished()
        _ = try police.report("report-3", case: 1)
        let message = try station.hear(.message)
        try station.acknowledge(message)
        let id = try #require(message.headers["notification"])
        let who = #""notification":"\#(id)","person":"staff-71","role":"socialjour""#
        let answer = try station.ask(
            #"{\#(who),"outcome":"already-known","earlier":"\#(ids[0])"}"#, of: "/acknowledgements")
        #expect(answer["status"] == "accepted")
        let unknown = NotificationID(high: 1, low: 2).text
        station.send(#"{\#(who),"outcome":"already-known","earlier":"\#(unknown)"}"#, to: "/acknowledgements")
        #expect(throws: CoreClient.Fault.self) { _ = try station.hear(.receipt) }
        try relay.stop()
    }
}
