/// The policy of the collaboration `bench`: one sender, three recipients with a desk each, and four types.
///
/// `bench.fan3` goes to all three recipients; `bench.one0`, `bench.one1` and `bench.one2` to exactly one of them.
enum BenchPolicy {
    /// The collaboration, and the `host` of CONNECT.
    static let collaboration = "bench"
    /// The party that sends.
    static let sender = "bench-p"
    /// The parties that receive, in the order of their desks.
    static let recipients = ["bench-a", "bench-b", "bench-c"]
    /// The client of every party.
    static let client = "station"

    /// The desk of the recipient at `index`.
    static func desk(_ index: Int) -> String { "desk-\(index)" }

    /// The name of a type in full.
    static func type(_ name: String) -> String { "se.budkavle.bench.\(name).v1" }

    /// All files of the policy: path below the collaboration's directory, and text.
    static var files: [(path: String, text: String)] {
        var files = [
            ("collaboration.yaml", collaborationText), ("types.yaml", typesText), ("law.yaml", lawText),
            ("agreements.yaml", "version: 1\nagreements: []\n"), ("rules.yaml", rulesText), ("tests.yaml", testsText),
            ("parties/\(sender).yaml", senderText),
        ]
        for index in recipients.indices { files.append(("parties/\(recipients[index]).yaml", recipientText(index))) }
        return files
    }

    private static let collaborationText = """
        version: 1
        id: bench
        label: {sv: Mätning, en: Measurement}
        county: "18"
        municipalities: {"1880": Örebro}
        time-zone: Europe/Stockholm
        mode: exercise
        programmes: {trygga-hem: {sv: Trygga hem, en: Safe homes}}
        levels: [A, B]
        calendars:
          kontorstid:
            open: [{days: [mon, tue, wed, thu, fri], from: "08:00", to: "16:30"}]
            closed: [holidays, eves]
        working-days: kontorstid
        urgency:
          U1: {label: {sv: omedelbar, en: immediate}, acknowledge: 15m, desks: open-now, escalation: [{after: 45m, step: sender}]}
          U2: {label: {sv: skyndsam, en: urgent}, acknowledge: 2h, desks: open-now, escalation: [{after: 3h, step: sender}]}
          U3: {label: {sv: samma dygn, en: same day}, acknowledge: 12h, desks: open-now, escalation: [{after: 24h, step: sender}]}
          U4: {label: {sv: arbetsdag, en: working day}, acknowledge: next-working-day, desks: own, escalation: []}
          U0: {label: {sv: information, en: information}, acknowledge: none, desks: own, escalation: []}
        retention: {content-after-acknowledgement: 7d, content-unacknowledged: 30d}
        groups: []

        """

    private static let typesText = """
        version: 1
        families: {focus: {sv: fokus, en: focus}, support: {sv: stöd, en: support}, measure: {sv: åtgärd, en: measure}, protection: {sv: skydd, en: protection}, coordination: {sv: samordning, en: coordination}}
        areas: {insatser-utsatta: {sv: insatser för utsatta, en: measures for victims}}
        circumstances: {child-present: {sv: barn på plats, en: child on scene}}
        audience-roles: {respondent: {sv: den åtgärden gäller, en: respondent}}
        sensitivities: {plain: {strict: keep}, crime: {strict: keep}, person: {strict: drop}}
        code-lists:
          relation: {spouse: {sv: make eller maka, en: spouse}, ex-partner: {sv: tidigare partner, en: ex-partner}}
          violenceForm: {physical: {sv: fysiskt, en: physical}, digital: {sv: digitalt, en: digital}}
        types:

        """ + ["fan3", "one0", "one1", "one2"].map(typeText).joined()

    private static func typeText(_ name: String) -> String {
        """
          - id: bench.\(name)
            label: {sv: Mätning \(name), en: Measurement \(name)}
            family: measure
            area: insatser-utsatta
            urgency: U2
            attributes: [municipality]
            fields:
              - {name: reportRef, kind: reference, required: yes, sensitivity: plain}
              - {name: occurredAt, kind: timestamp, sensitivity: plain}
              - {name: relation, kind: code, list: relation, sensitivity: crime}
              - {name: violenceForm, kind: codes, list: violenceForm, sensitivity: crime}
              - {name: childrenPresent, kind: flag, sensitivity: plain}
              - {name: note, kind: text, max: \(BodyTemplate.mostBytes), sensitivity: person}

        """
    }

    private static let lawText = """
        version: 1
        affirmations: {balance-done: {sv: Intresseavvägningen är gjord., en: The balance of interests is done.}}
        bases:
          - id: bench-duty
            label: {sv: Skyldighet för mätning, en: Duty for measurements}
            sfs: "2009:400"
            paragraph: 10 kap. 28 §
            effect: duty

        """

    private static let rulesText =
        "version: 1\nrules:\n" + ruleText("bench-fan3", type: "fan3", to: recipients)
        + recipients.indices.map { ruleText("bench-one\($0)", type: "one\($0)", to: [recipients[$0]]) }.joined()

    private static func ruleText(_ id: String, type: String, to recipients: [String]) -> String {
        """
          - id: \(id)
            effect: duty
            types: [bench.\(type)]
            from: {parties: [\(sender)]}
            to: {parties: [\(recipients.joined(separator: ", "))]}
            basis: bench-duty
            attributes: [municipality]
            fields: all

        """
    }

    private static let senderText = """
        version: 1
        id: bench-p
        label: {sv: Avsändare, en: Sender}
        kind: police
        organisation: bench-police
        county: "18"
        municipalities: []
        regime: bdl
        secrecy: ["35:1"]
        desks: []
        clients: [{id: station, roles: [sender]}]

        """

    private static func recipientText(_ index: Int) -> String {
        """
        version: 1
        id: \(recipients[index])
        label: {sv: Mottagare \(index), en: Recipient \(index)}
        kind: social-services
        organisation: bench-\(index)
        county: "18"
        municipalities: ["1880"]
        regime: gdpr
        secrecy: ["26:1"]
        desks: [{id: \(desk(index)), label: {sv: Disk \(index), en: Desk \(index)}, calendar: always}]
        clients: [{id: station, roles: [receiver], stations: [\(desk(index))]}]

        """
    }

    private static let testsText =
        "version: 1\nexamples:\n" + exampleText("fan3", to: Array(recipients.indices))
        + recipients.indices.map { exampleText("one\($0)", to: [$0]) }.joined()

    private static func exampleText(_ type: String, to indices: [Int]) -> String {
        let expected = indices.map { "{party: \(recipients[$0]), desk: \(desk($0)), effect: duty, strict: no}" }
        return """
              - name: "\(type)"
                at: 2026-12-11T23:10:00+01:00
                send: {source: \(sender), type: bench.\(type), municipality: "1880", protected: no}
                expect:
                  urgency: U2
                  recipients: [\(expected.joined(separator: ", "))]

            """
    }
}
