import CaseNotifications
import Testing

/// What was accepted before is read whatever the checks and the catalogue of now would say to it.
struct StoredDecodingTests {
    private static func data(_ note: String) -> JSONValue {
        ["reportRef": "5000-K1234-26", "violenceForm": ["physical"], "note": .string(note)]
    }

    /// Bodies that are refused today, and where.
    private static let refused: [(body: [UInt8], pointer: String)] = [
        (Sample.body(["data": data("Nås på 070-123 45 67.")]), "/data/note"),
        (Sample.body(["data": data(String(repeating: "a", count: 2_001))]), "/data/note"),
        (Sample.body(["data": ["reportRef": "5000-K1234-26", "violenceForm": ["gone"]]]), "/data/violenceForm/0"),
        (Sample.body(["data": ["violenceForm": ["physical"], "gone": 1]]), "/data"),
        (Sample.body(["municipality": nil]), "/municipality"),
        (Sample.body(["circumstances": "fictive-identity"]), "/circumstances"),
        (Sample.body(["circumstances": "child-present gone"]), "/circumstances"),
        (Sample.body(["programme": "gone"]), "/programme"),
        (Sample.body(["level": "E"]), "/level"),
        (Sample.body(["urgency": "U4"]), "/urgency"),
        (Sample.body(["id": "rep-0701234567"]), "/id"),
        (Sample.body(["data": ["reportRef": "0701234567", "violenceForm": ["physical"]]]), "/data/reportRef"),
    ]

    @Test(arguments: refused)
    func `a stored body is read where an incoming one is refused`(body: [UInt8], pointer: String) throws {
        let refusal = #expect(throws: Refusal.self) { try Sample.decoder().decode(body) }
        #expect(refusal?.pointer == pointer)
        let stored = try Sample.decoder().decode(body, of: .stored)
        #expect(stored.type == Sample.reportType && stored.source.text == "pol-18-lpo-orebro")
        #expect(StoredContent(stored) == (try StoredContent(body)))
        let identity = Sample.decoder().identity(of: body)
        #expect(identity?.source == stored.source && identity?.id == stored.id)
    }

    @Test func `codes that are gone are kept, so that no rule is judged as if they had never been said`() throws {
        let body = Sample.body([
            "circumstances": "child-present gone", "programme": "gone", "level": "E", "audience": "soc-1880/gone",
        ])
        let stored = try Sample.decoder().decode(body, of: .stored)
        #expect(stored.circumstances == ["child-present", "gone"])
        #expect(stored.programme == "gone" && stored.level == "E")
        #expect(stored.audience == [AudienceEntry(to: "soc-1880", why: "gone")])
    }

    @Test func `a type that is gone cannot be judged, and whose it was can still be told`() throws {
        let body = Sample.body(["type": "se.budkavle.test.gone.v1"])
        let refusal = #expect(throws: Refusal.self) { try Sample.decoder().decode(body, of: .stored) }
        #expect(refusal?.pointer == "/type")
        #expect(Sample.decoder().identity(of: body)?.id == "rep-7QK2")
        #expect(Sample.decoder().identity(of: Array("{}".utf8)) == nil)
        #expect(Sample.decoder().identity(of: Array("x".utf8)) == nil)
    }

    @Test func `what is accepted is the same of either origin`() throws {
        for vector in Vector.all where vector.expectation == .accept {
            let decoder = Sample.decoder(vector.mode)
            #expect(try decoder.decode(vector.body, of: .stored) == (try decoder.decode(vector.body)))
        }
    }
}
