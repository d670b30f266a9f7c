import Console

/// Tells the demonstration as it happens, and keeps count of what was checked.
final class Narrator {
    /// A text in both languages.
    struct Heading {
        let en: String
        let sv: String
    }

    /// How a chapter ended.
    struct Result {
        let title: String
        var held = 0
        var failed = 0
    }

    private let language: Language
    private let isColoured: Bool
    private let print: (String) -> Void
    private(set) var results: [Result] = []

    /// - Parameter language: `sv` or `en`; anything else is English.
    init(language: String?, isColoured: Bool, print: @escaping (String) -> Void) {
        self.language = language.flatMap(Language.init(rawValue:)) ?? .english
        self.isColoured = isColoured
        self.print = print
    }

    /// Every check of every chapter held, and there were some.
    var allHeld: Bool { !results.isEmpty && results.allSatisfy { $0.failed == 0 && $0.held > 0 } }

    func begin(_ heading: Heading) {
        let title = text(heading)
        results.append(Result(title: title))
        print("")
        print(paint("── \(results.count). \(title) " + String(repeating: "─", count: max(3, 84 - title.count)), .bold))
    }

    /// One step of the story.
    func say(_ line: String) {
        print("   " + line)
    }

    /// One step of the story with the simulated time in front, `Fri 23:10`.
    func say(_ line: String, at time: String) {
        print("   " + paint(time, .faint) + "  " + line)
    }

    /// A check of two values; both are shown when they differ.
    func check<Value: Equatable>(_ claim: String, _ got: Value, is wanted: Value) {
        check(claim, holds: got == wanted, otherwise: "got \(got), wanted \(wanted)")
    }

    /// A check with a sentence for the case that it does not hold.
    func check(_ claim: String, holds: Bool, otherwise: @autoclosure () -> String = "") {
        if results.isEmpty { results.append(Result(title: "")) }
        if holds {
            results[results.count - 1].held += 1
            print("   " + paint("✓", .good) + " " + claim)
        } else {
            results[results.count - 1].failed += 1
            let detail = otherwise()
            print("   " + paint("✗", .alarm) + " " + claim + (detail.isEmpty ? "" : "\n       " + detail))
        }
    }

    /// The last screen.
    func summarise(seconds: Double) {
        let good = text(Heading(en: "held", sv: "höll"))
        let bad = text(Heading(en: "FAILED", sv: "HÖLL INTE"))
        var table = TextTable(
            columns: [
                TextTable.Column("", .right), TextTable.Column(text(Heading(en: "Chapter", sv: "Kapitel"))),
                TextTable.Column(text(Heading(en: "Checks", sv: "Kontroller")), .right), TextTable.Column(""),
            ])
        for (index, result) in results.enumerated() {
            table.rows.append([
                Cell("\(index + 1)"), Cell(result.title), Cell("\(result.held)/\(result.held + result.failed)"),
                result.failed == 0 && result.held > 0 ? Cell(good, .good) : Cell(bad, .alarm),
            ])
        }
        print("")
        for line in table.lines(.terminal(width: 96, isColoured: isColoured)) { print("   " + line) }
        let total = results.reduce(0) { $0 + $1.held + $1.failed }
        let verdict = allHeld ? paint(good, .good) : paint(bad, .alarm)
        let tenths = Int((seconds * 10).rounded())
        print(
            "   \(total) \(text(Heading(en: "checks in", sv: "kontroller på"))) \(tenths / 10).\(tenths % 10) s: \(verdict)"
        )
    }

    func text(_ heading: Heading) -> String {
        switch language {
        case .english: heading.en
        case .swedish: heading.sv
        }
    }

    private func paint(_ text: String, _ paint: Paint) -> String {
        paint.applied(to: text, isOn: isColoured)
    }
}
