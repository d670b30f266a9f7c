import CaseNotifications
import STOMP
import Testing

@testable import BudkavleServer

/// What was erased before anybody read it: how it stands in lists, and what people can say of it.
@Suite(.timeLimit(.minutes(10))) struct ErasedUnreadTests {
    private static let erase = #"{"case":"BK-18-2026-00000001","reason":"sent by mistake"}"#

    private static func items(_ client: CoreClient) throws -> [String] {
        try #require(try client.query("inbox", "{}")["items"]?.array).map {
            "\($0["notification"]?.string ?? "") \($0["state"]?.string ?? "")"
        }
    }

    private static func refusal(_ work: () throws -> Void) throws -> Frame? {
        do {
            try work()
            return nil
        } catch CoreClient.Fault.refused(let frame) {
            return frame
        }
    }

    @Test func `it is listed as erased, cannot be opened or taken, and leaves the list as not-ours`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let (gone, other) = (try police.report("a", case: 1), try police.report("b", case: 2))
        let person = try relay.connect("jour-1880", "person:staff-71")
        #expect(try Self.items(person) == ["\(gone) waiting", "\(other) waiting"])
        let administrator = try relay.connect("drift-18", "konsol")
        #expect(try administrator.order("erase", Self.erase)["notifications"]?.integer == 1)
        #expect(try Self.items(person) == ["\(gone) erased", "\(other) waiting"])

        let taken = try Self.refusal { _ = try person.ask(Self.outcome("taken", of: gone), of: "/acknowledgements") }
        #expect(
            taken?.headers["code"] == "erased" && taken?.headers["path"] == "/outcome", "\(String(describing: taken))")
        #expect(taken?.headers["message"]?.contains("erased before anybody read it") == true)
        let opener = try relay.connect("jour-1880", "person:staff-71")
        let opened = try Self.refusal { _ = try opener.query("notification", #"{"notification":"\#(gone)"}"#) }
        #expect(opened?.headers["code"] == "erased")
        let status = try police.query("status", #"{"notification":"\#(gone)"}"#)
        #expect(status["complete"]?.bool == false)
        #expect(status["deliveries"]?.array?.first?["state"]?.string == "accepted", "nobody has taken it")

        let last = try relay.connect("jour-1880", "person:staff-71")
        #expect(try last.ask(Self.outcome("not-ours", of: gone), of: "/acknowledgements")["status"] == "accepted")
        #expect(try last.ask(Self.outcome("taken", of: other), of: "/acknowledgements")["status"] == "accepted")
        #expect(try Self.items(last) == [])
        try relay.stop()
    }

    @Test func `what a person has opened stays listed as erased, and is his to take`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try police.report("a", case: 1)
        let person = try relay.connect("jour-1880", "person:staff-71")
        _ = try person.query("notification", #"{"notification":"\#(id)"}"#)
        #expect(try Self.items(person) == ["\(id) opened"])
        let administrator = try relay.connect("drift-18", "konsol")
        _ = try administrator.order("erase", Self.erase)
        #expect(try Self.items(person) == ["\(id) erased"])
        #expect(try person.ask(Self.outcome("taken", of: id), of: "/acknowledgements")["status"] == "accepted")
        #expect(try Self.items(person) == [])
        try relay.stop()
    }

    @Test(arguments: [true, false]) func `what a station had before it was handed over can be taken at the other desk`(
        isErasedFirst: Bool
    ) throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let station = try relay.connect("jour-1880", "jourdator")
        try station.subscribe("/inbox/jour-1880")
        let id = try police.report("a", case: 1)
        try station.acknowledge(try station.hear(.message))
        let administrator = try relay.connect("drift-18", "konsol")
        let given =
            #"{"notification":"\#(id)","person":"staff-71","role":"socialjour","outcome":"handed-over","to":"soc-1880-mottagning"}"#
        if isErasedFirst { _ = try administrator.order("erase", Self.erase) }
        _ = try station.ask(given, of: "/acknowledgements")
        if !isErasedFirst { _ = try administrator.order("erase", Self.erase) }
        let person = try relay.connect("soc-1880", "person:staff-24")
        #expect(try person.ask(Self.outcome("taken", of: id), of: "/acknowledgements")["status"] == "accepted")
        try relay.stop()
    }

    private static func outcome(_ outcome: String, of id: String) -> String {
        #"{"notification":"\#(id)","outcome":"\#(outcome)"}"#
    }
}
