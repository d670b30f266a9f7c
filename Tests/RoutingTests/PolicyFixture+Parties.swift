/// The files of the fixture's parties, a text each.
extension PolicyFixture {
    static let partyFiles: [String: String] = [
        "parties/pol-18-rlc.yaml": """
        version: 1
        id: pol-18-rlc
        label: {sv: Regionledningscentralen, en: Command centre}
        kind: police
        organisation: polisen
        county: "18"
        municipalities: []
        regime: bdl
        secrecy: ["35:1"]
        desks: [{id: rlc, label: {sv: Vakthavande, en: Duty officer}, calendar: always}]
        clients: [{id: rlc-1, roles: [sender, receiver], stations: [rlc], stomp: {min: "1.0"}}]

        """,
        "parties/pol-18-lpo.yaml": """
        version: 1
        id: pol-18-lpo
        label: {sv: LPO, en: Local police}
        kind: police
        organisation: polisen
        county: "18"
        municipalities: ["1880"]
        regime: bdl
        secrecy: ["35:1"]
        fallback: pol-18-rlc
        desks:
          - id: lpo
            label: {sv: LPO, en: Local police}
            calendar: always
            roster: [{person: p-1, step: 1, hours: office, valid: {to: 2026-12-31}}]
        people: [{id: p-1, roles: [responder], desks: [lpo]}]

        """,
        "parties/soc-1880.yaml": """
        version: 1
        id: soc-1880
        label: {sv: Socialnämnden Örebro, en: Social board}
        former-names: [{label: {sv: Nämnden väster, en: West}, until: 2025-12-31}]
        kind: social-services
        organisation: orebro
        county: "18"
        municipalities: ["1880"]
        regime: gdpr
        secrecy: ["26:1"]
        desks: [{id: soc-1880-intake, label: {sv: Mottagning, en: Intake}, calendar: office}]
        clients: [{id: system, roles: [sender, receiver], stations: [soc-1880-intake], speak-for-people: yes}]
        people: [{id: staff-17, function: intake, roles: [responder], desks: [soc-1880-intake]}]
        functions: {intake: {sv: mottagning, en: intake}}

        """,
        "parties/soc-1864.yaml": """
        version: 1
        id: soc-1864
        label: {sv: Socialnämnden Ljusnarsberg, en: Social board}
        kind: social-services
        organisation: ljusnarsberg
        county: "18"
        municipalities: ["1864"]
        regime: gdpr
        secrecy: ["26:1"]
        desks: [{id: soc-1864-intake, label: {sv: Mottagning, en: Intake}, calendar: office}]
        people: [{id: staff-1, roles: [responder], desks: [soc-1864-intake]}]

        """,
        "parties/soc-1780.yaml": """
        version: 1
        id: soc-1780
        label: {sv: Socialnämnden Karlstad, en: Social board}
        kind: social-services
        organisation: karlstad
        county: "17"
        municipalities: ["1780"]
        regime: gdpr
        secrecy: ["26:1"]
        desks: [{id: soc-1780-intake, label: {sv: Mottagning, en: Intake}, calendar: always}]
        people: [{id: staff-1, roles: [responder], desks: [soc-1780-intake]}]

        """,
        "parties/jour-1880.yaml": """
        version: 1
        id: jour-1880
        label: {sv: Socialjouren, en: On-call}
        kind: on-call-desk
        organisation: orebro
        county: "18"
        municipalities: []
        regime: gdpr
        secrecy: ["26:1"]
        agent-for: [soc-1880, soc-1864]
        agreement: on-call-1864
        hours: out-of-office
        desks: [{id: jour-1880, label: {sv: Jouren, en: On-call}, calendar: always}]
        people: [{id: staff-31, roles: [responder], desks: [jour-1880]}]

        """,
        "parties/frv-18.yaml": """
        version: 1
        id: frv-18
        label: {sv: Frivården, en: Probation}
        kind: probation
        organisation: kriminalvarden
        county: "18"
        municipalities: []
        regime: bdl
        secrecy: ["35:15"]
        desks: [{id: frv, label: {sv: Frivården, en: Probation}, calendar: office}]
        people: [{id: staff-1, roles: [responder], desks: [frv]}]

        """,
        "parties/reg-18.yaml": """
        version: 1
        id: reg-18
        label: {sv: Akuten, en: Emergency department}
        kind: region
        organisation: region
        county: "18"
        municipalities: []
        regime: gdpr
        secrecy: ["25:1"]
        desks: [{id: reg, label: {sv: Akuten, en: Emergency}, calendar: always}]
        clients: [{id: form, fingerprint: "00000000000000000000000000000000000000000000000000000000000000aa", roles: [sender, receiver], stations: [reg]}]

        """,
        "parties/akl-18.yaml": """
        version: 1
        id: akl-18
        label: {sv: Åklagarkammaren, en: Prosecutor}
        kind: prosecutor
        organisation: aklagarmyndigheten
        county: "18"
        municipalities: []
        regime: bdl
        secrecy: ["35:1"]
        desks: []
        clients: [{id: cabra, uri: "urn:budkavle:akl-18:cabra", fingerprint: "00000000000000000000000000000000000000000000000000000000000000bb", roles: [sender]}]

        """,
        "parties/lst-18.yaml": """
        version: 1
        id: lst-18
        label: {sv: Länsstyrelsen, en: County board}
        kind: county-board
        organisation: lansstyrelsen
        county: "18"
        municipalities: []
        regime: gdpr
        secrecy: []
        desks: []
        people: [{id: coord, roles: [coordinator]}]

        """,
    ]
}
