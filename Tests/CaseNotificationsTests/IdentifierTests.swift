import CaseNotifications
import Testing

@Suite struct IdentifierTests {
    @Test(arguments: ["soc-1880", "a", "0", "pol-18-lpo.orebro", String(repeating: "a", count: 64)])
    func `a name of the common grammar is taken as it is`(text: String) throws {
        #expect(PartyID(text)?.text == text)
        #expect(DeskID(text)?.text == text)
        #expect(PersonID(text)?.description == text)
    }

    @Test(arguments: ["", "-a", ".a", "Soc", "soc 1880", "soc_1880", "söc", "a/b", String(repeating: "a", count: 65)])
    func `anything else is no name`(text: String) {
        #expect(PartyID(text) == nil && RuleID(text) == nil && CollaborationID(text) == nil && ClientID(text) == nil)
    }

    @Test func `names sort by their bytes`() throws {
        #expect(
            ["b", "a-1", "a.1", "a1", "a"].compactMap(PartyID.init).sorted().map(\.text) == [
                "a", "a-1", "a.1", "a1", "b",
            ])
    }

    @Test func `an event type has two to sixteen parts and at most 128 bytes`() {
        #expect(EventType("se.budkavle.police.report.registered.v1")?.text == "se.budkavle.police.report.registered.v1")
        #expect(EventType(Array(repeating: "a", count: 16).joined(separator: ".")) != nil)
        #expect(EventType(Array(repeating: "a", count: 17).joined(separator: ".")) == nil)
        #expect(EventType("a." + String(repeating: "b", count: 126)) != nil)
        #expect(EventType("a." + String(repeating: "b", count: 127)) == nil)
        for text in ["", "a", "a..b", ".a", "a.", "a.B", "a.b c"] { #expect(EventType(text) == nil, "\(text)") }
    }

    @Test func `a case id keeps its text in eight bytes`() throws {
        for text in ["BK-18-2026-7QK2ZD9F", "BK-00-0000-00000000", "BK-99-9999-ZZZZZZZZ", "BK-23-2031-0A1B2C3D"] {
            #expect(CaseID(text)?.text == text)
        }
        #expect(MemoryLayout<CaseID>.size == 8)
        #expect(CaseID("BK-18-2026-7QK2ZD9F") == CaseID(county: 18, year: 2026, number: 0x3D_E62F_B52F))
        let sorted = ["BK-18-2026-7QK2ZD9F", "BK-18-2026-7QK2ZD9A", "BK-17-2027-ZZZZZZZZ"].compactMap(CaseID.init)
            .sorted()
        #expect(sorted.map(\.text) == ["BK-17-2027-ZZZZZZZZ", "BK-18-2026-7QK2ZD9A", "BK-18-2026-7QK2ZD9F"])
    }

    @Test func `a drill is known by its year`() throws {
        #expect(try #require(CaseID("BK-18-0000-7QK2ZD9F")).isDrill)
        #expect(try !#require(CaseID("BK-18-2026-7QK2ZD9F")).isDrill)
        #expect(try !#require(CaseID("BK-18-1000-7QK2ZD9F")).isDrill)
    }

    @Test(arguments: [
        "", "BK-18-2026-12345", "BK-18-2026-7QK2ZD9", "BK-18-2026-7QK2ZD9FF", "bk-18-2026-7QK2ZD9F",
        "BK-18-2026-7qk2zd9f", "BK-18-2026-7QK2ZD9I", "BK-18-2026-7QK2ZD9L", "BK-18-2026-7QK2ZD9O",
        "BK-18-2026-7QK2ZD9U", "BK-1-02026-7QK2ZD9F", "BK 18 2026 7QK2ZD9F", "BK-18-20x6-7QK2ZD9F",
    ])
    func `anything else is no case id`(text: String) {
        #expect(CaseID(text) == nil)
    }

    @Test func `a notification id is a ULID`() throws {
        let id = try #require(NotificationID(text: "01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        #expect(id.text == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        #expect(id.time == Timestamp(milliseconds: 1_469_922_850_259))
        #expect(NotificationID(text: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ") == NotificationID(high: .max, low: .max))
        #expect(NotificationID(text: "00000000000000000000000000") == NotificationID(high: 0, low: 0))
    }

    @Test(arguments: [
        "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVV", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "01arz3ndektsv4rrffq69g5fav", "01ARZ3NDEKTSV4RRFFQ69G5FAI", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
    ])
    func `anything else is no notification id`(text: String) {
        #expect(NotificationID(text: text) == nil)
    }

    @Test func `notification ids survive their text and sort by time`() {
        var random = SeededRandom(seed: 7)
        var previous = NotificationID(high: 0, low: 0)
        for step in 1...1_000 {
            let time = Timestamp(milliseconds: Int64(step) * 86_400_000)
            let id = NotificationID(at: time, random: &random)
            #expect(NotificationID(text: id.text) == id)
            #expect(id.time == time && previous < id && previous.text < id.text)
            previous = id
        }
    }

    @Test func `times outside a ULID's range are taken as its ends`() {
        var random = SeededRandom(seed: 8)
        #expect(NotificationID(at: Timestamp(milliseconds: -1), random: &random).time.milliseconds == 0)
        #expect(
            NotificationID(at: Timestamp(milliseconds: .max), random: &random).time.milliseconds == 0xFFFF_FFFF_FFFF)
    }

    @Test func `a digest is the SHA-256 of the standard's examples`() throws {
        let digest = Digest(sha256Of: Array("abc".utf8))
        #expect(digest.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(digest.base64url == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
        #expect(digest == Digest(sha256Of: "abc"))
        #expect(Digest(sha256Of: "").hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest(hex: digest.hex) == digest && Digest(bytes: digest.bytes) == digest)
        #expect(digest != Digest(sha256Of: "abd"))
    }

    @Test func `a digest has 32 bytes and lower-case digits`() {
        let hex = String(repeating: "0a", count: 32)
        #expect(Digest(hex: hex)?.hex == hex)
        #expect(
            Digest(hex: hex.dropLast()) == nil && Digest(hex: hex.dropLast(2)) == nil && Digest(hex: hex + "00") == nil)
        #expect(Digest(hex: hex.uppercased()) == nil && Digest(hex: "") == nil)
        #expect(Digest(bytes: Array(repeating: 0, count: 31)) == nil)
        #expect(Digest(bytes: Array(repeating: 0, count: 33)) == nil)
    }

    @Test func `urgency classes are delivered U1, U2, U3, U4, U0`() {
        #expect(UrgencyClass.allCases.shuffled().sorted().map(\.text) == ["U1", "U2", "U3", "U4", "U0"])
        for urgency in UrgencyClass.allCases { #expect(UrgencyClass(text: urgency.text) == urgency) }
        for text in ["", "U", "U5", "u1", "U10", "1"] { #expect(UrgencyClass(text: text) == nil, "\(text)") }
    }

    @Test func `a type's urgency is raised by circumstance and level and never lowered`() throws {
        var definition = try #require(Sample.catalogue.types[Sample.reportType])
        #expect(definition.urgency(circumstances: [], level: nil) == .u2)
        #expect(definition.urgency(circumstances: ["honour", "child-present"], level: nil) == .u1)
        #expect(definition.urgency(circumstances: [], level: "A") == .u1)
        #expect(definition.urgency(circumstances: [], level: "B") == .u2)
        definition.raise = [UrgencyRaise(when: "honour", to: .u4)]
        #expect(definition.urgency(circumstances: ["honour"], level: nil) == .u2)
    }
}
