import STOMP
import Testing

@testable import BudkavleClient

@Suite struct LinkReconnectTests {
    @Test func `the pauses double up to the longest and half of each is chance`() {
        var backoff = Backoff(ReconnectPolicy())
        var random = SeededRandom(seed: 1)
        var step: Int64 = 200
        for _ in 0..<40 {
            let pause = backoff.pauseMilliseconds(random: &random)
            #expect((step / 2...step).contains(pause), "\(pause) for a step of \(step)")
            step = min(step * 2, 30_000)
        }
        backoff.reset()
        #expect((100...200).contains(backoff.pauseMilliseconds(random: &random)))
    }

    @Test func `one seed repeats its pauses and another has others`() {
        func pauses(_ seed: UInt64) -> [Duration] {
            let bench = LinkBench(seed: seed)
            bench.refuseToOpen = { _ in RelayError(.unreachable, "no") }
            _ = bench.send("a")
            for _ in 0..<8 { bench.passToDeadline() }
            return bench.pauses
        }
        #expect(pauses(3) == pauses(3))
        #expect(pauses(3) != pauses(4))
    }

    @Test func `a connection that lived long enough starts the pauses anew and a shorter one does not`() {
        let bench = LinkBench()
        _ = bench.send("a")
        for _ in 0..<6 {
            bench.cut()
            bench.passToDeadline()
        }
        #expect(bench.pauses[5] > .milliseconds(3_000))
        bench.pass(milliseconds: 9_999, isRelayAlive: true)
        bench.cut()
        #expect(bench.pauses[6] > .milliseconds(3_000))
        bench.passToDeadline()
        bench.pass(milliseconds: 10_000, isRelayAlive: true)
        bench.cut()
        #expect(bench.pauses[7] <= .milliseconds(200))
    }

    @Test func `the first attempts are limited where that is wanted`() {
        let bench = LinkBench(policy: ReconnectPolicy(initialAttempts: 3))
        bench.refuseToOpen = { _ in RelayError(.unreachable, "refused") }
        let number = bench.send("a")
        bench.passToDeadline()
        #expect(bench.answers[number] == nil)
        bench.passToDeadline()
        #expect(bench.openings.count == 3)
        #expect(bench.states == ["lost", "lost", "ended unreachable"])
        guard case .failure(let error) = bench.answers[number] else {
            Issue.record("answered \(String(describing: bench.answers[number]))")
            return
        }
        #expect(error.code == .unreachable)
    }

    @Test func `after a first success it goes on trying`() {
        let bench = LinkBench(policy: ReconnectPolicy(initialAttempts: 1))
        _ = bench.send("a")
        bench.refuseToOpen = { _ in RelayError(.unreachable, "refused") }
        bench.cut()
        for _ in 0..<5 { bench.passToDeadline() }
        #expect(bench.openings.count == 6)
        bench.refuseToOpen = { _ in nil }
        bench.passToDeadline()
        #expect(bench.states.last == "connected soc-1880 klient-1")
    }

    @Test(arguments: [RelayError.Code.certificateRefused, .relayNotTrusted, .configuration, .forbidden])
    func `what trying cannot change ends the client`(code: RelayError.Code) {
        let bench = LinkBench()
        bench.refuseToOpen = { _ in RelayError(code, "no") }
        let number = bench.send("a")
        #expect(bench.states == ["ended \(code.rawValue)"])
        #expect(bench.openings.count == 1)
        #expect(bench.answers[number] != nil)
    }

    @Test(arguments: [
        ("unauthorized", "ended certificate-refused"), ("revoked", "ended certificate-refused"),
        ("draining", "lost"), ("unavailable", "lost"), ("limit", "lost"), ("something", "ended protocol-fault"),
    ])
    func `what the relay says to CONNECT decides whether to come back`(code: String, state: String) {
        let bench = LinkBench()
        bench.refuseConnection = SessionRefusal(code: code, message: "no")
        _ = bench.send("a")
        #expect(bench.states == [state])
    }

    @Test(arguments: [("revoked", "ended certificate-refused"), ("draining", "lost"), ("protocol", "lost")])
    func `what the relay says later decides whether to come back`(code: String, state: String) {
        let bench = LinkBench()
        _ = bench.send("a")
        bench.end(with: SessionRefusal(code: code, message: "no"))
        #expect(bench.states == ["connected soc-1880 klient-1", state])
    }

    @Test func `a silent relay is given up and found again`() {
        let bench = LinkBench()
        _ = bench.send("a")
        // Twice the agreed gap and the grace: protocol.md, Session.
        bench.pass(milliseconds: 24_999)
        #expect(bench.states.count == 1)
        bench.pass(milliseconds: 1)
        #expect(bench.states == ["connected soc-1880 klient-1", "lost"])
        bench.passToDeadline()
        #expect(bench.states.count == 3)
    }

    @Test func `what is no STOMP ends the client before the first success`() {
        let bench = LinkBench()
        bench.refuseConnection = SessionRefusal(code: "unavailable", message: "later")
        _ = bench.send("a")
        #expect(bench.states == ["lost"])
    }

    // MARK: Subscriptions

    @Test func `a subscription is made again and an old message is not acknowledged on the new connection`() throws {
        let bench = LinkBench()
        let number = bench.subscribe(.inbox(desk: "jour-1880"))
        #expect(bench.subscribed == [number])
        #expect(bench.deliver("{\"a\":1}", on: "/inbox/jour-1880", tag: 11))
        bench.cut()
        bench.passToDeadline()
        #expect(bench.subscribed == [number])
        bench.settle(try #require(bench.messages.first), as: .taken)
        #expect(bench.acknowledged == [])
        #expect(bench.deliver("{\"a\":1}", on: "/inbox/jour-1880", tag: 12))
        bench.settle(try #require(bench.messages.last), as: .taken)
        #expect(bench.acknowledged == [12])
        #expect(bench.messages.count == 2)
    }

    @Test func `a subscription that the relay refuses ends with its reason`() throws {
        let bench = LinkBench()
        bench.answer = { _ in .refused(.unknownDestination) }
        let number = bench.subscribe(.watch(desk: "soc-1885"))
        let error = try #require(bench.finished[number] ?? nil)
        #expect(error.code == .unknown)
    }

    @Test func `a subscription that nobody confirms ends at its deadline`() throws {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        let number = bench.subscribe(.receipts, within: 2_000)
        bench.pass(milliseconds: 2_000)
        #expect(try #require(bench.finished[number] ?? nil).code == .unreachable)
    }

    @Test func `subscriptions are refused one past their limit`() throws {
        let bench = LinkBench()
        let taken = (1...8).map { bench.subscribe(.watch(desk: "d\($0)")) }
        let refused = bench.subscribe(.watch(desk: "d9"))
        #expect(bench.subscribed == taken)
        #expect(try #require(bench.finished[refused] ?? nil).code == .overflow)
    }
}
