/// What commands end with (sysexits; operations.md 4.1).
package enum ExitStatus: Int32, CaseIterable, Sendable {
    case done = 0
    /// A negative answer: not acknowledged by all, no such thing.
    case negative = 1
    /// It would be refused: `--dry-run`.
    case wouldBeRefused = 3
    case usage = 64
    case inputInvalid = 65
    case inputMissing = 66
    case unknownParty = 67
    case unreachable = 69
    case fault = 70
    case inputOutput = 74
    /// Not confirmed: safe to repeat with the same id.
    case notConfirmed = 75
    case protocolFault = 76
    case refused = 77
    case configuration = 78
    case interrupted = 130
}
