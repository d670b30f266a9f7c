import EventLoop
import TLSStreams

/// Who is at the other end, as far as the transport has proved it.
enum ChannelIdentity: Sendable {
    /// A verified client certificate and the negotiated TLS version.
    case certificate(PeerCertificate, version: String)
    /// A local process: its user id and the ids of all its groups (SO_PEERCRED, SO_PEERGROUPS).
    case local(user: UInt32, groups: [UInt32])
}

/// What a channel tells its connection, always on the loop.
enum ChannelEvent: Sendable {
    case opened
    case readable
    case writable
    case ended
    case failed(String)
}

/// Outcome of one non-blocking read or write.
enum ChannelTransfer: Sendable {
    case bytes(Int)
    case wouldBlock
    case end
    case failed(String)
}

/// The bytes of one connection: TLS streams, or the local administration socket.
///
/// Isolation: made, used and dropped on one loop.
protocol ByteChannel: AnyObject, Sendable {
    /// Where it comes from, for the log.
    var address: String { get }
    /// Starts the handshake, if there is one; `.opened` or `.failed` comes later.
    func open(_ handler: @escaping (ChannelEvent) -> Void)
    /// Known after `.opened`.
    var identity: ChannelIdentity? { get }
    /// Reads what is there; 0 bytes are never reported.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> ChannelTransfer
    /// Writes what fits. After `.wouldBlock` the same bytes come first in the next call.
    func send(_ bytes: UnsafeRawBufferPointer) -> ChannelTransfer
    /// Lets the kernel look after peers that send no heart-beats.
    func keepAlive()
    /// Says that nothing more will be written (close_notify); reading goes on.
    func closeOutput()
    /// Closes both ways. Harmless twice.
    func close()
}
