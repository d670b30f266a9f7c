import ArgumentParser
import Foundation
import Glibc

/// Load and latency of the relay, measured from outside through real mutual-TLS connections.
@main
struct BudkavleBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budkavle-bench", abstract: "Load and latency of the relay, over mutual TLS on loopback.",
        subcommands: [
            PrepareCommand.self, LoadCommand.self, RecoverCommand.self, RecoveryCommand.self,
            DecideCommand.self, ScanCommand.self,
        ])
}

/// Why nothing could be measured. Each says what to do.
enum BenchError: Error, CustomStringConvertible {
    /// A system call failed.
    case system(call: String, code: Int32)
    /// A file could not be written or is not there.
    case file(String, reason: String)
    /// The target is not this machine.
    case notLoopback(String)
    /// The directory was not made by `prepare`.
    case notPrepared(String)
    /// `--host` without the directory that holds the certificates.
    case directoryNeeded
    /// The run itself came to no result.
    case noResult(String)
    /// The daemon could not be started, or the directory not be made.
    case relay(String)

    var description: String {
        switch self {
        case .system(let call, let code): "\(call) failed: \(String(cString: strerror(code)))"
        case .file(let path, let reason): "\(path): \(reason)"
        case .notLoopback(let host):
            "--host \(host): only loopback is accepted (localhost, 127.x.x.x or ::1); run this beside the relay"
        case .notPrepared(let path):
            "\(path) has no certificates of the bench; make it with: budkavle-bench prepare \(path)"
        case .directoryNeeded: "--host needs --dir, the directory that `budkavle-bench prepare` made for that relay"
        case .noResult(let reason): reason
        case .relay(let reason): reason
        }
    }
}

/// Talk goes to standard error, results to standard output.
enum Terminal {
    /// Writes a line for people.
    static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    /// Runs `body`; its errors become one line and exit code 70.
    static func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as BenchError {
            complain("budkavle-bench: \(error)")
            throw ExitCode(70)
        }
    }
}
