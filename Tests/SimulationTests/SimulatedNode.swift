import CaseNotifications
import Journal
import Relay
import Routing
import STOMP
import TestSupport

/// The process stops.
struct NodeStopped: Error {
    enum Cause {
        case journal(JournalError)
        /// Not even an event that must go on has room.
        case noSpace
        /// What was accepted is nothing that can be shown.
        case content
    }

    let cause: Cause

    init(_ cause: Cause) { self.cause = cause }

    init(_ error: JournalError) { cause = .journal(error) }
}

/// One life of a daemon without threads and sockets: server sessions, relay, dispatch and journal core, and between them
/// what `BudkavleServer` does. The world calls it; a crash throws it away.
struct SimulatedNode {
    /// What waits until a record is on disk.
    enum Effect {
        case answer(Int, OrderNumber, STOMP.Answer)
        case changes([Change])
    }

    enum Tagged {
        case delivery(DeliveryID)
        case receipt(UInt64)
    }

    enum Stream {
        case inbox
        case receipts
    }

    struct Connection {
        var session: ServerSession
        var actor: Actor
        var streams: [SubscriptionKey: (subscriber: SubscriberID, stream: Stream)] = [:]
        var tags: [MessageTag: (key: SubscriptionKey, tagged: Tagged)] = [:]
        var nextTag: MessageTag = 0
        var isClosed = false
        /// What a slow reader has no room for yet.
        var held: [(sending: Sending, rendered: [UInt8]?)] = []
    }

    let flaw: Flaw
    let traits: SimulatedTraits
    var random: SeededGenerator
    var core: JournalCore
    var relay: Relay
    var dispatch = Dispatch()
    var receiptDesk = ReceiptDesk()
    var connections: [Int: Connection] = [:]
    var queue: [Pending] = []
    var held: [(until: UInt64, effect: Effect)] = []
    var texts: [NotificationID: TextLocation] = [:]
    /// The key slots of what was accepted.
    var slots: [NotificationID: UInt64] = [:]
    /// The last record on disk.
    var durable: UInt64
    /// The time that was certain at the start, and what the monotonic clock showed then.
    let anchor: (time: Timestamp, monotonic: Int64)
    /// A case that is being erased.
    var erasure: CaseErasure?
    /// Records that receipts wait for.
    var wantedRecords: [UInt64] = []
    /// How often what happened that is worth counting.
    var counts: [String: Int] = [:]
    /// Records that this start knows to be lost.
    var lostAtStart: UInt64 = 0
    /// Those among them that the start itself has met, and not the one before a snapshot.
    var lostRecords: [Range<UInt64>] = []
    /// What the state was after some records, for the second fold to compare.
    var samples: [UInt64: StateDigest] = [:]
    private var sampledSegment: UInt64 = 0
    /// Whether segments went, or went as far as their keys.
    var mayHaveLetGo = false
    /// Whether the start went on from a snapshot.
    var isFromSnapshot = false

    static let collaboration = CollaborationID("simulated")!
    static let settings = RelaySettings(attempts: 4)
    private static let directory = "/data/simulated"
    /// How long a message waits that its session did not take.
    static let retrySeconds: Int64 = 5

    /// Starts on what the disk has.
    ///
    /// - Parameter mayHaveLetGo: whether any life before may have let segments go.
    init(
        disk: MemoryDisk, ring: KeyRing, clock: ManualClock, seed: UInt64, flaw: Flaw, traits: SimulatedTraits,
        mayHaveLetGo: Bool
    ) throws {
        self.flaw = flaw
        self.traits = traits
        random = SeededGenerator(seed: seed)
        var relay = traits.relay
        var texts: [NotificationID: TextLocation] = [:]
        var lastEventAt = Timestamp.distantPast
        var fault: ReplayFault?
        var changes: [Change] = []
        var options = JournalOptions()
        options.segmentBytes = 64 << 10
        options.aheadBytes = 32 << 10
        options.progressReserveBytes = 16 << 10
        options.slabsAhead = 1
        options.damage = .setAside
        var slots: [NotificationID: UInt64] = [:]
        var lost: UInt64 = 0
        var lostRecords: [Range<UInt64>] = []
        let isWhole = !mayHaveLetGo && Self.rotSnapshots(on: disk, seed: seed)
        core = try JournalCore.open(
            directory: Self.directory, keys: ring, options: options, disk: disk,
            random: SeededRandom(seed: seed &* 3 &+ 1), clock: clock,
            restore: { reader in
                guard let found = SimulatedFold(from: &reader, traits) else { return false }
                (relay, texts, slots, lastEventAt) = (found.relay, found.texts, found.slots, found.lastEventAt)
                return true
            }
        ) { item in
            switch item {
            case .text(let id, let location): texts[NotificationID(high: id.high, low: id.low)] = location
            case .record(_, let bytes):
                lastEventAt = max(lastEventAt, EventCodec.time(of: bytes) ?? .distantPast)
                if let event = try? EventCodec.decode(bytes), case .accepted(let accepted) = event.body {
                    slots[accepted.notification] = accepted.notificationSlot
                }
                do throws(ReplayFault) {
                    try relay.replay(bytes, into: &changes)
                } catch {
                    // What speaks of something that was lost is passed over; without losses it is our own mistake.
                    guard lost > 0 || relay.lostRecords > 0 else { return fault = fault ?? error }
                    relay.skip(records: 1)
                    lostRecords.append(relay.sequence..<relay.sequence + 1)
                }
                changes.removeAll()
            case .lost(let records, _):
                lost += UInt64(records.count)
                lostRecords.append(records)
                if flaw != .forgetsLosses { relay.skip(records: UInt64(records.count)) }
            }
        }
        let now = Timestamp(milliseconds: clock.wallMilliseconds)
        anchor = (
            lastEventAt == .distantPast ? now : min(now, lastEventAt), Int64(clock.monotonic / .milliseconds(1))
        )
        if let fault { throw fault }
        self.slots = slots
        lostAtStart = max(lost, relay.lostRecords)
        self.lostRecords = lostRecords
        self.relay = relay
        self.texts = texts
        durable = core.report.lastRecord
        isFromSnapshot = core.report.restoredFrom != nil
        if isFromSnapshot, isWhole, lostAtStart == 0 { try compareWithRecords() }
        if flaw == .forgetsRedelivery {
            for var ticket in relay.openTickets {
                ticket.isRedelivered = false
                dispatch.enqueue(ticket)
            }
        } else {
            dispatch.restore(from: relay)
        }
    }

    /// Now and then all records are read, since the snapshots rot. For good: they may know what the records below them no
    /// longer give, and what is written on those would not fit behind them. When the oldest went, there must be one.
    ///
    /// - Returns: whether the oldest record is there.
    private static func rotSnapshots(on disk: MemoryDisk, seed: UInt64) -> Bool {
        var draw = SeededGenerator(seed: seed &* 5 &+ 2)
        let names = (try? disk.list(directory + "/segments")) ?? []
        let isWhole = names.contains("segment-0000000000000001")
        guard isWhole, Int.random(in: 0..<4, using: &draw) == 0 else { return isWhole }
        for (path, bytes) in disk.files.sorted(by: { $0.key < $1.key })
        where path.contains("/snapshots/") && !bytes.isEmpty {
            let byte = Int.random(in: bytes.indices, using: &draw)
            disk.rot(path, byte: byte, bit: UInt8.random(in: 0...7, using: &draw))
        }
        return isWhole
    }

    // MARK: Connections

    mutating func open(_ number: Int, _ actor: Actor, at now: SessionInstant) {
        let id = "s\(number)"
        connections[number] = Connection(
            session: ServerSession(sessionID: id, server: "budkavle/simulated", openedAt: now), actor: actor)
    }

    mutating func receive(_ bytes: [UInt8], on number: Int, at now: SessionInstant, time: Timestamp) throws(NodeStopped)
    {
        guard let effects = connections[number]?.session.receive(bytes, at: now) else { return }
        try handle(effects, on: number, now, time)
    }

    mutating func endOfInput(on number: Int, at now: SessionInstant, time: Timestamp) throws(NodeStopped) {
        guard let effects = connections[number]?.session.endOfInput(at: now) else { return }
        try handle(effects, on: number, now, time)
        close(number)
    }

    mutating func tick(at now: SessionInstant, time: Timestamp) throws(NodeStopped) {
        for number in connections.keys.sorted() {
            guard let effects = connections[number]?.session.tick(at: now) else { continue }
            try handle(effects, on: number, now, time)
        }
    }

    mutating func takeOutput(of number: Int, at now: SessionInstant) -> [UInt8] {
        var bytes: [UInt8] = []
        connections[number]?.session.drainOutput(into: &bytes, at: now)
        return bytes
    }

    mutating func close(_ number: Int) {
        guard let connection = connections[number], !connection.isClosed else { return }
        connections[number]?.isClosed = true
        connections[number]?.held = []
        for key in connection.streams.keys.sorted(by: { $0.rawValue < $1.rawValue }) { leave(key, on: number) }
        _ = connections[number]?.session.takeUnacknowledged()
    }

    mutating func leave(_ key: SubscriptionKey, on number: Int) {
        guard let stream = connections[number]?.streams.removeValue(forKey: key) else { return }
        switch stream.stream {
        case .inbox: dispatch.remove(stream.subscriber)
        case .receipts: receiptDesk.remove(stream.subscriber)
        }
    }

    // MARK: Journal

    mutating func append(_ events: [Event], texts: [SealedText], grant: SpaceGrant) {
        for event in events {
            guard case .accepted(let accepted) = event.body else { continue }
            slots[accepted.notification] = accepted.notificationSlot
        }
        guard !events.isEmpty else { return core.space.release(grant) }
        var changes: [Change] = []
        for event in events { relay.apply(event, into: &changes) }
        guard let request = try? AppendRequest(records: events.map(EventCodec.encode), texts: texts) else {
            preconditionFailure("a request is past a limit of the journal")
        }
        queue.append(Pending(request: request, ticket: relay.sequence, grant: grant))
        held.append((relay.sequence, .changes(changes)))
    }

    mutating func hold(_ effect: Effect, until sequence: UInt64, _ now: SessionInstant) {
        held.append((sequence, effect))
        release(at: now)
    }

    /// Writes and syncs what waits, then lets out what it caused.
    mutating func commit(at now: SessionInstant, time: Timestamp) throws(NodeStopped) {
        while !queue.isEmpty {
            do throws(JournalError) {
                let report = try core.commit(queue[...])
                precondition(report.firstRecord == durable + 1, "record numbers have a gap")
                durable += UInt64(report.recordCount)
                if report.segment != sampledSegment || Int.random(in: 0..<8, using: &random) == 0 {
                    sampledSegment = report.segment
                    samples[relay.sequence] = relay.stateDigest
                }
                for text in report.texts {
                    texts[NotificationID(high: text.id.high, low: text.id.low)] = text.location
                }
                queue.removeFirst(report.requestCount)
            } catch {
                throw NodeStopped(error)
            }
        }
        release(at: now)
        try mark()
        let certain = credible(time, now)
        for command in relay.due(at: certain) { try run(command, certain) }
    }

    /// As the writer's thread does: behind each commit, and once more when a second has gone by.
    mutating func mark() throws(NodeStopped) {
        do throws(JournalError) { try core.mark() } catch { throw NodeStopped(error) }
    }

    mutating func prepare() throws(NodeStopped) {
        do throws(JournalError) {
            while case .progressed = try core.prepare() {}
        } catch {
            throw NodeStopped(error)
        }
    }

    mutating func release(at now: SessionInstant) {
        let reached = flaw == .answersBeforeCommit ? relay.sequence : durable
        var rest: [(until: UInt64, effect: Effect)] = []
        for item in held {
            guard item.until <= reached else {
                rest.append(item)
                continue
            }
            switch item.effect {
            case .answer(let number, let order, let answer): self.answer(number, order, answer, now)
            case .changes(let changes):
                for change in changes {
                    dispatch.handle(change)
                    receiptDesk.handle(change)
                }
            }
        }
        held = rest
    }

    mutating func answer(_ number: Int, _ order: OrderNumber, _ answer: STOMP.Answer, _ now: SessionInstant) {
        guard let effects = connections[number]?.session.answer(order, answer, at: now) else { return }
        for case .close in effects { close(number) }
    }

    static func stomp(_ answer: RelayAnswer) -> STOMP.Answer {
        switch answer {
        case .accepted(let id, let sequence): receipt("accepted", id, sequence)
        case .duplicate(let id, let sequence): receipt("duplicate", id, sequence)
        case .refused(let refusal): .refused(SessionRefusal(refusal))
        case .done, .nothing: .done
        }
    }

    static func receipt(_ status: String, _ id: NotificationID, _ sequence: UInt64) -> STOMP.Answer {
        .receipt(["status": status, "notification": id.text, "position": "\(collaboration.text).\(sequence)"])
    }

    /// The record that an answer rests on.
    static func sequence(_ answer: RelayAnswer, _ relay: Relay) -> UInt64 {
        switch answer {
        case .accepted(_, let sequence), .duplicate(_, let sequence), .done(let sequence): sequence
        case .nothing, .refused: relay.sequence
        }
    }
}
