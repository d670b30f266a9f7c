import CaseNotifications
import Foundation
import Testing

/// One file of `Vectors`: what must happen, the mode, why, a line `---`, the body.
struct Vector: Sendable, CustomTestStringConvertible {
    enum Expectation: Equatable {
        case accept
        case refuse(RefusalCode, String)
    }

    let name: String
    let expectation: Expectation
    let mode: Mode
    let body: [UInt8]

    var testDescription: String { name }

    static let all: [Vector] = {
        guard let directory = Bundle.module.url(forResource: "Vectors", withExtension: nil),
            let names = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        else { return [] }
        return names.sorted().compactMap { name in
            (try? Data(contentsOf: directory.appending(path: name))).flatMap { Vector(name: name, file: Array($0)) }
        }
    }()

    init?(name: String, file: [UInt8]) {
        let separator = Array("\n---\n".utf8)
        guard let end = file.indices.first(where: { file[$0...].starts(with: separator) }) else { return nil }
        let lines = String(decoding: file[..<end], as: UTF8.self).split(separator: "\n")
        guard lines.count == 3 else { return nil }
        let words = lines[0].split(separator: " ").map(String.init)
        switch (words.first, words.dropFirst().first.flatMap(RefusalCode.init(rawValue:))) {
        case ("accept", nil): expectation = .accept
        case ("refuse", let code?): expectation = .refuse(code, words.count > 2 ? words[2] : "")
        default: return nil
        }
        guard lines[1].hasPrefix("mode "), let mode = Mode(rawValue: String(lines[1].dropFirst(5))) else { return nil }
        self.name = name
        self.mode = mode
        body = Array(file[(end + separator.count)...])
    }
}

@Suite struct NotificationDecoderTests {
    @Test func `every vector file is read`() throws {
        let directory = try #require(Bundle.module.url(forResource: "Vectors", withExtension: nil))
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(Vector.all.count == names.count)
        #expect(Vector.all.count >= 60)
        #expect(Vector.all.filter { $0.expectation != .accept }.count > Vector.all.count / 2)
    }

    @Test(arguments: Vector.all)
    func `each vector gets what its first line says`(vector: Vector) {
        let got: Vector.Expectation
        var message = ""
        do throws(Refusal) {
            let notification = try Sample.decoder(vector.mode).decode(vector.body)
            #expect(notification.body == vector.body)
            got = .accept
        } catch {
            got = .refuse(error.code, error.pointer)
            message = error.message
            #expect(!message.contains { $0 == ":" || $0 == "\\" || $0.isNewline })
        }
        #expect(got == vector.expectation, "\(message)")
    }

    @Test func `every attribute comes out as a typed value`() throws {
        let vector = try #require(Vector.all.first { $0.name == "accept-everything.txt" })
        let got = try Sample.decoder().decode(vector.body)
        let relayID = try #require(NotificationID(text: "01JEXAMP1E0000000000000000"))
        let want = CaseNotification(
            id: "rep-7QK2", source: PartyID("pol-18-lpo-orebro")!, type: Sample.reportType,
            time: Timestamp(rfc3339: "2026-12-11T22:09:00Z")!, subject: CaseID("BK-18-2026-7QK2ZD9F")!,
            dataschema: "https://budkavle.example/schema/report/1", county: "18", municipality: "1880",
            audience: [
                AudienceEntry(to: "soc-1880", why: "respondent"), AudienceEntry(to: "soc-1780", why: "protected"),
            ],
            urgency: .u1, programme: "trygga-hem", level: "B", isProtected: true, isDrill: false, secrecy: "26:1",
            circumstances: ["child-present", "under-18"],
            affirmations: [
                Affirmation(
                    name: "balance-done", person: PersonID("staff-17")!,
                    at: Timestamp(rfc3339: "2026-12-11T22:09:00Z")!),
                Affirmation(
                    name: "need-checked", person: PersonID("staff-9")!,
                    at: Timestamp(rfc3339: "2026-12-11T22:00:00Z")!),
            ],
            consent: "consent-4711", consentOf: "protected-person", supersedes: relayID,
            expirytime: Timestamp(rfc3339: "2026-12-12T00:00:00Z")!, correlationid: relayID.text,
            causationid: relayID.text, attributes: got.attributes, fields: got.fields, body: vector.body)
        #expect(got == want)
        #expect(got.attributes.count == 25)
        #expect(
            got.fields.map(\.name) == [
                "reportRef", "violenceForm", "offenceCode", "childrenPresent", "occurredAt", "suspect", "count", "note",
                "eventMunicipality",
            ])
        let reference = try #require(got.fields.first)
        #expect(String(decoding: vector.body[reference.value], as: UTF8.self) == "\"5000-K1234-26\"")
    }

    @Test func `a null attribute is not among the attributes`() throws {
        let got = try Sample.decoder().decode(Sample.body(["dataschema": .some(.null), "level": "B"]))
        #expect(!got.attributes.contains { $0.name == "dataschema" })
        #expect(got.attributes.contains { $0.name == "level" })
        #expect(got.isProtected == nil && got.urgency == nil && got.audience.isEmpty)
    }

    @Test func `data may stand before the type`() throws {
        var object = JSONObject()
        object["data"] = Sample.report()["data"]
        for member in Sample.report().members where member.name != "data" { object[member.name] = member.value }
        let got = try Sample.decoder().decode(JSONValue.object(object).bytes)
        #expect(got.fields.map(\.name) == ["reportRef", "violenceForm"])
    }

    @Test func `a type without fields needs no data`() throws {
        let got = try Sample.decoder().decode(
            Sample.body([
                "type": .string(Sample.bareType.text), "data": nil, "county": nil,
                "municipality": nil,
            ]))
        #expect(got.fields.isEmpty && got.county == nil)
    }

    @Test func `each limit holds at the limit and not one past it`() {
        func list(_ count: Int, _ item: (Int) -> String) -> JSONValue {
            .string((0..<count).map(item).joined(separator: " "))
        }
        func isAccepted(_ members: [String: JSONValue?]) -> Bool {
            (try? Sample.decoder().decode(Sample.body(members))) != nil
        }
        func isReport(_ name: String, _ value: JSONValue) -> Bool {
            var data = JSONObject()
            data["reportRef"] = "5000-K1234-26"
            data["violenceForm"] = []
            data[name] = value
            return isAccepted(["data": .object(data)])
        }
        #expect(isAccepted(["id": .string(String(repeating: "x", count: 128))]))
        #expect(!isAccepted(["id": .string(String(repeating: "x", count: 129))]))
        #expect(isAccepted(["consent": .string(String(repeating: "x", count: 64))]))
        #expect(!isAccepted(["consent": .string(String(repeating: "x", count: 65))]))
        #expect(isAccepted(["dataschema": .string("a:" + String(repeating: "x", count: 254))]))
        #expect(!isAccepted(["dataschema": .string("a:" + String(repeating: "x", count: 255))]))
        #expect(isAccepted(["audience": list(32) { "soc-\($0)/respondent" }]))
        #expect(!isAccepted(["audience": list(33) { "soc-\($0)/respondent" }]))
        #expect(isAccepted(["affirmations": list(16) { "done-\($0)/staff-17/2026-12-11T23:09:00Z" }]))
        #expect(!isAccepted(["affirmations": list(17) { "done-\($0)/staff-17/2026-12-11T23:09:00Z" }]))
        #expect(isReport("note", .string(String(repeating: "x", count: 2_000))))
        #expect(!isReport("note", .string(String(repeating: "x", count: 2_001))))
        #expect(isReport("count", 2_147_483_647) && isReport("count", -2_147_483_648))
        #expect(!isReport("count", 2_147_483_648) && !isReport("count", -2_147_483_649))
    }

    @Test func `lists of codes and of circumstances and members of data have limits`() {
        let codes = (0...64).map { "code-\($0)" }
        var catalogue = Sample.catalogue
        catalogue.codeLists["violenceForm"] = codes
        catalogue.circumstances = Set(codes)
        let decoder = NotificationDecoder(catalogue: catalogue, mode: .production)
        func refusal(_ members: [String: JSONValue?]) -> Refusal? {
            do throws(Refusal) { _ = try decoder.decode(Sample.body(members)) } catch { return error }
            return nil
        }
        func data(_ count: Int) -> JSONValue {
            ["reportRef": "x-1", "violenceForm": .array(codes.prefix(count).map { .string($0) })]
        }
        #expect(refusal(["data": data(64)]) == nil)
        #expect(refusal(["data": data(65)])?.pointer == "/data/violenceForm")
        #expect(refusal(["data": data(1), "circumstances": .string(codes.prefix(16).joined(separator: " "))]) == nil)
        #expect(
            refusal(["data": data(1), "circumstances": .string(codes.prefix(17).joined(separator: " "))])?.pointer
                == "/circumstances")
        let many = (0...128).map { JSONObject.Member(name: "m\($0)", value: 1) }
        #expect(refusal(["data": .object(JSONObject(Array(many.prefix(128))))])?.message == "unknown member")
        #expect(refusal(["data": .object(JSONObject(many))])?.message == JSONFault.Reason.tooMany.message)
    }

    @Test func `a body of 256 KiB is read and one byte more is too large`() throws {
        let body = Sample.body()
        let largest = body + [UInt8](repeating: 0x20, count: NotificationDecoder.largestBodyBytes - body.count)
        #expect(try Sample.decoder().decode(largest).id == "rep-7QK2")
        #expect(throws: Refusal(code: .tooLarge, pointer: "", message: "the body is larger than 262144 bytes")) {
            try Sample.decoder().decode(largest + [0x20])
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `a refusal never contains any byte run of the value`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let names = Sample.report().names + ["audience", "urgency", "affirmations", "secrecy", "consent", "dataschema"]
        let fields = ["reportRef", "offenceCode", "violenceForm", "suspect", "note", "count", "occurredAt"]
        for _ in 0..<200 {
            // None of these letters stands in a message as a run of three.
            let secret = String((0..<12).map { _ in "QZXKWV".randomElement(using: &random)! })
            var report = Sample.report()
            switch Int.random(in: 0..<4, using: &random) {
            case 0: report[names.randomElement(using: &random)!] = .string(secret)
            case 1: report[secret] = "x"
            case 2: report["data"] = ["reportRef": "x-1", "violenceForm": [.string(secret)]]
            default:
                var data = JSONObject()
                data[fields.randomElement(using: &random)!] = .string(secret + "\u{7}")
                data[secret] = .string(secret)
                report["data"] = .object(data)
            }
            var body = JSONValue.object(report).bytes
            if Bool.random(using: &random) {
                body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do throws(Refusal) { _ = try Sample.decoder().decode(body) } catch {
                let shown = Array((error.pointer + " " + error.message).utf8)
                for start in 0..<secret.utf8.count - 2 {
                    let run = Array(secret.utf8)[start..<start + 3]
                    let isShown = shown.indices.contains { shown[$0...].starts(with: run) }
                    #expect(!isShown, "seed \(seed): \(error)")
                }
            }
        }
    }

    @Test(arguments: UInt64(1)...10)
    func `no damaged body traps, and what is accepted is what was sent`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let whole = try #require(Vector.all.first { $0.name == "accept-everything.txt" }).body
        for _ in 0..<500 {
            var body = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: body[place] = UInt8.random(in: 0...255, using: &random)
                case 1: body.remove(at: place)
                default: body.removeLast(body.count - max(place, 1))
                }
            }
            if let got = try? Sample.decoder().decode(body) { #expect(got.body == body, "seed \(seed)") }
        }
    }
}
