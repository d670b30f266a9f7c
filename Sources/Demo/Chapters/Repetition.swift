import BudkavleClient

/// The same id twice: the stored answer for the same text, a refusal for another.
extension Chapter {
    static var repetition: Chapter {
        Chapter(
            heading: Narrator.Heading(
                en: "The same again, and something else under its id",
                sv: "En gång till, och något annat under samma id")
        ) { stage in
            let narrator = stage.narrator
            let police = try stage.client("pol-18-rlc", "station")
            var event = CloudEventText.intervention(
                case: stage.newCase(), id: "upprepning-1", at: "2026-12-15T02:25:00+01:00")
            let first = try await police.send(try event.bytes)
            narrator.check("a notification is accepted", first.word, is: "accepted")
            let again = try await police.send(try event.bytes)
            narrator.check("sent again unchanged: duplicate", again.word, is: "duplicate")
            narrator.check(
                "with the same id", again.acceptance?.notification, is: first.acceptance?.notification)
            narrator.check(
                "and the same position in the journal", again.acceptance?.position, is: first.acceptance?.position)
            event.data["suspectLeftScene"] = .flag(false)
            let other = try await police.send(try event.bytes)
            narrator.check("another text under that id", other.word, is: "refused conflict")
            let copies = try await stage.inbox("jour-1880", "jourdator")
                .filter { $0.notification == first.acceptance?.notification }
            narrator.check("one copy at the desk", copies.count, is: 1)
        }
    }
}

extension CloudEventText {
    /// An ordinary notification of the police to the on-call desk in Örebro.
    static func intervention(case caseID: String, id: String, at time: String) -> CloudEventText {
        var event = CloudEventText(
            "police.intervention.closed", from: "pol-18-rlc", id: id, case: caseID, at: time,
            data: [
                "interventionRef": .text("HR-\(id)"), "endedAt": .text(time), "suspectLeftScene": .flag(true),
                "suspect": .text(Stage.Persons.suspect.number), "victim": .text(Stage.Persons.victim.number),
                "note": .text("\(Stage.Persons.victim.name) vill bli uppringd."),
            ])
        event.municipality = "1880"
        event.protected = false
        return event
    }
}
