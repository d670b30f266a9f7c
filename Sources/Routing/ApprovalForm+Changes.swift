extension ApprovalForm {
    /// What is otherwise than in an earlier form, a short sentence each; empty for the same form.
    package func changes(since earlier: ApprovalForm) -> [Labels] {
        let old = Self.table(earlier)
        let new = Self.table(self)
        var changes: [Labels] = []
        for (key, values) in new.entries {
            let name = Self.name(of: key)
            func say(_ sv: String, _ en: String) {
                changes.append(Labels(sv: "\(name.sv): \(sv)", en: "\(name.en): \(en)"))
            }
            guard let before = old.byKey[key] else {
                let all = values.joined(separator: ", ")
                say("nytt, \(all)", "new, \(all)")
                continue
            }
            guard before != values else { continue }
            if before.count == 1, values.count == 1 {
                say("\(values[0]) i stället för \(before[0])", "\(values[0]) instead of \(before[0])")
                continue
            }
            let added = values.filter { !before.contains($0) }.map { Labels(sv: "\($0) tillkommer", en: "\($0) added") }
            let gone = before.filter { !values.contains($0) }.map { Labels(sv: "\($0) bort", en: "\($0) gone") }
            let all = Labels.list(added + gone)
            if all.sv.isEmpty { say("annan ordning", "another order") } else { say(all.sv, all.en) }
        }
        for (key, _) in old.entries where new.byKey[key] == nil {
            let name = Self.name(of: key)
            changes.append(Labels(sv: "\(name.sv): bort", en: "\(name.en): gone"))
        }
        return changes
    }

    private static func table(
        _ form: ApprovalForm
    ) -> (entries: [(key: String, values: [String])], byKey: [String: [String]]) {
        let entries = form.lines.map { line -> (key: String, values: [String]) in
            guard let colon = line.firstRange(of: ": ") else { return (line, []) }
            return (
                String(line[..<colon.lowerBound]), line[colon.upperBound...].split(separator: ", ").map(String.init)
            )
        }
        return (entries, Dictionary(entries.map { ($0.key, $0.values) }) { first, _ in first })
    }

    /// What a line of a form is about; `view child.concern.reported` has a type behind it, `never injury` a rule.
    private static func name(of key: String) -> Labels {
        for (head, name) in keysWithNames where key.hasPrefix(head + " ") {
            return name.followed(by: key.dropFirst(head.count))
        }
        for (head, name) in [
            ("from.", Labels(sv: "avsändare, ", en: "sender, ")), ("to.", Labels(sv: "mottagare, ", en: "recipient, ")),
            ("when.", Labels(sv: "villkor, ", en: "condition, ")),
            (
                "basis.affirmations-from.",
                Labels(sv: "rättslig grund, intygas av ", en: "legal basis, to be affirmed by ")
            ),
            ("basis.", Labels(sv: "rättslig grund, ", en: "legal basis, ")),
            ("agreement.", Labels(sv: "överenskommelse, ", en: "agreement, ")),
        ] where key.hasPrefix(head) {
            return name.followed(by: key.dropFirst(head.count))
        }
        return plainKeys[key] ?? Labels(of: key)
    }

    private static let keysWithNames: [(String, Labels)] = [
        ("view", Labels(sv: "uppgifter som får läsas i", en: "fields to be read in")),
        ("attributes", Labels(sv: "omgivande uppgifter i", en: "attributes to be read in")),
        (
            "strict view",
            Labels(sv: "uppgifter vid skyddade personuppgifter i", en: "fields with protected identity in")
        ),
        (
            "strict attributes",
            Labels(
                sv: "omgivande uppgifter vid skyddade personuppgifter i", en: "attributes with protected identity in")
        ),
        ("fields", Labels(sv: "uppgifternas art och känslighet i", en: "kind and sensitivity of the fields in")),
        ("never", Labels(sv: "förbudet", en: "what forbids,")),
    ]

    private static let plainKeys: [String: Labels] = [
        "effect": Labels(sv: "verkan", en: "effect"), "types": Labels(sv: "händelser", en: "types"),
        "valid": Labels(sv: "giltighet", en: "validity"),
        "basis": Labels(sv: "rättslig grund", en: "legal basis"), "affirm": Labels(sv: "intygas", en: "to be affirmed"),
        "consent": Labels(sv: "samtycke", en: "consent"),
        "agreements": Labels(sv: "överenskommelser", en: "agreements"),
        "agreement": Labels(sv: "överenskommelse", en: "agreement"),
        "party.valid": Labels(sv: "partens deltagande", en: "the party takes part"),
        "kind": Labels(sv: "slag", en: "kind"), "organisation": Labels(sv: "myndighet", en: "organisation"),
        "county": Labels(sv: "län", en: "county"),
        "municipalities": Labels(sv: "kommuner", en: "municipalities"), "groups": Labels(sv: "grupper", en: "groups"),
        "secrecy": Labels(sv: "sekretess", en: "secrecy"), "uri": Labels(sv: "certifikat", en: "certificate"),
        "fingerprint": Labels(sv: "certifikatets fingeravtryck", en: "fingerprint of the certificate"),
        "roles": Labels(sv: "behörighet", en: "roles"), "stations": Labels(sv: "hämtar vid", en: "takes at"),
        "speak-for-people": Labels(sv: "talar för personer", en: "speaks for people"),
        "desks": Labels(sv: "arbetsplatser", en: "desks"),
        "function": Labels(sv: "funktion", en: "function"), "to": Labels(sv: "till", en: "to"),
        "into": Labels(sv: "uppgår i", en: "into"),
        "from": Labels(sv: "från", en: "from"), "for": Labels(sv: "för", en: "for"),
        "gaps": Labels(sv: "luckor", en: "gaps"),
    ]
}

extension Labels {
    fileprivate func followed(by text: some StringProtocol) -> Labels { Labels(sv: sv + text, en: en + text) }
}
