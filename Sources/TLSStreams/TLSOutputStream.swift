package import EventLoop
public import Foundation
import Glibc

/// The writing half of a TLS connection, as a Foundation stream: see ``TLSInputStream``.
///
/// `close` sends close_notify: the peer knows that it has got everything. Hand over large pieces (16 KiB and more): each
/// call makes as few records as possible and as many as fit.
public final class TLSOutputStream: OutputStream {
    let link: TLSLink
    private var half: StreamHalf { link.output }

    init(link: TLSLink) {
        self.link = link
        super.init(toMemory: ())
        link.output.stream = self
    }

    /// Foundation requires it; a TLS stream writes to a connection, so this traps.
    public required init(toMemory: ()) {
        preconditionFailure("a TLSOutputStream is made together with its TLSInputStream")
    }

    public override func open() { link.open(half) }

    public override func close() { link.close(half) }

    /// Writes as much as there is room for; unscheduled, it waits for room for the first byte.
    ///
    /// After -1 with `EAGAIN` the next write must begin with the same bytes: OpenSSL may have encrypted them already.
    /// - Returns: bytes taken, or -1 with `streamError`.
    public override func write(_ buffer: UnsafePointer<UInt8>, maxLength length: Int) -> Int {
        let bytes = UnsafeRawBufferPointer(start: buffer, count: length)
        switch half.loop == nil ? link.writeWaiting(bytes) : link.send(bytes) {
        case .bytes(let count): return count
        case .wouldBlock:
            errno = half.loop == nil ? ETIMEDOUT : EAGAIN
            return -1
        case .failed(let error):
            half.localError = error
            errno = EIO
            return -1
        }
    }

    /// Whether the last write found room; unscheduled, whether the socket has room now. Never waits.
    public override var hasSpaceAvailable: Bool {
        guard half.loop != nil else { return link.hasRoom() }
        guard half.isActive, case .open = link.phase else { return false }
        return half.mayTry
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

    /// Writes without waiting and with a typed answer; otherwise like `write`.
    package func send(_ bytes: UnsafeRawBufferPointer) -> TLSWrite { link.send(bytes) }

    /// Opens if need be and waits until the handshake is done. Not on a loop.
    public func waitUntilOpen() throws(TLSError) {
        open()
        try link.waitUntilOpen()
    }

    /// How long an unscheduled `write` waits for room: then it returns -1 with errno `ETIMEDOUT`, status `.open`.
    public var waitLimit: Duration? {
        get { half.waitLimit }
        set { half.waitLimit = newValue }
    }

    /// The peer's certificate, accepted, once the stream is open.
    public var peerCertificate: PeerCertificate? { link.session.peerCertificate }
}
