import CaseNotifications
import Testing

/// References are in every view, the strict one too: nothing in them may point at a person, and numbers of cases must pass.
struct ReferenceTests {
    private func refusal(_ reference: String) -> Refusal? {
        do throws(Refusal) {
            _ = try Sample.decoder().decode(
                Sample.body(["data": ["reportRef": .string(reference), "violenceForm": ["physical"]]]))
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "K-123456-26", "5000-K12345-26", "5000-K1234567-26", "0201-K123-26", "0201-12345-26", "B 1234-26", "B1234-26",
        "AM-12345-26", "AM-123456-26", "T 123-26", "ABC 1-26", "SN-2026-00123", "SN/2026/00123", "SN-70210-26",
        "S-12345-26",
        "2026-000123", "2026/0123456", "2026-08-123456", "2026-12-11", "2026.1", "HR-4711", "HR-1", "ref-17", "barn-1",
        "ban-ref-7", "BK-18-2026-7QK2ZD9F", "20261211-0001", "202612-12345", "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "19900602-2397-4123-8abc-0701234567ab", "9f0701234567aa119f0701234567aa11", "metallen-5", "Karlstad-1780",
        // A date and a serial number, a year behind a dash, and serial numbers behind letters or a year.
        "20261211-0061", "20261211-0099", "20261211-0160", "20261211-2460", "261211-0061", "202612110061",
        "20200101-0062", "20351231-0061",
        "018-12345-26", "019-1234-26", "0581-1234-26", "08-123456-26", "K-018-12345-26", "018-12345-35",
        "AM-070-12345", "R-0108-12345", "2026-08123456", "SN/2026/08123456", "2026-070-12345",
    ])
    func `numbers of cases pass`(reference: String) {
        #expect(refusal(reference) == nil)
    }

    @Test(arguments: [
        "0701234567", "070-1234567", "070-123-45-67", "0701.234567", "46701234567", "0046701234567", "tel-019-123456",
        "08-1234567", "900602-2397", "19900602-2397", "199006022397", "9006022397", "K19900602-2397", "900602.2397",
        "900602_2397", "900602/2397", "90-06-02-23-97", "1990-0602-2397", "case-900602-2397", "900602-2398",
        "202402292383", "20261271-0061", "20191231-0061", "20361211-0061",
        "018-12345-36", "070-12345-67", "070-123-45-26", "AM-070-1234567", "AM-0701234567", "2026-0701234567",
        "TEL-019-123456", "mobil-070-123456", "pnr-20261211-0061", "tel-018-12345-26",
        "case/019-123456", "1826-019-123456",
        "Storgatan-5", "storgatan.5", "Storgatan5", "Norra-Skogsgatan/5",
    ])
    func `numbers of people and telephones and streets are refused at their place and never quoted`(reference: String) {
        let found = refusal(reference)
        #expect(found?.code == .schema && found?.pointer == "/data/reportRef", "\(reference)")
        #expect(found?.message.contains { $0.isNumber } == false)
    }

    @Test func `one serial number in ten behind a day of these years has a fitting check digit`() {
        let refused = (0...9_999).count { number in
            let serial = "\(number)"
            let reference = "20261211-" + String(repeating: "0", count: 4 - serial.count) + serial
            return TextScan.finding(inReference: reference.utf8) != nil
        }
        #expect((900...1_100).contains(refused))
    }

    @Test func `a marking in a reference is one`() {
        #expect(refusal("HEMLIG-17")?.code == .classified)
        #expect(refusal("BEGRANSATHEMLIG")?.code == .classified)
    }

    @Test func `hexadecimal digits are opaque from so many on`() {
        let number = "0701234567"
        func reference(_ count: Int) -> String { number + String(repeating: "a", count: count - number.count) }
        #expect(refusal(reference(32)) == nil)
        #expect(refusal(reference(31))?.pointer == "/data/reportRef")
        #expect(refusal(String(repeating: "0", count: 22) + number)?.pointer == nil, "that is a number of 32 digits")
        #expect(refusal("g" + reference(32))?.pointer == "/data/reportRef", "g is no such digit")
    }

    @Test(arguments: [
        ("ABCD 1234-26", false), ("ABC 1234-26", true), ("B  1234-26", false), ("B K1234-26", false),
        ("b 1234-26", false),
        (" 1234-26", false), ("B ", false), ("B 1234 26", false), ("Anna Svensson", false), ("K 1234, Anna", false),
    ])
    func `one space may stand between a court's letters and its number`(reference: String, passes: Bool) {
        #expect((refusal(reference) == nil) == passes)
    }

    @Test func `the longest reference has 64 bytes, with a space too`() {
        func reference(_ count: Int) -> String { "B 1" + String(repeating: "x", count: count - 3) }
        #expect(refusal(reference(64)) == nil)
        #expect(refusal(reference(65)) != nil)
    }
}
