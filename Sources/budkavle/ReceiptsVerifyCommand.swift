import ArgumentParser
import BudkavleClient
import Console
import Foundation

/// `budkavle receipts verify [FILE|-] --key KEYFILE`: offline, with nothing but the relay's public keys.
struct ReceiptsVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Verifies receipts offline: exit 0 when all do, 65 when one does not.",
        discussion: """
            Reads what `budkavle receipts --json` printed, one receipt per line. The key file holds what the relay's operator \
            handed out once (`budkavled keys list`). A receipt that verifies proves that the relay's signed log holds a record at its \
            position; what that record says in full stays with the relay.
            """)

    /// The most that is read: some ten thousand receipts.
    static let limitBytes = 64 << 20

    @Argument(help: "File with receipts, one per line; - for stdin.", completion: .file())
    var file = "-"
    @Option(help: "File with the relay's public keys.", completion: .file())
    var key: String
    @OptionGroup var appearance: AppearanceOptions

    func run() throws {
        let console = Surroundings(appearance, profileLanguage: nil)
        let keys = try Input.bytes(of: key, console)
        let verifier: ReceiptVerifier
        do { verifier = try ReceiptVerifier(keyFile: String(decoding: keys, as: UTF8.self)) } catch {
            throw CommandFailure(.configuration, "budkavle: \(Sanitizer.line(key)): \(error.message)")
        }
        let bytes = try Input.bytes(of: file, console, limit: Self.limitBytes)
        var verdicts: [ReceiptVerifier.Verdict] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.contains(where: { $0 != 0x20 && $0 != 0x0D })
        {
            let verdict = verifier.verify(Array(line))
            verdicts.append(verdict)
            try Output.put(Self.text(verdict, console))
        }
        guard !verdicts.isEmpty, verdicts.allSatisfy(\.isValid) else { throw CommandFailure(.inputInvalid) }
    }

    private static func text(_ verdict: ReceiptVerifier.Verdict, _ console: Surroundings) -> String {
        let position = Sanitizer.line(verdict.position ?? "?")
        guard console.isJSON else {
            let size = verdict.logSize.map { " (\($0))" } ?? ""
            return "\(position)  \(verdict.event ?? "?")  \(verdict.fault ?? "ok")\(verdict.isValid ? size : "")"
        }
        var body = ReportBody()
        body.add("position", verdict.position)
        body.add("event", verdict.event)
        body.add("size", verdict.logSize.map { Int(clamping: $0) })
        body.add("valid", verdict.isValid)
        body.add("fault", verdict.fault)
        return String(decoding: body.bytes, as: UTF8.self)
    }
}
