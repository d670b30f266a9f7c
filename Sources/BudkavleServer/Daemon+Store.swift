import CaseNotifications
import EventLoop
import Foundation
import Glibc
import Journal
import Relay
import Routing
import STOMP
import Synchronization

extension Daemon {
    /// Reads the settings again and from them the master keys, on a thread of its own; `done` comes back on the loop.
    ///
    /// Only the keys of the settings are looked at: everything else needs a restart.
    func readKeysAgain(
        of collaboration: CollaborationID, _ done: @escaping @Sendable (Result<KeyRing, StoreRefusal>) -> Void
    ) {
        Thread.detachNewThread { [self] in
            let found: Result<KeyRing, StoreRefusal>
            do {
                found = .success(try readSettings().keys(of: collaboration.text).load())
            } catch let error as JournalError {
                found = .failure(StoreRefusal(error))
            } catch let error as StartError {
                found = .failure(StoreRefusal(.keyFile, error.firstLine))
            } catch {
                found = .failure(StoreRefusal(.keyFile, "\(error)"))
            }
            loop.execute { done(found) }
        }
    }
}

extension Daemon {
    /// Reads the configuration, takes the lock and starts the cores without listening. Blocks; off the loop.
    ///
    /// The policy on disk goes into force here as it would in the daemon: its activation is recorded and what waits is judged by
    /// it. So the keys and approvals of its approvers are judged and pinned as the daemon does, before any core starts.
    func startStore() throws(StartError) -> [RelayCore] {
        signal(SIGPIPE, SIG_IGN)
        let settings = try readSettings()
        self.settings.withLock { $0 = settings }
        // First of all: whoever holds it is asked instead, whatever the policy on disk is worth just now.
        let (keys, data) = try takeStore(settings)
        let opened = try openJournals(settings, try readPolicies(settings), keys: keys, in: data)
        let registry = try admitApprovers(opened, in: settings.dataDirectory) { keys[$0] }
        approvers.withLock { $0 = registry }
        do { try loop.start() } catch { throw .listening("\(error)") }
        let started = Started(settings: settings, data: data, opened: opened)
        onLoop { [self] begun in
            beginCores(started)
            begun.signal(.ok)
        }
        return cores
    }

    /// Writes what waits, ends the writers and gives the lock back. Blocks; off the loop.
    func stopStore() {
        for core in cores {
            onLoop { done in
                // SAFETY: this runs on the loop's thread, which is the core's executor.
                core.assumeIsolated { core in
                    core.flush()
                    core.whenDurable { _ in done.signal(.ok) }
                }
            }
        }
        stopJournals()
        loop.stop()
        withState { $0.data }?.unlock()
    }

    /// Runs `work` on the loop and waits until it says that it has ended.
    private func onLoop(_ work: @escaping @Sendable (EndOfProcess) -> Void) {
        let end = EndOfProcess()
        loop.execute { work(end) }
        _ = end.wait()
    }
}

/// The store without a daemon: holds `data/lock`, has the journals open as the daemon would, and listens to nobody.
package final class StoreSession: Sendable {
    private let daemon: Daemon
    private let core: RelayCore

    private init(daemon: Daemon, core: RelayCore) {
        self.daemon = daemon
        self.core = core
    }

    /// Takes the lock, reads the journals back and starts their writers. Blocks.
    static func open(configDirectory: String, collaboration: String, log: DaemonLog) throws(StartError) -> StoreSession
    {
        let daemon: Daemon
        do { daemon = try Daemon(configDirectory: configDirectory, log: log) } catch { throw .listening("\(error)") }
        let cores = try daemon.startStore()
        guard let core = cores.first(where: { $0.collaboration.text == collaboration }) else {
            daemon.stopStore()
            throw .modes("budkavled.yaml lists no collaboration '\(collaboration)'; its store cannot be opened without")
        }
        return StoreSession(daemon: daemon, core: core)
    }

    /// Carries out one order, audited as the local user's. Blocks.
    ///
    /// - Returns: the answer that `/admin/<verb>` would have given.
    package func perform(_ order: StoreOrder) throws(StoreRefusal) -> [UInt8] {
        let box = OutcomeBox()
        let end = EndOfProcess()
        daemon.loop.execute { [core] in
            // SAFETY: `execute` runs on the loop's thread, which is the core's executor.
            core.assumeIsolated { core in
                let grant = ClientGrant.local(user: geteuid())
                core.audit(
                    Peer(identity: grant, transport: "tool", openedAt: core.clock.now), verb: order.verb,
                    isAllowed: true, code: nil)
                core.carryOut(order, by: Actor(party: grant.party, client: grant.client)) { core, outcome in
                    box.put(outcome.map(\.bytes))
                    core.whenDurable { _ in end.signal(.ok) }
                }
            }
        }
        _ = end.wait()
        return try box.take().get()
    }

    /// Writes what waits, stops the writers and gives the lock back.
    package func close() { daemon.stopStore() }
}

/// Carries an outcome from the loop to the thread that waits for it.
private final class OutcomeBox: Sendable {
    private let outcome = Mutex<Result<[UInt8], StoreRefusal>?>(nil)

    func put(_ result: Result<[UInt8], StoreRefusal>) { outcome.withLock { $0 = result } }

    func take() -> Result<[UInt8], StoreRefusal> {
        guard let result = outcome.withLock({ $0 }) else { preconditionFailure("an order ends with an outcome") }
        return result
    }
}
