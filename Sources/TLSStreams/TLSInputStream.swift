package import EventLoop
public import Foundation
import Glibc

/// The reading half of a TLS connection, as a Foundation stream.
///
/// Made in a pair with a ``TLSOutputStream`` by `Stream.getStreamsToHost(withName:port:tls:)` or a ``TLSListener``; `open`
/// of either begins the handshake, and the descriptor is closed when both are.
///
/// - Unscheduled, `read` waits, and another thread may use the output at the same time.
/// - Scheduled with `schedule(on:)`, everything happens on that loop's thread, nothing waits, and the delegate hears of
///   events. `read` returns -1 with errno (and `streamError`) `EAGAIN` when there is nothing; the status stays `.open`.
/// - The end is the peer's close_notify. A connection that ends without is an error, `TLSError.truncated`.
/// - `streamError` is a ``TLSError``.
public final class TLSInputStream: InputStream {
    let link: TLSLink
    private var half: StreamHalf { link.input }

    init(link: TLSLink) {
        self.link = link
        super.init(data: Data())
        link.input.stream = self
    }

    public override func open() { link.open(half) }

    public override func close() { link.close(half) }

    /// Reads what is there, at most `length` bytes: more than one record if several are decrypted without waiting.
    ///
    /// - Returns: bytes read; 0 at the peer's close_notify; -1 with `streamError`.
    public override func read(_ buffer: UnsafeMutablePointer<UInt8>, maxLength length: Int) -> Int {
        let buffer = UnsafeMutableRawBufferPointer(start: buffer, count: length)
        switch half.loop == nil ? link.readWaiting(into: buffer) : link.receive(into: buffer) {
        case .bytes(let count): return count
        case .end: return 0
        case .wouldBlock:
            errno = half.loop == nil ? ETIMEDOUT : EAGAIN
            return -1
        case .failed(let error):
            half.localError = error
            errno = EIO
            return -1
        }
    }

    /// Never: the buffers are OpenSSL's.
    public override func getBuffer(
        _ buffer: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, length: UnsafeMutablePointer<Int>
    ) -> Bool { false }

    /// Whether a read would return at once with bytes, the end or an error. Decrypts one record ahead, never waits.
    public override var hasBytesAvailable: Bool {
        guard half.isActive else { return false }
        if link.loop == nil { link.tryToOpen() }
        guard case .open = link.phase else { return link.failure != nil }
        switch link.session.peek() {
        case .bytes, .end, .failed: return true
        case .wouldBlock: return false
        }
    }

    public override var streamStatus: Stream.Status { link.status(of: half) }
    public override var streamError: (any Error)? { link.error(of: half) }

    /// Held weakly. Called on the loop.
    public override var delegate: (any StreamDelegate)? {
        get { half.delegate }
        set { half.delegate = newValue }
    }

    public override func property(forKey key: Stream.PropertyKey) -> AnyObject? { link.property(key) }
    /// There is nothing to set.
    public override func setProperty(_ property: AnyObject?, forKey key: Stream.PropertyKey) -> Bool { false }

    /// Not supported: sets `streamError`. Use `schedule(on:)`.
    public override func schedule(in aRunLoop: RunLoop, forMode mode: RunLoop.Mode) {
        half.localError = .unsupported(what: "scheduling on a RunLoop")
    }
    /// Does nothing, since nothing is ever scheduled there.
    public override func remove(from aRunLoop: RunLoop, forMode mode: RunLoop.Mode) {}

    /// Events come to the delegate on this loop from now on. Call on the loop's thread.
    package func schedule(on loop: EpollLoop) { link.schedule(half, on: loop) }
    /// Ends that. Call on the loop's thread.
    package func remove(from loop: EpollLoop) { link.remove(half, from: loop) }

    /// Reads without waiting and with a typed answer; otherwise like `read`.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> TLSRead { link.receive(into: buffer) }

    /// Opens if need be and waits until the handshake is done. Not on a loop.
    ///
    /// With TLS 1.3 a client is "open" before the server has judged its certificate: a refusal comes with the first read.
    public func waitUntilOpen() throws(TLSError) {
        open()
        try link.waitUntilOpen()
    }

    /// How long an unscheduled `read` waits: then it returns -1 with errno `ETIMEDOUT` and the status stays `.open`.
    public var waitLimit: Duration? {
        get { half.waitLimit }
        set { half.waitLimit = newValue }
    }

    /// The peer's certificate, accepted, once the stream is open.
    public var peerCertificate: PeerCertificate? { link.session.peerCertificate }
    /// The peer's address in numbers, or the host's name on the side that connected.
    package var peerAddress: String { link.peerAddress }
    /// The context that this connection was made with: compare by identity after a reload.
    package var context: TLSContext { link.session.context }
}
