import EventLoop
import Foundation
import TLSStreams

/// One client connection: bytes in, frames to the run, bytes out. Made, used and dropped on the loop's thread.
final class BenchConnection: NSObject, StreamDelegate {
    enum Role {
        case producer
        /// At the desk of this index.
        case consumer(desk: Int)
    }

    enum State {
        case opening
        /// CONNECT is on its way.
        case connecting
        /// SUBSCRIBE is on its way.
        case subscribing
        case ready
        /// DISCONNECT is on its way.
        case leaving
        case closed
    }

    /// Bytes read at once.
    private static let readBytes = 64 * 1024
    /// Reads in one event, so that the other connections get their turn.
    private static let readsPerEvent = 8

    let role: Role
    private let streams: (input: TLSInputStream, output: TLSOutputStream)
    private let loop: EpollLoop
    private unowned let run: LoadRun
    var state = State.opening
    /// Notifications without a RECEIPT.
    var outstanding = 0
    /// What is to be written; the run appends to it and then calls `flush`.
    var outgoing: [UInt8] = []
    private var sent = 0
    private var isBlocked = false
    private var incoming = [UInt8](repeating: 0, count: 2 * BenchConnection.readBytes)
    private var filled = 0

    init(role: Role, streams: (TLSInputStream, TLSOutputStream), loop: EpollLoop, run: LoadRun) {
        self.role = role
        self.streams = streams
        self.loop = loop
        self.run = run
    }

    /// Connects; the run hears of the rest.
    func open() {
        streams.input.delegate = self
        streams.output.delegate = self
        streams.input.schedule(on: loop)
        streams.output.schedule(on: loop)
        streams.input.open()
        streams.output.open()
    }

    /// Ends the connection without a farewell.
    func close() {
        guard state != .closed else { return }
        state = .closed
        streams.output.close()
        streams.input.close()
    }

    func stream(_ stream: Stream, handle event: Stream.Event) {
        guard state != .closed else { return }
        switch event {
        case .openCompleted where state == .opening:
            state = .connecting
            run.opened(self)
        case .hasBytesAvailable: read()
        case .hasSpaceAvailable:
            isBlocked = false
            flush()
        case .endEncountered: run.ended(self, reason: "the relay closed the connection")
        case .errorOccurred:
            run.ended(self, reason: (stream.streamError as? TLSError)?.description ?? "the connection was lost")
        default: break
        }
    }

    private func read() {
        for _ in 0..<Self.readsPerEvent {
            if incoming.count - filled < Self.readBytes {
                incoming.append(contentsOf: repeatElement(0, count: incoming.count))
            }
            let result = incoming.withUnsafeMutableBytes {
                streams.input.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            switch result {
            case .bytes(let count):
                filled += count
                parse()
            case .wouldBlock: return flush()
            case .end: return run.ended(self, reason: "the relay closed the connection")
            case .failed(let error): return run.ended(self, reason: error.description)
            }
            if state == .closed { return }
        }
        flush()
    }

    /// Hands over all whole frames; arrival time is that of the read.
    private func parse() {
        let now = Nanoseconds.now()
        var place = 0
        var isMalformed = false
        incoming.withUnsafeBytes { bytes in
            scanning: while place < filled, state != .closed {
                switch FrameScanner.next(bytes, from: place, to: filled) {
                case .incomplete(let begin):
                    place = begin
                    break scanning
                case .malformed:
                    isMalformed = true
                    break scanning
                case .frame(let frame):
                    run.handle(frame, bytes, from: self, at: now)
                    place = frame.end
                }
            }
        }
        if isMalformed { return run.ended(self, reason: "the relay sent something that is no STOMP frame") }
        guard place > 0 else { return }
        let rest = filled - place
        if rest > 0 {
            incoming.withUnsafeMutableBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                memmove(base, base + place, rest)
            }
        }
        filled = rest
    }

    /// Writes what there is room for; the rest follows when there is room again.
    func flush() {
        while !isBlocked, sent < outgoing.count, state != .closed, state != .opening {
            let result = outgoing.withUnsafeBytes {
                streams.output.send(UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            switch result {
            case .bytes(let count): sent += count
            case .wouldBlock: isBlocked = true
            case .failed(let error): return run.ended(self, reason: error.description)
            }
        }
        if sent == outgoing.count {
            outgoing.removeAll(keepingCapacity: true)
            sent = 0
        } else if sent > Self.readBytes {
            outgoing.removeSubrange(..<sent)
            sent = 0
        }
    }
}
