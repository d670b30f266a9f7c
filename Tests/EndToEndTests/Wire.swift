import CaseNotifications
import Demo
import Glibc
import STOMP
import Testing

/// Frames of a server, as they come; heart-beats are skipped.
struct FrameReader {
    private var chunks: AsyncStream<[UInt8]>.Iterator
    private var decoder = FrameDecoder(role: .client)

    init(_ stream: AsyncStream<[UInt8]>) { chunks = stream.makeAsyncIterator() }

    /// The next frame.
    ///
    /// - Throws: `LinkEnded` when the link ends before it.
    mutating func next() async throws -> Frame {
        guard let frame = try await nextOrEnd() else { throw LinkEnded() }
        return frame
    }

    /// The next frame of this kind; others in between are dropped.
    mutating func next(_ command: Command) async throws -> Frame {
        while true {
            let frame = try await next()
            if frame.command == command { return frame }
            if frame.command == .error { throw UnexpectedError(frame: frame) }
        }
    }

    /// Whether the link ends now without another frame.
    mutating func end() async throws -> Bool {
        try await nextOrEnd() == nil
    }

    private mutating func nextOrEnd() async throws -> Frame? {
        while true {
            while let decoded = try decoder.next() {
                if case .frame(let frame) = decoded { return frame }
            }
            guard let chunk = await chunks.next(isolation: #isolation) else { return nil }
            decoder.append(chunk)
        }
    }
}

/// The server ended the link, or the test's time was up.
struct LinkEnded: Error {}

/// An ERROR where none was expected.
struct UnexpectedError: Error {
    let frame: Frame
}

/// A client that says exactly what a test wants it to say: `openssl s_client` with one of the relay's certificates.
final class Wire {
    private let client: Child
    private var frames: FrameReader
    /// Heard while something else was waited for.
    private var early: [Frame] = []

    /// Opens the link; nothing is said yet.
    init(_ relay: TestRelay, as party: String, _ name: String) throws {
        let files = relay.directory.files(of: party, name)
        client = try Child(
            Tools.openssl,
            [
                "s_client", "-quiet", "-verify_return_error", "-connect", "localhost:\(relay.port)", "-CAfile",
                relay.directory.authority.certificateFile, "-cert", files.certificate, "-key", files.key,
            ])
        frames = FrameReader(client.output)
    }

    /// Opens the link and connects with STOMP 1.2 to the collaboration `host`; `headers` are added to CONNECT.
    static func connected(
        _ relay: TestRelay, as party: String, _ name: String, host: String = "orebro", _ headers: Headers = [:]
    ) async throws -> Wire {
        let wire = try Wire(relay, as: party, name)
        var all: Headers = ["accept-version": "1.2", "host": host]
        for (name, value) in headers { all.append(name, value) }
        try wire.say(Frame(.connect, all))
        let answer = try await wire.hear()
        try #require(answer.command == .connected, "\(answer)")
        return wire
    }

    /// Writes frames in one piece.
    func say(_ frames: Frame...) throws {
        var bytes: [UInt8] = []
        for frame in frames { FrameEncoder.encode(frame, version: .v1_2, into: &bytes) }
        try client.write(bytes)
    }

    func say(raw text: String) throws { try client.write(Array(text.utf8)) }

    /// The next frame of the relay.
    func hear() async throws -> Frame { try await frames.next() }

    /// The next frame of this kind; others in between are heard later.
    func hear(_ command: Command) async throws -> Frame {
        if let index = early.firstIndex(where: { $0.command == command }) { return early.remove(at: index) }
        while true {
            let frame = try await frames.next()
            if frame.command == command { return frame }
            if frame.command == .error { throw UnexpectedError(frame: frame) }
            early.append(frame)
        }
    }

    /// Whether the relay ends the link without another word.
    func hearsEnd() async throws -> Bool { try await frames.end() }

    /// Breaks the link: no DISCONNECT, no close_notify.
    func cut() async throws {
        client.send(signal: SIGKILL)
        _ = try await client.end()
    }

    /// DISCONNECT and its RECEIPT.
    func leave() async throws {
        try say(Frame(.disconnect, ["receipt": "bye"]))
        while try await hear(.receipt).headers["receipt-id"] != "bye" {}
        _ = try await client.end()
    }
}

extension Wire {
    /// Connects a desk's computer and subscribes to its inbox.
    static func subscribed(_ relay: TestRelay, desk: String, prefetch: Int) async throws -> Wire {
        let wire = try await connected(relay, as: desk, "jourdator")
        try wire.say(
            Frame(
                .subscribe,
                [
                    "id": "1", "destination": "/inbox/\(desk)", "ack": "client-individual",
                    "prefetch-count": "\(prefetch)", "receipt": "inbox",
                ]))
        let receipt = try await wire.hear()
        try #require(receipt.headers["receipt-id"] == "inbox", "\(receipt)")
        return wire
    }

    /// Sends one frame that asks for a receipt, and reads the RECEIPT's headers.
    func answer(to frame: Frame) async throws -> Headers {
        try say(frame)
        let receipt = try await hear(.receipt)
        #expect(receipt.headers["receipt-id"] == frame.headers["receipt"])
        return receipt.headers
    }

    /// ACK, and its RECEIPT: custody is on disk. Messages that come before the RECEIPT are heard later.
    func acknowledge(_ message: Frame) async throws {
        let id = try #require(message.headers["ack"])
        try say(Frame(.ack, ["id": id, "receipt": "ack"]))
        let receipt = try await hear(.receipt)
        #expect(receipt.headers["receipt-id"] == "ack")
    }
}

extension Frame {
    /// SEND to /notifications.
    static func send(_ body: some StringProtocol, receipt: String, transaction: String? = nil) -> Frame {
        var headers: Headers = [
            "destination": "/notifications", "content-type": "application/cloudevents+json", "receipt": receipt,
        ]
        if let transaction { headers.append("transaction", transaction) }
        return Frame(.send, headers, body: Array(body.utf8))
    }

    /// SEND of a concern about a child, as the police's command centre.
    static func concern(
        _ id: String, municipality: String, note: String = SampleEvent.note, receipt: String, transaction: String? = nil
    ) -> Frame {
        send(
            SampleEvent.concern(id, municipality: municipality, note: note), receipt: receipt, transaction: transaction)
    }

    /// The CloudEvent's own id in a MESSAGE.
    var eventID: String? { (try? JSONValue(parsing: body))?["id"]?.string }

    /// Headers and body as one text.
    var spoken: String { "\(headers)\n" + String(decoding: body, as: UTF8.self) }
}
