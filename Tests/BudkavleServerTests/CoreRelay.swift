import CaseNotifications
import EventLoop
import Foundation
import Glibc
import Journal
import Relay
import Routing
import STOMP
import Synchronization
import TestSupport
import Testing

@testable import BudkavleServer

/// A relay's core on a loop of its own, over a journal on disk, with the policy of `config/orebro`. Its clients connect over
/// socket pairs: the daemon without TLS.
final class CoreRelay: Sendable {
    static let collaboration = CollaborationID(unchecked: "orebro")

    let thread: LoopThread
    let core: RelayCore
    let data: DataDirectory
    let policy: Policy
    private let journal: JournalWriter
    private let parts: (history: HistoryReader, secondFold: SecondFold)
    private let log: DaemonLog
    private let connections = Mutex<[Connection]>([])

    /// - Parameter finishedLimit: how many finished notifications stay in memory; only for a journal that begins here.
    /// - Parameter isFolding: whether the second fold runs; without it there is no snapshot.
    /// - Parameter aheadSeconds: how far the clock is ahead of the newest event.
    /// - Parameter segmentBytes: small, so that segments close; the record of a policy takes a larger one.
    init(
        _ scratch: StoreScratch, finishedLimit: Int? = nil, isFolding: Bool = true, segmentBytes: Int = 256 << 10,
        aheadSeconds: Int64 = 0, log: DaemonLog
    ) throws {
        let found = try Self.policy.get()
        let data = try scratch.data()
        var options = JournalOptions()
        options.segmentBytes = segmentBytes
        options.aheadBytes = 64 << 10
        options.progressReserveBytes = 32 << 10
        var (recovered, journal): (Recovered, JournalWriter)
        do {
            (recovered, journal) = try Recovered.open(
                Self.collaboration, in: data, keys: try scratch.ring(), options: options, log: log)
        } catch {
            data.unlock()
            throw error
        }
        if let finishedLimit {
            precondition(recovered.relay.sequence == 0, "the limit is part of the fold")
            recovered.relay = Relay(collaboration: Self.collaboration, finishedLimit: finishedLimit)
        }
        let thread = try LoopThread(name: "core")
        let reached = max(found.clock?.start ?? .distantPast, recovered.lastEventAt)
        let clock = RelayClock(
            startingAt: reached.advanced(bySeconds: aheadSeconds), speed: found.clock?.speed ?? 1)
        let core = RelayCore(
            loop: thread.loop, policy: found, recovered: recovered, journal: journal, clock: clock, log: log)
        (self.thread, self.core, self.data, self.policy, self.log) = (thread, core, data, found, log)
        self.journal = journal
        parts = try thread.run {
            core.assumeIsolated { core in
                if !isFolding { core.secondFold.state.withLock { $0.differs = true } }
                core.start()
                return (core.history, core.secondFold)
            }
        }
    }

    /// Writes what waits, as a daemon that is stopped, and gives the lock back.
    func stop() throws {
        try maintained()
        parts.secondFold.stop()
        parts.history.stop()
        journal.stop()
        thread.stop()
        data.unlock()
    }

    /// Does `work` on the loop and returns what it returns.
    @discardableResult
    func onLoop<Value: Sendable>(_ work: @escaping @Sendable (isolated RelayCore) throws -> Value) throws -> Value {
        let core = core
        return try thread.run { try core.assumeIsolated { try work($0) } }
    }

    /// Waits until everything that was decided so far is on disk.
    func durable() throws {
        let done = Outcome<Bool>()
        try onLoop { core in
            core.flush()
            core.whenDurable { _ in done.set(true) }
        }
        _ = try done.wait()
    }

    /// Waits until the second fold has been through this segment, for 30 s at most.
    func folded(through segment: UInt64) throws {
        let end = ContinuousClock.now + .seconds(30)
        let isFolded: Bool = parts.secondFold.state.wait {
            if $0.folded ?? 0 >= segment { return .done(true) }
            return ContinuousClock.now < end ? .atMost(.milliseconds(5)) : .done(false)
        }
        try #require(isFolded, "segment \(segment) was not folded")
    }

    /// Waits until the journal has done all maintenance that was asked for so far.
    func maintained() throws {
        try durable()
        let done = Outcome<Bool>()
        journal.maintain({ (_: inout JournalCore) throws(JournalError) in () }) { _ in done.set(true) }
        _ = try done.wait()
    }

    /// Does `work` while the journal's writer rests: it neither gives room back nor prepares more meanwhile.
    func resting<Value>(_ work: () throws -> Value) throws -> Value {
        let rests = Outcome<Bool>()
        let goesOn = Outcome<Bool>()
        try durable()
        try onLoop { core in
            core.journal.maintain(
                { _ in
                    rests.set(true)
                    _ = try? goesOn.wait()
                }, completion: { _ in })
        }
        _ = try rests.wait()
        defer { goesOn.set(true) }
        return try work()
    }

    /// Does `work` on the loop while the journal's writer rests.
    func withoutWriter<Value: Sendable>(
        _ work: @escaping @Sendable (isolated RelayCore) throws -> Value
    ) throws -> Value {
        try resting { try onLoop(work) }
    }

    /// Takes all space that progress may have, so that nothing can be recorded until it is given back.
    static func exhaust(_ core: isolated RelayCore) -> [SpaceGrant] {
        var all: [SpaceGrant] = []
        var size = 4 << 20
        while size > 0 {
            if let grant = core.journal.reserve(.progress, bytes: size) { all.append(grant) } else { size /= 2 }
        }
        return all
    }

    /// A session of a client (`station`) or a person (`person:staff-71`) of a party.
    ///
    /// - Parameter newer: the policy by which it is admitted, if another is in force by now.
    func connect(_ party: String, _ name: String, under newer: Policy? = nil) throws -> CoreClient {
        let judged = (newer ?? policy).authorize(uris: ["urn:budkavle:\(party):\(name)"], fingerprint: "")
        guard case .granted(let grant) = judged else { throw CoreClient.Fault.notAdmitted }
        let pair = SocketPair()
        let log = log
        let connection = try onLoop { core in
            let peer = Peer(identity: grant, transport: "TLSv1.3", openedAt: core.clock.now)
            let channel = UnixChannel(adopting: pair.first, loop: core.loop)
            let connection = Connection(
                id: ConnectionID(rawValue: UInt64(pair.first)), sessionID: "\(pair.first)", channel: channel,
                loop: core.loop, admission: Door(core: core, peer: peer), limits: .standard, log: log,
                scratch: ReadBuffer())
            connection.assumeIsolated { $0.open() }
            return connection
        }
        connections.withLock { $0.append(connection) }
        return try CoreClient(pair.second)
    }

    /// The events that are on disk.
    func events() throws -> [Event] {
        try durable()
        let last = try onLoop { $0.durableSequence }
        var events: [Event] = []
        try RecordReader(journal.access).scan(from: 1, through: last) { _, bytes in
            if let event = try? EventCodec.decode(bytes) { events.append(event) }
            return true
        }
        return events
    }

    /// Maintenance that is on disk, in order.
    func maintenance() throws -> [Maintenance] {
        try events().compactMap { event in
            if case .maintenance(let done) = event.body { done } else { nil }
        }
    }

    private static let policy = Result {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        guard let policy = try PolicyFiles.check(directory: root.path + "/config/orebro").policy else {
            throw CoreClient.Fault.noPolicy
        }
        return policy
    }

    private struct Door: Admission {
        let core: RelayCore
        let peer: Peer

        func admit(
            _: ChannelIdentity, host _: String?, address _: String
        ) -> Result<(RelayCore, Peer), SessionRefusal> { .success((core, peer)) }

        func ended(_: ConnectionID) {}
    }
}

/// The other end of a session: says and hears frames, waiting for the relay at most ten seconds.
final class CoreClient {
    enum Fault: Error {
        case notAdmitted, noPolicy, silence
        case refused(Frame)
    }

    private let descriptor: Int32
    private var decoder = FrameDecoder(role: .client)
    private var early: [Frame] = []
    private var receipts = 0

    init(_ descriptor: Int32) throws {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        say(Frame(.connect, ["accept-version": "1.2", "host": "orebro", "heart-beat": "0,0"]))
        _ = try hear(.connected)
    }

    deinit { close(descriptor) }

    func say(_ frame: Frame) {
        var bytes: [UInt8] = []
        FrameEncoder.encode(frame, version: .v1_2, into: &bytes)
        _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// The next frame of this kind; others wait until they are asked for.
    func hear(_ command: STOMP.Command) throws -> Frame {
        if let place = early.firstIndex(where: { $0.command == command }) { return early.remove(at: place) }
        while true {
            let frame = try next()
            if frame.command == command { return frame }
            if frame.command == .error { throw Fault.refused(frame) }
            early.append(frame)
        }
    }

    private func next() throws -> Frame {
        while true {
            while let decoded = try decoder.next() {
                if case .frame(let frame) = decoded { return frame }
            }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            guard count > 0 else { throw Fault.silence }
            decoder.append(bytes[..<count])
        }
    }

    /// SEND; the answer is heard later.
    @discardableResult
    func send(_ body: String, to destination: String = "/notifications", replyTo: String? = nil) -> String {
        receipts += 1
        var headers: Headers = [
            "destination": destination, "content-type": "application/json", "receipt": "\(receipts)",
        ]
        if let replyTo { headers.append("reply-to", replyTo) }
        say(Frame(.send, headers, body: Array(body.utf8)))
        return "\(receipts)"
    }

    /// SEND, and the headers of its RECEIPT.
    func ask(_ body: String, of destination: String = "/notifications") throws -> Headers {
        let number = send(body, to: destination)
        let receipt = try hear(.receipt)
        guard receipt.headers["receipt-id"] == number else { throw Fault.refused(receipt) }
        return receipt.headers
    }

    /// A question's answer.
    func query(_ question: String, _ body: String) throws -> JSONValue {
        say(Frame(.subscribe, ["id": "q", "destination": "/replies/q"]))
        send(body, to: "/queries/\(question)", replyTo: "/replies/q")
        let message = try hear(.message)
        _ = try hear(.receipt)
        say(Frame(.unsubscribe, ["id": "q"]))
        return try JSONValue(parsing: message.body)
    }

    /// SUBSCRIBE, answered.
    func subscribe(_ destination: String, prefetch: Int = 100) throws {
        receipts += 1
        say(
            Frame(
                .subscribe,
                [
                    "id": "s", "destination": destination, "ack": "client-individual", "prefetch-count": "\(prefetch)",
                    "receipt": "\(receipts)",
                ]))
        _ = try hear(.receipt)
    }

    /// ACK of a message, on disk.
    func acknowledge(_ message: Frame) throws {
        receipts += 1
        say(Frame(.ack, ["id": message.headers["ack"] ?? "", "receipt": "\(receipts)"]))
        _ = try hear(.receipt)
    }
}

extension CoreClient {
    /// A concern about a child in Örebro: it goes to the on-call desk `jour-1880`.
    static func concern(_ id: String, case subject: Int, supersedes: String? = nil) -> String {
        concern(id, case: subject, naming: supersedes.map { #""supersedes":"\#($0)","# } ?? "")
    }

    /// The board's answer to a concern that it got.
    static func feedback(_ id: String, case subject: Int, on cause: String, to party: String) -> String {
        """
        {"specversion":"1.0","id":"\(id)","source":"urn:budkavle:soc-1880",\
        "type":"se.budkavle.child.concern.feedback.v1","time":"2026-12-11T22:58:00+01:00",\
        "subject":"BK-18-2026-0000000\(subject)","county":"18","protected":false,"causationid":"\(cause)",\
        "audience":"\(party)/reporter","data":{"decision":"opened","at":"2026-12-11T22:50:00+01:00"}}
        """
    }

    private static func concern(_ id: String, case subject: Int, naming old: String) -> String {
        let number = String(repeating: "0", count: 8 - "\(subject)".count) + "\(subject)"
        return """
            {"specversion":"1.0","id":"\(id)","source":"urn:budkavle:pol-18-rlc",\
            "type":"se.budkavle.child.concern.reported.v1","time":"2026-12-11T22:58:00+01:00",\
            "subject":"BK-18-2026-\(number)","county":"18","municipality":"1880","protected":false,\(old)\
            "circumstances":"under-18","data":{"childRef":"barn-1","reporterRole":"vakthavande befäl",\
            "concern":["witnessed-violence"],"acute":false,"note":"\(id)"}}
            """
    }

    /// Sends a concern and returns the relay's id.
    func report(_ id: String, case subject: Int) throws -> String {
        let answer = try ask(Self.concern(id, case: subject))
        guard answer["status"] == "accepted", let notification = answer["notification"] else {
            throw Fault.silence
        }
        return notification
    }

    /// As the station of `jour-1880`: takes custody, and reports that a person opened and took it.
    func finish(_ message: Frame) throws {
        try acknowledge(message)
        let id = message.headers["notification"] ?? ""
        let who = #""notification":"\#(id)","person":"staff-71","role":"socialjour""#
        _ = try ask("{\(who)}", of: "/openings")
        _ = try ask(#"{\#(who),"outcome":"taken"}"#, of: "/acknowledgements")
    }
}
