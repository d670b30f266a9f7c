import CaseNotifications
import Testing

@testable import Routing

/// What the shipped counties call their event types, fields, codes and circumstances: no person reads an identifier.
struct CountyLabelsTests {
    @Test func `every type, field, code and circumstance is called something in both languages`() throws {
        for county in try ShippedCounties.all.get() {
            let policy = county.policy
            var labels: [(what: String, labels: Labels?)] = []
            for type in policy.catalogue.types.values {
                let names = policy.fieldLabels(of: type.type)
                labels.append((type.type.text, Labels(sv: type.labels["sv"] ?? "", en: type.labels["en"] ?? "")))
                labels += type.fields.map { ("\(type.type.text) \($0.name)", names[$0.name]) }
            }
            for (list, codes) in policy.catalogue.codeLists {
                labels += codes.map { ("\(list)/\($0)", policy.label(ofCode: $0, in: list)) }
            }
            labels += policy.catalogue.circumstances.map { ($0, policy.label(ofCircumstance: $0)) }
            #expect(labels.count > 300, "\(county.name): \(labels.count)")
            let unnamed = labels.filter { $0.labels.map { $0.sv.isEmpty || $0.en.isEmpty } ?? true }.map(\.what)
            #expect(unnamed.isEmpty, "\(county.name): \(unnamed.sorted())")
            // Lists of codes that fields name are there: a code without its list would have no label either.
            for type in policy.catalogue.types.values {
                for field in type.fields {
                    switch field.kind {
                    case .code(let list), .codes(let list):
                        #expect(policy.catalogue.codeLists[list]?.isEmpty == false, "\(type.type.text) \(field.name)")
                    case .flag, .timestamp, .reference, .text, .personnummer, .integer, .municipality: break
                    }
                }
            }
        }
    }
}
