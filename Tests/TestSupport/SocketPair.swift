import Foundation
import Glibc

/// Two connected sockets of this machine, for tests that need no listener.
package struct SocketPair {
    /// One end. Whoever takes it closes it.
    package let first: Int32
    /// The other.
    package let second: Int32

    /// Makes a pair of stream sockets, blocking until somebody changes that.
    package init() {
        var descriptors: [Int32] = [-1, -1]
        let result = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors)
        precondition(result == 0, "no socket pair: \(String(cString: strerror(errno)))")
        first = descriptors[0]
        second = descriptors[1]
    }
}

/// Moves something to another thread that the compiler would not: the test vouches that it is used by one at a time.
package struct HandedOver<Value>: @unchecked Sendable {
    // SAFETY: the test that makes it gives the value to one thread and does not touch it again before that one is done.
    package let value: Value

    /// Wraps the value.
    package init(_ value: Value) { self.value = value }
}
