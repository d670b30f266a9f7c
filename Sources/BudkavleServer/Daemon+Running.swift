import CaseNotifications
import EventLoop
import Foundation
import Journal
import Relay
import Routing
import STOMP
import Settings
import Synchronization
import TLSStreams

extension Daemon {
    /// How often live sessions are looked at again for certificates that have run out.
    static let reviewInterval = Duration.seconds(30)
    /// How long a drain waits for what is under way before it ends all the same.
    static let drainLimit = Duration.seconds(10)

    /// On the loop: cores, listeners, signals. What fails ends the start.
    func begin(_ started: Started) -> StartError? {
        let settings = started.settings
        do throws(EventLoopError) {
            try watchSignals()
        } catch { return .listening("signals cannot be watched: \(error)") }
        beginCores(started)
        do {
            try listen(settings)
        } catch { return .listening("\(error)") }
        scheduleReview()
        scheduleWatchdog()
        return writePortFile(settings)
    }

    /// On the loop: a core for every collaboration, with its journal's writer running.
    func beginCores(_ started: Started) {
        for opened in started.opened {
            let clock = Self.clock(of: opened.policy, recovered: opened.recovered)
            let core = RelayCore(
                loop: loop, policy: opened.policy, recovered: opened.recovered, journal: opened.journal, clock: clock,
                log: log, folding: SecondFold.Options(history: started.settings.store.history))
            // SAFETY: this runs on the loop's thread, which is the core's executor.
            core.assumeIsolated {
                $0.administration = self
                $0.start()
                let registry = approvers.withLock { $0 }
                if let again = registry?.takePinnedAgain(opened.policy.collaboration) { $0.record(again) }
            }
            withState { state in
                state.cores[opened.policy.collaboration] = core
                state.policies[opened.policy.collaboration] = opened.policy
                state.directories[opened.policy.collaboration] = opened.directory
                state.journals.append(opened.journal)
                state.data = started.data
            }
            log.write(
                .ready(
                    parties: opened.policy.parties.count, sequence: opened.recovered.relay.sequence,
                    policy: opened.policy.digest.hex))
        }
    }

    private static func clock(of policy: Policy, recovered: Recovered) -> RelayClock {
        guard let simulated = policy.clock else { return .wall }
        let reached = max(recovered.relay.simulatedNow ?? simulated.start, recovered.lastEventAt)
        return RelayClock(startingAt: reached, speed: simulated.speed)
    }

    // MARK: Listening

    private func listen(_ settings: DaemonSettings) throws {
        let scratch = ReadBuffer()
        let listener = try TLSListener(host: settings.listen.host, port: settings.listen.port) { [self] in
            context.withLock { $0 }.unsafelyPresent
        }
        listener.onProblem = { [log] problem in
            log.write(.handshakeRefused(address: "listener", reason: "\(problem)"))
        }
        try listener.start(on: loop) { [self] input, output, address in
            accept(TLSChannel(input: input, output: output, address: address, loop: loop), scratch)
        }
        log.write(.listening(address: settings.listen.host, port: listener.port))
        var adminSocket: AdminSocket?
        if let path = settings.adminSocket {
            adminSocket = try AdminSocket(path: path, group: settings.adminGroup)
            try adminSocket?.start(on: loop) { [self] channel in accept(channel, scratch) }
            log.write(.adminListening)
        }
        withState { [adminSocket] state in
            state.listener = listener
            state.adminSocket = adminSocket
        }
    }

    private func accept(_ channel: any ByteChannel, _ scratch: ReadBuffer) {
        let number = withState { state -> UInt64 in
            defer { state.nextConnection += 1 }
            return state.nextConnection
        }
        var random = SystemRandomNumberGenerator()
        let sessionID = (0..<2).map { _ in
            let half = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - half.count) + half
        }.joined()
        let connection = Connection(
            id: ConnectionID(rawValue: number), sessionID: sessionID, channel: channel, loop: loop, admission: self,
            limits: .standard, log: log, scratch: scratch)
        withState { $0.connections[connection.id] = connection }
        // SAFETY: this runs on the loop's thread, which is the connection's executor.
        connection.assumeIsolated { $0.open() }
    }

    private func writePortFile(_ settings: DaemonSettings) -> StartError? {
        guard let path = settings.listen.portFile, let port = withState({ $0.listener?.port }) else { return nil }
        do {
            try Data("\(port)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            return nil
        } catch {
            return .listening("the port file \(path) cannot be written: \(error.localizedDescription)")
        }
    }

    // MARK: Signals

    private func watchSignals() throws(EventLoopError) {
        try SignalWatch.start(on: loop) { [self] signal in
            switch signal {
            case .terminate: stop()
            case .reload: reloadBySignal()
            }
        }
    }

    /// SIGTERM: no new connection, no new notification; what was decided is written and answered, then the process ends.
    /// A second one ends it at once.
    private func stop() {
        let isSecond = withState { state -> Bool in
            defer { state.isDraining = true }
            return state.listener == nil && state.isDraining
        }
        if isSecond { return finish(.ok) }
        notifier.send("STOPPING=1")
        drain(true)
        withState { state in
            state.listener?.stop()
            state.listener = nil
            state.adminSocket?.stop()
            state.adminSocket = nil
        }
        let refusal = SessionRefusal(
            code: "draining", message: "the relay is stopping, connect again",
            details: "Frames without a RECEIPT were not accepted. Send them again with the same id.")
        for connection in connections {
            // SAFETY: this runs on the loop's thread, which is the connection's executor.
            connection.assumeIsolated { $0.end(refusal) }
        }
        for core in cores {
            // SAFETY: as above.
            core.assumeIsolated { $0.flush() }
        }
        _ = loop.schedule(after: Self.drainLimit) { [self] in
            stopJournals()
            finish(.ok)
        }
        finishWhenIdle()
    }

    /// Ends every writer: what waits is committed, and the watermark says how far the journal goes. Blocks until then.
    func stopJournals() {
        for core in cores {
            core.secondFold.stop()
            core.history.stop()
            core.sweeper.stop()
        }
        for journal in withState({ $0.journals }) { journal.stop() }
    }

    private func finishWhenIdle() {
        // SAFETY: this runs on the loop's thread, which is the cores' executor.
        let isIdle = cores.allSatisfy { $0.assumeIsolated { $0.isIdle } } && connections.isEmpty
        guard !isIdle else {
            stopJournals()
            return finish(.ok)
        }
        _ = loop.schedule(after: .milliseconds(20)) { [self] in finishWhenIdle() }
    }

    var cores: [RelayCore] { withState { state in state.cores.keys.sorted().compactMap { state.cores[$0] } } }

    private var connections: [Connection] {
        withState { state in state.connections.keys.sorted().compactMap { state.connections[$0] } }
    }

    // MARK: Time

    private func scheduleWatchdog() {
        guard let interval = ServiceNotifier.watchdogInterval else { return }
        notifier.send("WATCHDOG=1")
        _ = loop.schedule(after: .milliseconds(interval)) { [self] in scheduleWatchdog() }
    }

    private func scheduleReview() {
        _ = loop.schedule(after: Self.reviewInterval) { [self] in
            reviewSessions()
            scheduleReview()
        }
    }

    /// Judges every live session again: its certificate may have run out, and its party may have lost the right.
    ///
    /// - Returns: how many were cut.
    @discardableResult func reviewSessions() -> Int {
        let context = context.withLock { $0 }
        return cores.reduce(0) { cut, core in
            // SAFETY: this runs on the loop's thread, which is the core's executor.
            cut + core.assumeIsolated { $0.reviewSessions { context?.trusts($0) != false } }
        }
    }
}

// MARK: - Admission

extension Daemon: Admission {
    func admit(
        _ identity: ChannelIdentity, host: String?, address: String
    ) -> Result<(RelayCore, Peer), SessionRefusal> {
        guard let core = core(for: host) else {
            return .failure(
                SessionRefusal(
                    code: "unauthorized", message: "host names no collaboration of this relay",
                    details: "Give the header host with the id of the collaboration."))
        }
        // SAFETY: this runs on the loop's thread, which is the core's executor.
        let judged = core.assumeIsolated { $0.judge(identity, adminGroup: adminGroupID) }
        switch judged {
        case .success(let peer): return .success((core, peer))
        case .failure(let refusal):
            if case .certificate(let certificate, _) = identity {
                log.write(
                    .identityRefused(
                        address: address, reason: refusal.reason, fingerprint: certificate.sha256Fingerprint))
            }
            return .failure(refusal.wire)
        }
    }

    /// A missing or unknown host is fine with one collaboration.
    private func core(for host: String?) -> RelayCore? {
        withState { state in
            if let host, let id = CollaborationID(host), let core = state.cores[id] { return core }
            return state.cores.count == 1 ? state.cores.first?.value : nil
        }
    }

    private var adminGroupID: UInt32? {
        withState { $0.adminSocket?.groupID }
    }

    func ended(_ connection: ConnectionID) {
        _ = withState { $0.connections.removeValue(forKey: connection) }
    }
}

// MARK: - Administration

extension Daemon: Administering {
    var isDraining: Bool { withState { $0.isDraining } }

    func drain(_ isDraining: Bool) {
        withState { $0.isDraining = isDraining }
        if isDraining { log.write(.draining) }
        for core in cores {
            // SAFETY: this runs on the loop's thread, which is the core's executor.
            core.assumeIsolated { $0.isDraining = isDraining }
        }
    }
}

extension StartError {
    /// The first line of its description, for the log.
    var firstLine: String { description.split(separator: "\n").first.map(String.init) ?? "" }
}

extension Optional where Wrapped == TLSContext {
    /// The context that `start` made before anything listened.
    fileprivate var unsafelyPresent: TLSContext {
        guard let context = self else { preconditionFailure("nothing listens before the context is made") }
        return context
    }
}
