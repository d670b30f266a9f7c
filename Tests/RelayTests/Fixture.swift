import CaseNotifications
import Routing

@testable import Relay

/// The same numbers for the same seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

func party(_ text: String) -> PartyID { PartyID(text)! }
func desk(_ text: String) -> DeskID { DeskID(text)! }
func client(_ text: String) -> ClientID { ClientID(text)! }
func person(_ text: String) -> PersonID { PersonID(text)! }

/// A relay with a journal in memory and a clock by hand.
struct Fixture {
    static let friday = Timestamp(rfc3339: "2026-12-11T23:10:00+01:00")!
    static let policy = Digest(sha256Of: "the policy")
    static let subject = CaseID("BK-18-2026-7QK2ZD9F")!

    var relay: Relay
    var random: Seeded
    var now = Fixture.friday
    var journal: [[UInt8]] = []
    var changes: [Change] = []

    init(settings: RelaySettings = .standard, seed: UInt64 = 1, finishedLimit: Int = Relay.finishedLimit) {
        relay = Relay(collaboration: CollaborationID("orebro")!, settings: settings, finishedLimit: finishedLimit)
        random = Seeded(seed)
    }

    /// Decides, applies and journals.
    @discardableResult
    mutating func run(_ command: Command) -> Answer {
        let verdict = relay.decide(command, at: now, random: &random)
        take(verdict.events)
        return verdict.answer
    }

    mutating func take(_ events: [Event]) {
        for event in events {
            relay.apply(event, into: &changes)
            journal.append(EventCodec.encode(event))
        }
    }

    mutating func wait(seconds: Int64) { now = now.advanced(bySeconds: seconds) }

    mutating func drainChanges() -> [Change] {
        defer { changes.removeAll() }
        return changes
    }

    /// A relay that has read the journal.
    func replayed() throws(ReplayFault) -> Relay {
        var relay = Relay(
            collaboration: CollaborationID("orebro")!, settings: self.relay.settings,
            finishedLimit: self.relay.finishedLimit)
        var changes: [Change] = []
        for record in journal { try relay.replay(record, into: &changes) }
        return relay
    }

    static func grant(
        _ to: String, desk at: String, agent: String? = nil, urgency: UrgencyClass = .u1,
        acknowledgeBy: Timestamp? = friday.advanced(bySeconds: 900), notBefore: Timestamp? = nil, rule: String = "r-1"
    ) -> Grant {
        Grant(
            party: party(to), desk: deskID(at), agent: agent.map { party($0) }, rule: RuleID(rule)!, effect: .duty,
            basis: "osl-10-28", marking: "OSL 26:1 " + to, urgency: urgency, attributes: ["municipality"],
            fields: ["children"], isStrict: false, notBefore: notBefore,
            deadline: acknowledgeBy.map { .by($0) } ?? .none, acknowledgeBy: acknowledgeBy)
    }

    private static func deskID(_ text: String) -> DeskID { DeskID(text)! }

    func submission(
        id: String = "n-1", body: String = "body", source: String = "pol-18-rlc", from sender: String? = nil,
        client by: String = "rlc-system", subject: CaseID = Fixture.subject, urgency: UrgencyClass = .u1,
        time: Timestamp? = nil, supersedes: NotificationID? = nil, isProtected: Bool? = false,
        grants: [Grant] = [Fixture.grant("soc-1880", desk: "jour-1880", agent: "jour-1880")],
        refusals: [PartyRefusal] = [], refusal: Refusal? = nil
    ) -> Submission {
        let notification = CaseNotification(
            id: id, source: party(source), type: EventType("se.budkavle.police.report.registered.v1")!,
            time: time ?? now, subject: subject, county: "18", municipality: "1880", isProtected: isProtected,
            supersedes: supersedes)
        let decision = Decision(
            at: now, urgency: urgency, grants: grants, refusals: refusals, until: .distantFuture, refusal: refusal)
        return Submission(
            notification: notification, digest: Digest(sha256Of: body), party: party(sender ?? source),
            client: client(by), notificationSlot: 7, freshCaseSlot: 8, decision: decision, policy: Self.policy)
    }

    /// Accepts one and returns its id.
    mutating func accept(_ submission: Submission) -> NotificationID {
        guard case .accepted(let id, _) = run(.submit(submission)) else { preconditionFailure("not accepted") }
        return id
    }

    func receipts(of source: String = "pol-18-rlc") -> [Receipt] {
        relay.receipts(for: .party(party(source)), after: 0, limit: 1_000).map(\.receipt)
    }

    /// People of the on-call desk that acts for `soc-1880`.
    static func onCall(_ who: String = "staff-1") -> Actor {
        Actor(
            party: party("jour-1880"), client: client(who), person: person(who), role: "jour-1880",
            desks: [deskID("jour-1880")])
    }

    /// The on-call desk's station.
    static let onCallStation = Actor(
        party: party("jour-1880"), client: client("jour-station"), desks: [deskID("jour-1880")])

    /// People of the board's own desk.
    static func board(_ who: String = "staff-9") -> Actor {
        Actor(
            party: party("soc-1880"), client: client(who), person: person(who), role: "soc-1880",
            desks: [deskID("soc-1880")])
    }

    static func acknowledge(
        _ id: NotificationID, _ act: Act, by actor: Actor, at: Timestamp? = nil
    ) -> Command {
        .acknowledge(
            Acknowledgement(
                notification: id, actor: actor, person: actor.person!, role: actor.role!, act: act, at: at))
    }

    static func open(_ id: NotificationID, by actor: Actor, at: Timestamp? = nil) -> Command {
        .open(Opening(notification: id, actor: actor, person: actor.person!, role: actor.role!, at: at))
    }

    static let toBoard = Act.handedOver(
        to: HandOverTarget(party: PartyID("soc-1880")!, desk: DeskID("soc-1880")!, role: nil))
}

extension Relay {
    /// All pieces of a snapshot of this state.
    var pieces: [[UInt8]] { Array(RelaySnapshotWriter(self)) }

    /// A relay from the pieces of a snapshot.
    static func restored(
        from pieces: [[UInt8]], finishedLimit: Int = Relay.finishedLimit, settings: RelaySettings = .standard
    ) throws(SnapshotFault) -> Relay {
        var reader = RelaySnapshotReader(
            collaboration: CollaborationID("orebro")!, settings: settings, finishedLimit: finishedLimit)
        for piece in pieces { try reader.add(piece) }
        return try reader.finish()
    }
}
