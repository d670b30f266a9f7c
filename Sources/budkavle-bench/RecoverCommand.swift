import ArgumentParser
import CaseNotifications
import Foundation
import Journal

/// `budkavle-bench recover`: what a recovery of one journal reads, as one line of JSON.
///
/// For fault rigs: two copies of a disk, or one disk recovered twice, must give the same digest.
struct RecoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Recover one journal (a copy: recovery writes) and print what was read as JSON.")

    @Argument(help: "Directory of one journal, <data>/<collaboration>.")
    var directory: String

    @Option(help: "A master key as ID=FILE; may be given several times, the first is the active one.")
    var key: [String]

    func validate() throws {
        guard !key.isEmpty, key.allSatisfy({ $0.contains("=") }) else { throw ValidationError("--key takes ID=FILE") }
    }

    func run() throws {
        do throws(JournalError) {
            let references = key.map { text in
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return KeyFileReference(id: String(parts[0]), path: String(parts[1]))
            }
            let active = key[0].prefix { $0 != "=" }
            let ring = try KeyRing.load(references, active: String(active))
            let began = Nanoseconds.now()
            var seen = Seen()
            var core = try JournalCore.open(directory: directory, keys: ring) { seen.take($0) }
            let ended = Nanoseconds.now()
            seen.read(from: core)
            print(seen.line(core.report, milliseconds: Int((ended - began) / 1_000_000)))
            core.close()
        } catch {
            Terminal.complain("budkavle-bench: \(error)")
            throw ExitCode(70)
        }
    }
}

/// What a replay gave, digested.
private struct Seen {
    /// SHA-256 over the one before and what comes next.
    private var digest = Digest(sha256Of: [])
    private var records = 0
    private var lost = 0
    private var texts: [(id: TextID, location: TextLocation)] = []
    private var unreadable = 0

    mutating func take(_ item: ReplayItem) {
        switch item {
        case .text(let id, let location): texts.append((id, location))
        case .record(let number, let bytes):
            records += 1
            note(number)
            note(bytes)
        case .lost(let records, _):
            lost += records.count
            note(records.lowerBound)
            note(records.upperBound)
        }
    }

    private mutating func note(_ number: UInt64) { note(withUnsafeBytes(of: number.bigEndian) { Array($0) }) }

    private mutating func note(_ bytes: [UInt8]) { digest = Digest(sha256Of: Array(digest.hex.utf8) + bytes) }

    /// Every text too: a text that cannot be read is part of the digest as what is wrong with it.
    mutating func read(from core: borrowing JournalCore) {
        for text in texts {
            note(text.id.high)
            note(text.id.low)
            do throws(JournalError) {
                note(try core.read(text.id, at: text.location))
            } catch {
                unreadable += 1
                note(Array("\(error)".utf8))
            }
        }
    }

    func line(_ report: OpenReport, milliseconds: Int) -> String {
        """
        {"digest":"\(digest.hex)","records":\(records),"lost":\(lost),"texts":\(texts.count),"unreadable":\(unreadable),\
        "last":\(report.lastRecord),"milliseconds":\(milliseconds)}
        """
    }
}
