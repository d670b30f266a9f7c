import BudkavleClient
import Dispatch
import Foundation

/// What `budkavle demo` was asked for.
package struct DemoOptions: Sendable {
    /// Where everything is put; nil is a temporary directory, removed at the end.
    package let directory: String?
    /// The relay's port; 0 lets the system choose.
    package let port: Int
    /// Whether the relay goes on running after the last chapter, until ctrl-C.
    package let isServing: Bool
    /// `sv` or `en`; for headings.
    package let language: String?
    /// Whether to colour the output.
    package let isColoured: Bool

    /// Options as the command line has them.
    package init(directory: String?, port: Int, isServing: Bool, language: String?, isColoured: Bool) {
        self.directory = directory
        self.port = port
        self.isServing = isServing
        self.language = language
        self.isColoured = isColoured
    }
}

/// `budkavle demo`: the real daemon on loopback, and a Friday night played through real TLS connections.
package enum Demonstration {
    /// The simulated time at which the relay is born: Friday 11 December 2026, 23:00 in Örebro.
    static let birth = "2026-12-11T23:00:00+01:00"

    /// Plays all chapters.
    ///
    /// - Parameter print: gets the narration line by line.
    /// - Returns: 0 if every check held; 70 if one did not; a sysexits number if the play could not begin.
    package static func run(_ options: DemoOptions, print: @escaping @Sendable (String) -> Void) async -> Int32 {
        let narrator = Narrator(language: options.language, isColoured: options.isColoured, print: print)
        let started = ContinuousClock.now
        do {
            let path = try place(options)
            // A directory of our own goes away, unless there is something in it to look into.
            var isKept = options.directory != nil
            defer { if !isKept { try? FileManager.default.removeItem(atPath: path) } }
            let stage = try raiseCurtain(options, at: path, narrator)
            defer { stage.process.kill() }
            let ending = EndingSignals(stopping: stage.process)
            for chapter in Chapter.all { await play(chapter, on: stage) }
            await stage.closeClients()
            let elapsed = ContinuousClock.now - started
            narrator.summarise(seconds: elapsed / .seconds(1))
            isKept = isKept || !narrator.allHeld || options.isServing
            if !narrator.allHeld {
                narrator.say("everything is left in \(path); the daemon's log is run/budkavled.log")
            }
            if options.isServing { try await serve(stage, ending, print) }
            return narrator.allHeld ? 0 : EX_SOFTWARE
        } catch {
            print("budkavle demo: \(error)")
            return error.exitCode
        }
    }

    private static func place(_ options: DemoOptions) throws(DemoError) -> String {
        if let directory = options.directory { return URL(filePath: directory).standardizedFileURL.path }
        let base = URL(filePath: NSTemporaryDirectory()).appending(path: "budkavle-demo-XXXXXX").path
        var template = Array(base.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .file(NSTemporaryDirectory(), reason: String(cString: strerror(errno)))
        }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func raiseCurtain(
        _ options: DemoOptions, at path: String, _ narrator: Narrator
    ) throws(DemoError) -> Stage {
        let daemon = try RelayProcess.daemonExecutable()
        let policy = try RelayDirectory.shippedConfiguration() + "/orebro"
        let directory = try RelayDirectory.make(at: path, policyFrom: policy, port: options.port, clock: birth)
        let process = RelayProcess(
            executable: daemon, configDirectory: directory.configDirectory, logFile: directory.logFile)
        let port = try process.start(portFile: directory.portFile)
        // After `kill -9` it must be where its clients look for it.
        try directory.pin(port: port)
        narrator.say("a relay for training, with made-up people: everything is in \(path)")
        narrator.say("a throw-away CA and \(directory.holders.count) certificates; the policy of \(policy)")
        narrator.say("\(daemon), process \(process.processID ?? 0), TLS 1.3 on 127.0.0.1:\(port)")
        return Stage(directory: directory, process: process, narrator: narrator, port: port)
    }

    private static func play(_ chapter: Chapter, on stage: Stage) async {
        stage.narrator.begin(chapter.heading)
        do {
            try await chapter.play(stage)
        } catch {
            stage.narrator.check("the chapter was played to its end", holds: false, otherwise: "\(error)")
        }
    }

    private static func serve(
        _ stage: Stage, _ ending: EndingSignals, _ print: @escaping (String) -> Void
    ) async throws(DemoError) {
        if stage.process.processID == nil { try stage.restart() }
        for line in FirstSteps.lines(port: stage.port, directory: stage.directory.path) { print(line) }
        await ending.wait()
        print("")
        let status = stage.process.stop()
        print("the relay has ended with status \(status); \(stage.directory.path) stays")
    }
}

/// Ctrl-C, SIGTERM and SIGHUP end the daemon first, whatever the play is doing just then.
private final class EndingSignals {
    private let arrivals: AsyncStream<Int32>
    private let isAwaited = Flag()
    private let sources: [any DispatchSourceSignal]

    /// From now on the signals end this process only after the daemon.
    init(stopping process: RelayProcess) {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        arrivals = stream
        sources = [SIGINT, SIGTERM, SIGHUP].map { [isAwaited] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                continuation.yield(number)
                guard !isAwaited.isRaised else { return }
                process.kill()
                _exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    /// Returns at the first signal from now on; the caller stops the daemon.
    func wait() async {
        isAwaited.raise()
        for await _ in arrivals { return }
    }
}
