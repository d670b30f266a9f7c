import Foundation

/// The daemon is stopped in order, and its whole data directory searched for what must not be readable there.
extension Chapter {
    static var sealedData: Chapter {
        Chapter(
            heading: Narrator.Heading(
                en: "What a thief of the disk would read", sv: "Vad den som stjäl disken kan läsa")
        ) { stage in
            let narrator = stage.narrator
            await stage.closeClients()
            narrator.check("SIGTERM: the daemon stops in order", stage.process.stop(), is: 0)
            let words = needles(stage)
            let search = DataSearch(words)
            let control = words.joined(separator: "\n").utf8
            narrator.check(
                "the search finds all \(words.count) words in a plain text", search.count(in: Array(control)),
                is: words.count)
            let result = try search.search(directory: stage.directory.dataDirectory)
            narrator.say(
                "searched \(result.files) files, \(result.bytes) bytes, for names, numbers, case ids, parties, types, places"
            )
            narrator.check(
                "there is something to search", holds: result.files > 0 && result.bytes > 100_000,
                otherwise: "\(result)")
            narrator.check("not one of the words is found", result.hits, is: [])
        }
    }

    /// Everything that was told in this play, in each form that a file might hold it in.
    private static func needles(_ stage: Stage) -> [String] {
        var words: [String] = []
        for person in Stage.Persons.all {
            words += [person.name, person.number, String(person.number.dropFirst(2))]
            words += [String(person.number.prefix(8)) + "-" + person.number.suffix(4)]
        }
        words += ["Fiktivsson", "Testman", "Testkvinna", "Testbarn"]
        words += stage.cases + ["BK-18-2026"]
        words += Set(stage.directory.holders.map(\.party))
        words += [
            "police.intervention.closed", "child.concern.reported", "risk.disclosed", "injury.observed", "se.budkavle.",
        ]
        words += ["Örebro", "Lindesberg", "Karlskoga", "Kumla", "Hallsberg", "\"1880\"", "\"1864\""]
        words += ["child-present", "socialjour", "staff-71", "future-crime", "HR-4711"]
        return Set(words).sorted()
    }
}
