import Foundation
import Synchronization
import TestSupport
import Testing

@testable import TLSStreams

/// Plain Foundation stream code over TLS, without a loop.
struct BlockingStreamTests {
    private let pki = TestCertificates.shared

    private func pairs(
        client: TLSOptions? = nil, server: TLSOptions? = nil
    ) throws -> (client: (TLSInputStream, TLSOutputStream), server: (TLSInputStream, TLSOutputStream)) {
        let sockets = SocketPair()
        return (
            try Stream.getStreams(
                adopting: sockets.first, as: .client(name: "localhost"),
                tls: TLSContext(client: client ?? pki.options("client")), peerAddress: "server"),
            try Stream.getStreams(
                adopting: sockets.second, as: .server, tls: TLSContext(server: server ?? pki.options("server")),
                peerAddress: "client")
        )
    }

    /// Knows nothing of TLS: what any Foundation program does with an output stream.
    private static func writeAll(_ bytes: [UInt8], to stream: OutputStream) -> Bool {
        stream.open()
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { stream.write($0, maxLength: buffer.count) } ?? -1
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        stream.close()
        return true
    }

    private static func readAll(from stream: InputStream) -> (bytes: [UInt8], error: (any Error)?) {
        stream.open()
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 50_000)
        while true {
            let count = stream.read(&buffer, maxLength: buffer.count)
            guard count > 0 else {
                let error = count < 0 ? stream.streamError : nil
                stream.close()
                return (result, error)
            }
            result += buffer.prefix(count)
        }
    }

    /// Each end writes 1 MiB with one thread and reads with another, more than any socket buffer holds.
    @Test func `a mebibyte goes each way at once, read and written by plain stream code`() throws {
        let (client, server) = try pairs()
        let upward = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        let downward = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
        let written = [(client.1, upward), (server.1, downward)].map { stream, bytes in
            let outcome = Outcome<Bool>()
            let stream = HandedOver(stream as OutputStream)
            Thread.detachNewThread { outcome.set(Self.writeAll(bytes, to: stream.value)) }
            return outcome
        }
        let read = [server.0, client.0].map { stream in
            let outcome = Outcome<[UInt8]>()
            let stream = HandedOver(stream as InputStream)
            Thread.detachNewThread {
                let result = Self.readAll(from: stream.value)
                if let error = result.error { Issue.record("the read ended with \(error)") }
                outcome.set(result.bytes)
            }
            return outcome
        }
        for outcome in written { #expect(try outcome.wait()) }
        #expect(try read[0].wait() == upward)
        #expect(try read[1].wait() == downward)
        #expect(client.0.streamStatus == .closed && server.1.streamStatus == .closed)
    }

    @Test func `both streams of an end may be opened by two threads at the same moment`() throws {
        for round in 0..<100 {
            let (client, server) = try pairs()
            let errors = Mutex<[String]>([])
            let done = [client.1, server.1].map { stream in
                let outcome = Outcome<Bool>()
                let stream = HandedOver(stream as OutputStream)
                Thread.detachNewThread {
                    if !Self.writeAll([1, 2, 3], to: stream.value) {
                        errors.withLock { $0.append(String(describing: stream.value.streamError)) }
                    }
                    outcome.set(true)
                }
                return outcome
            }
            let read = [client.0, server.0].map { stream in
                let outcome = Outcome<Bool>()
                let stream = HandedOver(stream as InputStream)
                Thread.detachNewThread {
                    let result = Self.readAll(from: stream.value)
                    if let error = result.error { errors.withLock { $0.append("\(error)") } }
                    outcome.set(result.bytes == [1, 2, 3])
                }
                return outcome
            }
            for outcome in done + read { #expect(try outcome.wait(), "round \(round)") }
            #expect(errors.withLock { $0 } == [])
        }
    }

    /// Opens both ends from one thread: neither `open` waits for the other.
    private func open(_ pairs: (client: (TLSInputStream, TLSOutputStream), server: (TLSInputStream, TLSOutputStream))) {
        for stream in [pairs.client.0, pairs.client.1, pairs.server.0, pairs.server.1] as [Stream] {
            #expect(stream.streamStatus == .notOpen)
            stream.open()
        }
        for _ in 0..<10 { for stream in [pairs.client.0, pairs.server.0] { _ = stream.streamStatus } }
    }

    @Test func `opening needs no loop and no waiting, and tells version, cipher and peer`() throws {
        let pairs = try pairs()
        #expect(pairs.server.0.property(forKey: .tlsPeerCertificate) == nil)
        open(pairs)
        #expect(pairs.client.0.streamStatus == .open && pairs.server.1.streamStatus == .open)
        let peer = pairs.server.0.property(forKey: .tlsPeerCertificate) as? PeerCertificate
        #expect(peer?.uris == ["urn:budkavle:pol-18-rlc:station-1"])
        #expect(pairs.server.1.property(forKey: .tlsVersion) as? String == "TLSv1.3")
        #expect(pairs.client.1.property(forKey: .tlsCipher) as? String == "TLS_AES_256_GCM_SHA384")
        #expect(pairs.client.1.property(forKey: .tlsApplicationProtocol) as? String == "budkavle/1")
    }

    @Test func `bytes are announced only when a read would not wait`() throws {
        let pairs = try pairs()
        open(pairs)
        #expect(!pairs.server.0.hasBytesAvailable)
        #expect(pairs.client.1.hasSpaceAvailable)
        #expect(pairs.client.1.write([1, 2, 3], maxLength: 3) == 3)
        #expect(pairs.server.0.hasBytesAvailable)
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(pairs.server.0.read(&buffer, maxLength: 2) == 2)
        #expect(pairs.server.0.hasBytesAvailable, "one byte of the record is left")
        #expect(pairs.server.0.read(&buffer, maxLength: 8) == 1)
        #expect(!pairs.server.0.hasBytesAvailable)
    }

    @Test func `a read with a limit gives up, and the stream stays open`() throws {
        let pairs = try pairs()
        open(pairs)
        pairs.server.0.waitLimit = .milliseconds(1)
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(pairs.server.0.read(&buffer, maxLength: 8) == -1)
        #expect(pairs.server.0.streamStatus == .open)
        #expect((pairs.server.0.streamError as? POSIXError)?.code == .EAGAIN)
        #expect(pairs.client.1.write([9], maxLength: 1) == 1)
        #expect(pairs.server.0.read(&buffer, maxLength: 8) == 1)
        #expect(pairs.server.0.streamError == nil)
    }

    @Test func `closing the output is an end for the peer, and the other way stays open`() throws {
        let pairs = try pairs()
        open(pairs)
        pairs.client.1.close()
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(pairs.server.0.read(&buffer, maxLength: 8) == 0)
        #expect(pairs.server.0.streamStatus == .atEnd)
        #expect(pairs.server.0.streamError == nil)
        #expect(pairs.server.1.write([5], maxLength: 1) == 1)
        #expect(pairs.client.0.read(&buffer, maxLength: 8) == 1)
        #expect(pairs.client.1.write([5], maxLength: 1) == -1, "it is closed")
    }

    @Test func `a connection that ends without close_notify is an error, never an end`() throws {
        let pairs = try pairs()
        open(pairs)
        // The descriptor goes with the session, and nobody said goodbye.
        pairs.client.0.link.session.close()
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(pairs.server.0.read(&buffer, maxLength: 8) == -1)
        #expect(pairs.server.0.streamError as? TLSError == .truncated)
        #expect(pairs.server.0.streamStatus == .error)
        #expect(pairs.server.1.streamError as? TLSError == .truncated)
    }

    @Test func `a refused client learns it with its first read`() throws {
        let pairs = try pairs(client: pki.options("expired"))
        open(pairs)
        guard case .peerCertificate(let problem) = pairs.server.0.streamError as? TLSError else {
            Issue.record("\(String(describing: pairs.server.0.streamError))")
            return
        }
        #expect(problem.subject == "pol-18-rlc:old")
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(pairs.client.0.read(&buffer, maxLength: 8) == -1)
        #expect(pairs.client.0.streamError as? TLSError == .refusedByPeer(alert: 45))
    }

    @Test func `a peer that says nothing costs the handshake deadline and no more`() throws {
        let sockets = SocketPair()
        var options = pki.options("server")
        options.handshakeDeadline = .milliseconds(20)
        let (input, _) = try Stream.getStreams(
            adopting: sockets.second, as: .server, tls: TLSContext(server: options), peerAddress: "client")
        #expect(throws: TLSError.handshakeTimedOut(after: .milliseconds(20))) { try input.waitUntilOpen() }
        #expect(input.streamStatus == .error)
        close(sockets.first)
    }

    @Test func `a RunLoop is refused in words`() throws {
        let pairs = try pairs()
        pairs.client.0.schedule(in: .current, forMode: .default)
        #expect(pairs.client.0.streamError as? TLSError == .unsupported(what: "scheduling on a RunLoop"))
        var pointer: UnsafeMutablePointer<UInt8>?
        var length = 0
        #expect(!pairs.client.0.getBuffer(&pointer, length: &length))
    }

    @Test func `the descriptor is closed when both streams are`() throws {
        let pairs = try pairs()
        open(pairs)
        let session = pairs.client.0.link.session
        pairs.client.0.close()
        #expect(session.descriptor >= 0)
        pairs.client.1.close()
        #expect(session.descriptor == -1)
        #expect(pairs.client.1.streamStatus == .closed)
    }
}
