import ArgumentParser
import BudkavleClient
import BudkavleServer
import Console
import Dispatch
import Foundation
import Logging
import Synchronization

/// Who carries out an order to the store: a running daemon over its administration socket, or this process with the lock.
struct StoreRelation {
    let options: StoreOptions
    let site: StoreSite

    /// - Returns: the answer, a JSON object; the same either way.
    func carryOut(_ order: StoreOrder) throws -> [UInt8] {
        let log = DaemonLog(logger: Logger(label: "budkavled") { _ in LineLogHandler(format: nil, level: .warning) })
        switch try Terminal.unlessRefused({ () throws(ToolError) in try site.open(log: log) }) {
        case .daemon(let socket): return try ask(socket, order)
        case .done(let session):
            defer { session.close() }
            return try Terminal.unlessRefused { () throws(ToolError) in
                do throws(StoreRefusal) {
                    return try session.perform(order)
                } catch {
                    throw ToolError(error)
                }
            }
        }
    }

    func ask(_ socket: String, _ order: StoreOrder) throws -> [UInt8] {
        guard let endpoint = RelayEndpoint("unix:\(Backup.absolute(socket))") else {
            Terminal.complain("\(socket): no path of a socket, at most \(RelayEndpoint.socketPathLimitBytes) bytes")
            throw ExitCode(BudkavleServer.ExitStatus.configuration.rawValue)
        }
        var configuration = RelayConfiguration(
            endpoint: endpoint, credentials: nil, collaboration: options.collaboration ?? "local")
        configuration.answerLimit = .seconds(options.timeout)
        configuration.reconnect.initialAttempts = 1
        do {
            let client = try RelayClient(configuration)
            return try Blocking.result {
                do {
                    let answer = try await client.administer(order.verb, order.body)
                    await client.close()
                    return answer
                } catch {
                    await client.close()
                    throw error
                }
            }
        } catch let error as RelayError {
            throw failure(error, socket)
        }
    }

    /// Says what the daemon refused, in its words, and ends with the status that the same refusal has here.
    private func failure(_ error: RelayError, _ socket: String) -> ExitCode {
        if let refusal = error.refusal, let code = StoreRefusal.Code(rawValue: refusal.code) {
            Terminal.complain(Sanitizer.line(refusal.message, limit: 1_000))
            return ExitCode(code.status.rawValue)
        }
        var text = Sanitizer.line(error.description, limit: 1_000)
        switch error.code {
        case .unreachable:
            text = "\(socket): the daemon holds the directory and does not answer here; is admin-socket right? \(text)"
        case .notConfirmed:
            text = "no answer in \(options.timeout) s; the order may be under way: keys list and journal stats tell"
        default: break
        }
        Terminal.complain(text)
        return ExitCode(error.exitStatus)
    }
}

/// Waits on the main thread for what the client library does on others.
enum Blocking {
    /// Runs `work` in a task of its own and returns what it came to. The task ends before this returns.
    static func result<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
        let box = Box<Value>()
        Task.detached {
            do {
                let value = try await work()
                box.finish(.success(value))
            } catch {
                box.finish(.failure(error))
            }
        }
        return try box.wait()
    }

    private final class Box<Value: Sendable>: Sendable {
        private let outcome = Mutex<Result<Value, any Error>?>(nil)
        private let end = DispatchSemaphore(value: 0)

        func finish(_ result: Result<Value, any Error>) {
            outcome.withLock { $0 = result }
            end.signal()
        }

        func wait() throws -> Value {
            end.wait()
            guard let result = outcome.withLock({ $0 }) else { preconditionFailure("a finished task has a result") }
            return try result.get()
        }
    }
}
