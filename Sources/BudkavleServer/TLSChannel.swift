import EventLoop
import Foundation
import TLSStreams

/// A connection's bytes through the pair of TLS streams that the listener accepted.
// SAFETY: everything in it is touched only on the thread of the loop on which it was made and scheduled.
final class TLSChannel: NSObject, ByteChannel, StreamDelegate, @unchecked Sendable {
    private let input: TLSInputStream
    private let output: TLSOutputStream
    private let loop: EpollLoop
    private var handler: ((ChannelEvent) -> Void)?
    private var isOpen = false
    private var isClosed = false
    let address: String

    init(input: TLSInputStream, output: TLSOutputStream, address: String, loop: EpollLoop) {
        self.input = input
        self.output = output
        self.address = address
        self.loop = loop
    }

    func open(_ handler: @escaping (ChannelEvent) -> Void) {
        self.handler = handler
        input.delegate = self
        output.delegate = self
        input.schedule(on: loop)
        output.schedule(on: loop)
        input.open()
        output.open()
    }

    var identity: ChannelIdentity? {
        guard let certificate = input.peerCertificate else { return nil }
        return .certificate(certificate, version: input.property(forKey: .tlsVersion) as? String ?? "")
    }

    func stream(_ stream: Stream, handle event: Stream.Event) {
        guard !isClosed else { return }
        switch event {
        case .openCompleted where !isOpen:
            isOpen = true
            handler?(.opened)
        case .hasBytesAvailable: handler?(.readable)
        case .hasSpaceAvailable: handler?(.writable)
        case .endEncountered: handler?(.ended)
        case .errorOccurred:
            handler?(.failed((stream.streamError as? TLSError)?.description ?? "the connection was lost"))
        default: break
        }
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> ChannelTransfer {
        switch input.receive(into: buffer) {
        case .bytes(let count): .bytes(count)
        case .wouldBlock: .wouldBlock
        case .end: .end
        case .failed(let error): .failed(error.description)
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> ChannelTransfer {
        switch output.send(bytes) {
        case .bytes(let count): .bytes(count)
        case .wouldBlock: .wouldBlock
        case .failed(let error): .failed(error.description)
        }
    }

    func keepAlive() { input.keepAlive() }

    func closeOutput() { output.close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        handler = nil
        output.close()
        input.close()
        output.remove(from: loop)
        input.remove(from: loop)
    }
}
