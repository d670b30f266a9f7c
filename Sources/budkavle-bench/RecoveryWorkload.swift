import CaseNotifications
import Foundation
import Journal
import Relay
import Routing
import Synchronization

/// How long and how mixed a journal is that recovery is measured with.
struct RecoveryPlan: Sendable {
    /// Records of the journal, at least.
    var records: Int
    /// Bytes of one notification's content.
    var textBytes: Int
    /// Days over which the notifications are spread.
    var days: Int
    /// Of so many notifications one stays open.
    var openEvery: Int
}

/// Writes a journal the way the daemon does: a relay decides, its events and sealed content go through the writer.
///
/// Three parties get each notification. Their stations take it, one person of each opens and acknowledges it some hundred
/// notifications later, and the sender reads its receipts.
final class RecoveryWorkload {
    private static let lag = 200
    private static let requestRecords = 256
    /// Requests on their way to the disk.
    private static let window = 2_048

    private let plan: RecoveryPlan
    private let journal: JournalWriter
    private var relay: Relay
    private var random = SplitMix(state: 20_261_211)
    private var now: Timestamp
    private var gathered: [[UInt8]] = []
    private var pending: [NotificationID] = []
    private var ticket: UInt64 = 0
    private let committed = ConditionLock<(ticket: UInt64, error: JournalError?)>((0, nil))
    private let content: [UInt8]
    private let recipients = ["soc-1880", "soc-1864", "kvv-18"].map(Recipient.init)
    private let sender = PartyID(unchecked: "pol-18-rlc")
    private let client = ClientID(unchecked: "rlc-system")
    private let type: EventType
    private let policy = Digest(sha256Of: "bench")
    private(set) var records: UInt64 = 0

    private struct Recipient {
        let party: PartyID
        let desk: DeskID
        let station: Actor
        let people: [Actor]

        init(_ name: String) {
            let party = PartyID(unchecked: name)
            let desk = DeskID(unchecked: name)
            self.party = party
            self.desk = desk
            station = Actor(party: party, client: ClientID(unchecked: "\(name)-station"), desks: [desk])
            people = (1...20).map {
                Actor(
                    party: party, client: ClientID(unchecked: "\(name)-p\($0)"),
                    person: PersonID(unchecked: "staff-\($0)"),
                    role: "socialjour", desks: [desk])
            }
        }
    }

    init(_ plan: RecoveryPlan, journal: JournalWriter, collaboration: CollaborationID) {
        guard let type = EventType("se.budkavle.police.report.registered.v1") else {
            preconditionFailure("this is a type's name")
        }
        self.type = type
        self.plan = plan
        self.journal = journal
        relay = Relay(collaboration: collaboration)
        // The last events are of now, so that nothing is past its time when the journal is read.
        now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000) - Int64(plan.days) * 86_400_000)
        content = (0..<plan.textBytes).map { UInt8(truncatingIfNeeded: 32 + ($0 &* 31) % 90) }
    }

    /// Writes it all and waits until it is on disk.
    func run() throws {
        let committed = committed
        journal.start(
            onCommit: { report in
                committed.withLock { $0.ticket = report.lastTicket }
                committed.signal()
            },
            onFailure: { error in
                committed.withLock { $0.error = error }
                committed.signal()
            })
        for part in PolicyActivation.all(digest: policy, text: Array("bench".utf8)) { try perform(.activate(part)) }
        let perNotification = 11
        let step = Int64(plan.days) * 86_400_000 / Int64(max(1, plan.records / perNotification))
        var number = 0
        while records < plan.records {
            now = Timestamp(milliseconds: now.milliseconds + max(1, step))
            number += 1
            try accept(number)
            if pending.count > Self.lag { try workOff(pending.removeFirst(), number: number) }
            if number % 100 == 0 { try readReceipts() }
            for command in relay.due(at: now) { try perform(command) }
        }
        try flush()
        try wait(for: ticket)
    }

    private func accept(_ number: Int) throws {
        let due = now.advanced(bySeconds: 900)
        let grants = recipients.map { recipient in
            Grant(
                party: recipient.party, desk: recipient.desk, rule: RuleID(unchecked: "r-1"), effect: .duty,
                basis: "osl-10-28",
                marking: "OSL 26:1", urgency: .u2, attributes: ["municipality"], fields: ["reportRef", "relation"],
                isStrict: false, deadline: .by(due), acknowledgeBy: due)
        }
        let notification = CaseNotification(
            id: "bench-\(number)", source: sender,
            type: type,
            time: now, subject: CaseID(county: 18, year: 2026, number: UInt64(number / 3)), county: "18",
            municipality: "1880",
            isProtected: false)
        let slot = try takeSlot()
        let caseSlot = try relay.caseSlot(of: notification.subject) ?? takeSlot()
        let submission = Submission(
            notification: notification, digest: Digest(sha256Of: "body \(number)"), party: sender, client: client,
            notificationSlot: slot, freshCaseSlot: caseSlot,
            decision: Decision(
                at: now, urgency: .u2, grants: grants, refusals: [], until: .distantFuture, refusal: nil),
            policy: policy)
        let verdict = relay.decide(.submit(submission), at: now, random: &random)
        guard case .accepted(let id, _) = verdict.answer else {
            throw BenchError.noResult("notification \(number) was not accepted: \(verdict.answer)")
        }
        try flush()
        let text = SealedText(
            id: TextID(high: id.high, low: id.low), slots: [SlotID(rawValue: caseSlot), SlotID(rawValue: slot)],
            bytes: content)
        try append(verdict.events.map { EventCodec.encode($0) }, texts: [text])
        apply(verdict.events)
        pending.append(id)
    }

    private func workOff(_ id: NotificationID, number: Int) throws {
        let staysOpen = number % plan.openEvery == 0
        for (ordinal, recipient) in recipients.enumerated() {
            let delivery = DeliveryID(notification: id, ordinal: UInt16(ordinal))
            try perform(.custody(delivery, by: recipient.station))
            let person = recipient.people[(number + ordinal) % recipient.people.count]
            guard let member = person.person, let role = person.role, !staysOpen else { continue }
            try perform(.open(Opening(notification: id, actor: person, person: member, role: role, at: nil)))
            try perform(
                .acknowledge(
                    Acknowledgement(
                        notification: id, actor: person, person: member, role: role, act: .taken, at: nil)))
        }
    }

    private func readReceipts() throws {
        let reader = ReceiptReader.party(sender)
        guard let last = relay.receipts(for: reader, after: 0, limit: 4_096).last else { return }
        try perform(.readReceipts(reader, through: last.number))
    }

    private func perform(_ command: Command) throws {
        let verdict = relay.decide(command, at: now, random: &random)
        guard !verdict.events.isEmpty else { return }
        gathered.append(contentsOf: verdict.events.map { EventCodec.encode($0) })
        apply(verdict.events)
        if gathered.count >= Self.requestRecords { try flush() }
    }

    private func apply(_ events: [Event]) {
        for event in events { relay.apply(event) }
        records += UInt64(events.count)
    }

    private func flush() throws {
        guard !gathered.isEmpty else { return }
        let records = gathered
        gathered.removeAll(keepingCapacity: true)
        try append(records, texts: [])
    }

    private func append(_ records: [[UInt8]], texts: [SealedText]) throws {
        let request = try AppendRequest(records: records, texts: texts)
        var grant = journal.reserve(.notification, bytes: request.footprint)
        while grant == nil {
            // Space is prepared by the writer between its batches: it goes on when one more of them is on disk.
            let seen = committed.withLock { $0.ticket }
            try wait(for: min(ticket, seen + 1))
            grant = journal.reserve(.notification, bytes: request.footprint)
            if grant == nil, seen >= ticket { sched_yield() }
        }
        guard let grant else { return }
        ticket += 1
        journal.append(request, ticket: ticket, grant: grant)
        if ticket > Self.window { try wait(for: ticket - UInt64(Self.window)) }
    }

    private func takeSlot() throws -> UInt64 {
        while true {
            if let slot = journal.takeSlot() { return slot.rawValue }
            try flush()
            try wait(for: ticket)
            sched_yield()
        }
    }

    private func wait(for ticket: UInt64) throws {
        let error: JournalError? = committed.wait { state in
            if let error = state.error { return .done(error) }
            return state.ticket >= ticket ? .done(nil) : .untilSignal
        }
        if let error { throw BenchError.relay("\(error)") }
    }
}

/// The same numbers at every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
