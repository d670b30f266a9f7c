import CaseNotifications
package import EventLoop
import Glibc
package import Journal
import Routing
import STOMP
package import Settings
import Synchronization
package import TLSStreams

/// Why the daemon did not start.
package enum StartError: Error, CustomStringConvertible {
    case configuration([Diagnostic], failedExamples: [String])
    case reading(String)
    case writing(String)
    case tls(TLSError)
    case journal(JournalError)
    case recovery(RecoveryError)
    case listening(String)
    case modes(String)
    case approvers(String)

    package var status: ExitStatus {
        switch self {
        case .configuration, .reading, .tls, .modes, .approvers: .configuration
        case .recovery: .data
        case .writing: .inputOutput
        case .listening: .unavailable
        case .journal(let error): error.exitStatus
        }
    }

    package var description: String {
        switch self {
        case .configuration(let diagnostics, let failed):
            (diagnostics.map(\.text) + failed.map { "failed worked example: \($0)" }).joined(separator: "\n")
        case .reading(let what), .writing(let what), .listening(let what), .modes(let what), .approvers(let what): what
        case .tls(let error): error.description
        case .journal(let error): error.description
        case .recovery(let error): error.description
        }
    }
}

extension JournalError {
    /// The exit status that a start which met this error ends with.
    package var exitStatus: ExitStatus {
        switch self {
        case .keyFile, .masterKeyMissing, .masterKeyWrong, .masterKeyInUse, .newerFormat: .configuration
        case .backup: .cannotCreate
        case .locked: .tryAgain
        case .io, .noSpace, .noRoom, .readOnly, .stopped: .inputOutput
        default: .data
        }
    }
}

/// The daemon: configuration, journal, listeners, signals and their life cycle.
///
/// Isolation: `start` and `waitForEnd` on the main thread; everything after `start` happens on loop 0. Files are read on a thread of their own.
package final class Daemon: Sendable {
    let configDirectory: String
    let log: DaemonLog
    let notifier = ServiceNotifier()
    let loop: EpollLoop
    let context: Mutex<TLSContext?> = Mutex(nil)
    let settings: Mutex<DaemonSettings?> = Mutex(nil)
    /// Judges the keys of approvers before a policy is activated.
    let approvers: Mutex<ApproverRegistry?> = Mutex(nil)
    /// Held by the reload that is judged, pinned and activated: one at a time. Never on the loop.
    let reloading: Mutex<Void> = Mutex(())
    private let end = EndOfProcess()
    private let state: Mutex<LoopState>

    /// What belongs to the loop.
    // SAFETY: listeners and connections in it are touched only on the loop's thread; the mutex is for the compiler and never contended.
    struct LoopState: @unchecked Sendable {
        var listener: TLSListener?
        var adminSocket: AdminSocket?
        var cores: [CollaborationID: RelayCore] = [:]
        var policies: [CollaborationID: Policy] = [:]
        var directories: [CollaborationID: String] = [:]
        var journals: [JournalWriter] = []
        var connections: [ConnectionID: Connection] = [:]
        var nextConnection: UInt64 = 1
        var reloads: UInt64 = 0
        var isDraining = false
        var data: DataDirectory?
    }

    /// A daemon for the configuration in `configDirectory`.
    package init(configDirectory: String, log: DaemonLog) throws(EventLoopError) {
        self.configDirectory = configDirectory
        self.log = log
        loop = try EpollLoop(name: "budkavled-0")
        state = Mutex(LoopState())
    }

    /// The loop's own state. On the loop, or before it runs.
    func withState<T: Sendable>(_ body: (inout LoopState) -> T) -> T { state.withLock { body(&$0) } }

    /// Reads everything, recovers the journals, listens. Blocks until it is ready or throws with nothing left running.
    package func start() throws(StartError) {
        signal(SIGPIPE, SIG_IGN)
        let settings = try readSettings()
        self.settings.withLock { $0 = settings }
        do {
            let context = try TLSContext(server: settings.tls)
            self.context.withLock { $0 = context }
        } catch { throw .tls(error) }
        let policies = try readPolicies(settings)
        let (keys, data) = try takeStore(settings)
        let opened = try openJournals(settings, policies, keys: keys, in: data)
        let registry = try admitApprovers(opened, in: settings.dataDirectory) { keys[$0] }
        approvers.withLock { $0 = registry }
        do { try loop.start() } catch { throw .listening("\(error)") }
        let started = Started(settings: settings, data: data, opened: opened)
        let begun = EndOfProcess()
        let outcome: Mutex<StartError?> = Mutex(nil)
        loop.execute { [self] in
            let failure = begin(started)
            outcome.withLock { $0 = failure }
            begun.signal(.ok)
        }
        _ = begun.wait()
        if let failure = outcome.withLock({ $0 }) {
            loop.stop()
            throw failure
        }
        notifier.send("READY=1\nSTATUS=serving \(policies.count) collaboration(s)")
    }

    /// Waits until somebody ends the process, and says how.
    package func waitForEnd() -> ExitStatus {
        let status = end.wait()
        loop.stop()
        log.write(.stopped)
        return status
    }

    /// Ends the process in good order.
    func finish(_ status: ExitStatus) { end.signal(status) }

    // MARK: Reading

    func readSettings() throws(StartError) -> DaemonSettings {
        let log = DiagnosticLog()
        let settings: DaemonSettings?
        do throws(SettingsFault) {
            settings = try DaemonSettings.read(directory: configDirectory, log: log)
        } catch { throw .reading("\(error)") }
        guard let settings else { throw .configuration(log.diagnostics, failedExamples: []) }
        return settings
    }

    func readPolicies(_ settings: DaemonSettings) throws(StartError) -> [(directory: String, policy: Policy)] {
        var policies: [(String, Policy)] = []
        var diagnostics: [Diagnostic] = []
        var failed: [String] = []
        // Always all together: none goes into force without what its neighbours' files of now say of it.
        let (each, between) = PolicyFiles.checkAll(settings.collaborations)
        for (collaboration, found) in zip(settings.collaborations, each) {
            let result: PolicyCheckResult
            do { result = try found.get() } catch { throw .reading("\(error)") }
            diagnostics += result.diagnostics.filter { $0.severity == .error }
            failed += result.examples.filter { !$0.passed }.map(\.name)
            if let policy = result.policy { policies.append((collaboration.directory, policy)) }
        }
        diagnostics += between.filter { $0.severity == .error }
        guard diagnostics.isEmpty, failed.isEmpty, policies.count == settings.collaborations.count else {
            throw .configuration(diagnostics, failedExamples: failed)
        }
        guard Set(policies.map(\.1.mode)).count <= 1 else {
            throw .modes("one daemon serves collaborations of one mode; give production and exercise a daemon each")
        }
        return policies
    }

    // MARK: Journals

    /// The master keys, and then the lock: a start with a wrong key file makes not even a directory.
    func takeStore(_ settings: DaemonSettings) throws(StartError) -> (KeyRings, DataDirectory) {
        do throws(JournalError) {
            return (try KeyRings(settings), try DataDirectory(path: settings.dataDirectory))
        } catch { throw .journal(error) }
    }

    /// Keys are given by the name of the directory; with keys of its own a collaboration must be called like it, or a tool that
    /// knows only its id would take others.
    private static func refuseKeysOfAnother(
        _ settings: DaemonSettings, _ directory: String, _ policy: Policy
    ) throws(StartError) {
        let named = settings.collaborations.first { $0.directory == directory }
        guard let named, named.keys != nil, named.name != policy.collaboration.text else { return }
        throw .modes(
            "'\(named.name)' has master keys of its own in budkavled.yaml, but its policy's id is"
                + " '\(policy.collaboration)': call the directory like the id")
    }

    struct Opened {
        let policy: Policy
        let directory: String
        let recovered: Recovered
        let journal: JournalWriter
    }

    func openJournals(
        _ settings: DaemonSettings, _ policies: [(directory: String, policy: Policy)], keys: KeyRings,
        in data: DataDirectory
    ) throws(StartError) -> [Opened] {
        do {
            try DataMode.check(policies.first?.policy.mode ?? .production, in: settings.dataDirectory)
            for (directory, policy) in policies { try Self.refuseKeysOfAnother(settings, directory, policy) }
            if policies.count > 1 {
                try keys.tryAll(of: policies.map(\.policy.collaboration), in: settings.dataDirectory)
            }
            var opened: [Opened] = []
            for (directory, policy) in policies {
                let (recovered, journal) = try Recovered.open(
                    policy.collaboration, in: data, keys: keys[policy.collaboration], options: settings.store.options,
                    log: log)
                opened.append(
                    Opened(policy: policy, directory: directory, recovered: recovered, journal: journal))
            }
            return opened
        } catch let error as JournalError {
            throw .journal(error)
        } catch let error as RecoveryError {
            throw .recovery(error)
        } catch let error as StartError {
            throw error
        } catch {
            throw .reading("\(error)")
        }
    }
}

/// What a start hands from the main thread to the loop.
struct Started {
    let settings: DaemonSettings
    let data: DataDirectory
    let opened: [Daemon.Opened]
}
