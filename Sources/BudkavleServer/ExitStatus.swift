import Glibc

/// How the daemon ends: the codes of sysexits.h that a service manager acts on.
package enum ExitStatus: Int32, Sendable {
    case ok = 0
    case usage = 64
    case software = 70
    case unavailable = 69
    case inputOutput = 74
    case data = 65
    case noInput = 66
    case configuration = 78

    /// Ends the process without another answer: after a failed write or sync nothing may be told to anybody.
    func leaveAtOnce() -> Never { _exit(rawValue) }
}
