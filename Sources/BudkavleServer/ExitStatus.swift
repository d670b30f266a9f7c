import Glibc

/// How the daemon and its tools end: the codes of sysexits.h that a service manager and scripts act on.
package enum ExitStatus: Int32, Sendable {
    case ok = 0
    /// A negative answer: something did not verify, or there is no such thing.
    case negative = 1
    /// Two policies differ.
    case different = 2
    /// Somebody would see more, or lose what is a duty.
    case widened = 3
    case usage = 64
    case data = 65
    case noInput = 66
    case unavailable = 69
    case software = 70
    case cannotCreate = 73
    case inputOutput = 74
    /// Not just now: safe to repeat.
    case tryAgain = 75
    case protocolFault = 76
    case refused = 77
    case configuration = 78

    /// Ends the process without another answer: after a failed write or sync nothing may be told to anybody.
    func leaveAtOnce() -> Never { _exit(rawValue) }
}
