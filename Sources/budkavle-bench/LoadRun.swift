import EventLoop
import Foundation
import Glibc
import Histogram
import TLSStreams

/// One run: all client connections on one loop. Made and used on that loop's thread only.
///
/// Phases: connect and subscribe, warm up, measure, drain, wait for late copies, leave. Latencies count from the intended
/// send time, also for what a full window made late.
final class LoadRun {
    private enum Phase { case connecting, warming, measuring, draining, late, leaving, done }

    private static let tick = Duration.milliseconds(5)

    private let plan: LoadPlan
    private let loop: EpollLoop
    private let finish: (LoadResult) -> Void
    private var phase = Phase.connecting
    private var phaseEnd: UInt64 = 0
    private var connections: [BenchConnection] = []
    private var producers: [BenchConnection] = []
    private let templates: [FrameTemplate]
    private var clock = WallClock()
    private var ledger: Ledger
    private var result: LoadResult
    private var acceptHistogram = LoadRun.histogram()
    private var endToEndHistogram = LoadRun.histogram()
    /// Monotonic nanoseconds; what was intended and what comes between them counts.
    private var measuredFrom = UInt64.max
    private var measuredTo = UInt64.max
    private var acceptedInTime = 0
    private var deliveredInTime = 0
    private var outstanding = 0
    private var lastProgress: UInt64 = 0
    private var serverCPU: Double?
    private var ownCPU = 0.0
    // The open loop.
    private var pace: PaceClock?
    private var paceStart: UInt64 = 0
    private var dueCount: UInt64 = 0
    private var turn = 0

    /// - Parameter finish: called once, on the loop.
    init(plan: LoadPlan, loop: EpollLoop, finish: @escaping (LoadResult) -> Void) {
        self.plan = plan
        self.loop = loop
        self.finish = finish
        ledger = Ledger(run: .random(in: 1 ... .max), fanOut: plan.fanOut, desks: BenchPolicy.recipients.count)
        result = LoadResult(plan: plan)
        let types = plan.fanOut == .three ? ["fan3"] : BenchPolicy.recipients.indices.map { "one\($0)" }
        templates = types.map { FrameTemplate(body: BodyTemplate.text(type: $0, bytes: plan.bodyBytes)) }
    }

    /// One nanosecond to two minutes, three digits.
    private static func histogram() -> Histogram<UInt64> {
        var histogram = Histogram<UInt64>(highestTrackableValue: 120_000_000_000)
        histogram.autoResize = true
        return histogram
    }

    // MARK: Connecting

    /// Opens all connections, receivers first.
    func start(streams: (BenchConnection.Role) throws -> (TLSInputStream, TLSOutputStream)) {
        phaseEnd = Nanoseconds.now() + LoadLimits.connectNanoseconds
        do {
            for index in 0..<plan.consumers {
                let role = BenchConnection.Role.consumer(desk: index % BenchPolicy.recipients.count)
                connections.append(BenchConnection(role: role, streams: try streams(role), loop: loop, run: self))
            }
            for _ in 0..<plan.producers {
                let streams = try streams(.producer)
                producers.append(BenchConnection(role: .producer, streams: streams, loop: loop, run: self))
            }
        } catch {
            note("\(error)")
        }
        connections += producers
        for connection in connections { connection.open() }
        onTick()
    }

    /// The handshake is done.
    func opened(_ connection: BenchConnection) {
        connection.outgoing.append(
            contentsOf: "CONNECT\naccept-version:1.2\nhost:\(BenchPolicy.collaboration)\nheart-beat:0,0\n".utf8)
        connection.outgoing.append(contentsOf: "rejections:receipt\n\n\0".utf8)
        connection.flush()
    }

    private func connected(_ connection: BenchConnection) {
        guard case .consumer(let desk) = connection.role else {
            connection.state = .ready
            return
        }
        connection.state = .subscribing
        connection.outgoing.append(
            contentsOf: "SUBSCRIBE\nid:s0\ndestination:/inbox/\(BenchPolicy.desk(desk))\nack:client-individual\n".utf8)
        connection.outgoing.append(contentsOf: "prefetch-count:\(plan.prefetch)\nreceipt:subscribed\n\n\0".utf8)
    }

    /// A connection is gone.
    func ended(_ connection: BenchConnection, reason: String) {
        guard connection.state != .closed else { return }
        let isExpected = connection.state == .leaving
        connection.close()
        outstanding -= connection.outstanding
        result.unanswered += connection.outstanding
        connection.outstanding = 0
        if !isExpected { note(reason) }
    }

    private func note(_ problem: String) {
        result.errors += 1
        if result.firstProblem == nil { result.firstProblem = problem }
    }

    // MARK: Frames

    /// Takes one frame of the relay's. `now` is when it was read.
    func handle(
        _ frame: ServerFrame, _ bytes: UnsafeRawBufferPointer, from connection: BenchConnection, at now: UInt64
    ) {
        switch frame.kind {
        case .message: arrive(frame, bytes, at: connection, now)
        case .receipt: answered(frame, bytes, connection, now)
        case .connected: connected(connection)
        case .error:
            result.refused += 1
            ended(
                connection,
                reason: "ERROR \(FrameScanner.text(bytes, frame.code)) \(FrameScanner.text(bytes, frame.message)) "
                    + FrameScanner.text(bytes, frame.body))
        case .other: note("a frame that no server sends")
        }
    }

    private func arrive(
        _ frame: ServerFrame, _ bytes: UnsafeRawBufferPointer, at connection: BenchConnection, _ now: UInt64
    ) {
        guard case .consumer(let desk) = connection.role, let ack = frame.ack else {
            return note("a MESSAGE without an ack header, or at a connection that did not subscribe")
        }
        connection.outgoing.append(contentsOf: Self.ackHead)
        connection.outgoing.append(contentsOf: bytes[ack])
        connection.outgoing.append(contentsOf: Self.ackTail)
        lastProgress = now
        let arrival = ledger.deliver(
            UnsafeRawBufferPointer(rebasing: bytes[frame.body]), at: desk,
            identity: Ledger.identity(bytes, frame.notification), isRedelivered: frame.isRedelivered)
        if case .first(let intended) = arrival {
            if now >= measuredFrom, now < measuredTo { deliveredInTime += 1 }
            if intended >= measuredFrom, intended < measuredTo {
                _ = endToEndHistogram.record(now - min(now, intended))
            }
        }
    }

    private static let ackHead = Array("ACK\nid:".utf8)
    private static let ackTail = Array("\n\n\0".utf8)

    private func answered(
        _ frame: ServerFrame, _ bytes: UnsafeRawBufferPointer, _ connection: BenchConnection, _ now: UInt64
    ) {
        switch connection.state {
        case .subscribing:
            connection.state = .ready
            if frame.status == .refused { note("SUBSCRIBE was refused: \(FrameScanner.text(bytes, frame.message))") }
            return
        case .leaving where frame.receipt.map { Digits.decimal(bytes, in: $0) } == .some(nil):
            return connection.close()
        case .leaving: return
        default: break
        }
        guard let receipt = frame.receipt, let number = Digits.decimal(bytes, in: receipt) else {
            return note("a RECEIPT that nobody asked for")
        }
        lastProgress = now
        switch frame.status {
        case .accepted:
            guard let intended = ledger.accept(number, identity: Ledger.identity(bytes, frame.notification)) else {
                return note("a RECEIPT that nobody asked for, or the second one")
            }
            if now >= measuredFrom, now < measuredTo { acceptedInTime += 1 }
            if intended >= measuredFrom, intended < measuredTo { _ = acceptHistogram.record(now - min(now, intended)) }
        case .refused:
            result.refused += 1
            if result.firstProblem == nil {
                result.firstProblem =
                    "refused: \(FrameScanner.text(bytes, frame.code)) \(FrameScanner.text(bytes, frame.message))"
            }
            if result.refused >= LoadLimits.mostRefusals { stopSending() }
        case .duplicate, .none: note("a RECEIPT that says neither accepted nor refused")
        }
        connection.outstanding -= 1
        outstanding -= 1
        if plan.rate == nil { fill(connection, at: now) } else { sendDue() }
    }

    // MARK: Sending

    private var isSending: Bool { phase == .warming || phase == .measuring }

    private func send(on connection: BenchConnection, intended: UInt64) {
        let number = ledger.send(intended: intended)
        templates[plan.fanOut == .three ? 0 : ledger.desk(of: number)].write(
            number: number, intended: intended, run: ledger.run, clock: &clock, to: &connection.outgoing)
        connection.outstanding += 1
        outstanding += 1
        if UInt64(ledger.sentCount) >= Ledger.mostNotifications { stopSending() }
    }

    /// The closed loop: a notification for every free place in the window. Whoever calls this flushes later.
    private func fill(_ connection: BenchConnection, at now: UInt64) {
        while isSending, connection.state == .ready, connection.outstanding < plan.window {
            send(on: connection, intended: now)
        }
    }

    /// The open loop: everything that is due goes to the next producer whose window has room.
    private func sendDue() {
        guard let rate = plan.rate, let pace, isSending else { return }
        let now = Nanoseconds.now()
        var due = paceStart + UInt64(Double(dueCount) * 1_000_000_000 / rate)
        while isSending, due <= now {
            guard let connection = nextWithRoom() else { return }
            send(on: connection, intended: due)
            connection.flush()
            dueCount += 1
            due = paceStart + UInt64(Double(dueCount) * 1_000_000_000 / rate)
        }
        pace.set(due)
    }

    private func nextWithRoom() -> BenchConnection? {
        for _ in 0..<producers.count {
            turn = (turn + 1) % producers.count
            let connection = producers[turn]
            if connection.state == .ready, connection.outstanding < plan.window { return connection }
        }
        return nil
    }

    private func stopSending() {
        guard isSending else { return }
        endMeasuring(at: Nanoseconds.now())
    }

    // MARK: Phases

    private func onTick() {
        let now = Nanoseconds.now()
        switch phase {
        case .connecting: awaitConnections(now)
        case .warming:
            if now >= phaseEnd { beginMeasuring(at: now) } else { checkProgress(now) }
        case .measuring:
            if now >= phaseEnd { endMeasuring(at: now) } else { checkProgress(now) }
        case .draining:
            let isIdle = now - min(now, lastProgress) > LoadLimits.idleNanoseconds
            let isComplete = outstanding == 0 && ledger.missingCount == 0
            if isComplete || isIdle || areAllClosed || now >= phaseEnd { endDraining(at: now) }
        case .late: if now >= phaseEnd { leave(at: now) }
        case .leaving:
            if areAllClosed || now >= phaseEnd { end() }
        case .done: return
        }
        if phase != .done { _ = loop.schedule(after: Self.tick) { self.onTick() } }
    }

    private func awaitConnections(_ now: UInt64) {
        let hasFailed = result.errors > 0 || result.refused > 0
        if !hasFailed, connections.allSatisfy({ $0.state == .ready }) {
            phase = .warming
            lastProgress = now
            phaseEnd = now + UInt64(plan.warmUp * 1_000_000_000)
            startLoad(at: now)
        } else if hasFailed || now >= phaseEnd {
            if !hasFailed { note("not all connections became ready in time; see the relay's log") }
            for connection in connections { connection.close() }
            end()
        }
    }

    private func startLoad(at now: UInt64) {
        guard plan.rate == nil else {
            do {
                pace = try PaceClock(loop: loop) { [unowned self] in sendDue() }
                paceStart = now
                pace?.set(now)
            } catch {
                note("\(error)")
            }
            return
        }
        for producer in producers {
            fill(producer, at: now)
            producer.flush()
        }
    }

    private var areAllClosed: Bool { connections.allSatisfy { $0.state == .closed } }

    private func checkProgress(_ now: UInt64) {
        if areAllClosed { return stopSending() }
        guard now - min(now, lastProgress) > LoadLimits.idleNanoseconds else { return }
        note("nothing was accepted or delivered for \(LoadLimits.idleNanoseconds / 1_000_000_000) seconds")
        stopSending()
    }

    private func beginMeasuring(at now: UInt64) {
        phase = .measuring
        measuredFrom = now
        phaseEnd = now + UInt64(plan.seconds * 1_000_000_000)
        serverCPU = plan.serverProcess.flatMap(ProcessMeter.cpuSeconds)
        ownCPU = ProcessMeter.ownCPUSeconds()
    }

    private func endMeasuring(at now: UInt64) {
        if phase == .measuring {
            measuredTo = now
            result.seconds = Double(now - measuredFrom) / 1_000_000_000
            result.generatorCPUSeconds = ProcessMeter.ownCPUSeconds() - ownCPU
            if let before = serverCPU, let after = plan.serverProcess.flatMap(ProcessMeter.cpuSeconds) {
                result.serverCPUSeconds = after - before
            }
            result.serverResidentBytes = plan.serverProcess.flatMap(ProcessMeter.residentBytes)
        }
        if let rate = plan.rate {
            let due = Double(now - paceStart) * rate / 1_000_000_000
            result.unsent = max(0, Int(due) - Int(dueCount))
        }
        pace?.stop()
        phase = .draining
        phaseEnd = now + LoadLimits.drainNanoseconds
        lastProgress = now
    }

    private func endDraining(at now: UInt64) {
        result.drainSeconds = Double(now - (phaseEnd - LoadLimits.drainNanoseconds)) / 1_000_000_000
        phase = .late
        phaseEnd = now + LoadLimits.lateNanoseconds
    }

    private func leave(at now: UInt64) {
        phase = .leaving
        phaseEnd = now + LoadLimits.farewellNanoseconds
        result.unanswered += outstanding
        for connection in connections where connection.state != .closed {
            connection.outstanding = 0
            connection.state = .leaving
            connection.outgoing.append(contentsOf: "DISCONNECT\nreceipt:bye\n\n\0".utf8)
            connection.flush()
        }
    }

    private func end() {
        phase = .done
        for connection in connections where connection.state != .closed {
            note("DISCONNECT was not answered")
            connection.close()
        }
        result.sent = ledger.sentCount
        result.accepted = ledger.acceptedCount
        result.lost = ledger.missingCount
        result.doubled = ledger.doubledCount
        result.redelivered = ledger.redeliveredCount
        result.foreign = ledger.foreignCount
        if ledger.strayedCount > 0 { note("\(ledger.strayedCount) messages came to a desk that they were not for") }
        if result.seconds > 0 {
            result.acceptedPerSecond = Double(acceptedInTime) / result.seconds
            result.deliveredPerSecond = Double(deliveredInTime) / result.seconds
        }
        result.accept = Latency(acceptHistogram)
        result.endToEnd = Latency(endToEndHistogram)
        finish(result)
    }
}

extension Latency {
    /// Percentiles of nanoseconds.
    init(_ histogram: Histogram<UInt64>) {
        guard histogram.totalCount > 0 else { return }
        func milliseconds(_ percentile: Double) -> Double {
            Double(histogram.valueAtPercentile(percentile)) / 1_000_000
        }
        p50 = milliseconds(50)
        p90 = milliseconds(90)
        p99 = milliseconds(99)
        max = Double(histogram.max) / 1_000_000
        count = Int(histogram.totalCount)
    }
}
