import CaseNotifications
import Testing

@testable import Console

@Suite struct StoreRendererTests {
    private func lines(_ json: String, _ language: Language = .english) throws -> [String] {
        try StoreRenderer(language).lines(Array(json.utf8))
    }

    private static let keys = #"""
        {"schema":"budkavle.keys/1","now":"2026-12-12T01:10:00.000Z","action":"rotate","active":"v2","masters":["v1","v2"],"sealedby":[{"generation":7,"master":"v2"},{"generation":6,"master":"v2"}],"segments":3,"slabs":2,"snapshots":1,"signing":[{"serial":1,"key":"budkavle-head-key/1 ab 1 cd"}]}
        """#

    @Test func `a rotation says what to do next`() throws {
        #expect(
            try lines(Self.keys) == [
                "Everything is sealed under v2 now. Next: keys retire with the old key's id, then destroy that key.",
                "active master key  v2", "at hand            v1 v2", "key file 7 is sealed under v2",
                "key file 6 is sealed under v2", "in it: 3 segment keys, 2 slab keys, 1 snapshot keys",
                "signing key: budkavle-head-key/1 ab 1 cd", "the keys have never been backed up",
            ])
    }

    @Test func `a rotation to the only key that there is says that the key is the same`() throws {
        let only = Self.keys.replacing(#""v2""#, with: #""v1""#).replacing(#"["v1","v1"]"#, with: #"["v1"]"#)
        #expect(
            try lines(only).first
                == "The master key is the same as before: v1 is the only one that budkavled.yaml names. keys rotate --help says"
                + " what to write there first.")
        #expect(try lines(only, .swedish).first?.hasPrefix("Huvudnyckeln är densamma som förut: v1") == true)
    }

    @Test func `what was erased before is said to be`() throws {
        let again = #"""
            {"schema":"budkavle.erase/1","now":"2026-12-12T01:10:00.000Z","notifications":2,"slots":0,"slabsrewritten":0,"slabsdropped":0,"masterkeys":["v1"],"erasedat":"2026-12-12T01:10:00.000Z"}
            """#
        // Backups open it still, whoever erased it and whenever.
        let said = try lines(again)
        #expect(said.first == "It was erased before: there is nothing left to erase.")
        #expect(said.contains { $0.hasPrefix("Older key files") } && said.count == 3)
        #expect(try lines(again, .swedish).first == "Det är redan raderat: det finns inget kvar att radera.")
        let none = again.replacing(#""notifications":2"#, with: #""notifications":0"#)
        #expect(try lines(none).count == 1)
    }

    @Test func `an erasure says when it is complete with regard to backups`() throws {
        let erased = #"""
            {"schema":"budkavle.erase/1","now":"2026-12-12T01:10:00.000Z","notifications":2,"slots":3,"slabsrewritten":1,"slabsdropped":0,"masterkeys":["v1"],"erasedat":"2026-12-12T01:10:00.000Z","lastkeybackup":"2026-12-01T01:00:00.000Z"}
            """#
        #expect(
            try lines(erased) == [
                "Erased: 2 notifications, 3 key slots.",
                "1 slabs written anew, 0 dropped. What waited for delivery is withdrawn.",
                "Older key files on worn blocks of the disk or in backups open it until master key v1 is rotated away,"
                    + " retired and destroyed.",
                "Backups of the keys made up to 2026-12-01T01:00:00.000Z have to go, too: with them it is complete.",
            ])
    }

    @Test func `a verification that fails names its findings`() throws {
        let answer = #"""
            {"schema":"budkavle.journal-verify/1","now":"2026-12-12T01:10:00.000Z","sound":false,"startneedsoverride":true,"findings":[{"consequence":"refusal","text":"segment 2 is missing\u001b[2J"}],"segments":2,"batches":10,"records":40,"lastrecord":40,"texts":5,"erasedtexts":1,"slabs":2,"head":"ab"}
            """#
        #expect(
            try lines(answer) == [
                "NOT SOUND", "  refusal: segment 2 is missing<U+001B>[2J",
                "2 segments, 10 batches, 40 records, 5 texts opened, 1 erased", "head after record 40: ab",
                "The daemon does not start with this: budkavled journal salvage says what to do.",
            ])
    }

    @Test func `dead letters of protected persons stand without a desk`() throws {
        let answer = #"""
            {"schema":"budkavle.dead-letters/1","now":"2026-12-12T01:10:00.000Z","deliveries":[{"delivery":"01KC8Z3J5N00000000003M9XAH.0","desk":"jour-1880","urgency":"U1","since":"2026-12-12T01:00:00.000Z"},{"delivery":"01KC8Z3J5N00000000003M9XAJ.1"}],"more":true}
            """#
        #expect(
            try lines(answer) == [
                "01KC8Z3J5N00000000003M9XAH.0  jour-1880  U1  2026-12-12T01:00:00.000Z",
                "01KC8Z3J5N00000000003M9XAJ.1  (protected)  -  -", "There are more that are not shown.",
            ])
    }

    @Test(
        arguments: [
            #"{"schema":"budkavle.requeue/1","requeued":3}"#,
            #"{"schema":"budkavle.backup/1","journal":"/b/orebro","keys":"/k/orebro","lastrecord":40,"files":7,"bytes":900}"#,
            #"{"schema":"budkavle.restore/1","directory":"/d/orebro","lastrecord":40,"erasedslots":2,"deletions":1}"#,
            #"{"schema":"budkavle.salvage/1","accepted":false,"findings":[],"quarantined":[]}"#,
            #"{"schema":"budkavle.salvage/1","accepted":true,"findings":[{"consequence":"refusal","text":"x"}],"quarantined":["/q"]}"#,
            #"{"schema":"budkavle.journal-stats/1","starts":2,"keyfile":7,"segments":[{"number":1,"bytes":9,"usedbytes":8,"firstrecord":1,"lastrecord":40,"batches":3,"texts":2,"made":"2026-12-12T01:00:00.000Z"}],"slabs":2,"slots":4096,"erasedslots":0,"snapshots":0,"lastrecord":40,"bytes":9}"#,
            #"{"schema":"budkavle.audit-verify/1","sound":true,"records":40,"batches":10,"heads":10}"#,
            #"{"schema":"budkavle.audit-verify/1","sound":false,"records":40,"batches":10,"heads":10,"finding":"head 3"}"#,
            #"{"schema":"budkavle.audit-verify/1","sound":true,"records":40,"batches":10,"heads":10,"checkpoints":2,"held":1}"#,
            #"{"schema":"budkavle.dead-letters/1","deliveries":[],"more":false}"#, keys,
        ])
    func `every answer reads in both languages, and differently`(answer: String) throws {
        let english = try lines(answer)
        let swedish = try lines(answer, .swedish)
        #expect(!english.isEmpty && english.count == swedish.count)
        #expect(english != swedish)
    }

    @Test(arguments: ["{}", "[]", "x", #"{"schema":"budkavle.other/1"}"#, #"{"schema":"budkavle.keys/1"}"#])
    func `an answer of another form is a fault`(answer: String) {
        #expect(throws: AnswerFault.self) { try lines(answer) }
    }
}
