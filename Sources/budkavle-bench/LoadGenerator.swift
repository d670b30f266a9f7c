import EventLoop
import Foundation
import Synchronization
import TLSStreams

/// Runs a plan on a loop of its own and waits for the result.
enum LoadGenerator {
    /// Blocks until the run is over, at most for the sum of its phases' limits.
    static func run(_ plan: LoadPlan, in directory: BenchDirectory) throws -> LoadResult {
        let sender = try context(directory, BenchPolicy.sender)
        var receivers: [TLSContext] = []
        for party in BenchPolicy.recipients { receivers.append(try context(directory, party)) }
        let host: ResolvedHost
        do {
            host = try ResolvedHost(name: plan.host, port: plan.port)
        } catch {
            throw BenchError.relay(error.description)
        }
        let loop: EpollLoop
        do {
            loop = try EpollLoop(name: "bench")
            try loop.start()
        } catch {
            throw BenchError.relay("\(error)")
        }
        defer { loop.stop() }
        let isOver = DispatchSemaphore(value: 0)
        let box = Box()
        loop.execute { [receivers] in
            let run = LoadRun(plan: plan, loop: loop) { result in
                box.outcome.withLock { $0 = result }
                isOver.signal()
            }
            run.start { role in
                switch role {
                case .producer: try Stream.getStreams(to: host, tls: sender)
                case .consumer(let desk): try Stream.getStreams(to: host, tls: receivers[desk])
                }
            }
        }
        _ = isOver.wait(timeout: .now() + limitSeconds(of: plan))
        guard let result = box.outcome.withLock({ $0 }) else {
            throw BenchError.noResult(
                "the run did not end in \(Int(limitSeconds(of: plan))) seconds; nothing was measured")
        }
        return result
    }

    /// A place for the result that the loop's thread and this one share.
    private final class Box: Sendable {
        let outcome = Mutex<LoadResult?>(nil)
    }

    private static func limitSeconds(of plan: LoadPlan) -> Double {
        let fixed =
            LoadLimits.connectNanoseconds + LoadLimits.drainNanoseconds + LoadLimits.lateNanoseconds
            + LoadLimits.farewellNanoseconds
        return Double(fixed) / 1_000_000_000 + plan.warmUp + plan.seconds + 10
    }

    private static func context(_ directory: BenchDirectory, _ party: String) throws -> TLSContext {
        let files = directory.files(of: party)
        do {
            return try TLSContext(
                client: TLSOptions(
                    certificateFile: files.certificate, keyFile: files.key, caFiles: [directory.authority],
                    serverName: "localhost"))
        } catch {
            throw BenchError.relay(error.description)
        }
    }
}
