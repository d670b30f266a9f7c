import ArgumentParser
import BudkavleServer
import CaseNotifications
import Foundation
import Glibc
import Journal

/// `budkavle-bench recovery`: how long a start takes, and how much memory, over a journal of any length.
struct RecoveryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery",
        abstract: "Write a long journal through the real path, then measure starts of a fresh process.",
        discussion: """
            The bar: at most 10 seconds per GB of journal and less than 512 MiB resident for 10 million records. A directory
            that holds a journal already is measured as it is.
            """)

    @Option(help: "Directory for key and data.")
    var dir: String

    @Option(help: "Records to write, at least.")
    var records = 1_000_000

    @Option(name: .customLong("segment-bytes"), help: "Size of a segment file.")
    var segmentBytes = 64 << 20

    @Option(name: .customLong("text-bytes"), help: "Content of one notification, in bytes.")
    var textBytes = 200

    @Option(help: "Days over which the notifications are spread.")
    var days = 20

    @Option(name: .customLong("open-every"), help: "Of so many notifications one stays open.")
    var openEvery = 100

    @Option(help: ArgumentHelp("What the process that is measured does.", visibility: .private))
    var measure: Measure?

    enum Measure: String, ExpressibleByArgument { case records, snapshots, fold }

    private static let collaboration = CollaborationID(unchecked: "bench")

    private var dataDirectory: String { dir + "/data" }
    private var keyFile: String { dir + "/master.key" }

    func validate() throws {
        guard records > 0, days > 0, openEvery > 0 else { throw ValidationError("numbers must be positive") }
        guard JournalLimits.segmentBytes.contains(segmentBytes) else {
            throw ValidationError("--segment-bytes must be within \(JournalLimits.segmentBytes)")
        }
        guard (1...JournalLimits.maxTextBytes).contains(textBytes) else {
            throw ValidationError("--text-bytes must be within 1...\(JournalLimits.maxTextBytes)")
        }
    }

    func run() throws {
        try Terminal.reporting {
            if let measure { return try perform(measure) }
            if !FileManager.default.fileExists(atPath: dataDirectory) { try make() }
            let bytes = journalBytes
            print(Self.line("journal", ["bytes": "\(bytes)"]))
            try child(.records, bytes)
            try child(.fold, bytes)
            try child(.snapshots, bytes)
        }
    }

    // MARK: Making

    private func make() throws {
        try FileManager.default.createDirectory(atPath: dir, withIntermediateDirectories: true)
        do {
            try KeyRing.generate(at: keyFile)
            let data = try DataDirectory(path: dataDirectory)
            defer { data.unlock() }
            let began = ContinuousClock.now
            let writer = try JournalWriter.open(
                in: data, collaboration: Self.collaboration.text, keys: try ring, options: options, replay: { _ in })
            let plan = RecoveryPlan(
                records: records, textBytes: textBytes, days: days, openEvery: openEvery)
            let workload = RecoveryWorkload(plan, journal: writer, collaboration: Self.collaboration)
            try workload.run()
            writer.stop()
            print(
                Self.line(
                    "written", ["records": "\(workload.records)", "seconds": Self.text(ContinuousClock.now - began)]))
        } catch let error as JournalError {
            throw BenchError.relay("\(error)")
        }
    }

    private var ring: KeyRing {
        get throws { try KeyRing.load([KeyFileReference(id: "v1", path: keyFile)], active: "v1") }
    }

    private var options: JournalOptions {
        var options = JournalOptions()
        options.segmentBytes = segmentBytes
        return options
    }

    private var journalBytes: Int {
        let segments = "\(dataDirectory)/\(Self.collaboration.text)/segments"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: segments)) ?? []
        return names.reduce(0) { sum, name in
            let size = try? FileManager.default.attributesOfItem(atPath: "\(segments)/\(name)")[.size] as? Int
            return sum + (size ?? 0)
        }
    }

    // MARK: Measuring

    /// In a process of its own, so that memory is what a start takes.
    private func child(_ measure: Measure, _ bytes: Int) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe")
        process.arguments = [
            "recovery", "--dir", dir, "--segment-bytes", "\(segmentBytes)", "--measure", measure.rawValue,
        ]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError.noResult("the measured process ended with \(process.terminationStatus)")
        }
    }

    private func perform(_ measure: Measure) throws {
        do {
            let data = try DataDirectory(path: dataDirectory)
            defer { data.unlock() }
            let bytes = journalBytes
            let began = ContinuousClock.now
            let store = try StoredCollaboration.open(
                Self.collaboration, in: data, keys: try ring, options: options,
                from: measure == .records ? .records : .snapshots)
            if measure == .fold { store.fold() }
            let taken = ContinuousClock.now - began
            var fields = [
                "seconds": Self.text(taken), "sequence": "\(store.sequence)", "state": store.digest,
                "replayed": "\(store.replayed)", "peak-rss-mib": "\(Self.peakResidentBytes >> 20)",
            ]
            let gigabytes = Double(bytes) / 1e9
            fields["seconds-per-gb"] = String(format: "%.2f", taken / .seconds(1) / gigabytes)
            print(Self.line(measure.rawValue, fields))
            store.close()
        } catch let error as JournalError {
            throw BenchError.relay("\(error)")
        }
    }

    /// `VmHWM` of this process.
    private static var peakResidentBytes: Int {
        // Not from `getrusage`: that also counts the parent at the moment of the fork.
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    private static func text(_ duration: Duration) -> String { String(format: "%.2f", duration / .seconds(1)) }

    private static func line(_ what: String, _ fields: [String: String]) -> String {
        ([what] + fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
    }
}
