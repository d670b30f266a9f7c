import BudkavleClient
import Foundation

/// S3 of `reference/domain.md` 6: a nurse at night, first without and then with a basis.
extension Chapter {
    static var nurse: Chapter {
        Chapter(
            heading: Narrator.Heading(
                en: "A nurse at night: what she may not tell, and what she may",
                sv: "En sjuksköterska på natten: vad hon inte får och vad hon får berätta")
        ) { stage in
            try await askFirst(stage)
            try await preventViolence(stage)
        }
    }

    /// The four points of 10 kap. 18 c § OSL that she affirms, as `law.yaml` calls them.
    static let fourPoints = ["concrete-circumstances", "close-person-crime", "not-unsuitable", "future-crime"]

    private static func askFirst(_ stage: Stage) async throws {
        let narrator = stage.narrator
        try await stage.advance(to: "2026-12-15T01:30:00+01:00")
        narrator.say(
            "The emergency ward sees an injury. The patient is an adult and consents to nothing.", at: "Tue 01:30")
        let nurse = try stage.client("reg-18-akm", "staff-161")
        let before = try await stage.queued()
        var event = CloudEventText(
            "injury.observed", from: "reg-18-akm", id: "skada-1", case: stage.newCase(),
            at: "2026-12-15T01:29:00+01:00",
            data: [
                "careUnitRole": .text("emergency"), "injuryClass": .text("moderate"), "followUpWish": .flag(false),
                "patient": .text(Stage.Persons.victim.number),
            ])
        event.secrecy = "25:1"
        event.municipality = "1880"
        event.protected = false
        event.audience = "soc-1880/recipient pol-18-rlc/recipient frv-18-orebro/recipient"
        let plan = try RelayAnswers.read(
            RelayAnswers.Plan.self,
            await nurse.ask("plan", try event.bytes, contentType: "application/cloudevents+json"))
        narrator.say("She asks who would get injury.observed (budkavle send --dry-run).")
        narrator.check("nobody would", plan.recipients.map(\.party), is: [])
        narrator.check(
            "and each party has its reason",
            plan.refused.map { "\($0.party) \($0.code)" }.sorted().joined(separator: ", "),
            is: "frv-18-orebro never-rule, pol-18-rlc affirmation-missing, soc-1880 consent-missing")
        narrator.check(
            "sent in spite of that, it is refused", try await nurse.send(try event.bytes).word.prefix(7), is: "refused")
        narrator.check("nothing was queued", try await stage.queued(), is: before)
        narrator.say("The tool tells her: call 112 if there is immediate danger.")
    }

    private static func preventViolence(_ stage: Stage) async throws {
        let narrator = stage.narrator
        let nurse = try stage.client("reg-18-akm", "staff-161")
        try await stage.advance(to: "2026-12-15T01:40:00+01:00")
        narrator.say(
            "She fears for the patient's life and affirms the four points of 10 kap. 18 c § OSL.", at: "Tue 01:40")
        var event = CloudEventText(
            "risk.disclosed", from: "reg-18-akm", id: "risk-1", case: stage.newCase(), at: "2026-12-15T01:39:00+01:00",
            data: [
                "concreteCircumstances": .text("\(Stage.Persons.suspect.name) har sagt att han ska döda henne."),
                "atRiskRole": .text("partner"), "reliability": .text("probable"),
                "subject": .text(Stage.Persons.suspect.number), "personAtRisk": .text(Stage.Persons.victim.number),
            ])
        event.secrecy = "25:1"
        event.protected = false
        func affirm(_ points: some Sequence<String>) {
            event.affirmations = points.map { "\($0)/staff-161/2026-12-15T01:38:00+01:00" }.joined(separator: " ")
        }
        for missing in fourPoints {
            affirm(fourPoints.filter { $0 != missing })
            let answer = try await nurse.send(try event.bytes)
            narrator.check(
                "without the point '\(missing)' it is refused", answer.word, is: "refused affirmation-missing")
        }
        affirm(fourPoints)
        event.audience = "frv-18-orebro/recipient"
        let elsewhere = try await nurse.send(try event.bytes)
        narrator.check("to the probation service it is refused", elsewhere.word, is: "refused never-rule")
        event.audience = nil
        let inbox = try await Mailbox(try stage.client("pol-18-rlc", "station"), .inbox(desk: nil))
        let sent = try await nurse.send(try event.bytes)
        narrator.check("with all four and no other recipient it is accepted", sent.word, is: "accepted")
        let id = sent.acceptance?.notification ?? ""
        narrator.check(
            "the police have it, and of all parties nobody else", try await stage.whoHas(id), is: ["pol-18-rlc"])
        _ = await inbox.wait { $0.contains { $0.notification == id } }
        let letters = await inbox.letters.filter { $0.notification == id }
        narrator.check("it came once, as U2", letters.map(\.urgency), is: ["U2"])
        for letter in letters { await inbox.accept(letter) }
        await inbox.close()
        try await stage.advance(to: "2026-12-15T02:20:00+01:00")
        let officer = try stage.client("pol-18-rlc", "staff-101")
        let taken = try await officer.acknowledge(Acknowledgement(notification: id, outcome: .taken))
        narrator.say("The duty officer takes it on, 40 minutes later.", at: "Tue 02:20")
        narrator.check("acknowledged: taken", taken.word, is: "accepted")
    }
}
