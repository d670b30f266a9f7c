/// One text per file; those of the parties are apart.
extension PolicyFixture {
    /// The files of the fixture.
    static let original = shared.merging(partyFiles) { text, _ in text }

    /// All files but those of parties.
    private static let shared: [String: String] = [
        "collaboration.yaml": """
        version: 1
        id: orebro
        label: {sv: Övning, en: Exercise}
        county: "18"
        municipalities: {"1880": Örebro, "1864": Ljusnarsberg}
        time-zone: Europe/Stockholm
        mode: exercise
        clock: {start: 2026-12-11T23:00:00+01:00, speed: 1}
        programmes: {trygga-hem: {sv: Trygga hem, en: Safe homes}, gvi: {sv: GVI, en: GVI}}
        levels: [A, B, C, D]
        calendars:
          office:
            open:
              - {days: [mon, tue, wed, thu, fri], from: "08:00", to: "16:30"}
            closed: [holidays, eves]
          out-of-office: {outside: office}
        working-days: office
        urgency:
          U1: {label: {sv: omedelbar, en: immediate}, acknowledge: 15m, desks: open-now, escalation: [{after: 30m, step: duty-manager}, {after: 15m, step: next-person}]}
          U2: {label: {sv: skyndsam, en: urgent}, acknowledge: 2h, desks: open-now, escalation: []}
          U3: {label: {sv: samma dygn, en: same day}, acknowledge: 12h, desks: open-now, escalation: []}
          U4: {label: {sv: arbetsdag, en: working day}, acknowledge: next-working-day, desks: own, escalation: []}
          U0: {label: {sv: information, en: information}, acknowledge: none, desks: own, escalation: []}
        retention: {content-after-acknowledgement: 7d, content-unacknowledged: 30d}
        groups:
          - {id: kg-1880, label: {sv: Grupp, en: Group}, municipality: "1880", members: [pol-18-lpo, soc-1880, frv-18, reg-18]}

        """,
        "types.yaml": """
        version: 1
        families: {focus: {sv: fokus, en: focus}, support: {sv: stöd, en: support}, measure: {sv: åtgärd, en: measure}, protection: {sv: skydd, en: protection}, coordination: {sv: samordning, en: coordination}}
        areas: {victims: {sv: utsatta, en: victims}}
        circumstances: {child-present: {sv: barn, en: child}, under-18: {sv: under 18, en: under 18}, imminent: {sv: nära, en: imminent}}
        sensitivities: {plain: {strict: keep}, whereabouts: {strict: drop}}
        code-lists: {need: {shelter: {sv: skydd, en: shelter}, talk: {sv: samtal, en: talk}}}
        audience-roles: {respondent: {sv: motpart, en: respondent}, protected: {sv: skyddad, en: protected}, child: {sv: barn, en: child}, member: {sv: medlem, en: member}}
        types:
          - id: police.intervention.closed
            label: {sv: Ingripande, en: Intervention}
            family: protection
            area: victims
            urgency: U2
            raise: [{when: child-present, to: U1}, {when: level-A, to: U1}]
            attributes: [municipality]
            fields:
              - {name: endedAt, kind: timestamp, required: yes, sensitivity: plain}
              - {name: needs, kind: codes, list: need, sensitivity: plain, label: {sv: Behov, en: Needs}}
              - {name: place, kind: text, max: 200, sensitivity: whereabouts}
              - {name: home, kind: municipality, sensitivity: plain}
          - id: contactban.issued
            label: {sv: Kontaktförbud, en: Contact ban}
            family: protection
            area: victims
            urgency: U2
            attributes: [audience]
            fields: [{name: validFrom, kind: timestamp, sensitivity: plain}, {name: home, kind: municipality, sensitivity: plain}]
          - id: injury.observed
            label: {sv: Skada, en: Injury}
            family: protection
            area: victims
            urgency: U2
            attributes: [audience]
            fields: [{name: consentRef, kind: reference, sensitivity: plain}, {name: injuryClass, kind: reference, sensitivity: plain}]
          - id: risk.disclosed
            label: {sv: Risk, en: Risk}
            family: protection
            area: victims
            urgency: U2
            fields: [{name: concrete, kind: text, max: 2000, sensitivity: plain}]
          - id: focus.listed
            label: {sv: Upptagen, en: Listed}
            family: focus
            area: victims
            urgency: U4
            fields: [{name: level, kind: reference, sensitivity: plain}, {name: criteria, kind: reference, sensitivity: plain}]
          - id: programme.status
            label: {sv: Program, en: Programme}
            family: support
            area: victims
            urgency: U0
            fields: [{name: status, kind: reference, sensitivity: plain}]

        """,
        "law.yaml": """
        version: 1
        affirmations:
          balance-done: {sv: Avvägningen är gjord., en: Balanced.}
          concrete-risk: {sv: Konkret risk., en: Concrete risk.}
          close-person: {sv: Närstående., en: Close person.}
          purpose-standing: {sv: Ändamål., en: Purpose.}
        bases:
          - id: police-act-6
            label: {sv: 6 § polislagen, en: Police Act 6}
            sfs: "1984:387"
            paragraph: 6 §
            effect: duty
            from: {kinds: [police]}
            to: {kinds: [social-services]}
          - id: ban-4a
            label: {sv: 4 a § förordningen, en: Ordinance 4 a}
            sfs: "1988:691"
            amended: "2025:566"
            paragraph: 4 a §
            effect: duty
            valid: {from: 2025-07-01}
          - id: osl-10-15a
            label: {sv: 10 kap. 15 a § OSL, en: Secrecy Act 10:15 a}
            sfs: "2009:400"
            amended: "2025:934"
            paragraph: 10 kap. 15 a §
            effect: may
            valid: {from: 2025-12-01}
            secrecy: {within: ["21-40"], except: ["25:1-5", "25:8", "26:3"]}
            affirmations: [balance-done, purpose-standing]
            standing: [purpose-standing]
          - id: osl-10-18c
            label: {sv: 10 kap. 18 c § OSL, en: Secrecy Act 10:18 c}
            sfs: "2009:400"
            paragraph: 10 kap. 18 c §
            effect: may
            to: {kinds: [police]}
            affirmations: [concrete-risk, close-person]
            agreement: not-required
          - id: consent
            label: {sv: Samtycke, en: Consent}
            sfs: "2009:400"
            paragraph: 10 kap. 1 §
            effect: may
            consent: [protected-person, respondent]
            agreement: not-required

        """,
        "agreements.yaml": """
        version: 1
        agreements:
          - id: local-1880
            label: {sv: Lokal avsiktsförklaring, en: Local letter}
            level: municipality
            municipalities: ["1880"]
            programmes: [trygga-hem]
            state: in-force
            valid: {from: 2024-09-01, to: 2027-08-31}
            signatories:
              - {organisation: polisen, signed: 2024-06-03}
              - {party: soc-1880, signed: 2024-10-10}
              - {federation: staten, signed: 2024-06-10, members: [kriminalvarden]}
          - id: on-call-1864
            label: {sv: Jouravtal, en: On-call}
            level: agency
            state: in-force
            valid: {to: 2026-12-31}
            signatories:
              - {organisation: orebro, signed: 2024-01-01}
              - {organisation: ljusnarsberg, signed: 2024-01-01}

        """,
        "rules.yaml": """
        version: 1
        neighbours: [{collaboration: varmland, parties: [soc-1880], told: [contactban.issued]}]
        rules:
          - id: intervention-soc
            effect: duty
            types: [police.intervention.closed]
            from: {kinds: [police]}
            to: {kinds: [social-services], where: municipality}
            basis: police-act-6
            attributes: [municipality, level]
            fields: all
          - id: ban-police
            effect: duty
            types: [contactban.issued]
            from: {kinds: [prosecutor]}
            to: {parties: [pol-18-rlc], named: yes}
            basis: ban-4a
            fields: [validFrom, home]
            strict: {fields: [validFrom, home]}
          - id: ban-boards
            effect: duty
            types: [contactban.issued]
            from: {kinds: [prosecutor]}
            to: {kinds: [social-services], roles: [respondent, protected, child], counties: ["17", "18"]}
            basis: ban-4a
            fields: [validFrom]
          - id: injury-consent
            effect: may
            types: [injury.observed]
            from: {kinds: [region]}
            to: {kinds: [social-services, police], named: yes}
            basis: consent
            consent: [protected-person]
            fields: all
          - id: injury-risk
            effect: may
            types: [injury.observed]
            from: {kinds: [region]}
            to: {kinds: [police], named: yes}
            basis: osl-10-18c
            fields: [injuryClass]
          - id: injury-never
            effect: never
            types: [injury.observed, risk.disclosed]
            from: {parties: ["*"]}
            to: {kinds: [probation, county-board, ngo]}
          - id: risk-police
            effect: may
            types: [risk.disclosed]
            from: {kinds: [region, social-services]}
            to: {parties: [pol-18-rlc]}
            basis: osl-10-18c
            fields: [concrete]
          - id: focus-group
            effect: may
            types: [focus.listed]
            from: {kinds: [police]}
            to: {group: yes, kinds: [social-services, probation, police]}
            basis: osl-10-15a
            valid: {to: 2027-01-31}
            attributes: [level]
            fields: [level, criteria]
          - id: status-soc
            effect: may
            types: [programme.status]
            from: {kinds: [probation]}
            to: {kinds: [social-services], where: municipality}
            basis: osl-10-15a
            fields: [status]

        """,
        "tests.yaml": """
        version: 1
        examples:
          - name: "Friday night, child present"
            at: 2026-12-11T23:10:00+01:00
            send: {source: pol-18-rlc, type: police.intervention.closed, municipality: "1880", protected: no, circumstances: [child-present]}
            expect:
              urgency: U1
              recipients:
                - {party: soc-1880, desk: jour-1880, agent: jour-1880, rule: intervention-soc, effect: duty, fields: [endedAt, needs, place, home], attributes: [municipality, level], strict: no, acknowledge-by: 2026-12-11T23:25:00+01:00}
              not: [lst-18, soc-1864]
          - name: "Nurse without consent"
            at: 2026-12-15T01:30:00+01:00
            send: {source: reg-18, type: injury.observed, audience: [soc-1880/member, pol-18-rlc/member, frv-18/member]}
            expect:
              recipients: []
              refused: [{party: soc-1880, code: consent-missing}, {party: pol-18-rlc, code: affirmation-missing}, {party: frv-18, code: never-rule}]
              refusal: affirmation-missing

        """,
    ]
}
