import CaseNotifications
import STOMP
import Testing

@testable import BudkavleServer

/// What the fields and codes of a copy are called, for the person who opens it.
@Suite(.timeLimit(.minutes(10))) struct CopyLabelsTests {
    let scratch: StoreScratch

    init() throws { scratch = try StoreScratch() }

    /// The members of an answer with their Swedish and English labels, sorted.
    private static func labels(_ answer: JSONValue, _ name: String) -> [String] {
        (answer[name]?.object?.members ?? []).map { member in
            "\(member.name): \(member.value["sv"]?.string ?? "?") / \(member.value["en"]?.string ?? "?")"
        }.sorted()
    }

    /// A concern's copy as the person at the on-call desk opens it.
    private func shown(_ change: (String) -> String) throws -> JSONValue {
        let relay = try CoreRelay(scratch, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let answer = try police.ask(change(CoreClient.concern("report-1", case: 1)))
        let id = try #require(answer["notification"])
        let person = try relay.connect("jour-1880", "person:staff-71")
        let shown = try person.query("notification", #"{"notification":"\#(id)"}"#)
        try relay.stop()
        return shown
    }

    @Test func `who opens a copy reads its fields and codes in both languages, and of no others`() throws {
        let answer = try shown { $0 }
        #expect(
            Self.labels(answer, "fieldlabels") == [
                "acute: akut / acute", "childRef: barnets referens / reference of the child", "concern: oro / concern",
                "note: anteckning / note", "reporterRole: anmälarens funktion / function of the reporter",
            ])
        #expect(
            Self.labels(answer, "codelabels") == [
                "circumstances/under-18: under 18 år / under 18",
                "concern/witnessed-violence: bevittnat våld / witnessed violence", "municipality/1880: Örebro / Örebro",
            ])
    }

    @Test func `labels tell nothing that a strict copy leaves out`() throws {
        let answer = try shown { $0.replacing("\"protected\":false", with: "\"protected\":true") }
        let data = answer["event"]?["data"]?.object?.names.sorted() ?? []
        #expect(data == ["acute", "childRef", "concern", "reporterRole"])
        #expect(answer["fieldlabels"]?.object?.names.sorted() == data)
        #expect(
            Self.labels(answer, "codelabels") == ["concern/witnessed-violence: bevittnat våld / witnessed violence"])
    }
}
