package import CLinux
import Glibc

/// The few socket calls that Glibc hides from Swift. All make descriptors non-blocking and closed on exec.
package enum StreamSocket {
    /// A new stream socket, or -1 with errno.
    package static func make(family: Int32) -> Int32 { CLinux_stream_socket(family) }

    /// The next waiting connection, or -1 with errno (`EAGAIN` when none waits).
    package static func accept(
        on listener: Int32, address: UnsafeMutablePointer<sockaddr_storage>, length: UnsafeMutablePointer<socklen_t>
    ) -> Int32 {
        CLinux_accept(listener, address, length)
    }

    /// Makes a descriptor that came from elsewhere non-blocking and closed on exec. False with errno when it is none.
    package static func makeNonBlocking(_ descriptor: Int32) -> Bool { CLinux_make_non_blocking(descriptor) == 0 }
}
