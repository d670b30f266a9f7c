import EventLoop
import Foundation
import TLSStreams

/// A connection over the TLS streams, as their delegate.
final class TLSTransport: Transport {
    private let loop: EpollLoop
    private let input: TLSInputStream
    private let output: TLSOutputStream
    private let delegate = Delegate()
    private var report: ((TransportEvent) -> Void)?
    private var queue = OutputQueue()
    private var isOpen = false
    private var buffer = [UInt8](repeating: 0, count: transportReadBytes)

    /// Makes the streams; nothing is connected yet.
    init(to host: ResolvedHost, context: TLSContext, loop: EpollLoop) throws(TLSError) {
        self.loop = loop
        (input, output) = try Stream.getStreams(to: host, tls: context)
    }

    func open(_ report: @escaping (TransportEvent) -> Void) {
        self.report = report
        delegate.handle = { [weak self] stream, event in self?.handle(event, of: stream) }
        input.delegate = delegate
        output.delegate = delegate
        input.schedule(on: loop)
        output.schedule(on: loop)
        input.open()
        output.open()
    }

    func write(_ bytes: [UInt8]) {
        guard report != nil else { return }
        guard queue.count + bytes.count <= transportBufferLimitBytes else {
            finish(.failed(RelayError(.overflow, "the relay takes our bytes too slowly")))
            return
        }
        queue.append(bytes)
        flush()
    }

    func close() {
        if isOpen { flush() }
        report = nil
        delegate.handle = nil
        output.close()
        input.close()
    }

    private func handle(_ event: Stream.Event, of stream: Stream) {
        switch event {
        case .openCompleted:
            guard !isOpen else { return }
            isOpen = true
            report?(.opened)
        case .hasBytesAvailable: read()
        case .hasSpaceAvailable: flush()
        case .endEncountered: finish(.ended)
        case .errorOccurred:
            let error = stream.streamError as? TLSError ?? .notOpen
            finish(.failed(RelayError(error)))
        default: break
        }
    }

    private func read() {
        for _ in 0..<transportReadsPerTurn {
            guard report != nil else { return }
            switch buffer.withUnsafeMutableBytes({ input.receive(into: $0) }) {
            case .bytes(let count): report?(.received(Array(buffer[..<count])))
            case .wouldBlock: return
            case .end: finish(.ended)
            case .failed(let error): finish(.failed(RelayError(error)))
            }
        }
        // There may be more: the streams report again in a later turn.
    }

    private func flush() {
        while isOpen, report != nil, !queue.isEmpty {
            switch queue.withUnsafeFront({ output.send($0) }) {
            case .bytes(let count): queue.removeFirst(count)
            case .wouldBlock: return
            case .failed(let error): finish(.failed(RelayError(error)))
            }
        }
    }

    private func finish(_ event: TransportEvent) {
        let report = report
        self.report = nil
        report?(event)
    }

    /// Streams hold their delegate weakly and call it on the loop.
    private final class Delegate: StreamDelegate {
        var handle: ((Stream, Stream.Event) -> Void)?

        func stream(_ stream: Stream, handle event: Stream.Event) { handle?(stream, event) }
    }
}
