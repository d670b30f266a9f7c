import ArgumentParser
import Demo
import Foundation

/// `budkavle-bench load`: sends, receives and acknowledges, and prints one line.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Send notifications, receive and acknowledge them all, and print one line of figures.",
        discussion: """
            Starts a relay of its own in a throw-away directory, or uses a running one (--host, --port, --dir). Producers \
            keep --window notifications under way (closed loop) or send at --rate (open loop: latencies count from the time \
            when a notification was due). Exit 0 only if nothing was lost, doubled or refused and there was no error; 1 \
            otherwise; 70 if nothing could be measured.
            """)

    @Option(help: "Connections that send.") var producers = 8
    @Option(help: "Notifications under way per producer.") var window = 64
    @Option(name: .customLong("fan-out"), help: "Recipients of each notification: 1 or 3.") var fanOut = 3
    @Option(help: "Notifications per second; without it as fast as the windows allow.") var rate: Double?
    @Option(help: "Connections that receive, spread over three desks.") var consumers = 3
    @Option(help: "Messages in flight per consumer.") var prefetch = 1000
    @Option(help: "Measured seconds.") var seconds = 10.0
    @Option(name: .customLong("warm-up"), help: "Seconds before, not measured.") var warmUp = 2.0
    @Option(name: .customLong("body-bytes"), help: "Size of a notification.") var bodyBytes = 1024
    @Option(help: "A running relay on this machine; needs --port and --dir.") var host: String?
    @Option(help: "Its port.") var port: Int?
    @Option(
        name: .customLong("dir"),
        help: "What `prepare` made; without --host it is made if it is not there, and kept.")
    var directory: String?
    @Option(name: .customLong("server-pid"), help: "With --host: whose CPU time and memory to measure.")
    var serverProcess: Int32?
    @Flag(help: "One JSON object instead of a line.") var json = false

    func validate() throws {
        func check(_ isRight: Bool, _ message: String) throws {
            if !isRight { throw ValidationError(message) }
        }
        try check((1...512).contains(producers), "--producers must be 1 to 512")
        try check((1...4_096).contains(window), "--window must be 1 to 4096, what the relay keeps unanswered at most")
        try check(FanOut(rawValue: fanOut) != nil, "--fan-out must be 1 or 3")
        try check(rate.map { (0.1...1_000_000).contains($0) } ?? true, "--rate must be 0.1 to 1000000 per second")
        try check((3...512).contains(consumers), "--consumers must be 3 to 512: each of the three desks needs one")
        try check((1...1_000).contains(prefetch), "--prefetch must be 1 to 1000, the relay's limit")
        try check((0.5...3_600).contains(seconds), "--seconds must be 0.5 to 3600")
        try check((0...600).contains(warmUp), "--warm-up must be 0 to 600")
        try Self.check(bodyBytes: bodyBytes)
        if host != nil {
            try check(port.map { (1...65_535).contains($0) } ?? false, "--host needs --port, 1 to 65535")
        } else {
            try check(port == nil && serverProcess == nil, "--port and --server-pid belong to --host")
        }
    }

    /// Refuses sizes that no template has.
    static func check(bodyBytes: Int) throws {
        guard (BodyTemplate.leastBytes...BodyTemplate.mostBytes).contains(bodyBytes) else {
            throw ValidationError("--body-bytes must be \(BodyTemplate.leastBytes) to \(BodyTemplate.mostBytes)")
        }
    }

    func run() throws {
        // Writing to a connection that the relay has closed is an error to handle, not the end.
        signal(SIGPIPE, SIG_IGN)
        var isClean = false
        try Terminal.reporting {
            let result = if let host { try measureRunning(host) } else { try measureOwn() }
            guard result.seconds > 0 else {
                throw BenchError.noResult("nothing was measured: \(result.firstProblem ?? "the load never began")")
            }
            print(json ? result.json : result.line)
            if let problem = result.firstProblem { Terminal.complain("budkavle-bench: first problem: \(problem)") }
            isClean = result.isClean
        }
        if !isClean { throw ExitCode(1) }
    }

    private func plan(host: String, port: Int, process: Int32?) -> LoadPlan {
        LoadPlan(
            producers: producers, window: window, fanOut: FanOut(rawValue: fanOut) ?? .three, rate: rate,
            consumers: consumers, prefetch: prefetch, seconds: seconds, warmUp: warmUp, bodyBytes: bodyBytes,
            host: host, port: port, serverProcess: process)
    }

    private func measureRunning(_ host: String) throws -> LoadResult {
        guard Self.isLoopback(host) else { throw BenchError.notLoopback(host) }
        guard let directory else { throw BenchError.directoryNeeded }
        let prepared = BenchDirectory(path: URL(filePath: directory).standardizedFileURL.path)
        guard prepared.isPrepared else { throw BenchError.notPrepared(prepared.path) }
        return try LoadGenerator.run(plan(host: host, port: port ?? 0, process: serverProcess), in: prepared)
    }

    /// Whether it is this machine: nobody else's relay is to be loaded.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        var address = in_addr()
        return inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
    }

    private func measureOwn() throws -> LoadResult {
        let executable: String
        do {
            executable = try RelayProcess.daemonExecutable()
        } catch {
            throw BenchError.relay("\(error)")
        }
        // Not in /tmp, which often is memory: a sync has to cost what it costs on a disk.
        let path = directory ?? "/var/tmp/budkavle-bench-\(UUID().uuidString.prefix(8))"
        var prepared = BenchDirectory(path: URL(filePath: path).standardizedFileURL.path)
        if !prepared.isPrepared { prepared = try BenchDirectory.make(at: path, port: 0, bodyBytes: bodyBytes) }
        do {
            let relay = RelayProcess(
                executable: executable, configDirectory: prepared.configDirectory, logFile: prepared.logFile)
            let port = try relay.start(portFile: prepared.portFile)
            defer { _ = relay.stop(within: .seconds(15)) }
            let result = try LoadGenerator.run(
                plan(host: "127.0.0.1", port: port, process: relay.processID), in: prepared)
            let status = relay.stop(within: .seconds(15))
            if status != 0 {
                Terminal.complain("budkavle-bench: budkavled ended with status \(status); its log: \(prepared.logFile)")
            }
            // A directory with a problem is kept for a look at its log.
            if directory == nil {
                if result.isClean {
                    try? FileManager.default.removeItem(atPath: prepared.path)
                } else {
                    Terminal.complain("budkavle-bench: kept for a look: \(prepared.path)")
                }
            }
            return result
        } catch let error as DemoError {
            throw BenchError.relay("\(error)")
        }
    }
}
