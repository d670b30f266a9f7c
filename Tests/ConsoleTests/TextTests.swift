import CaseNotifications
import Testing

@testable import Console

@Suite struct TextTests {
    @Test(arguments: Language.allCases)
    func `every text is there, is safe and is one line`(language: Language) {
        for message in Message.samples {
            let text = message.text(language)
            #expect(!text.isEmpty, "\(message)")
            #expect(Sanitizer.line(text, limit: 1_000) == text, "\(message)")
        }
    }

    @Test func `the samples hold every case once`() {
        var names: [String] = []
        for message in Message.samples { names.append(String("\(message)".prefix { $0 != "(" })) }
        #expect(Set(names).count == names.count)
    }

    @Test func `sentences differ between the languages`() {
        let same = Message.samples.filter { $0.text(.swedish) == $0.text(.english) }
        // Names, ids and fields that somebody else chose read alike.
        #expect(same.map { "\($0)".prefix { $0 != "(" } }.sorted() == ["columnID"])
    }

    @Test(
        arguments: [
            ("sv", nil, nil, [:], Language.swedish),
            (nil, "en", nil, ["LC_ALL": "sv_SE.UTF-8"], .english),
            (nil, nil, "sv", ["LANG": "en_GB.UTF-8"], .swedish),
            (nil, nil, nil, ["LC_ALL": "", "LC_MESSAGES": "sv_SE", "LANG": "C"], .swedish),
            (nil, nil, nil, ["LC_ALL": "C", "LANG": "sv_SE.UTF-8"], .english),
            (nil, nil, nil, ["LANG": "de_DE.UTF-8"], .english),
            (nil, nil, nil, [:], .english),
        ] as [(String?, String?, String?, [String: String], Language)])
    func `the language is chosen in order`(
        flag: String?, variable: String?, profile: String?, locale: [String: String], wanted: Language
    ) {
        var environment = locale
        environment["BUDKAVLE_LANG"] = variable
        #expect(Language.chosen(flag: flag, profile: profile) { environment[$0] } == wanted)
    }

    @Test(
        arguments: [
            (ColourChoice.always, ["NO_COLOR": "1"], false, true), (.never, ["FORCE_COLOR": "1"], true, false),
            (.auto, ["FORCE_COLOR": "1", "NO_COLOR": "1"], false, true), (.auto, ["NO_COLOR": "1"], true, false),
            (.auto, ["NO_COLOR": "", "TERM": "xterm"], true, true), (.auto, ["TERM": "dumb"], true, false),
            (.auto, [:], true, true), (.auto, [:], false, false),
        ] as [(ColourChoice, [String: String], Bool, Bool)])
    func `colour is on or off in order`(
        choice: ColourChoice, environment: [String: String], isTerminal: Bool, wanted: Bool
    ) {
        #expect(choice.isOn(environment: { environment[$0] }, isTerminal: isTerminal) == wanted)
    }

    @Test(arguments: [
        ("åäö", 3), ("a\u{030A}", 1), ("日本", 4), ("😀", 2), ("ﾊ", 1), ("", 0), ("§ – …", 5), ("한", 2), ("e\u{0301}x", 2),
    ])
    func `columns are counted as a terminal does`(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }

    @Test func `text is cut and padded by columns`() {
        #expect(DisplayWidth.fitted("Örebro län", to: 10) == "Örebro län")
        #expect(DisplayWidth.fitted("Örebro län", to: 9) == "Örebro l…")
        #expect(DisplayWidth.padded("日本語", to: 4) == "日… ")
        #expect(DisplayWidth.padded("å", to: 3, .right) == "  å")
        #expect(DisplayWidth.fitted("abc", to: 0) == "")
        #expect(DisplayWidth.wrapped("ett två tre", to: 7) == ["ett två", "tre"])
        #expect(DisplayWidth.wrapped("långtord x", to: 3) == ["långtord", "x"])
    }

    @Test(
        arguments: [
            ("inbix", "inbox"), ("jour-1808", "jour-1880"), ("stauts", "status"), ("xyzzy", nil), ("in", nil),
        ] as [(String, String?)])
    func `a slip of the keyboard is recognised`(word: String, wanted: String?) {
        let known = ["inbox", "status", "jour-1880", "jour-18-norr"]
        #expect(DidYouMean.suggestion(for: word, among: known) == wanted)
    }

    @Test func `a word is compared up to 64 letters`() {
        let word = String(repeating: "a", count: 64)
        #expect(DidYouMean.suggestion(for: word, among: [word]) == word)
        #expect(DidYouMean.suggestion(for: word + "a", among: [word + "a"]) == nil)
    }

    @Test func `wall time follows the offset across midnight, leap days and years before 1970`() throws {
        func text(_ instant: String, _ offset: Int) throws -> String {
            let time = WallTime(try #require(Timestamp(rfc3339: instant)), offsetSeconds: offset)
            return "\(time.year) \(time.dayText(.swedish)) \(time.secondText)"
        }
        #expect(try text("2026-12-11T23:30:00Z", 3_600) == "2026 lör 12 dec 00:30:00")
        #expect(try text("2028-02-29T12:00:00Z", 0) == "2028 tis 29 feb 12:00:00")
        #expect(try text("1969-12-31T23:59:59.500Z", 0) == "1969 ons 31 dec 23:59:59")
        #expect(try text("2026-01-01T00:00:00Z", -18_000) == "2025 ons 31 dec 19:00:00")
    }

    @Test(arguments: ["{", "[]", "{}", #"{"schema":"budkavle.inbox/2"}"#, #"{"schema":"budkavle.inbox/1"}"#])
    func `what is no answer is told by its place`(text: String) {
        #expect(throws: AnswerFault.self) { try InboxAnswer(Samples.json(text)) }
    }

    @Test func `members that are new are ignored`() throws {
        let answer = try DrainAnswer(
            Samples.json(
                #"{"schema":"budkavle.drain/1","draining":true,"sessions":1,"unacknowledged":0,"new":{"a":1}}"#))
        #expect(answer.isDraining)
        #expect(answer.sessions == 1)
    }

    @Test func `a fault names the member that is wrong`() {
        #expect(throws: AnswerFault(pointer: "/items/1/urgency")) {
            try InboxAnswer(
                Samples.inbox(
                    items: Samples.item(id: "A", received: "2026-12-12T01:00:00.000Z") + #",{"notification":"x"}"#))
        }
    }

    @Test func `a draft gives the id and never the content`() throws {
        let draft = try EventDraft(Samples.json(#"{"id":"a-1","type":"t","data":{"note":"x"}}"#))
        #expect(draft.id == "a-1")
        #expect(throws: AnswerFault(pointer: "/id")) { try EventDraft(Samples.json(#"{"type":"t"}"#)) }
    }

    @Test func `exit statuses are those of sysexits`() {
        #expect(
            ExitStatus.allCases.map(\.rawValue) == [0, 1, 3, 64, 65, 66, 67, 69, 70, 74, 75, 76, 77, 78, 130])
    }
}
