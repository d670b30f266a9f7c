import EventLoop
import STOMP
import Synchronization
import Testing

@testable import BudkavleClient

/// The whole client over real sockets, against the server's own session.
@Suite(.timeLimit(.minutes(10))) struct RelayClientTests {
    @Test func `a notification goes out and its acceptance comes back`() async throws {
        try await withRelay({ _, _ in .receipt(["status": "accepted", "notification": "N1", "position": "o.7"]) }) {
            relay, client in
            let answer = try await client.send(Array("{}".utf8))
            #expect(answer == .accepted(Acceptance(notification: "N1", position: "o.7")))
        }
    }

    @Test func `a cut link is made again and the same bytes are sent again`() async throws {
        let bodies = Mutex<[[UInt8]]>([])
        try await withRelay(
            { request, connection in
                connection == 1 ? nil : .receipt(["status": "duplicate", "notification": "N1"])
            },
            onRequest: { request, relay in
                guard case .send(let send) = request.action else { return }
                let count = bodies.withLock { bodies in
                    bodies.append(send.body)
                    return bodies.count
                }
                if count == 1 { relay.cut() }
            }
        ) { relay, client in
            let answer = try await client.send(Array("{\"id\":\"a\"}".utf8))
            #expect(answer == .duplicate(Acceptance(notification: "N1", position: nil)))
            #expect(bodies.withLock { $0 } == [Array("{\"id\":\"a\"}".utf8), Array("{\"id\":\"a\"}".utf8)])
        }
    }

    @Test func `refusals of notifications are answers and refusals of questions are errors`() async throws {
        try await withRelay({ request, _ in
            if case .subscribe = request.action { return .done }
            return .refused(SessionRefusal(code: "forbidden", path: "/x", message: "not you"))
        }) { relay, client in
            let refusal = RelayRefusal(code: "forbidden", path: "/x", message: "not you")
            let answer = try await client.send([0x7B, 0x7D])
            #expect(answer == .refused(refusal))
            let error = await #expect(throws: RelayError.self) { try await client.ask("inbox") }
            #expect(error?.code == .forbidden)
            #expect(error?.refusal == refusal)
        }
    }

    @Test func `many questions at once each get their own answer`() async throws {
        try await withRelay({ _, _ in .receipt(["status": "accepted"]) }) { relay, client in
            try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<30 {
                    group.addTask {
                        (number, String(decoding: try await client.ask("n\(number)"), as: UTF8.self))
                    }
                }
                for try await (number, answer) in group {
                    #expect(answer == "{\"asked\":\"/queries/n\(number)\"}")
                }
            }
        }
    }

    @Test func `a subscription goes on after the link was cut`() async throws {
        let subscriptions = AsyncStream<Void>.makeStream()
        try await withRelay(
            { request, _ in
                if case .subscribe = request.action { return .receipt(["pending": "2"]) }
                return .done
            },
            onRequest: { request, _ in
                if case .subscribe = request.action { subscriptions.continuation.yield() }
            }
        ) { relay, client in
            let receipts = try await client.subscribe(to: .receipts)
            #expect(receipts.pendingCount == 2)
            var iterator = receipts.makeAsyncIterator()
            var confirmed = subscriptions.stream.makeAsyncIterator()
            await confirmed.next()
            relay.deliver("{\"n\":1}", on: "/receipts", tag: 1)
            let first = try #require(try await iterator.next())
            #expect(String(decoding: first.body, as: UTF8.self) == "{\"n\":1}")
            await client.accept(first)
            relay.cut()
            await confirmed.next()
            relay.deliver("{\"n\":2}", on: "/receipts", tag: 2)
            let second = try #require(try await iterator.next())
            #expect(String(decoding: second.body, as: UTF8.self) == "{\"n\":2}")
            await client.unsubscribe(receipts)
            let end = try await iterator.next()
            #expect(end == nil)
        }
    }

    @Test func `a relay that is not there is an error at once where one attempt is wanted`() async throws {
        var configuration = RelayConfiguration(
            endpoint: .unix(path: "/tmp/budkavle-nobody-\(UInt64.random(in: 0 ... .max)).sock"), credentials: nil,
            collaboration: "orebro")
        configuration.reconnect.initialAttempts = 1
        let client = try RelayClient(configuration)
        let error = await #expect(throws: RelayError.self) { try await client.ask("inbox") }
        #expect(error?.code == .unreachable)
        await client.close()
    }

    @Test func `an unanswered notification is not confirmed when its time is over`() async throws {
        try await withRelay({ _, _ in nil }) { relay, client in
            let error = await #expect(throws: RelayError.self) {
                try await client.send(Array("{}".utf8), within: .milliseconds(50))
            }
            #expect(error?.code == .notConfirmed)
        }
    }

    @Test func `a cancelled task stops waiting`() async throws {
        let arrived = AsyncStream<Void>.makeStream()
        try await withRelay({ _, _ in nil }, onRequest: { _, _ in arrived.continuation.yield() }) { relay, client in
            let task = Task { try await client.send(Array("{}".utf8)) }
            var iterator = arrived.stream.makeAsyncIterator()
            await iterator.next()
            task.cancel()
            let error = await #expect(throws: RelayError.self) { try await task.value }
            #expect(error?.code == .closed)
        }
    }

    @Test func `after goodbye nothing is sent`() async throws {
        try await withRelay({ _, _ in .receipt(["status": "accepted"]) }) { relay, client in
            _ = try await client.send(Array("{}".utf8))
            await client.close()
            await client.close()
            let error = await #expect(throws: RelayError.self) { try await client.send(Array("{}".utf8)) }
            #expect(error?.code == .closed)
        }
    }

    @Test func `TLS without credentials is a mistake of the configuration`() {
        let error = #expect(throws: RelayError.self) {
            try RelayClient(
                RelayConfiguration(
                    endpoint: .tls(host: "localhost", port: 1), credentials: nil, collaboration: "orebro"))
        }
        #expect(error?.code == .configuration)
    }

    @Test func `a missing certificate file ends the client with its name`() async throws {
        let credentials = RelayCredentials(
            certificateFile: "/nonexistent/c.crt", keyFile: "/nonexistent/c.key",
            authorityFiles: ["/nonexistent/ca.crt"])
        let client = try RelayClient(
            RelayConfiguration(
                endpoint: .tls(host: "localhost", port: 1), credentials: credentials, collaboration: "orebro"))
        let error = await #expect(throws: RelayError.self) { try await client.ask("inbox") }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("/nonexistent/") == true)
        await client.close()
    }

    private func withRelay(
        _ answer: @escaping @Sendable (Request, Int) -> Answer?,
        onRequest: @escaping @Sendable (Request, SocketRelay) -> Void = { _, _ in },
        _ body: (SocketRelay, RelayClient) async throws -> Void
    ) async throws {
        let loop = try EpollLoop(name: "test")
        try loop.start()
        let shared = Shared()
        let relay = try SocketRelay(
            loop: loop,
            onRequest: { request in
                if let relay = shared.relay { onRequest(request, relay) }
            }, answer: answer)
        shared.set(relay)
        var configuration = RelayConfiguration(
            endpoint: .unix(path: relay.path), credentials: nil, collaboration: "orebro")
        configuration.reconnect.firstPause = .milliseconds(10)
        let client = try RelayClient(configuration, seed: 5, loop: loop)
        do { try await body(relay, client) } catch {
            relay.end()
            throw error
        }
        relay.end()
        await client.close()
        shared.set(nil)
        loop.stop()
    }

    private final class Shared: Sendable {
        private let box = Mutex<SocketRelay?>(nil)

        var relay: SocketRelay? { box.withLock { $0 } }
        func set(_ relay: SocketRelay?) { box.withLock { $0 = relay } }
    }
}
