import CaseNotifications
import Testing

@Suite struct RequestTests {
    private let id = NotificationID(text: "01ARZ3NDEKTSV4RRFFQ69G5FAV")!
    private let earlier = NotificationID(text: "01ARZ3NDEKTSV4RRFFQ69G5FAW")!

    private func refusal(_ members: [String: JSONValue]) -> Refusal? {
        var object = JSONObject()
        object["notification"] = .string(id.text)
        for (name, value) in members { object[name] = value }
        do throws(Refusal) { _ = try AcknowledgementRequest(json: JSONValue.object(object).bytes) } catch {
            return error
        }
        return nil
    }

    @Test func `every outcome comes back as it went`() throws {
        let requests = [
            AcknowledgementRequest(notification: id, outcome: .taken, person: PersonID("staff-17"), role: "socialjour"),
            AcknowledgementRequest(notification: id, outcome: .alreadyKnown, earlier: earlier),
            AcknowledgementRequest(notification: id, outcome: .handedOver, to: "mottagning", note: "rad ett\nrad två"),
            AcknowledgementRequest(notification: id, outcome: .notOurs, municipality: "1780"),
            AcknowledgementRequest(notification: id, outcome: .notOurs),
            AcknowledgementRequest(
                notification: id, outcome: .recused, at: Timestamp(rfc3339: "2026-12-11T22:09:00Z")),
        ]
        for request in requests { #expect(try AcknowledgementRequest(json: request.json) == request) }
        #expect(Set(requests.map(\.outcome)) == Set(Outcome.allCases))
        #expect(Outcome.allCases.filter(\.endsLadder) == [.taken, .alreadyKnown])
    }

    @Test func `an outcome demands its members and refuses the others'`() {
        #expect(refusal(["outcome": "already-known"])?.pointer == "/earlier")
        #expect(refusal(["outcome": "already-known", "earlier": .string(id.text)])?.pointer == "/earlier")
        #expect(refusal(["outcome": "taken", "earlier": .string(earlier.text)])?.pointer == "/earlier")
        #expect(refusal(["outcome": "handed-over"])?.pointer == "/to")
        #expect(refusal(["outcome": "taken", "to": "x"])?.pointer == "/to")
        #expect(refusal(["outcome": "taken", "municipality": "1880"])?.pointer == "/municipality")
        #expect(refusal(["outcome": "not-ours", "municipality": "188"])?.pointer == "/municipality")
        #expect(refusal(["outcome": "not-ours", "municipality": 1880])?.pointer == "/municipality")
    }

    @Test func `what is missing, unknown or of another form is refused with its place`() {
        #expect(refusal([:])?.pointer == "/outcome")
        #expect(refusal(["outcome": "read"])?.pointer == "/outcome")
        #expect(refusal(["outcome": "taken", "notification": "x"])?.pointer == "/notification")
        #expect(refusal(["outcome": "taken", "person": "Anna Ek"])?.pointer == "/person")
        #expect(refusal(["outcome": "taken", "role": "a b"])?.pointer == "/role")
        #expect(refusal(["outcome": "taken", "at": "now"])?.pointer == "/at")
        #expect(refusal(["outcome": "taken", "note": 1])?.pointer == "/note")
        #expect(
            refusal(["outcome": "taken", "anna": 1]) == Refusal(code: .schema, pointer: "", message: "unknown member"))
        #expect(throws: Refusal(code: .schema, pointer: "", message: "an object is needed")) {
            try AcknowledgementRequest(json: Array("[]".utf8))
        }
        #expect(throws: Refusal.self) { try AcknowledgementRequest(json: Array(#"{"outcome":1,"outcome":1}"#.utf8)) }
    }

    @Test func `a note has at most 2,000 bytes and no control characters`() {
        #expect(refusal(["outcome": "taken", "note": .string(String(repeating: "å", count: 1_000))]) == nil)
        #expect(
            refusal(["outcome": "taken", "note": .string(String(repeating: "x", count: 2_001))])?.pointer == "/note")
        for character in ["\u{0}", "\u{1B}", "\r", "\u{7F}", "\u{85}", "\u{9B}"] {
            #expect(refusal(["outcome": "taken", "note": .string(character)])?.pointer == "/note")
        }
    }

    @Test func `an opening names the person`() throws {
        let request = OpeningRequest(
            notification: id, person: PersonID("staff-17")!, role: "socialjour",
            at: Timestamp(rfc3339: "2026-12-11T22:09:00Z"))
        #expect(try OpeningRequest(json: request.json) == request)
        #expect(throws: Refusal(code: .schema, pointer: "/person", message: "this member is required")) {
            try OpeningRequest(json: Array(#"{"notification":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}"#.utf8))
        }
        #expect(throws: Refusal(code: .schema, pointer: "", message: "unknown member")) {
            try OpeningRequest(
                json: Array(#"{"notification":"01ARZ3NDEKTSV4RRFFQ69G5FAV","person":"a","note":"x"}"#.utf8))
        }
    }
}
