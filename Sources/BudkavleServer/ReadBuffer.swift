/// The one buffer of a loop into which its connections read, one after the other.
// SAFETY: touched only on the thread of its loop; a connection uses it within one synchronous call.
final class ReadBuffer: @unchecked Sendable {
    /// Bytes of one read: four TLS records.
    static let capacityBytes = 64 * 1024
    /// Reads of one connection before the others have their turn.
    static let readsPerTurn = 4
    var bytes = [UInt8](repeating: 0, count: capacityBytes)
}
