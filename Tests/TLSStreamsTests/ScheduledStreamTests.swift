import EventLoop
import Foundation
import Glibc
import Synchronization
import TLSStreams
import TestSupport
import Testing

/// Keeps what a delegate was told, and calls back.
private final class Recorder: StreamDelegate {
    let name: String
    let onEvent: (Stream, Stream.Event) -> Void
    init(_ name: String, _ onEvent: @escaping (Stream, Stream.Event) -> Void) {
        self.name = name
        self.onEvent = onEvent
    }
    func stream(_ aStream: Stream, handle eventCode: Stream.Event) { onEvent(aStream, eventCode) }
}

/// One end of a connection on a loop: echoes, or collects, as the test says. Only used on the loop.
private final class End {
    let input: TLSInputStream
    let output: TLSOutputStream
    var events: [String] = []
    private var recorder: Recorder?

    init(
        _ pair: (TLSInputStream, TLSOutputStream), on loop: EpollLoop, _ onEvent: @escaping (End, Stream.Event) -> Void
    ) {
        input = pair.0
        output = pair.1
        recorder = Recorder("") { [unowned self] stream, event in
            events.append((stream === input ? "input " : "output ") + Self.name(event))
            onEvent(self, event)
        }
        for stream in [input, output] as [Stream] { stream.delegate = recorder }
        input.schedule(on: loop)
        output.schedule(on: loop)
        input.open()
        output.open()
    }

    func close() {
        output.close()
        input.close()
    }

    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 20_000)
        let count = input.read(&buffer, maxLength: buffer.count)
        return count >= 0 ? Array(buffer.prefix(count)) : nil
    }

    private static func name(_ event: Stream.Event) -> String {
        switch event {
        case .openCompleted: "opened"
        case .hasBytesAvailable: "bytes"
        case .hasSpaceAvailable: "space"
        case .errorOccurred: "error"
        case .endEncountered: "end"
        default: "?"
        }
    }
}

/// Keeps ends alive for the length of a test. Only used on the loop.
private final class Keeper: @unchecked Sendable {
    // SAFETY: only bodies that run on the test's loop touch it.
    var ends: [End] = []
    var listener: TLSListener?
}

struct ScheduledStreamTests {
    private let pki = TestCertificates.shared

    /// Both ends on the same loop, over a listener on a free port of the loopback.
    private func connect(
        _ loop: EpollLoop, keeper: Keeper, client: TLSOptions? = nil, server: TLSOptions? = nil,
        limits: ListenerLimits = .standard,
        onServer: @escaping @Sendable (AnyEnd, Stream.Event) -> Void,
        onClient: @escaping @Sendable (AnyEnd, Stream.Event) -> Void
    ) throws {
        let context = try TLSContext(server: server ?? pki.options("server"))
        let clientContext = try TLSContext(client: client ?? pki.options("client"))
        let listener = try TLSListener(host: "127.0.0.1", port: 0, limits: limits) { context }
        let host = try ResolvedHost(name: "127.0.0.1", port: listener.port)
        let done = Outcome<String?>()
        loop.execute {
            do {
                keeper.listener = listener
                try listener.start(on: loop) { input, output, address in
                    #expect(address == "127.0.0.1")
                    keeper.ends.append(End((input, output), on: loop) { onServer(AnyEnd(end: $0), $1) })
                }
                let pair = try Stream.getStreams(to: host, tls: clientContext)
                keeper.ends.append(End(pair, on: loop) { onClient(AnyEnd(end: $0), $1) })
                done.set(nil)
            } catch {
                done.set("\(error)")
            }
        }
        #expect(try done.wait() == nil)
    }

    /// Lets the callbacks of `connect` be Sendable; used on the loop only.
    struct AnyEnd: @unchecked Sendable {
        // SAFETY: made and used inside callbacks on the test's loop.
        fileprivate let end: End
    }

    @Test func `delegates on a loop hear of opening, bytes, space and the end, in that order`() throws {
        let thread = try LoopThread()
        let keeper = Keeper()
        let (atServer, atClient) = (Outcome<[UInt8]>(), Outcome<[String]>())
        let received = Mutex<[UInt8]>([])
        try connect(
            thread.loop, keeper: keeper,
            onServer: { end, event in
                if event == .hasBytesAvailable, let bytes = end.end.read() {
                    received.withLock { $0 += bytes }
                    #expect(end.end.output.write(bytes, maxLength: bytes.count) == bytes.count)
                }
                if event == .endEncountered {
                    atServer.set(received.withLock { $0 })
                    end.end.close()
                }
            },
            onClient: { end, event in
                if event == .openCompleted, end.end.events.count == 2 {
                    #expect(end.end.output.write([1, 2, 3], maxLength: 3) == 3)
                }
                if event == .hasBytesAvailable {
                    #expect(end.end.read() == [1, 2, 3])
                    #expect(end.end.read() == nil)
                    #expect(errno == EAGAIN)
                    #expect(end.end.input.streamStatus == .open)
                    end.end.output.close()
                }
                if event == .endEncountered {
                    atClient.set(end.end.events.filter { $0 != "output space" })
                    end.end.close()
                }
            })
        #expect(try atServer.wait() == [1, 2, 3])
        #expect(try atClient.wait() == ["input opened", "output opened", "input bytes", "input end"])
        thread.stop()
    }

    /// The reader takes a little per event and the writer as much as it is told there is space for.
    @Test func `a mebibyte arrives through would-block on both sides`() throws {
        let thread = try LoopThread()
        let keeper = Keeper()
        let total = 1 << 20
        let sent = Mutex(0)
        let received = Mutex<(count: Int, isRight: Bool)>((0, true))
        let blocked = Mutex(0)
        let done = Outcome<Bool>()
        try connect(
            thread.loop, keeper: keeper,
            onServer: { end, event in
                guard event == .hasBytesAvailable, let bytes = end.end.read() else { return }
                let isDone = received.withLock { state in
                    for byte in bytes {
                        state.isRight = state.isRight && byte == UInt8(truncatingIfNeeded: state.count % 251)
                        state.count += 1
                    }
                    return state.count == total
                }
                if isDone { done.set(true) }
            },
            onClient: { end, event in
                guard event == .hasSpaceAvailable else { return }
                while case let place = sent.withLock({ $0 }), place < total {
                    let bytes = (place..<min(total, place + 60_000)).map { UInt8(truncatingIfNeeded: $0 % 251) }
                    let count = end.end.output.write(bytes, maxLength: bytes.count)
                    guard count > 0 else {
                        #expect(errno == EAGAIN && end.end.output.streamStatus == .open)
                        return blocked.withLock { $0 += 1 }
                    }
                    sent.withLock { $0 += count }
                }
            })
        #expect(try done.wait())
        #expect(received.withLock { $0.isRight && $0.count == total })
        thread.stop()
    }

    @Test func `a refused client is explained at the server and gets the alert`() throws {
        let thread = try LoopThread()
        let keeper = Keeper()
        let (atServer, atClient) = (Outcome<TLSError?>(), Outcome<TLSError?>())
        try connect(
            thread.loop, keeper: keeper, client: pki.options("server-only"),
            onServer: { end, event in
                guard event == .errorOccurred else { return }
                atServer.set(end.end.input.streamError as? TLSError)
                end.end.close()
            },
            onClient: { end, event in
                if event == .openCompleted {
                    // Sent before the server has judged us: it must not turn the alert into a reset.
                    _ = end.end.output.write([UInt8](repeating: 1, count: 900), maxLength: 900)
                }
                guard event == .errorOccurred else { return }
                atClient.set(end.end.input.streamError as? TLSError)
                end.end.close()
            })
        guard case .peerCertificate(let problem) = try atServer.wait() else {
            Issue.record("no certificate problem")
            return
        }
        #expect(problem.reason == .wrongPurpose && problem.depth == 0)
        #expect(try atClient.wait() == .refusedByPeer(alert: 43))
        thread.stop()
    }

    @Test func `a silent client is cut off by the handshake deadline on the loop`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let keeper = Keeper()
        var options = pki.options("server")
        options.handshakeDeadline = .milliseconds(5)
        let context = try TLSContext(server: options)
        let sockets = SocketPair()
        let failure = Outcome<TLSError?>()
        try thread.run {
            let pair = try Stream.getStreams(
                adopting: sockets.second, as: .server, tls: context, peerAddress: "client")
            keeper.ends.append(
                End(pair, on: loop) { end, event in
                    guard event == .errorOccurred else { return }
                    failure.set(end.input.streamError as? TLSError)
                    end.close()
                })
        }
        #expect(try failure.wait() == .handshakeTimedOut(after: .milliseconds(5)))
        thread.stop()
        close(sockets.first)
    }

    @Test func `a peer that takes no byte is cut off by the write deadline`() throws {
        let thread = try LoopThread()
        let keeper = Keeper()
        var server = pki.options("server")
        server.writeDeadline = .milliseconds(20)
        let failure = Outcome<TLSError?>()
        try connect(
            thread.loop, keeper: keeper, server: server,
            onServer: { end, event in
                if event == .hasSpaceAvailable {
                    let bytes = [UInt8](repeating: 1, count: 65_536)
                    while end.end.output.write(bytes, maxLength: bytes.count) > 0 {}
                }
                if event == .errorOccurred { failure.set(end.end.output.streamError as? TLSError) }
            },
            onClient: { _, _ in })
        #expect(try failure.wait() == .writeStalled(after: .milliseconds(20)))
        thread.stop()
    }

    @Test func `who does not read gets no second event, and one when he has read`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let keeper = Keeper()
        let (first, second) = (Outcome<Bool>(), Outcome<[String]>())
        try connect(
            loop, keeper: keeper,
            onServer: { end, event in
                guard event == .hasBytesAvailable else { return }
                if end.end.events.filter({ $0 == "input bytes" }).count == 1 {
                    first.set(true)
                } else {
                    second.set(end.end.events.filter { $0 == "input bytes" })
                }
            },
            onClient: { end, event in
                guard event == .openCompleted, end.end.events.count == 2 else { return }
                #expect(end.end.output.write([1, 2], maxLength: 2) == 2)
            })
        #expect(try first.wait())
        try thread.run {
            guard let server = keeper.ends.last else { return }
            #expect(server.events.filter { $0 == "input bytes" }.count == 1)
            var byte: UInt8 = 0
            #expect(server.input.read(&byte, maxLength: 1) == 1)
        }
        #expect(try second.wait().count == 2)
        thread.stop()
    }

    /// Another program as the client: a name that our own contexts would not even load.
    @Test func `a stranger's name that is not a plain URI is refused`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let keeper = Keeper()
        let context = try TLSContext(server: pki.options("server"))
        let listener = try TLSListener(host: "127.0.0.1", port: 0) { context }
        let failure = Outcome<TLSError?>()
        try thread.run {
            keeper.listener = listener
            try listener.start(on: loop) { input, output, _ in
                keeper.ends.append(
                    End((input, output), on: loop) { end, event in
                        guard event == .errorOccurred else { return }
                        failure.set(end.input.streamError as? TLSError)
                        end.close()
                    })
            }
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments =
            ["s_client", "-connect", "127.0.0.1:\(listener.port)", "-cert", pki.path("odd-name.crt")]
            + ["-key", pki.path("odd-name.key"), "-CAfile", pki.path("ca.crt")]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        guard case .peerCertificate(let problem) = try failure.wait() else {
            Issue.record("no certificate problem")
            return
        }
        #expect(problem.reason == .malformedName("a URI name with bytes that are not printable ASCII"))
        process.waitUntilExit()
        thread.stop()
    }

    @Test func `an address that fails too often is cut off, told once, and a problem is worded`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let keeper = Keeper()
        var limits = ListenerLimits()
        limits.failuresPerAddress = 1
        let context = try TLSContext(server: pki.options("server"))
        let listener = try TLSListener(host: "127.0.0.1", port: 0, limits: limits) { context }
        let problem = Outcome<ListenerProblem>()
        try thread.run {
            keeper.listener = listener
            listener.onProblem = { problem.set($0) }
            try listener.start(on: loop) { input, output, _ in
                keeper.ends.append(
                    End((input, output), on: loop) { end, event in if event == .errorOccurred { end.close() } })
            }
        }
        let plain = try connectPlainly(to: listener.port)
        #expect(write(plain, "CONNECT", 7) == 7)
        #expect(try problem.wait() == .addressCutOff(address: "127.0.0.1", failures: 1))
        // Closed at accept: a well-behaved client sees the end before any TLS.
        let second = try connectPlainly(to: listener.port)
        var byte: UInt8 = 0
        #expect(read(second, &byte, 1) <= 0)
        close(plain)
        close(second)
        thread.stop()
    }

    private func connectPlainly(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        return descriptor
    }
}
