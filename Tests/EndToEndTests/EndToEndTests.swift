import Demo
import Foundation
import Testing

/// Everything here talks to the real programs over real TLS on loopback. One test at a time: they share two cores and one relay.
@Suite(.serialized) enum EndToEnd {}

/// A relay of its own for the tests of one suite: started before the first, stopped with SIGTERM after the last.
struct RelayScope: SuiteTrait, TestScoping {
    @TaskLocal static var current: TestRelay?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let relay = try TestRelay()
        defer { relay.remove() }
        try await Self.$current.withValue(relay) { try await function() }
        #expect(relay.process.stop() == 0, "SIGTERM ends the relay with status 0: \(relay.process.lastLines())")
    }
}

extension Trait where Self == RelayScope {
    /// The suite's tests share one relay.
    static var relay: Self { RelayScope() }
}

/// The relay of the suite that the running test belongs to.
func sharedRelay() throws -> TestRelay {
    try #require(RelayScope.current, "the suite lacks the trait .relay")
}

/// A throw-away directory with the shipped policy, and the daemon on it. Simulated time begins on Friday 11 December 2026, 23:00.
final class TestRelay: Sendable {
    let directory: RelayDirectory
    let process: RelayProcess
    let port: Int

    /// Makes the directory, lets one desk's computer speak STOMP 1.0, and starts the daemon.
    ///
    /// - Parameter neighbour: a second collaboration, with a master key of its own.
    init(with neighbour: Neighbour? = nil) throws {
        signal(SIGPIPE, SIG_IGN)
        directory = try RelayDirectory.make(
            at: try Scratch.directory(), policyFrom: try RelayDirectory.shippedConfiguration() + "/orebro", port: 0,
            clock: nil)
        try directory.edit("parties/jour-18-norr.yaml") {
            $0.replacing("  - id: jourdator\n", with: "  - id: jourdator\n    stomp: {min: \"1.0\"}\n")
        }
        try neighbour?.move(into: directory)
        process = RelayProcess(
            executable: try RelayProcess.daemonExecutable(), configDirectory: directory.configDirectory,
            logFile: directory.logFile)
        port = try process.start(portFile: directory.portFile)
        try directory.pin(port: port)
        try neighbour?.list(in: directory)
    }

    /// Starts the daemon on a directory that is made already.
    init(on directory: RelayDirectory) throws {
        signal(SIGPIPE, SIG_IGN)
        self.directory = directory
        process = RelayProcess(
            executable: try RelayProcess.daemonExecutable(), configDirectory: directory.configDirectory,
            logFile: directory.logFile)
        port = try process.start(portFile: directory.portFile)
        try directory.pin(port: port)
    }

    var pki: String { directory.path + "/pki" }

    /// The daemon's log so far.
    var log: String { (try? String(contentsOfFile: directory.logFile, encoding: .utf8)) ?? "" }

    /// Starts the daemon again on the same port and data.
    func restart() throws {
        let again = try process.start(portFile: directory.portFile)
        #expect(again == port)
    }

    /// Ends what is left and removes the directory.
    func remove() {
        process.kill()
        try? FileManager.default.removeItem(atPath: directory.path)
    }
}

extension RelayDirectory {
    /// Rewrites one file of the policy's copy; the change must be one.
    func edit(_ name: String, _ change: (String) -> String) throws {
        let file = "\(configDirectory)/orebro/\(name)"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let changed = change(text)
        try #require(changed != text, "\(name) has changed in the shipped policy; change this test too")
        try changed.write(toFile: file, atomically: true, encoding: .utf8)
    }
}

/// Directories below the temporary one.
enum Scratch {
    /// A new empty directory.
    static func directory() throws -> String {
        let base = URL(filePath: NSTemporaryDirectory()).appending(path: "budkavle-e2e-XXXXXX").path
        var template = Array(base.utf8CString)
        try #require(mkdtemp(&template) != nil)
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Writes a file into `directory` and returns its path.
    static func file(_ name: String, _ text: String, in directory: String) throws -> String {
        let path = "\(directory)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
