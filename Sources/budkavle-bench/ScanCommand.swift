import ArgumentParser
import CaseNotifications
import Foundation
import Routing
import Settings

/// `budkavle-bench scan`: what looking through free text costs, alone and as a part of reading a notification.
struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Measure the scan of free texts for what must not travel in them.",
        discussion: """
            The bar: a text of 60 KiB takes less than a millisecond. Times are of the thread's own processor. Prose is Swedish, with
            times and references in it; padding is what `load` sends; figures are the dearest text that passes.
            """)

    @Option(help: "Lengths of the texts, in bytes.")
    var bytes = [900, 61_440]

    @Option(help: "Batches per text; the middle one counts.")
    var batches = 15

    /// The dearest text of prose that passes, in nanoseconds.
    private static let barNanoseconds = 1_000_000.0
    private static let prose = """
        Händelsen inträffade kl. 23:10 den 11 december. Mannen lämnade lägenheten före patrullen, barnen sov. Anmälan \
        5000-K123456-26 är upprättad. Målsäganden är rädd och vill inte stå ensam; hon har polisanmält honom 3 gånger \
        sedan 2024. Risken bedöms som hög enligt SARA-SV, 14 av 20 punkter. Uppföljning om 14 dagar, 08:00-16:30.

        """

    private static let texts = [
        ("prose", prose), ("padding", "qXwertYuiopaSdfghjkl zxcvBnm "), ("figures", "12 345 "),
    ]

    func validate() throws {
        guard batches > 0, bytes.allSatisfy({ (1...BodyTemplate.mostBytes).contains($0) }) else {
            throw ValidationError("batches must be positive, lengths from 1 to \(BodyTemplate.mostBytes)")
        }
    }

    func run() throws {
        try Terminal.reporting {
            let decoder = try Self.decoder()
            var isCheap = true
            for (name, unit) in Self.texts {
                for length in bytes {
                    let text = Self.text(of: unit, bytes: length)
                    let cost = ProcessorCost.nanoseconds(batches: batches, batch: max(1, 2_000_000 / length)) {
                        TextScan.finding(in: text.utf8, .none) == nil ? 1 : 0
                    }
                    let body = Self.body(note: text)
                    let whole = try ProcessorCost.nanoseconds(batches: batches, batch: max(1, 2_000_000 / length)) {
                        try decoder.decode(body).fields.count
                    }
                    print(
                        String(
                            format: "%@, %d bytes: %.1f µs, %.1f ns per byte, %.0f %% of reading the notification",
                            name,
                            length, cost / 1_000, cost / Double(length), 100 * cost / whole))
                    isCheap = isCheap && (name == "figures" || cost < Self.barNanoseconds)
                }
            }
            guard isCheap else {
                Terminal.complain("the scan of a text costs more than a millisecond")
                throw ExitCode(1)
            }
        }
    }

    /// So many bytes of a text again and again, never ended within a letter.
    private static func text(of unit: String, bytes: Int) -> String {
        var text = String(repeating: unit, count: bytes / unit.utf8.count + 1)
        while text.utf8.count > bytes { text.removeLast() }
        return text
    }

    private static func body(note: String) -> [UInt8] {
        let event: JSONValue = [
            "specversion": "1.0", "id": "bench-1", "source": .string("urn:budkavle:\(BenchPolicy.sender)"),
            "type": .string(BenchPolicy.type("one0")), "time": "2026-12-11T22:10:00Z", "subject": "BK-18-2026-7QK2ZD9F",
            "datacontenttype": "application/json", "municipality": "1880", "protected": false,
            "data": ["reportRef": "bench", "note": .string(note)],
        ]
        return event.bytes
    }

    private static func decoder() throws -> NotificationDecoder {
        let load = PolicyLoader.load(
            files: Dictionary(BenchPolicy.files.map { ($0.path, $0.text) }) { first, _ in first },
            zone: try DecideCommand.zone())
        guard let policy = load.policy else {
            throw BenchError.noResult(load.diagnostics.map(\.text).joined(separator: "\n"))
        }
        return NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
    }
}
