import Foundation

/// Why the demonstration could not be played: something about this machine, not about the relay.
package enum DemoError: Error, CustomStringConvertible {
    /// No `config/orebro` below the package, beside the executable or in the current directory.
    case noConfiguration(searched: [String])
    /// `budkavled` is not where it is looked for.
    case noDaemon(String)
    /// The directory for the demonstration holds something already.
    case directoryInUse(String)
    /// The policy in the directory has errors.
    case policy(directory: String, errors: [String])
    /// A system call on a file failed.
    case file(String, reason: String)
    /// The certificates could not be made.
    case certificates(PKIError)
    /// The daemon could not be started at all.
    case spawn(String, code: Int32)
    /// The daemon ended before it was ready; with the last lines of its log.
    case daemonEnded(status: Int32, log: String)
    /// The daemon said nothing for so long.
    case daemonSilent(Duration, log: String)

    package var description: String {
        switch self {
        case .noConfiguration(let searched):
            "the policy config/orebro was not found in: \(searched.joined(separator: ", ")); run this from a checkout"
        case .noDaemon(let path):
            "\(path) is missing; build it with: swift build --product budkavled"
        case .directoryInUse(let path):
            "\(path) is not empty; give another --dir, or remove it first"
        case .policy(let directory, let errors):
            "\(directory) has errors:\n" + errors.joined(separator: "\n")
        case .file(let path, let reason):
            "\(path): \(reason)"
        case .certificates(let error):
            error.description
        case .spawn(let path, let code):
            "\(path) could not be started: \(String(cString: strerror(code)))"
        case .daemonEnded(let status, let log):
            "budkavled ended with status \(status) before it was ready. Its last words:\n\(log)"
        case .daemonSilent(let limit, let log):
            "budkavled was not ready within \(limit). Its last words:\n\(log)"
        }
    }

    /// The sysexits number for the process that prints this error.
    package var exitCode: Int32 {
        switch self {
        case .noConfiguration: EX_NOINPUT
        case .noDaemon, .spawn, .daemonEnded, .daemonSilent: EX_UNAVAILABLE
        case .directoryInUse: EX_CANTCREAT
        case .policy: EX_CONFIG
        case .file: EX_IOERR
        case .certificates(let error): error.exitCode
        }
    }
}
