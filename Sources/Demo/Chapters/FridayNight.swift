import BudkavleClient
import Foundation

/// S1 of `reference/domain.md` 6: police to the on-call desk on a Friday night, and on Monday to the board itself.
extension Chapter {
    static let fridayNightHeading = Narrator.Heading(
        en: "Friday night: the police tell the on-call desk", sv: "Fredag kväll: polisen till socialjouren")

    static var fridayNight: Chapter {
        Chapter(heading: fridayNightHeading) { stage in
            let night = try await FridayNight(stage)
            try await night.policeSend()
            try await night.onCallTakes()
            try await night.mondayHandOver()
            try await night.senderSees()
            await night.end()
        }
    }
}

private final class FridayNight {
    let stage: Stage
    let narrator: Narrator
    let caseID: String
    let police: RelayClient
    let station: RelayClient
    let receipts: Mailbox
    let desk: Mailbox
    var intervention = ""
    var concern = ""
    var interventionText = Data()

    init(_ stage: Stage) async throws {
        self.stage = stage
        narrator = stage.narrator
        caseID = stage.newCase()
        police = try stage.client("pol-18-rlc", "station")
        station = try stage.client("jour-1880", "jourdator")
        receipts = try await Mailbox(police, .ownReceipts)
        desk = try await Mailbox(station, .inbox(desk: "jour-1880"))
    }

    func end() async {
        await receipts.close()
        await desk.close()
    }

    func policeSend() async throws {
        try await stage.advance(to: "2026-12-11T23:10:00+01:00")
        narrator.say("The police's command centre has been to a home in Örebro; a child was there.", at: "Fri 23:10")
        var event = CloudEventText(
            "police.intervention.closed", from: "pol-18-rlc", id: "ingripande-1", case: caseID,
            at: "2026-12-11T23:09:30+01:00",
            data: [
                "interventionRef": .text("HR-4711"), "endedAt": .text("2026-12-11T22:58:00+01:00"),
                "suspectLeftScene": .flag(true), "childrenPresent": .flag(true), "needs": .codes(["child-protection"]),
                "suspect": .text(Stage.Persons.suspect.number), "victim": .text(Stage.Persons.victim.number),
                "note": .text("\(Stage.Persons.suspect.name) gick före patrullens ankomst."),
            ])
        event.municipality = "1880"
        event.protected = false
        event.circumstances = "child-present"
        interventionText = Data(try event.bytes)
        let first = try await police.send(Array(interventionText))
        intervention = first.acceptance?.notification ?? ""
        narrator.check("the relay has it on disk: police.intervention.closed", first.word, is: "accepted")

        var child = CloudEventText(
            "child.concern.reported", from: "pol-18-rlc", id: "oro-1", case: caseID,
            at: "2026-12-11T23:09:50+01:00",
            data: [
                "childRef": .text("barn-1"), "child": .text(Stage.Persons.child.number),
                "reporterRole": .text("vakthavande"), "concern": .codes(["witnessed-violence"]), "acute": .flag(true),
                "guardiansInformed": .flag(false), "note": .text("\(Stage.Persons.child.name) var i lägenheten."),
            ])
        child.municipality = "1880"
        child.protected = false
        child.circumstances = "under-18 child-present imminent"
        let second = try await police.send(try child.bytes)
        concern = second.acceptance?.notification ?? ""
        narrator.check("and the concern about the child: child.concern.reported", second.word, is: "accepted")

        let status = try RelayAnswers.read(
            RelayAnswers.Status.self,
            await police.ask("status", Array("{\"notification\":\"\(intervention)\"}".utf8)))
        narrator.check(
            "the office is closed: the board's copy lies at the on-call desk, and there is no other",
            status.deliveries.map { "\($0.party) at \($0.desk)" }, is: ["soc-1880 at jour-1880"])
        narrator.say(
            "Now every party is asked for its inbox: the county board, the probation service, the region, other boards …"
        )
        for (id, what) in [(intervention, "intervention"), (concern, "concern")] {
            narrator.check(
                "of all \(stage.stations().count) parties only the on-call desk has the \(what)",
                try await stage.whoHas(id),
                is: ["jour-1880"])
        }
    }

    func onCallTakes() async throws {
        let ids: Set = [intervention, concern]
        let came = await desk.wait { letters in ids.isSubset(of: letters.map(\.notification)) }
        narrator.check("both reach the on-call desk's computer", holds: came)
        let letters = await desk.letters.filter { ids.contains($0.notification) }
        guard let letter = letters.first(where: { $0.notification == intervention }) else { return }
        narrator.check("urgency U1, at once", letters.map(\.urgency), is: ["U1", "U1"])
        let view = try RelayAnswers.read(RelayAnswers.View.self, letter.body)
        let sent = try JSONDecoder().decode([String: CloudEventText.Value].self, from: dataMember())
        let wanted = ["childrenPresent", "endedAt", "interventionRef", "needs", "suspectLeftScene"]
        narrator.check(
            "the copy has these fields and no other", (view.data ?? [:]).keys.sorted().joined(separator: " "),
            is: wanted.joined(separator: " "))
        narrator.check(
            "each as the police wrote it", holds: (view.data ?? [:]).allSatisfy { sent[$0.key] == $0.value })
        narrator.check("it says by which rule and that it is a duty", view.effect, is: "duty")

        try await stage.advance(to: "2026-12-11T23:10:20+01:00")
        for letter in letters { await desk.accept(letter) }
        narrator.say("The on-call desk's computer has taken custody.", at: "Fri 23:10")
        try await stage.advance(to: "2026-12-11T23:14:00+01:00")
        let person = try stage.client("jour-1880", "staff-71")
        let shown = try RelayAnswers.read(
            RelayAnswers.Shown.self,
            await person.ask("notification", Array("{\"notification\":\"\(intervention)\"}".utf8)))
        narrator.say("An on-call social worker opens it.", at: "Fri 23:14")
        narrator.check("what a person is shown is the same copy", shown.event.subject, is: caseID)
        try await stage.advance(to: "2026-12-11T23:16:00+01:00")
        let taken = try await person.acknowledge(Acknowledgement(notification: intervention, outcome: .taken))
        narrator.say("… and takes it on.", at: "Fri 23:16")
        narrator.check("acknowledged: taken", taken.word, is: "accepted")
        let open = try await stage.inbox("jour-1880", "staff-71").map(\.notification)
        narrator.check("it is off the list, the concern is still on it", open, is: [concern])
        _ = try await person.acknowledge(Acknowledgement(notification: concern, outcome: .taken))
    }

    func mondayHandOver() async throws {
        try await stage.advance(to: "2026-12-14T07:45:00+01:00")
        let person = try stage.client("jour-1880", "staff-71")
        var handOver = Acknowledgement(notification: intervention, outcome: .handedOver)
        handOver.taker = "soc-1880-mottagning"
        let given = try await person.acknowledge(handOver)
        narrator.say("The on-call desk hands over to the board's own intake.", at: "Mon 07:45")
        narrator.check("acknowledged: handed over", given.word, is: "accepted")
        var code: String?
        do {
            _ = try await person.ask("notification", Array("{\"notification\":\"\(intervention)\"}".utf8))
        } catch {
            code = error.code.rawValue
        }
        narrator.check("from now on the on-call desk does not see it any more", code, is: "unknown")
        try await stage.advance(to: "2026-12-14T08:05:00+01:00")
        let board = try stage.client("soc-1880", "staff-23")
        _ = try await board.ask("notification", Array("{\"notification\":\"\(intervention)\"}".utf8))
        let taken = try await board.acknowledge(Acknowledgement(notification: intervention, outcome: .taken))
        narrator.say("A social worker at the intake opens it and takes it on.", at: "Mon 08:05")
        narrator.check("acknowledged: taken, by the board itself", taken.word, is: "accepted")
    }

    func senderSees() async throws {
        let id = intervention
        let wanted = [
            "accepted", "delivered desk jour-1880", "opened desk jour-1880 role socialjour",
            "acknowledged taken desk jour-1880 role socialjour",
            "acknowledged handed-over desk jour-1880 role socialjour",
            "opened desk soc-1880-mottagning role socialsekreterare",
            "acknowledged taken desk soc-1880-mottagning role socialsekreterare",
        ]
        let came = await receipts.wait { letters in
            Self.steps(of: id, in: letters).count >= wanted.count
        }
        let letters = await receipts.letters
        narrator.check(
            "the police's receipts tell every step", Self.steps(of: id, in: letters).joined(separator: " · "),
            is: wanted.joined(separator: " · "))
        narrator.check("all of them came", holds: came)
        let text = letters.map { String(decoding: $0.body, as: UTF8.self) }.joined()
        let people = Stage.Persons.all.flatMap { [$0.name, $0.number] } + ["staff-71", "staff-23", caseID]
        narrator.check(
            "no name, number, staff id or case in any receipt", people.filter(text.contains), is: [])
        let status = try RelayAnswers.read(
            RelayAnswers.Status.self, await police.ask("status", Array("{\"notification\":\"\(id)\"}".utf8)))
        narrator.check("and their status says complete", holds: status.complete)
        let log = try stage.log()
        let secrets = Stage.Persons.all.flatMap { [$0.name, $0.number, String($0.number.dropFirst(2))] } + [caseID]
        narrator.check("no name, number or case in the daemon's log", secrets.filter(log.contains), is: [])
        for letter in letters { await receipts.accept(letter) }
    }

    private static func steps(of notification: String, in letters: [Mailbox.Letter]) -> [String] {
        letters.compactMap { letter in
            guard let receipt = try? RelayAnswers.read(RelayAnswers.Receipt.self, letter.body).data,
                receipt.notification == notification
            else { return nil }
            let words = [
                receipt.event, receipt.outcome, receipt.desk.map { "desk " + $0 }, receipt.role.map { "role " + $0 },
            ]
            return words.compactMap(\.self).joined(separator: " ")
        }
    }

    private func dataMember() throws -> Data {
        let object = try JSONSerialization.jsonObject(with: interventionText) as? [String: Any]
        return try JSONSerialization.data(withJSONObject: object?["data"] ?? [:])
    }
}
