import CaseNotifications
import Testing

@testable import Relay

/// A short form of the receipts that a scenario demands.
private func short(_ receipt: Receipt) -> String {
    var words = [receipt.event.text]
    if let outcome = receipt.outcome { words.append(outcome.text) }
    if let step = receipt.step { words.append(step) }
    if let party = receipt.party { words.append(party.text) }
    if let desk = receipt.desk { words.append("at " + desk.text) }
    if let role = receipt.role { words.append("as " + role) }
    return words.joined(separator: " ")
}

@Suite struct WorkTests {
    @Test func `the sender of S1 sees every step, with roles and without names`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = DeliveryID(notification: id, ordinal: 0)
        fixture.wait(seconds: 20)
        fixture.run(.custody(delivery, by: Fixture.onCallStation))
        fixture.now = Timestamp(rfc3339: "2026-12-11T23:14:00+01:00")!
        fixture.run(Fixture.open(id, by: Fixture.onCall()))
        fixture.now = Timestamp(rfc3339: "2026-12-11T23:16:00+01:00")!
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
        fixture.now = Timestamp(rfc3339: "2026-12-14T07:45:00+01:00")!
        fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall("staff-2")))
        fixture.now = Timestamp(rfc3339: "2026-12-14T08:05:00+01:00")!
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.board()))
        let receipts = fixture.receipts()
        #expect(
            receipts.map(short) == [
                "accepted",
                "delivered soc-1880 at jour-1880",
                "opened soc-1880 at jour-1880 as jour-1880",
                "acknowledged taken soc-1880 at jour-1880 as jour-1880",
                "acknowledged handed-over soc-1880 at jour-1880 as jour-1880",
                "acknowledged taken soc-1880 at soc-1880 as soc-1880",
            ])
        #expect(
            receipts.map(\.at.rfc3339) == [
                "2026-12-11T22:10:00.000Z", "2026-12-11T22:10:20.000Z", "2026-12-11T22:14:00.000Z",
                "2026-12-11T22:16:00.000Z", "2026-12-14T06:45:00.000Z", "2026-12-14T07:05:00.000Z",
            ])
        for receipt in receipts {
            #expect(receipt.id == "n-1" && receipt.source == party("pol-18-rlc") && receipt.notification == id)
            #expect(receipt.digest == Digest(sha256Of: "body") && receipt.policy == Fixture.policy.hex)
            let text = String(decoding: receipt.cloudEvent(receiptID: "orebro.1.0"), as: UTF8.self)
            #expect(!text.contains("staff"))
        }
        #expect(Set(receipts.map(\.position)).count == 6)
    }

    enum State: String, CaseIterable { case open, takenByMe, takenByOther, knownByMe, knownByOther, handed, notOurs }
    enum Step: String, CaseIterable { case taken, alreadyKnown, handedOver, notOurs, recused }

    /// What the first column's state makes of each step, by `staff-1` of the board's own desk.
    static let table: [(State, [String])] = [
        //               taken    already-known  handed-over   not-ours   recused
        (.open, ["taken", "alreadyKnown", "handedOver", "notOurs", "open"]),
        (.takenByMe, ["stored", "alreadyKnown", "handedOver", "notOurs", "open"]),
        (.takenByOther, ["conflict", "conflict", "handedOver", "conflict", "taken"]),
        (.knownByMe, ["taken", "alreadyKnown", "handedOver", "notOurs", "open"]),
        (.knownByOther, ["taken", "conflict", "handedOver", "conflict", "alreadyKnown"]),
        (.handed, ["taken", "alreadyKnown", "handedOver", "notOurs", "handedOver"]),
        (.notOurs, ["conflict", "conflict", "conflict", "conflict", "conflict"]),
    ]

    @Test(arguments: State.allCases, Step.allCases)
    func `every state takes every outcome as the table says`(state: State, step: Step) throws {
        var fixture = Fixture()
        let earlier = fixture.accept(
            fixture.submission(id: "n-0", grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        let id = fixture.accept(fixture.submission(grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        let me = Fixture.board("staff-1")
        let other = Fixture.board("staff-2")
        let to = HandOverTarget(party: party("soc-1880"), desk: desk("soc-1880"), role: "duty-manager")
        switch state {
        case .open: break
        case .takenByMe: fixture.run(Fixture.acknowledge(id, .taken, by: me, at: fixture.now))
        case .takenByOther: fixture.run(Fixture.acknowledge(id, .taken, by: other, at: fixture.now))
        case .knownByMe: fixture.run(Fixture.acknowledge(id, .alreadyKnown(earlier: earlier), by: me, at: fixture.now))
        case .knownByOther:
            fixture.run(Fixture.acknowledge(id, .alreadyKnown(earlier: earlier), by: other, at: fixture.now))
        case .handed: fixture.run(Fixture.acknowledge(id, .handedOver(to: to), by: other, at: fixture.now))
        case .notOurs: fixture.run(Fixture.acknowledge(id, .notOurs(municipality: nil), by: other, at: fixture.now))
        }
        fixture.wait(seconds: 60)
        let act: Act =
            switch step {
            case .taken: .taken
            case .alreadyKnown: .alreadyKnown(earlier: earlier)
            case .handedOver: .handedOver(to: to)
            case .notOurs: .notOurs(municipality: "1885")
            case .recused: .recused
            }
        let before = fixture.relay.sequence
        let answer = fixture.run(Fixture.acknowledge(id, act, by: me, at: fixture.now))
        let row = Self.table.first { $0.0 == state }!.1
        let wanted = row[Step.allCases.firstIndex(of: step)!]
        let work = try #require(fixture.relay.deliveries(of: id).first).work
        switch answer {
        case .refused(let refusal): #expect(refusal.code.rawValue == wanted)
        case .done(let sequence) where sequence <= before: #expect(wanted == "stored")
        case .done: #expect("\(work)" == wanted)
        default: Issue.record("got \(answer)")
        }
        #expect(try fixture.replayed().stateDigest == fixture.relay.stateDigest)
    }

    @Test func `an acknowledgement sent again with its time gets the stored answer, whatever happened since`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let at = fixture.now
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall(), at: at))
        let handOver = Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall(), at: at.advanced(bySeconds: 60))
        let first = fixture.run(handOver)
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.board(), at: at.advanced(bySeconds: 120)))
        let count = fixture.journal.count
        #expect(fixture.run(handOver) == first)
        #expect(fixture.journal.count == count)
    }

    @Test func `without a time a repetition counts only while nothing else has happened`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission(grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        let role = HandOverTarget(party: party("soc-1880"), desk: desk("soc-1880"), role: "duty-manager")
        let handOver = Fixture.acknowledge(id, .handedOver(to: role), by: Fixture.board("staff-1"))
        let first = fixture.run(handOver)
        #expect(fixture.run(handOver) == first)
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.board("staff-2")))
        guard case .done(let second) = fixture.run(handOver) else {
            Issue.record("refused")
            return
        }
        #expect(second == fixture.relay.sequence)
    }

    @Test func `the agent loses sight when it hands over, and the clock runs until the taker acknowledges`() throws {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = DeliveryID(notification: id, ordinal: 0)
        #expect(fixture.relay.sight(of: id, for: Fixture.onCall()) == .delivery(delivery))
        #expect(fixture.relay.sight(of: id, for: Fixture.board()) == .none)
        fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall()))
        #expect(fixture.relay.sight(of: id, for: Fixture.onCall()) == .none)
        #expect(fixture.relay.sight(of: id, for: Fixture.board()) == .delivery(delivery))
        let facts = try #require(fixture.relay.delivery(delivery))
        #expect(facts.work == .handedOver && facts.giver == desk("jour-1880") && facts.agent == nil)
        #expect(facts.acknowledgeBy == Fixture.friday.advanced(bySeconds: 900))
        #expect(fixture.relay.counts().perDesk.first { $0.desk == desk("soc-1880") }?.unacknowledged == 1)
        #expect(
            fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall("staff-3")))
                == .refused(.unknownNotification))
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.board()))
        #expect(fixture.relay.delivery(delivery)?.giver == nil)
    }

    @Test func `a giver of the party itself keeps it on its list until the taker acknowledges`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission(grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        let night = HandOverTarget(party: party("soc-1880"), desk: desk("soc-1880-night"), role: nil)
        var taker = Fixture.board("staff-5")
        taker.desks = [desk("soc-1880-night")]
        fixture.run(Fixture.acknowledge(id, .handedOver(to: night), by: Fixture.board()))
        #expect(fixture.relay.inbox(of: desk("soc-1880"), limit: 5).map(\.notification.id) == [id])
        #expect(fixture.relay.inbox(of: desk("soc-1880-night"), limit: 5).map(\.notification.id) == [id])
        #expect(fixture.relay.sight(of: id, for: Fixture.board()) != .none)
        fixture.run(Fixture.acknowledge(id, .taken, by: taker))
        #expect(fixture.relay.inbox(of: desk("soc-1880"), limit: 5).isEmpty)
        #expect(fixture.relay.inbox(of: desk("soc-1880-night"), limit: 5).isEmpty)
        #expect(fixture.relay.sight(of: id, for: Fixture.board()) == .none)
    }

    @Test func `a hand-over to another party is refused, also from its agent to the agent`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        for other in ["soc-1885", "jour-1880"] {
            let to = HandOverTarget(party: party(other), desk: desk(other), role: "x")
            #expect(
                fixture.run(Fixture.acknowledge(id, .handedOver(to: to), by: Fixture.onCall())) == .refused(.otherParty)
            )
        }
        var own = Fixture()
        let second = own.accept(own.submission(grants: [Fixture.grant("soc-1880", desk: "soc-1880")]))
        #expect(own.run(Fixture.acknowledge(second, Fixture.toBoard, by: Fixture.board())) == .refused(.sameDesk))
    }

    @Test func `already-known names an earlier notification to the same party`() {
        var fixture = Fixture()
        let foreign = fixture.accept(
            fixture.submission(id: "n-0", grants: [Fixture.grant("pol-18-lpo", desk: "pol-18-lpo")]))
        let id = fixture.accept(fixture.submission())
        for earlier in [foreign, id, NotificationID(high: 1, low: 1)] {
            #expect(
                fixture.run(Fixture.acknowledge(id, .alreadyKnown(earlier: earlier), by: Fixture.onCall()))
                    == .refused(.earlierUnknown))
        }
    }

    @Test func `a recused person sees nothing more, the next one does, and no reason is told`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall("staff-1")))
        fixture.run(Fixture.acknowledge(id, .recused, by: Fixture.onCall("staff-1")))
        #expect(fixture.relay.sight(of: id, for: Fixture.onCall("staff-1")) == .recused)
        #expect(fixture.run(Fixture.open(id, by: Fixture.onCall("staff-1"))) == .refused(.unknownNotification))
        #expect(
            fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall("staff-1"), at: fixture.now))
                == .refused(.unknownNotification))
        #expect(fixture.relay.deliveries(of: id).first?.work == .open)
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 5).count == 1)
        guard case .done = fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall("staff-2"))) else {
            Issue.record("refused")
            return
        }
        let recused = fixture.receipts().first { $0.outcome == .recused }
        #expect(recused?.reason == nil && recused?.step == nil)
    }

    @Test func `people of one party may have the ids of another's`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        fixture.run(Fixture.acknowledge(id, .recused, by: Fixture.onCall("staff-1")))
        fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall("staff-2")))
        #expect(fixture.relay.sight(of: id, for: Fixture.board("staff-1")) != .recused)
    }

    @Test func `not-ours ends the delivery, and no positive state follows it`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let delivery = DeliveryID(notification: id, ordinal: 0)
        fixture.run(Fixture.acknowledge(id, .notOurs(municipality: "1885"), by: Fixture.onCall()))
        #expect(fixture.drainChanges().contains(.withdrawn(delivery)))
        #expect(fixture.run(.custody(delivery, by: Fixture.onCallStation)) == .nothing)
        #expect(fixture.run(Fixture.open(id, by: Fixture.onCall("staff-2"))) == .refused(.closed))
        #expect(fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall("staff-2"))) == .refused(.closed))
        #expect(fixture.relay.sight(of: id, for: Fixture.onCall()) == .closed)
        #expect(fixture.receipts().map(\.event) == [.accepted, .acknowledged])
        #expect(fixture.relay.inbox(of: desk("jour-1880"), limit: 5).isEmpty)
        #expect(fixture.relay.counts().openDeliveries == 0)
    }

    @Test func `no party's acknowledgement stops another's ladder`() {
        var fixture = Fixture()
        let id = fixture.accept(
            fixture.submission(grants: [
                Fixture.grant("pol-18-lpo", desk: "pol-18-lpo"), Fixture.grant("soc-1880", desk: "soc-1880"),
            ]))
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.board()))
        #expect(fixture.relay.deliveries(of: id).map(\.work) == [.open, .taken])
        #expect(fixture.relay.inbox(of: desk("pol-18-lpo"), limit: 5).count == 1)
    }

    @Test func `an agent of two boards acknowledges for both, and hands each to its own`() {
        var fixture = Fixture()
        let id = fixture.accept(
            fixture.submission(grants: [
                Fixture.grant("soc-1864", desk: "jour-1880", agent: "jour-1880"),
                Fixture.grant("soc-1880", desk: "jour-1880", agent: "jour-1880"),
            ]))
        fixture.run(Fixture.acknowledge(id, Fixture.toBoard, by: Fixture.onCall()))
        #expect(fixture.relay.deliveries(of: id).map(\.work) == [.open, .handedOver])
        fixture.run(Fixture.acknowledge(id, .taken, by: Fixture.onCall()))
        #expect(fixture.relay.deliveries(of: id).map(\.work) == [.taken, .handedOver])
    }

    @Test func `each opening is journaled, the sender is told once per role`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        let at = fixture.now
        let first = fixture.run(Fixture.open(id, by: Fixture.onCall(), at: at))
        #expect(fixture.run(Fixture.open(id, by: Fixture.onCall(), at: at)) == first)
        fixture.run(Fixture.open(id, by: Fixture.onCall(), at: at.advanced(bySeconds: 1)))
        var manager = Fixture.onCall("staff-2")
        manager.role = "duty-manager"
        fixture.run(Fixture.open(id, by: manager))
        let opened = fixture.journal.compactMap { try? EventCodec.decode($0) }.filter {
            if case .opened = $0.body { true } else { false }
        }
        #expect(opened.count == 3)
        #expect(fixture.receipts().filter { $0.event == .opened }.map(\.role) == ["jour-1880", "duty-manager"])
    }

    @Test func `somebody of another desk or party is told the same as for an unknown notification`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        var elsewhere = Fixture.onCall()
        elsewhere.desks = [desk("jour-other")]
        var stranger = Fixture.onCall()
        stranger.party = party("soc-1885")
        for actor in [elsewhere, stranger] {
            #expect(fixture.relay.sight(of: id, for: actor) == .none)
            let seen = fixture.run(Fixture.acknowledge(id, .taken, by: actor))
            #expect(seen == fixture.run(Fixture.acknowledge(NotificationID(high: 1, low: 1), .taken, by: actor)))
            #expect(fixture.run(Fixture.open(id, by: actor)) == .refused(.unknownNotification))
        }
        #expect(fixture.relay.status(of: id, for: party("soc-1880")) == nil)
        #expect(fixture.relay.status(of: id, for: party("pol-18-rlc"))?.count == 1)
    }

    @Test func `a role of as many bytes as the limit is taken, a longer one refused`() {
        var fixture = Fixture()
        let id = fixture.accept(fixture.submission())
        var actor = Fixture.onCall()
        actor.role = String(repeating: "r", count: Relay.textLimitBytes + 1)
        #expect(fixture.run(Fixture.open(id, by: actor)) == .refused(.roleTooLong))
        #expect(fixture.run(Fixture.acknowledge(id, .taken, by: actor)) == .refused(.roleTooLong))
        actor.role = String(repeating: "r", count: Relay.textLimitBytes)
        guard case .done = fixture.run(Fixture.acknowledge(id, .taken, by: actor)) else {
            Issue.record("refused")
            return
        }
    }

    @Test func `only who has a part in a case sees its timeline, each his own part`() throws {
        var fixture = Fixture()
        let first = fixture.accept(fixture.submission())
        let second = fixture.accept(
            fixture.submission(id: "n-2", grants: [Fixture.grant("frv-18-orebro", desk: "frv-18-orebro")]))
        let sender = try #require(fixture.relay.timeline(of: Fixture.subject, for: party("pol-18-rlc")))
        #expect(sender.map(\.notification.id) == [first, second] && sender.allSatisfy { $0.delivery == nil })
        let board = try #require(fixture.relay.timeline(of: Fixture.subject, for: party("soc-1880")))
        #expect(board.map(\.notification.id) == [first] && board.allSatisfy { $0.delivery != nil })
        #expect(fixture.relay.timeline(of: Fixture.subject, for: party("lst-18")) == nil)
        #expect(fixture.relay.timeline(of: CaseID("BK-18-2026-00000001")!, for: party("soc-1880")) == nil)
    }
}
