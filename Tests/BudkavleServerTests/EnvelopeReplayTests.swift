import CaseNotifications
import Foundation
import Journal
import Relay
import Routing
import STOMP
import TestSupport
import Testing

@testable import BudkavleServer

/// `simulate` decides what was sent by its own envelope for as long as that can be opened, and counts what it cannot open.
@Suite(.timeLimit(.minutes(10))) struct EnvelopeReplayTests {
    /// Breaches of a contact ban, that go to the board and the prosecutor. The running policy asks for no more than the balance
    /// and clearance; each of them but the first lacks one thing that the others have.
    enum Breach: Int, CaseIterable {
        case whole = 1, unchecked, childless, withoutConsent, unnamed

        static let contents = ["BK-18-2026", "breach-ref", "2026-12-11T22:40", "tamper", "staff-101", "consent-ref"]

        var body: String {
            let names = ["balance-done", "chapter-18-cleared"] + (self == .unchecked ? [] : ["victim-safety-checked"])
            let affirmations = names.map { "\($0)/staff-101/2026-12-11T22:50:00+01:00" }.joined(separator: " ")
            let circumstances = self == .childless ? "" : #""circumstances":"child-present","#
            let consent = self == .withoutConsent ? "" : #""consent":"consent-ref","consentof":"protected-person","#
            let audience = self == .unnamed ? "" : #""audience":"akl-18/recipient soc-1880/recipient","#
            return """
                {"specversion":"1.0","id":"breach-\(rawValue)","source":"urn:budkavle:pol-18-rlc",\
                "type":"se.budkavle.contactban.breached.v1","time":"2026-12-11T22:58:00+01:00",\
                "subject":"BK-18-2026-0000000\(rawValue)","county":"18","municipality":"1880","protected":false,\
                \(circumstances)\(consent)\(audience)\
                "affirmations":"\(affirmations)",\
                "data":{"breachKind":"tamper","occurredAt":"2026-12-11T22:40:00+01:00","decisionRef":"breach-ref"}}
                """
        }
    }

    /// What the rule for the prosecutor asks for in a candidate.
    enum Demand: CaseIterable {
        case affirmation, circumstance, consent, audience

        /// The breach that has it not.
        var lacking: Breach {
            switch self {
            case .affirmation: .unchecked
            case .circumstance: .childless
            case .consent: .withoutConsent
            case .audience: .unnamed
            }
        }

        func candidate() throws -> Policy {
            let rule = """
                    types: [contactban.breached]
                    from: {kinds: [police]}
                    to: {kinds: [prosecutor], where: municipality}
                    basis: osl-10-15a

                """
            let balance = "    affirmations: [balance-done]\n"
            let (file, old, new) =
                switch self {
                case .affirmation: ("rules.yaml", rule, rule + "    affirm: [victim-safety-checked]\n")
                case .circumstance: ("rules.yaml", rule, rule + "    when: {all: [child-present]}\n")
                // Consent is the law's to ask for: of the rules that these breaches meet it changes this one.
                case .consent: ("law.yaml", balance, balance + "    consent: [protected-person]\n")
                case .audience: ("rules.yaml", rule, rule.replacing("municipality}", with: "municipality, named: yes}"))
                }
            return try HeldDeliveryTests.policy(file, (old, new))
        }
    }

    private let scratch: StoreScratch
    private let relay: CoreRelay

    init() throws {
        scratch = try StoreScratch()
        relay = try CoreRelay(scratch, log: LogLines().log)
        try JournalReplayTests.settings.write(
            toFile: scratch.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
    }

    private func send() throws -> [Breach: String] {
        let police = try relay.connect("pol-18-rlc", "station")
        var sent: [Breach: String] = [:]
        for breach in Breach.allCases {
            let answer = try police.ask(breach.body)
            let id: String = try #require(answer["notification"], "\(answer)")
            sent[breach] = id
        }
        return sent
    }

    private func erase(_ name: String?) throws {
        let target = try #require(ErasureTarget(case: nil, notification: name))
        let reason = try #require(StatedReason("sent by mistake", by: nil))
        let actor = Actor(party: PartyID(unchecked: "drift-18"), client: ClientID(unchecked: "konsol"))
        let done = Outcome<Bool>()
        try relay.onLoop { core in
            core.erase(target, reason, by: actor) { _, outcome in done.set((try? outcome.get()) != nil) }
        }
        #expect(try done.wait())
    }

    private func site() throws -> StoreSite {
        try StoreSite.find(configDirectory: scratch.path, collaboration: "orebro")
    }

    private func simulate(_ candidate: Policy) throws -> PolicySimulation {
        PolicySimulation(
            running: relay.policy, candidate: candidate, journal: try JournalReplay(site()), days: 30)
    }

    @Test(arguments: Demand.allCases)
    func `what a rule asks for from now on changes exactly the notifications that have it not`(demand: Demand) throws {
        let sent = try send()
        let found = try simulate(demand.candidate())
        #expect(found.report.compared == 5 && found.report.rebuilt == 0 && found.report.same == 4)
        #expect(found.erased == 0 && found.unexplained == 0 && found.assumptions.isEmpty)
        let row = try #require(found.report.rows.first)
        #expect(found.report.rows.count == 1)
        #expect(row.kind == .loses && row.party.text == "akl-18" && row.rule.text == "overtradelse-aklagare")
        let difference = try #require(found.report.differences[row])
        #expect(difference.shown == [sent[demand.lacking]] && difference.count == 1 && difference.rebuilt == 0)
        let said = "\(found.report.differences)"
        #expect(!Breach.contents.contains { said.contains($0) })
        try relay.stop()
    }

    @Test func `what was erased is rebuilt with what delivered it and no more, and counted by itself`() throws {
        let sent = try send()
        for gone in [Breach.whole, .childless] { try erase(sent[gone]) }
        let found = try simulate(Demand.affirmation.candidate())
        #expect(found.report.compared == 5 && found.report.rebuilt == 2 && found.erased == 2)
        #expect(found.unexplained == 0 && !found.assumptions.isEmpty)
        let row = try #require(found.report.rows.first)
        let difference = try #require(found.report.differences[row])
        // That both had been affirmed nobody can know any more.
        #expect(found.report.rows.count == 1 && difference.count == 3 && difference.rebuilt == 2)
        #expect(Set(difference.shown) == Set([Breach.whole, .unchecked, .childless].compactMap { sent[$0] }))
        try relay.stop()
    }

    @Test func `an envelope is read without data, and only where its own text lies`() throws {
        _ = try send()
        let replay = try JournalReplay(site())
        var envelopes = StoredEnvelopes(try site(), policy: relay.policy)
        let (first, second) = (replay.accepted[0], replay.accepted[1])
        guard case .envelope(let envelope) = envelopes.envelope(of: first.facts.notification, at: first.content) else {
            Issue.record("the first cannot be read")
            return
        }
        #expect(envelope.id == "breach-1" && envelope.audience.count == 2 && envelope.affirmations.count == 3)
        #expect(envelope.consentOf == "protected-person" && envelope.circumstances == ["child-present"])
        #expect(envelope.body.isEmpty && envelope.fields.isEmpty && envelope.attributes.isEmpty)
        for place in [second.content, nil] {
            guard case .unreadable = envelopes.envelope(of: first.facts.notification, at: place) else {
                Issue.record("read at \(String(describing: place))")
                continue
            }
        }
        envelopes.close()
        try relay.stop()
    }

    @Test func `what is erased while the journal is read hides nothing else`() throws {
        let sent = try send()
        let replay = try JournalReplay(site())
        let texts = replay.accepted
        var envelopes = StoredEnvelopes(try site(), policy: relay.policy)
        // The keys are read, and of no slab yet: at that place lies another text.
        _ = envelopes.envelope(of: texts[0].facts.notification, at: texts[1].content)
        try erase(sent[.unchecked])
        for text in texts {
            let found = envelopes.envelope(of: text.facts.notification, at: text.content)
            switch found {
            case .envelope: #expect(text.facts.notification.text != sent[.unchecked])
            case .erased: #expect(text.facts.notification.text == sent[.unchecked])
            case .unreadable: Issue.record("\(text.facts.notification.text) cannot be read")
            }
        }
        #expect(envelopes.renewals == 1)
        envelopes.close()
        try relay.stop()
    }

    @Test func `keys whose files are not there are looked for as often as may be, and no more`() throws {
        _ = try send()
        let text = try #require(try JournalReplay(site()).accepted.first)
        try relay.stop()
        var envelopes = StoredEnvelopes(try site(), policy: relay.policy)
        for slab in scratch.names("keys") where slab.hasPrefix("slab-") {
            try FileManager.default.removeItem(atPath: scratch.directory + "/keys/" + slab)
        }
        for round in 1...StoredEnvelopes.mostRenewals + 1 {
            guard case .unreadable = envelopes.envelope(of: text.facts.notification, at: text.content) else {
                Issue.record("read without its key")
                continue
            }
            #expect(envelopes.renewals == min(round, StoredEnvelopes.mostRenewals))
        }
        envelopes.close()
        // It is rebuilt and is no erased one.
        let found = try simulate(relay.policy)
        #expect(found.report.compared == 5 && found.report.rebuilt == 5 && found.erased == 0 && found.report.same == 5)
    }

    @Test func `policies of different counties are not compared, and the message says which they are`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let config = root.path + "/config/"
        let compare = #expect(throws: ToolError.self) {
            try PolicyPair.read(
                old: config + "orebro", new: config + "dalarna", configDirectory: config, collaboration: nil)
        }
        let simulate = #expect(throws: ToolError.self) {
            try PolicySimulation.run(
                configDirectory: config + "orebro", candidate: config + "dalarna", collaboration: nil,
                source: .journal(days: 1))
        }
        for error in [compare, simulate] {
            #expect(error?.status == .data)
            #expect(error?.description.contains("orebro is 'orebro' of county 18") == true)
            #expect(error?.description.contains("dalarna is 'dalarna' of county 20") == true)
        }
        try relay.stop()
    }
}
