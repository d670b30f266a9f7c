import Glibc

/// Writes all of something, or says why not.
package enum WholeWrite {
    /// A write that is interrupted so often in a row is given up: no signal of ours does that.
    static let mostInterruptions = 1_000

    /// Writes all bytes to an open file.
    ///
    /// - Returns: the `errno` of what stopped it; nil when everything was written.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        write(bytes) { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    /// As `write(_:to:)`, through `call`, which does what `write(2)` does.
    static func write(_ bytes: [UInt8], by call: (UnsafeRawBufferPointer) -> Int) -> Int32? {
        var (done, interruptions) = (0, 0)
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { call($0) }
            if count > 0 {
                (done, interruptions) = (done + count, 0)
            } else if count < 0, errno == EINTR, interruptions < mostInterruptions {
                interruptions += 1
            } else {
                return count < 0 ? errno : EIO
            }
        }
        return nil
    }
}
