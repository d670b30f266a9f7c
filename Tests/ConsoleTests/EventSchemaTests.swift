import CaseNotifications
import Foundation
import Routing
import Settings
import Testing

@testable import Console

@Suite("Schemas and the catalogue of event types")
struct EventSchemaTests {
    private let policy: Policy
    private let at = Timestamp(rfc3339: "2026-12-11T23:10:00+01:00")

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let files = try SettingsFiles.read(directory: root + "/config/orebro")
        let zone = try ZoneFile.read(zone: "Europe/Stockholm", directory: ZoneFile.systemDirectory)
        policy = try #require(PolicyLoader.load(files: files, zone: zone).whole)
    }

    private var types: [EventType] { policy.catalogue.types.keys.sorted { $0.text < $1.text } }

    @Test("every type has an example that the relay's decoder takes and that somebody gets")
    func examples() throws {
        let at = try #require(at)
        let decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
        for type in types {
            let example = try #require(ExampleEvent(policy: policy, type: type, at: at), "\(type)")
            let notification = try decoder.decode(example.value.bytes)
            #expect(notification.type == type)
            #expect(!policy.decide(notification, at: at).grants.isEmpty, "\(type)")
        }
    }

    @Test("every example fits its schema, and no schema lets an unknown member or a wrong code pass")
    func schemas() throws {
        let at = try #require(at)
        for type in types {
            let schema = try #require(EventSchema(policy: policy, type: type)).value
            let example = try #require(ExampleEvent(policy: policy, type: type, at: at)).value
            #expect(
                SchemaCheck.faults(of: example, schema).isEmpty, "\(type): \(SchemaCheck.faults(of: example, schema))")
            guard case .object(var object) = example, case .object(var data) = object["data"] else {
                Issue.record("no data: \(type)")
                continue
            }
            object["surprise"] = "x"
            #expect(!SchemaCheck.faults(of: .object(object), schema).isEmpty)
            object["surprise"] = nil
            object["type"] = "se.budkavle.other.v1"
            #expect(!SchemaCheck.faults(of: .object(object), schema).isEmpty)
            object["type"] = .string(type.text)
            object["subject"] = nil
            #expect(!SchemaCheck.faults(of: .object(object), schema).isEmpty)
            object["subject"] = example["subject"]
            data["surprise"] = true
            object["data"] = .object(data)
            #expect(!SchemaCheck.faults(of: .object(object), schema).isEmpty)
        }
    }

    @Test("what a schema refuses of a field the decoder refuses too")
    func agreement() throws {
        let at = try #require(at)
        let decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
        let wrong: [JSONValue] = [
            .integer(7), "", "no such code", true, .array(["no such code"]), .object(JSONObject([])),
        ]
        for type in types {
            let schema = try #require(EventSchema(policy: policy, type: type)).value
            let example = try #require(ExampleEvent(policy: policy, type: type, at: at)).value
            for field in policy.typeDefinition(type)?.fields ?? [] {
                for value in wrong {
                    guard case .object(var object) = example, case .object(var data) = object["data"] else { continue }
                    data[field.name] = value
                    object["data"] = .object(data)
                    let isRefused = !SchemaCheck.faults(of: .object(object), schema).isEmpty
                    let event = JSONValue.object(object)
                    if isRefused {
                        #expect(throws: Refusal.self, "\(type) \(field.name) \(value.text)") {
                            try decoder.decode(event.bytes)
                        }
                    }
                }
            }
        }
    }

    @Test("schema and decoder take the same references")
    func references() throws {
        let at = try #require(at)
        let decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
        let type = try #require(types.first { $0.shortName == "police.report.registered" })
        let schema = try #require(EventSchema(policy: policy, type: type)).value
        let example = try #require(ExampleEvent(policy: policy, type: type, at: at)).value
        let longest = String(repeating: "x", count: NotificationDecoder.longestReferenceBytes)
        for (reference, isTaken) in [
            ("5000-K12345-26", true), ("B 1234-26", true), ("ABC 1", true), ("ABCD 1", false), ("B  1", false),
            ("B ", false),
            ("b 1", false), ("Anna Svensson", false), ("", false), (longest, true), (longest + "x", false),
        ] {
            guard case .object(var object) = example, case .object(var data) = object["data"] else { continue }
            data["reportRef"] = .string(reference)
            object["data"] = .object(data)
            #expect(SchemaCheck.faults(of: .object(object), schema).isEmpty == isTaken, "\(reference)")
            #expect(((try? decoder.decode(JSONValue.object(object).bytes)) != nil) == isTaken, "\(reference)")
        }
    }

    @Test("the catalogue names every type, and of one its rules, its parties and its example")
    func catalogue() throws {
        let text = TypeCatalogueText(policy: policy, at: try #require(at))
        #expect(text.lines.count == types.count + 1)
        let type = try #require(types.first { $0.shortName == "police.intervention.closed" })
        let lines = try #require(text.lines(of: type)).joined(separator: "\n")
        #expect(lines.contains("polisingripande-soc (duty, polislagen-6)"))
        #expect(lines.contains("soc-1880"))
        #expect(lines.contains("example"))
        let json = try JSONValue(parsing: Array(text.json(of: nil).utf8))
        #expect(json["schema"]?.string == "budkavle.types/1")
        #expect(json["types"]?.array?.count == types.count)
        let one = try JSONValue(parsing: Array(text.json(of: type).utf8))
        #expect(one["types"]?.array?.first?["example"]?["type"]?.string == type.text)
    }

    @Test("the county's coverage and a policy's difference from itself are told in words and as JSON")
    func coverage() throws {
        let report = policy.coverage(CoverageRequest(from: try #require(at)))
        #expect(report.blocking.isEmpty, "\(report.blocking.map { $0.text(zone: policy.zone) })")
        let text = CoverageText(policy: policy, report: report)
        #expect(text.lines.last?.hasPrefix("Every municipality") == true)
        #expect(try JSONValue(parsing: Array(text.json.utf8))["blocking"]?.bool == false)
        let difference = DifferenceText(
            collaboration: policy.collaboration, difference: PolicyDifference(from: policy, to: policy))
        #expect(difference.lines == ["orebro: equal"])
    }
}

/// As much of JSON Schema 2020-12 as these schemas use; anything else in one is a fault.
enum SchemaCheck {
    static func faults(of value: JSONValue, _ schema: JSONValue, at path: String = "") -> [String] {
        guard case .object(let rules) = schema else { return ["\(path): no schema"] }
        var faults: [String] = []
        for rule in rules.members {
            switch (rule.name, rule.value) {
            case ("$schema", _), ("$id", _), ("title", _), ("description", _), ("x-sensitivity", _): break
            case ("type", .string(let type)): if !isOf(type, value) { faults.append("\(path): not \(type)") }
            case ("const", let wanted): if value != wanted { faults.append("\(path): another value") }
            case ("enum", .array(let values)): if !values.contains(value) { faults.append("\(path): not in the list") }
            case ("pattern", .string(let pattern)):
                guard let text = value.string, let regex = try? Regex(pattern) else { return ["\(path): no pattern"] }
                if text.firstMatch(of: regex) == nil { faults.append("\(path): does not match") }
            case ("format", "date-time"):
                if Timestamp(rfc3339: value.string ?? "") == nil { faults.append("\(path): no time") }
            case ("minLength", .integer(let least)):
                if value.string.map({ $0.unicodeScalars.count < least }) ?? false {
                    faults.append("\(path): too short")
                }
            case ("maxLength", .integer(let most)):
                if value.string.map({ $0.unicodeScalars.count > most }) ?? false { faults.append("\(path): too long") }
            case ("minimum", .integer(let least)):
                if value.integer.map({ $0 < least }) ?? false { faults.append("\(path): too small") }
            case ("maximum", .integer(let most)):
                if value.integer.map({ $0 > most }) ?? false { faults.append("\(path): too large") }
            case ("maxItems", .integer(let most)):
                if value.array.map({ $0.count > most }) ?? false { faults.append("\(path): too many") }
            case ("uniqueItems", .bool(true)):
                let texts = (value.array ?? []).map(\.text)
                if Set(texts).count < texts.count { faults.append("\(path): twice") }
            case ("items", let items):
                for (place, item) in (value.array ?? []).enumerated() {
                    faults += Self.faults(of: item, items, at: "\(path)/\(place)")
                }
            case ("properties", .object(let properties)):
                for member in value.object?.members ?? [] {
                    guard let inner = properties[member.name] else { continue }
                    faults += Self.faults(of: member.value, inner, at: "\(path)/\(member.name)")
                }
            case ("required", .array(let names)):
                for name in names.compactMap(\.string) where value[name] == nil { faults.append("\(path): no \(name)") }
            case ("additionalProperties", .bool(false)):
                for member in value.object?.members ?? [] where rules["properties"]?[member.name] == nil {
                    faults.append("\(path): unknown member")
                }
            case ("dependentRequired", .object(let needs)):
                for need in needs.members where value[need.name] != nil {
                    for name in need.value.array ?? [] where value[name.string ?? ""] == nil {
                        faults.append("\(path): \(need.name) needs another")
                    }
                }
            default: faults.append("\(path): unknown keyword \(rule.name)")
            }
        }
        return faults
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch type {
        case "object": value.object != nil
        case "array": value.array != nil
        case "string": value.string != nil
        case "boolean": value.bool != nil
        case "integer": value.integer != nil
        default: false
        }
    }
}
