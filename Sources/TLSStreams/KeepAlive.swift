import Glibc

extension TLSInputStream {
    /// Seconds without a byte before the kernel asks a silent peer, between questions, and how many stay unanswered.
    private static let keepAlive: (idle: Int32, interval: Int32, count: Int32) = (30, 10, 3)

    /// Lets the kernel find out that a peer without heart-beats is gone (TCP keep-alive). Any thread; errors are ignored.
    package func keepAlive() {
        let descriptor = link.session.descriptor
        guard descriptor >= 0 else { return }
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, Self.keepAlive.idle)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, Self.keepAlive.interval)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, Self.keepAlive.count)
    }
}
