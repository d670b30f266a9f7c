import BudkavleClient

/// `kill -9` with 20 notifications on their way, and what is left of them afterwards.
extension Chapter {
    static var crash: Chapter {
        Chapter(
            heading: Narrator.Heading(
                en: "kill -9 with 20 notifications in flight", sv: "kill -9 med 20 notiser på väg")
        ) { stage in
            let narrator = stage.narrator
            let police = try stage.client("pol-18-rlc", "station")
            let desk = try await Mailbox(try stage.client("jour-1880", "jourdator"), .inbox(desk: "jour-1880"))
            let bodies = try (1...20).map { number in
                try CloudEventText.intervention(
                    case: stage.newCase(), id: "krasch-\(number)", at: "2026-12-15T02:30:00+01:00"
                ).bytes
            }
            let answers = try await sendAndKill(bodies, stage, police)
            narrator.say(
                "The daemon was killed at the first answer and is back as process \(stage.process.processID ?? 0).")
            narrator.say("The clients came back by themselves and sent again what had no answer.")
            let words = answers.map(\.word)
            let lost = words.count { $0 == "duplicate" }
            narrator.say("\(words.count - lost) were answered: accepted.")
            narrator.say(
                "\(lost) were answered: duplicate; they were on disk before the kill, and only the answer was lost.")
            narrator.check(
                "every notification has its answer in the end",
                words.filter { $0 == "accepted" || $0 == "duplicate" }.count,
                is: 20)
            let ids = answers.compactMap { $0.acceptance?.notification }
            narrator.check("20 different ids", Set(ids).count, is: 20)

            let wanted = Set(ids)
            let came = await desk.wait { letters in wanted.isSubset(of: letters.map(\.notification)) }
            narrator.check("each accepted notification is at the on-call desk", holds: came)
            let listed = try await stage.inbox("jour-1880", "jourdator").map(\.notification).filter(wanted.contains)
            narrator.check("and stands there once", listed.count, is: 20)
            let letters = await desk.letters.filter { wanted.contains($0.notification) }
            let firsts = Set(letters.map(\.notification)).count
            let unmarked = Dictionary(grouping: letters.indices, by: { letters[$0].notification })
                .flatMap { $0.value.dropFirst() }.filter { !letters[$0].isRedelivered }
            narrator.check(
                "no second copy but marked redelivered:true (\(letters.count - firsts) of them)", unmarked.count, is: 0)

            var repeated: [String] = []
            for body in bodies {
                let answer = try await police.send(body)
                repeated.append(answer.word == "duplicate" ? answer.acceptance?.notification ?? "" : answer.word)
            }
            narrator.check("sent once more, each is a duplicate with the id it had", holds: repeated == ids)
            await desk.close()
        }
    }

    /// Sends all at once, kills the daemon at the first answer, starts it again and waits for all answers.
    private static func sendAndKill(
        _ bodies: [[UInt8]], _ stage: Stage, _ client: RelayClient
    ) async throws -> [SendAnswer] {
        try await withThrowingTaskGroup(of: (Int, SendAnswer).self) { group in
            for (index, body) in bodies.enumerated() {
                group.addTask { (index, try await client.send(body, within: .seconds(30))) }
            }
            var answers: [SendAnswer?] = Array(repeating: nil, count: bodies.count)
            var isKilled = false
            while let (index, answer) = try await group.next() {
                answers[index] = answer
                guard !isKilled else { continue }
                isKilled = true
                stage.process.kill()
                try stage.restart()
            }
            return answers.compactMap(\.self)
        }
    }
}
