import Foundation
import Synchronization

/// The real `budkavled` as a child process: started, killed or stopped by its process id, and never left behind.
///
/// A thread of its own starts the child and waits for it, and lives exactly as long: the child asks the kernel to be killed
/// when that thread ends, so that not even `kill -9` of this process leaves a daemon running (`setpriv --pdeathsig`, of
/// Debian's util-linux; without it only an orderly end stops the child).
package final class RelayProcess: Sendable {
    /// What the keeper thread and the others share.
    private final class Ward: Sendable {
        struct State {
            /// Set from spawn to reaping, so that a signal never meets another process.
            var processID: pid_t?
            /// Exit status, or 128 + signal; nil while it runs.
            var status: Int32?
        }
        let state = Mutex(State())

        func signal(_ number: Int32) {
            state.withLock { state in
                if let processID = state.processID { _ = Glibc.kill(processID, number) }
            }
        }
    }

    private struct Running {
        let ward: Ward
        /// One end of a pair whose other end the keeper closes when the child is gone.
        let end: Int32
    }

    /// The program.
    package let executable: String
    /// What follows `--config`.
    package let configDirectory: String
    /// Standard output and error of the child, appended.
    package let logFile: String
    private let environment: [String: String]
    private let running = Mutex<Running?>(nil)

    /// Starts nothing yet.
    ///
    /// - Parameter environment: is added to this process's own.
    package init(executable: String, configDirectory: String, logFile: String, environment: [String: String] = [:]) {
        self.executable = executable
        self.configDirectory = configDirectory
        self.logFile = logFile
        self.environment = environment
    }

    deinit {
        kill()
    }

    /// `budkavled` beside the running executable, or what `BUDKAVLED` names.
    package static func daemonExecutable() throws(DemoError) -> String {
        if let named = ProcessInfo.processInfo.environment["BUDKAVLED"] {
            guard access(named, X_OK) == 0 else { throw .noDaemon(named) }
            return named
        }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: "budkavled").path
        guard access(path, X_OK) == 0 else { throw .noDaemon(path) }
        return path
    }

    /// The child's process id; nil while it does not run.
    package var processID: Int32? {
        running.withLock { $0?.ward }?.state.withLock { $0.processID }
    }

    /// Starts the daemon and waits until it says that it is ready (`READY=1`, as to systemd).
    ///
    /// - Parameters:
    ///   - portFile: what the configuration calls `listen.port-file`; the daemon writes its port there before it is ready.
    ///   - limit: after this the daemon is killed and an error thrown.
    /// - Returns: the port on which it listens.
    /// - Precondition: it is not running.
    package func start(portFile: String, within limit: Duration = .seconds(30)) throws(DemoError) -> Int {
        precondition(processID == nil, "the daemon is running")
        unlink(portFile)
        let readiness = try ReadinessSocket()
        let ends = try Self.makePair()
        let ward = Ward()
        let spawned = DispatchSemaphore(value: 0)
        let outcome = Mutex<Int32>(0)
        var variables = ProcessInfo.processInfo.environment
        variables.merge(environment) { $1 }
        variables["NOTIFY_SOCKET"] = readiness.name
        let command = Self.command(executable, ["run", "--config", configDirectory])
        let thread = Thread { [logFile, variables] in
            let code = Self.spawn(command, environment: variables, logFile: logFile, ward)
            outcome.withLock { $0 = code }
            spawned.signal()
            if code == 0 { Self.reap(ward) }
            close(ends.write)
        }
        thread.name = "budkavled-keeper"
        thread.start()
        spawned.wait()
        let code = outcome.withLock { $0 }
        guard code == 0 else {
            close(ends.read)
            throw .spawn(command[0], code: code)
        }
        running.withLock { previous in
            if let previous { close(previous.end) }
            previous = Running(ward: ward, end: ends.read)
        }
        switch readiness.wait(orFor: ends.read, limit: limit) {
        case .ready: break
        case .ended: throw .daemonEnded(status: waitForEnd(), log: lastLines())
        case .timedOut:
            kill()
            throw .daemonSilent(limit, log: lastLines())
        }
        guard let text = try? String(contentsOfFile: portFile, encoding: .utf8),
            let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)), (1...65_535).contains(port)
        else {
            kill()
            throw .file(portFile, reason: "the daemon is ready and wrote no port there")
        }
        return port
    }

    /// SIGKILL, and waits until the child is gone.
    package func kill() {
        running.withLock { $0?.ward }?.signal(SIGKILL)
        _ = waitForEnd()
    }

    /// SIGTERM, and waits; after `limit` SIGKILL.
    ///
    /// - Returns: the exit status, or 128 + the number of the signal that ended it.
    package func stop(within limit: Duration = .seconds(30)) -> Int32 {
        guard let child = running.withLock({ $0 }) else { return 0 }
        child.ward.signal(SIGTERM)
        if !Self.waitForHangUp(of: child.end, limit: limit) { child.ward.signal(SIGKILL) }
        return waitForEnd()
    }

    /// Sends any signal to the child while it runs.
    package func send(signal number: Int32) {
        running.withLock { $0?.ward }?.signal(number)
    }

    /// Blocks until the child has ended, and tells how.
    package func waitForEnd() -> Int32 {
        let last = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let last else { return 0 }
        _ = Self.waitForHangUp(of: last.end, limit: nil)
        close(last.end)
        return last.ward.state.withLock { $0.status } ?? 0
    }

    /// The end of the log, for an error message.
    package func lastLines(_ count: Int = 12) -> String {
        let text = (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    // MARK: The keeper's part

    private static func command(_ executable: String, _ arguments: [String]) -> [String] {
        let setpriv = "/usr/bin/setpriv"
        guard access(setpriv, X_OK) == 0 else { return [executable] + arguments }
        return [setpriv, "--pdeathsig", "KILL", "--", executable] + arguments
    }

    /// - Returns: 0, or an error number.
    private static func spawn(
        _ command: [String], environment: [String: String], logFile: String, _ ward: Ward
    ) -> Int32 {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, logFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&files, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: ctrl-C in the terminal is for the demonstration, which then stops the daemon in order.
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var processID: pid_t = 0
        let code = posix_spawn(&processID, command[0], &files, &attributes, &arguments, &variables)
        if code == 0 { ward.state.withLock { $0.processID = processID } }
        return code
    }

    private static func reap(_ ward: Ward) {
        guard let processID = ward.state.withLock({ $0.processID }) else { return }
        // First only look, then reap under the lock: until then nobody else can get this number.
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        ward.state.withLock { state in
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            state.status = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
            state.processID = nil
        }
    }

    // MARK: Waiting

    private static func makePair() throws(DemoError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        // A socket pair, because Glibc's module lacks `pipe2` and a pipe without O_CLOEXEC would reach the child.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .spawn("socketpair", code: errno) }
        return (ends[0], ends[1])
    }

    /// - Returns: false when `limit` passed first.
    private static func waitForHangUp(of descriptor: Int32, limit: Duration?) -> Bool {
        let deadline = limit.map { ContinuousClock.now.advanced(by: $0) }
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let count = poll(&entry, 1, ReadinessSocket.milliseconds(until: deadline))
            if count > 0 { return true }
            if count == 0 { return false }
        }
    }
}
