import STOMP
import Testing

@testable import BudkavleClient

@Suite struct LinkTests {
    @Test func `a notification is sent once and its acceptance comes back`() throws {
        let bench = LinkBench()
        bench.answer = { _ in .receipt(["status": "accepted", "notification": "N1", "position": "orebro.4"]) }
        let number = bench.send("{\"id\":\"a\"}")
        #expect(bench.sentBodies == ["{\"id\":\"a\"}"])
        let headers = try #require(try receipt(bench.answers[number]))
        #expect(headers["notification"] == "N1")
        #expect(headers["position"] == "orebro.4")
        #expect(bench.states == ["connected soc-1880 klient-1"])
    }

    @Test func `an unanswered notification is sent again unchanged and a duplicate is success`() throws {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        let number = bench.send("{\"id\":\"a\"}")
        bench.cut()
        #expect(bench.answers[number] == nil)
        bench.answer = { _ in .receipt(["status": "duplicate", "notification": "N1"]) }
        bench.passToDeadline()
        #expect(bench.sentBodies == ["{\"id\":\"a\"}", "{\"id\":\"a\"}"])
        #expect(try #require(try receipt(bench.answers[number]))["status"] == "duplicate")
        #expect(bench.openings.count == 2)
    }

    @Test func `what waits is sent in the order of the calls after a reconnection`() {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        for name in ["a", "b", "c"] { _ = bench.send(name) }
        bench.cut()
        _ = bench.send("d")
        bench.passToDeadline()
        #expect(bench.sentBodies == ["a", "b", "c", "a", "b", "c", "d"])
    }

    @Test func `what was answered before the loss is not sent again`() {
        let bench = LinkBench()
        bench.answer = { request in
            guard case .send(let send) = request.action, send.body == Array("b".utf8) else {
                return .receipt(["status": "accepted"])
            }
            return nil
        }
        let numbers = ["a", "b"].map { bench.send($0) }
        bench.cut()
        bench.passToDeadline()
        #expect(bench.sentBodies == ["a", "b", "b"])
        #expect(bench.answers[numbers[0]] != nil)
        #expect(bench.answers[numbers[1]] == nil)
    }

    @Test func `an order of the administration is not repeated`() throws {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        let number = bench.submit(
            .question(destination: "/admin/clock", contentType: "application/json", body: []), .never)
        bench.cut()
        bench.passToDeadline()
        #expect(bench.sentBodies == [""])
        #expect(try failure(bench.answers[number]).code == .notConfirmed)
    }

    @Test func `an order that never reached a connection is sent on the next one`() {
        let bench = LinkBench()
        bench.refuseToOpen = { $0 == 1 ? RelayError(.unreachable, "no") : nil }
        let number = bench.submit(
            .question(destination: "/admin/reload", contentType: "application/json", body: []), .never)
        #expect(bench.answers[number] == nil)
        bench.passToDeadline()
        #expect(bench.sentBodies == [""])
        #expect(bench.answers[number] != nil)
    }

    @Test func `a refusal by receipt answers one request and the session goes on`() throws {
        let bench = LinkBench()
        bench.answer = { request in
            guard case .send(let send) = request.action, send.body == Array("bad".utf8) else {
                return .receipt(["status": "accepted"])
            }
            return .refused(SessionRefusal(code: "schema", path: "/type", message: "unknown type"))
        }
        let (bad, good) = (bench.send("bad"), bench.send("good"))
        #expect(
            try bench.answers[bad]?.get()
                == .refused(RelayRefusal(code: "schema", path: "/type", message: "unknown type")))
        #expect(bench.answers[good] != nil)
        #expect(bench.openings.count == 1)
    }

    @Test func `an ERROR answers the frame that it names and the rest is sent again`() throws {
        let bench = LinkBench()
        bench.answer = { request in
            guard case .send(let send) = request.action, send.body == Array("bad".utf8) else { return nil }
            return .fault(SessionRefusal(code: "schema", message: "no"))
        }
        let bad = bench.send("bad")
        let good = bench.send("good")
        #expect(try bench.answers[bad]?.get() == .refused(RelayRefusal(code: "schema", path: "", message: "no")))
        bench.answer = { _ in .receipt(["status": "accepted"]) }
        bench.passToDeadline()
        #expect(bench.answers[good] != nil)
        #expect(bench.sentBodies.filter { $0 == "bad" }.count == 1)
    }

    @Test func `a deadline tells apart what may be stored and what never left`() throws {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        let sent = bench.send("a", within: 5_000)
        bench.pass(milliseconds: 4_999)
        #expect(bench.answers[sent] == nil)
        bench.pass(milliseconds: 1)
        #expect(try failure(bench.answers[sent]).code == .notConfirmed)

        let other = LinkBench()
        other.refuseToOpen = { _ in RelayError(.unreachable, "no route") }
        let unsent = other.send("a", within: 5_000)
        while other.answers[unsent] == nil { other.passToDeadline() }
        #expect(try failure(other.answers[unsent]).message == "no route")
    }

    @Test func `a withdrawn request is not sent again`() {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        let number = bench.send("a")
        bench.withdraw(number)
        bench.cut()
        bench.passToDeadline()
        #expect(bench.sentBodies == ["a"])
        #expect(bench.answers.isEmpty)
    }

    @Test func `requests are refused one past their limit`() throws {
        let bench = LinkBench(limits: LinkLimits(operations: 3))
        bench.answer = { _ in nil }
        let taken = (1...3).map { bench.send("\($0)") }
        let refused = bench.send("4")
        #expect(taken.allSatisfy { bench.answers[$0] == nil })
        #expect(try failure(bench.answers[refused]).code == .overflow)
    }

    // MARK: Questions

    @Test func `each question gets its own answer`() throws {
        let bench = LinkBench()
        let numbers = ["inbox", "status", "queues"].map { bench.ask($0) }
        let replies = try numbers.map { try reply(bench.answers[$0]) }
        #expect(
            replies == ["{\"to\":\"/queries/inbox\"}", "{\"to\":\"/queries/status\"}", "{\"to\":\"/queries/queues\"}"])
    }

    @Test func `a ninth question waits for a free place`() throws {
        let bench = LinkBench()
        bench.answer = { request in
            if case .unsubscribe = request.action { return .done }
            return nil
        }
        let numbers = (1...9).map { bench.ask("q\($0)") }
        #expect(bench.sentBodies.count == 8)
        let first = try #require(bench.requests.first { if case .send = $0.action { true } else { false } })
        bench.answerLate(first, .refused(SessionRefusal(code: "forbidden", message: "no")))
        #expect(bench.sentBodies.count == 9)
        #expect(
            try bench.answers[numbers[0]]?.get()
                == .refused(RelayRefusal(code: "forbidden", path: "", message: "no")))
    }

    @Test func `an unanswered question is asked again after a reconnection`() throws {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        let number = bench.ask("inbox")
        bench.cut()
        bench.answer = { _ in .receipt(["status": "accepted"]) }
        bench.passToDeadline()
        #expect(try reply(bench.answers[number]) == "{\"to\":\"/queries/inbox\"}")
    }

    @Test func `a question past its deadline gives its place to the next`() throws {
        let bench = LinkBench(limits: LinkLimits(questions: 1))
        bench.answer = { _ in nil }
        let first = bench.ask("a", within: 1_000)
        _ = bench.ask("b")
        #expect(bench.sentBodies.count == 1)
        bench.pass(milliseconds: 1_000)
        #expect(try failure(bench.answers[first]).code == .notConfirmed)
        #expect(bench.sentBodies.count == 2)
    }

    // MARK: Ending

    @Test func `goodbye ends well and later requests fail`() throws {
        let bench = LinkBench()
        _ = bench.send("a")
        bench.leave()
        #expect(bench.states == ["connected soc-1880 klient-1", "ended well"])
        let late = bench.send("b")
        #expect(try failure(bench.answers[late]).code == .closed)
        #expect(bench.link.nextDeadline == nil)
    }

    @Test func `goodbye is waited for as long as its limit`() throws {
        let bench = LinkBench()
        bench.answer = { _ in nil }
        let number = bench.send("a")
        bench.leave()
        bench.pass(milliseconds: 1_999)
        #expect(bench.states.last == "connected soc-1880 klient-1")
        bench.pass(milliseconds: 1)
        #expect(bench.states.last == "ended well")
        #expect(try failure(bench.answers[number]).code == .notConfirmed)
        #expect(bench.link.nextDeadline == nil)
    }

    @Test func `goodbye without a connection ends at once`() {
        let bench = LinkBench()
        bench.leave()
        #expect(bench.states == ["ended well"])
    }

    private func receipt(_ result: Result<LinkAnswer, RelayError>?) throws -> Headers? {
        guard case .receipt(let headers) = try result?.get() else { return nil }
        return headers
    }

    private func reply(_ result: Result<LinkAnswer, RelayError>?) throws -> String {
        guard case .reply(let bytes) = try result?.get() else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func failure(_ result: Result<LinkAnswer, RelayError>?) throws -> RelayError {
        guard case .failure(let error) = try #require(result) else { throw WrongOutcome() }
        return error
    }
}

struct WrongOutcome: Error {}
