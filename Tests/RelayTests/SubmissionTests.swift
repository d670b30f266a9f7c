import CaseNotifications
import Routing
import Testing

@testable import Relay

@Suite struct SubmissionTests {
    @Test func `the same submission again gets the stored answer and no event`() {
        var fixture = Fixture()
        let first = fixture.run(.submit(fixture.submission()))
        guard case .accepted(let id, let sequence) = first else {
            Issue.record("got \(first)")
            return
        }
        fixture.wait(seconds: 60)
        let verdict = fixture.relay.decide(
            .submit(fixture.submission(time: Fixture.friday)), at: fixture.now, random: &fixture.random)
        #expect(verdict == Verdict(answer: .duplicate(id, sequence: sequence), events: []))
        #expect(
            fixture.relay.known(source: party("pol-18-rlc"), id: "n-1", digest: Digest(sha256Of: "body"))
                == .same(id, sequence: sequence))
        #expect(fixture.relay.known(source: party("pol-18-rlc"), id: "n-1", digest: Digest(sha256Of: "x")) == .other)
        #expect(fixture.relay.known(source: party("pol-18-rlc"), id: "n-2", digest: Digest(sha256Of: "x")) == nil)
        #expect(fixture.relay.position(sequence) == "orebro.\(sequence)")
    }

    @Test func `the sequence is the record number of the accepted event`() throws {
        var fixture = Fixture()
        guard case .accepted(let id, let sequence) = fixture.run(.submit(fixture.submission())) else {
            Issue.record("not accepted")
            return
        }
        let event = try EventCodec.decode(fixture.journal[Int(sequence) - 1])
        guard case .accepted(let accepted) = event.body else {
            Issue.record("got \(event)")
            return
        }
        #expect(accepted.notification == id)
        #expect(UInt64(fixture.journal.count) == fixture.relay.sequence)
    }

    @Test func `another body under an accepted id is a conflict, and is audited`() {
        var fixture = Fixture()
        _ = fixture.accept(fixture.submission())
        let verdict = fixture.relay.decide(
            .submit(fixture.submission(body: "another")), at: fixture.now, random: &fixture.random)
        #expect(verdict.answer == .refused(.conflict))
        guard case .refused(_, _, .conflict, Digest(sha256Of: "another"))? = verdict.events.last?.body else {
            Issue.record("got \(verdict.events)")
            return
        }
    }

    @Test func `the same id of another source is another notification`() {
        var fixture = Fixture()
        let first = fixture.accept(fixture.submission())
        let second = fixture.accept(fixture.submission(source: "frv-18-orebro"))
        #expect(first != second)
    }

    @Test func `a refusal binds no id`() {
        var fixture = Fixture()
        let refusal = Refusal(code: .consentMissing, pointer: "/consent", message: "consent is missing")
        #expect(fixture.run(.submit(fixture.submission(grants: [], refusal: refusal))) == .refused(refusal))
        guard case .accepted = fixture.run(.submit(fixture.submission(body: "corrected"))) else {
            Issue.record("not accepted")
            return
        }
    }

    @Test func `nobody to give it to is a refusal`() {
        var fixture = Fixture()
        #expect(fixture.run(.submit(fixture.submission(grants: []))) == .refused(.nobody))
    }

    @Test func `a source that is not the sender's party is refused`() {
        var fixture = Fixture()
        #expect(fixture.run(.submit(fixture.submission(from: "soc-1880"))) == .refused(.wrongSource))
    }

    @Test func `a time of exactly 30 days ago is accepted, one a millisecond older is too old`() {
        var fixture = Fixture()
        let edge = fixture.now.advanced(bySeconds: -Relay.duplicateSeconds)
        _ = fixture.accept(fixture.submission(time: edge))
        let older = Timestamp(milliseconds: edge.milliseconds - 1)
        #expect(fixture.run(.submit(fixture.submission(id: "n-2", time: older))) == .refused(.tooOld))
    }

    @Test func `a time as far ahead as clocks may differ is accepted, one a millisecond further is refused`() {
        var fixture = Fixture()
        let edge = fixture.now.advanced(bySeconds: Relay.clockToleranceSeconds)
        _ = fixture.accept(fixture.submission(time: edge))
        let further = Timestamp(milliseconds: edge.milliseconds + 1)
        #expect(fixture.run(.submit(fixture.submission(id: "n-2", time: further))) == .refused(.ahead))
        #expect(Refusal.ahead.code == .schema && Refusal.ahead.pointer == "/time")
        #expect(fixture.run(.submit(fixture.submission(id: "n-2", time: .distantFuture))) == .refused(.ahead))
    }

    @Test func `as many parties as the limit are served, one more is refused`() {
        var fixture = Fixture()
        let grants = (0...Relay.partyLimit).map { Fixture.grant("soc-\($0)", desk: "soc-\($0)") }
        _ = fixture.accept(fixture.submission(grants: Array(grants.dropLast())))
        #expect(fixture.run(.submit(fixture.submission(id: "n-2", grants: grants))) == .refused(.tooManyParties))
    }

    @Test func `supersedes names an earlier notification of the same source and case only`() {
        var fixture = Fixture()
        let first = fixture.accept(fixture.submission())
        _ = fixture.accept(fixture.submission(id: "n-2", supersedes: first))
        let other = CaseID("BK-18-2026-00000001")!
        #expect(
            fixture.run(.submit(fixture.submission(id: "n-3", subject: other, supersedes: first)))
                == .refused(.supersedesUnknown))
        #expect(
            fixture.run(.submit(fixture.submission(id: "n-3", source: "frv-18-orebro", supersedes: first)))
                == .refused(.supersedesUnknown))
        let unknown = NotificationID(high: 1, low: 1)
        #expect(
            fixture.run(.submit(fixture.submission(id: "n-3", supersedes: unknown))) == .refused(.supersedesUnknown))
    }

    @Test func `a cause is a notification of the same case that the source sent or got`() {
        var fixture = Fixture()
        let first = fixture.accept(fixture.submission())
        func caused(_ id: String, by cause: String, source: String = "soc-1880", subject: CaseID = Fixture.subject)
            -> Submission
        {
            var submission = fixture.submission(id: id, source: source, subject: subject)
            submission.notification.causationid = cause
            return submission
        }
        _ = fixture.accept(caused("n-2", by: first.text))
        _ = fixture.accept(caused("n-3", by: first.text, source: "pol-18-rlc"))
        for submission in [
            caused("n-4", by: first.text, subject: CaseID("BK-18-2026-00000001")!),
            caused("n-4", by: first.text, source: "frv-18-orebro"),
            caused("n-4", by: NotificationID(high: 1, low: 1).text), caused("n-4", by: "not an id"),
        ] {
            #expect(fixture.run(.submit(submission)) == .refused(.causeUnknown))
        }
    }

    @Test func `an answer goes to the party that asked and to nobody else`() {
        var fixture = Fixture()
        let question = fixture.accept(fixture.submission())
        func answer(to parties: String...) -> Submission {
            var submission = fixture.submission(
                id: "n-2", source: "soc-1880", grants: parties.map { Fixture.grant($0, desk: $0) })
            submission.notification.causationid = question.text
            submission.isAnswer = true
            return submission
        }
        #expect(fixture.run(.submit(answer(to: "soc-1881"))) == .refused(.answerToOther))
        #expect(fixture.run(.submit(answer(to: "pol-18-rlc", "soc-1881"))) == .refused(.answerToOther))
        _ = fixture.accept(answer(to: "pol-18-rlc"))
    }

    @Test func `each reported refusal of a party is a receipt, an unreported one is not`() {
        var fixture = Fixture()
        let refusals = [
            PartyRefusal(party: party("lst-18"), code: .noRule, rule: nil, reasons: [], isReported: true),
            PartyRefusal(party: party("frv-18-orebro"), code: .neverRule, rule: nil, reasons: [], isReported: false),
            PartyRefusal(party: party("soc-1885"), code: .noAgreement, rule: nil, reasons: [], isReported: true),
        ]
        _ = fixture.accept(fixture.submission(refusals: refusals))
        let receipts = fixture.receipts()
        #expect(receipts.map(\.event) == [.accepted, .refused, .refused])
        #expect(receipts.map(\.party) == [nil, party("lst-18"), party("soc-1885")])
        #expect(receipts.map(\.reason) == [nil, .noRule, .noAgreement])
        let ids = fixture.relay.receipts(for: .party(party("pol-18-rlc")), after: 0, limit: 9).map(\.id)
        #expect(Set(ids).count == 3)
    }

    @Test func `a case keeps the slot of its first notification`() {
        var fixture = Fixture()
        _ = fixture.accept(fixture.submission())
        var second = fixture.submission(id: "n-2")
        second.freshCaseSlot = 99
        _ = fixture.accept(second)
        #expect(fixture.relay.caseSlot(of: Fixture.subject) == 8)
    }

    @Test func `a submission is known for 30 days, and goes with the last of its slice`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let known = { (relay: Relay) in
            relay.known(source: party("pol-18-rlc"), id: "n-1", digest: Digest(sha256Of: "body"))
        }
        fixture.wait(seconds: Relay.duplicateSeconds)
        #expect(fixture.run(.trim) == .nothing)
        #expect(known(fixture.relay) == .same(id, sequence: fixture.relay.notification(id)!.sequence))
        let due = fixture.relay.nextDue!
        #expect(due > fixture.now && due <= fixture.now.advanced(bySeconds: KnownSubmissions.sliceSeconds))
        fixture.now = due.advanced(bySeconds: -1)
        #expect(fixture.run(.trim) == .nothing && known(fixture.relay) != nil)
        fixture.now = due
        #expect(fixture.relay.due(at: due).count == 1)
        fixture.run(.trim)
        #expect(known(fixture.relay) == nil && fixture.relay.known.slices.isEmpty)
        #expect(fixture.relay.notification(id) != nil)
    }

    @Test func `a receipt that nobody ever reads is dropped after 90 days`() {
        var fixture = Fixture()
        _ = fixture.accept(fixture.submission())
        fixture.wait(seconds: Relay.receiptSeconds - 1)
        fixture.run(.trim)
        #expect(fixture.receipts().count == 1)
        fixture.wait(seconds: 1)
        #expect(fixture.relay.nextDue == fixture.now)
        fixture.run(.trim)
        #expect(fixture.receipts().isEmpty && fixture.relay.nextDue == nil)
    }

    @Test func `what nobody has acknowledged stays, however old it is`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        fixture.wait(seconds: Relay.receiptSeconds * 2)
        for _ in 0..<3 { fixture.run(.trim) }
        #expect(fixture.relay.notification(id) != nil)
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 10).map(\.notification.id) == [id])
        #expect(fixture.relay.nextDue == nil)
    }

    @Test func `a transaction is accepted whole, and sees its own earlier parts`() {
        var fixture = Fixture()
        let commands: [Command] = [
            .submit(fixture.submission()), .submit(fixture.submission(id: "n-2")), .submit(fixture.submission()),
        ]
        let verdict = fixture.relay.decide(transaction: commands, at: fixture.now, random: &fixture.random)
        fixture.take(verdict.events)
        guard verdict.answers.count == 3, case .accepted(let id, let sequence) = verdict.answers[0] else {
            Issue.record("got \(verdict)")
            return
        }
        #expect(verdict.answers[2] == .duplicate(id, sequence: sequence))
        #expect(verdict.refusedIndex == nil)
        #expect(fixture.relay.counts().notifications == 2)
    }

    @Test func `one refusal refuses a whole transaction and leaves only its audit`() {
        var fixture = Fixture()
        let before = fixture.relay.counts()
        let commands: [Command] = [.submit(fixture.submission()), .submit(fixture.submission(body: "another"))]
        let verdict = fixture.relay.decide(transaction: commands, at: fixture.now, random: &fixture.random)
        #expect(verdict.answers == [.refused(.conflict)])
        #expect(verdict.refusedIndex == 1)
        fixture.take(verdict.events)
        #expect(fixture.relay.counts() == before)
        guard case .refused(_, _, .conflict, _)? = verdict.events.last?.body else {
            Issue.record("got \(verdict.events)")
            return
        }
    }

    @Test func `a transaction of as many records as a request holds is taken, one more is refused`() {
        var fixture = Fixture()
        fixture.run(.audit(AuditNote(actor: Fixture.onCallStation, verb: "drain", isAllowed: true)))
        let note = Command.audit(AuditNote(actor: Fixture.onCallStation, verb: "drain", isAllowed: true))
        let most = Array(repeating: note, count: Relay.transactionEventLimit)
        let taken = fixture.relay.decide(transaction: most, at: fixture.now, random: &fixture.random)
        #expect(taken.events.count == Relay.transactionEventLimit && taken.refusedIndex == nil)
        let refused = fixture.relay.decide(transaction: most + [note], at: fixture.now, random: &fixture.random)
        #expect(refused.answers == [.refused(.transactionTooLarge)])
        #expect(refused.refusedIndex == Relay.transactionEventLimit)
    }
}
