import CaseNotifications
import Testing

@Suite struct NotificationViewTests {
    static let delivery = DeliveryAttributes(
        rule: "r-17", effect: "duty", marking: "OSL 26:1, 2026-12-11, soc-1880",
        acknowledgeby: Timestamp(rfc3339: "2026-12-11T22:24:00Z"), policy: "abc", urgency: .u1, drill: false)

    @Test func `a copy holds what its rule lists and what the relay adds`() throws {
        let body = Sample.body(["audience": "soc-1880/respondent", "urgency": "U2", "level": "B", "consent": "c-1"])
        let notification = try Sample.decoder().decode(body)
        let copy = NotificationView.render(
            notification, attributes: ["audience", "level", "urgency", "drill", "rule"], fields: ["violenceForm"],
            delivery: Self.delivery)
        let want = #"""
            {"specversion":"1.0","id":"rep-7QK2","source":"urn:budkavle:pol-18-lpo-orebro",
            "type":"se.budkavle.police.report.registered.v1","time":"2026-12-11T23:09:00+01:00",
            "subject":"BK-18-2026-7QK2ZD9F","level":"B","rule":"r-17","effect":"duty",
            "marking":"OSL 26:1, 2026-12-11, soc-1880","acknowledgeby":"2026-12-11T22:24:00.000Z","policy":"abc",
            "urgency":"U1","data":{"violenceForm":["physical"]}}
            """#.split(separator: "\n").joined()
        #expect(String(decoding: copy, as: UTF8.self) == want)
    }

    @Test func `a copy without fields has no data and a drill says so`() throws {
        let notification = try Sample.decoder().decode(
            Sample.body(["drill": true, "subject": "BK-18-0000-7QK2ZD9F"]))
        var delivery = Self.delivery
        delivery.drill = true
        delivery.marking = ""
        delivery.acknowledgeby = nil
        let copy = try JSONValue(
            parsing: NotificationView.render(notification, attributes: [], fields: ["note"], delivery: delivery))
        #expect(
            copy.object?.names == [
                "specversion", "id", "source", "type", "time", "subject", "rule", "effect", "policy", "urgency",
                "drill",
            ])
        #expect(copy["drill"] == true)
    }

    /// A JSON string with the same content in which some characters are escaped.
    private func disguise(_ text: String, _ random: inout SeededRandom) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x80, scalar.value > 0x1F, Int.random(in: 0..<4, using: &random) == 0 {
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            } else {
                result += JSONValue.string(String(Character(scalar))).text.dropFirst().dropLast()
            }
        }
        return result + "\""
    }

    private func space(_ random: inout SeededRandom) -> String {
        ["", " ", "\n\t", "  "].randomElement(using: &random)!
    }

    @Test(arguments: UInt64(1)...50)
    func `a copy is a subset and its values are the sender's bytes`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let attributes = [
            "level": "B", "programme": "trygga-hem", "secrecy": "26:1", "consent": "c-1",
            "audience": "soc-1880/respondent",
            "affirmations": "balance-done/staff-17/2026-12-11T23:09:00Z", "circumstances": "honour", "urgency": "U2",
        ]
        var members = ["specversion", "id", "source", "type", "time", "subject", "county", "municipality"].map {
            ($0, disguise(Sample.report()[$0]?.string ?? "", &random))
        }
        for (name, text) in attributes.sorted(by: { $0.key < $1.key }) where Bool.random(using: &random) {
            members.append((name, disguise(text, &random)))
        }
        var fields = [
            ("reportRef", disguise("5000-K1234-26", &random)), ("violenceForm", "[ \(disguise("digital", &random)) ]"),
            ("note", disguise("rad ett\n\"två\" 😀", &random)), ("count", "-17"), ("childrenPresent", "true"),
        ]
        fields.shuffle(using: &random)
        let join = { (list: [(String, String)], random: inout SeededRandom) in
            list.map {
                "\(space(&random))\(disguise($0.0, &random))\(space(&random)):\(space(&random))\($0.1)\(space(&random))"
            }
            .joined(separator: ",")
        }
        members.append(("data", "{" + join(fields, &random) + "}"))
        members.shuffle(using: &random)
        let body = Array(("{" + join(members, &random) + "}").utf8)
        let notification = try Sample.decoder().decode(body)

        let allowed = (attributes.keys.sorted() + ["county"]).filter { _ in Bool.random(using: &random) }
        let allowedFields = fields.map(\.0).filter { _ in Bool.random(using: &random) }
        let copy = NotificationView.render(
            notification, attributes: allowed, fields: allowedFields, delivery: Self.delivery)
        let shown = try raws(copy, depth: 0)
        let sent = Dictionary(uniqueKeysWithValues: members)
        let added: Set = ["rule", "effect", "marking", "acknowledgeby", "policy", "urgency"]
        for (name, raw) in shown where name != "data" && !added.contains(name) {
            #expect(raw == sent[name], "seed \(seed): \(name)")
        }
        let want = Set(NotificationView.always).union(added).union(allowed.filter { sent[$0] != nil })
            .subtracting(["audience"]).union(allowedFields.isEmpty ? [] : ["data"])
        #expect(Set(shown.map(\.0)) == want && shown.count == want.count, "seed \(seed)")
        guard let data = shown.first(where: { $0.0 == "data" }) else { return }
        let shownFields = try raws(Array(data.1.utf8), depth: 1)
        #expect(shownFields.map(\.0) == fields.map(\.0).filter(allowedFields.contains), "seed \(seed)")
        for (name, raw) in shownFields {
            #expect(fields.contains { $0.0 == name && $0.1 == raw }, "seed \(seed): \(name)")
        }
    }

    /// The members of an object with their values as they are written.
    private func raws(_ bytes: [UInt8], depth: Int) throws(JSONFault) -> [(String, String)] {
        var result: [(String, String)] = []
        var scanner = JSONScanner(bytes)
        try scanner.object(depth: depth) { (scanner, name) throws(JSONFault) in
            let value = try scanner.value(depth: depth + 1)
            result.append(
                (
                    String(decoding: scanner.content(of: name), as: UTF8.self),
                    String(decoding: scanner.raw(value), as: UTF8.self)
                ))
        }
        try scanner.finish()
        return result
    }
}
