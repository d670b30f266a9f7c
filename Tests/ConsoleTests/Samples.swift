import CaseNotifications

@testable import Console

/// Answers of a relay on the Friday night of the acceptance scenarios; the person sits in Örebro, an hour east.
enum Samples {
    static func terminal(_ language: Language, isColoured: Bool = false) -> Presentation {
        Presentation(language: language, layout: .terminal(width: 80, isColoured: isColoured)) { _ in 3_600 }
    }

    static let piped = Presentation(language: .swedish, layout: .piped) { _ in 3_600 }

    static func json(_ text: String) -> [UInt8] { Array(text.utf8) }

    static func id(_ suffix: String) -> String { "01KC8Z3J5N0000000000" + suffix }

    static func item(
        id: String, urgency: String = "U1", type: String = RendererTests.type, source: String = "pol-18-rlc",
        municipality: String? = nil, circumstances: [String] = [], received: String, acknowledgeBy: String? = nil,
        state: String = "waiting", isDrill: Bool = false
    ) -> String {
        var members: [(String, JSONValue)] = [
            ("notification", .string(Self.id(id))), ("urgency", .string(urgency)), ("type", .string(type)),
            ("party", "soc-1880"), ("desk", "jour-18-norr"), ("source", .string(source)),
            ("received", .string(received)), ("state", .string(state)), ("drill", .bool(isDrill)),
        ]
        if let municipality { members.append(("municipality", .string(municipality))) }
        if let acknowledgeBy { members.append(("acknowledgeby", .string(acknowledgeBy))) }
        if !circumstances.isEmpty { members.append(("circumstances", .array(circumstances.map { .string($0) }))) }
        return JSONValue.object(JSONObject(members.map { JSONObject.Member(name: $0.0, value: $0.1) })).text
    }

    static func inbox(items: String) -> [UInt8] {
        json(
            #"{"schema":"budkavle.inbox/1","now":"2026-12-12T01:10:00.000Z","party":"soc-1880","desks":["jour-18-norr"],"items":[\#(items)],"more":false,"labels":{"\#(RendererTests.type)":{"sv":"Frigiven ur häkte","en":"Released"},"se.budkavle.police.report.registered.v1":{"sv":"Ny anmälan","en":"New report"}}}"#
        )
    }

    static var inbox: [UInt8] {
        let report = "se.budkavle.police.report.registered.v1"
        let items = [
            item(
                id: "7QK2ZD", source: "krim-18-hakte", municipality: "1880", received: "2026-12-12T00:43:00.000Z",
                acknowledgeBy: "2026-12-12T00:58:00.000Z", state: "opened"),
            item(
                id: "3M9XAH", urgency: "U2", type: report, circumstances: ["child-present"],
                received: "2026-12-12T01:04:00.000Z", acknowledgeBy: "2026-12-12T02:41:00.000Z", state: "opened"),
            item(
                id: "P8SN1W", urgency: "U4", type: report, source: "frv-18-orebro", municipality: "1880",
                received: "2026-12-11T15:59:00.000Z", acknowledgeBy: "2026-12-14T16:00:00.000Z", state: "opened",
                isDrill: true),
        ]
        return inbox(items: items.joined(separator: ","))
    }

    static var status: [UInt8] {
        json(
            #"{"schema":"budkavle.status/1","now":"2026-12-11T22:40:00.000Z","notification":"\#(id("3M9XAH"))","id":"e1","source":"pol-18-rlc","type":"\#(RendererTests.type)","urgency":"U1","accepted":"2026-12-11T22:10:02.000Z","drill":false,"deliveries":[{"party":"soc-1880","desk":"jour-1880","rule":"r1","state":"acknowledged","outcome":"taken","acknowledgeby":"2026-12-11T22:25:02.000Z","steps":[{"event":"accepted","at":"2026-12-11T22:10:02.000Z","party":"soc-1880"},{"event":"delivered","at":"2026-12-11T22:10:04.000Z","party":"soc-1880"},{"event":"opened","at":"2026-12-11T22:14:00.000Z","party":"soc-1880","role":"jour-A"},{"event":"acknowledged","at":"2026-12-11T22:16:00.000Z","party":"soc-1880","role":"jour-A","outcome":"taken"}]},{"party":"pol-18-lpo","desk":"lpo","state":"accepted","acknowledgeby":"2026-12-11T22:25:02.000Z","steps":[{"event":"accepted","at":"2026-12-11T22:10:02.000Z","party":"pol-18-lpo"}]}],"refused":[{"party":"frv-18-orebro","code":"never-rule","at":"2026-12-11T22:10:02.000Z"}],"complete":false,"labels":{"\#(RendererTests.type)":{"sv":"Frigiven ur häkte","en":"Released"}}}"#
        )
    }

    static func withoutColour(_ line: String) -> String {
        var result = ""
        var isInEscape = false
        for scalar in line.unicodeScalars {
            if scalar == "\u{1B}" { isInEscape = true }
            if !isInEscape { result.unicodeScalars.append(scalar) }
            if isInEscape, scalar == "m" { isInEscape = false }
        }
        return result
    }
}
