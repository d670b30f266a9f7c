import CaseNotifications
import Testing

@Suite struct ReceiptTests {
    private let accepted = Receipt(
        notification: NotificationID(text: "01ARZ3NDEKTSV4RRFFQ69G5FAV")!, source: PartyID("pol-18-lpo-orebro")!,
        id: "rep-7QK2", digest: Digest(sha256Of: "abc"), policy: "p-1", event: .accepted,
        at: Timestamp(rfc3339: "2026-12-11T22:09:00.123Z")!, position: "orebro.17")

    @Test func `a receipt is a CloudEvent`() {
        let want = #"""
            {"specversion":"1.0","id":"orebro.17","source":"urn:budkavle:relay","type":"se.budkavle.relay.receipt.v1",
            "time":"2026-12-11T22:09:00.123Z","data":{"notification":"01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "source":"pol-18-lpo-orebro","id":"rep-7QK2",
            "digest":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","policy":"p-1","event":"accepted",
            "at":"2026-12-11T22:09:00.123Z","position":"orebro.17"}}
            """#.split(separator: "\n").joined()
        #expect(String(decoding: accepted.cloudEvent(receiptID: "orebro.17"), as: UTF8.self) == want)
    }

    @Test(arguments: ReceiptEvent.allCases)
    func `every receipt comes back as it went`(event: ReceiptEvent) throws {
        var receipt = accepted
        receipt.event = event
        receipt.party = PartyID("soc-1880")
        receipt.desk = DeskID("jour-18-norr")
        receipt.role = "socialjour"
        for outcome in event == .acknowledged ? Outcome.allCases : [] {
            receipt.outcome = outcome
            #expect(try Receipt(json: receipt.cloudEvent(receiptID: "r-1")) == receipt)
        }
        for reason in event == .refused ? RefusalCode.allCases : [] {
            receipt.reason = reason
            #expect(try Receipt(json: receipt.cloudEvent(receiptID: "r-1")) == receipt)
        }
        if event == .escalated { receipt.step = "no-station" }
        if event == .recalled { receipt.step = "before-custody" }
        #expect(try Receipt(json: receipt.cloudEvent(receiptID: "r-1")) == receipt)
        #expect(ReceiptEvent(text: event.text) == event)
    }

    private func refusal(_ change: (inout JSONObject, inout JSONObject) -> Void) throws -> Refusal? {
        let value = try JSONValue(parsing: accepted.cloudEvent(receiptID: "r-1"))
        var envelope = try #require(value.object)
        var data = try #require(value["data"]?.object)
        change(&envelope, &data)
        if envelope["data"] != nil { envelope["data"] = .object(data) }
        do throws(Refusal) { _ = try Receipt(json: JSONValue.object(envelope).bytes) } catch { return error }
        return nil
    }

    @Test func `what a newer relay adds is passed over`() throws {
        #expect(try refusal { $1["weather"] = ["x"] } == nil)
        #expect(try refusal { envelope, _ in envelope["subject"] = "x" } == nil)
    }

    @Test func `a receipt that lacks or bends a member is refused with its place`() throws {
        for name in ["notification", "source", "id", "digest", "policy", "event", "at", "position"] {
            #expect(try refusal { $1[name] = nil }?.pointer == "/data/\(name)")
            #expect(try refusal { $1[name] = 1 }?.pointer == "/data/\(name)")
        }
        #expect(try refusal { envelope, _ in envelope["type"] = "x" }?.pointer == "/type")
        #expect(try refusal { envelope, _ in envelope["specversion"] = "0.3" }?.pointer == "/specversion")
        #expect(try refusal { envelope, _ in envelope["data"] = nil }?.pointer == "/data")
        #expect(try refusal { $1["outcome"] = "taken" }?.pointer == "/data/outcome")
        #expect(try refusal { $1["event"] = "acknowledged" }?.pointer == "/data/outcome")
        #expect(try refusal { $1["event"] = "refused" }?.pointer == "/data/reason")
        #expect(try refusal { $1["digest"] = "ABC" }?.pointer == "/data/digest")
    }
}
