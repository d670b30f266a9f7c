import CaseNotifications
import Foundation
import Journal
import Logging
import Relay
import Routing
import Synchronization

@testable import BudkavleServer

/// A scratch directory with a master key; it goes with the object.
final class StoreScratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "budkavle-server-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try KeyRing.generate(at: path + "/key")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func ring() throws -> KeyRing { try KeyRing.load([KeyFileReference(id: "v1", path: path + "/key")], active: "v1") }

    func data() throws -> DataDirectory { try DataDirectory(path: path + "/data") }

    var directory: String { path + "/data/orebro" }

    func names(_ directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.directory + "/" + directory)) ?? []).sorted()
    }
}

/// Keeps the events of a `DaemonLog`.
final class LogLines: LogHandler {
    let lines = Mutex<[String]>([])
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }

    var log: DaemonLog { DaemonLog(logger: Logger(label: "test") { _ in self }) }
}

/// A relay whose events go to a journal on disk, as in the daemon, one request at a time.
final class JournaledRelay {
    static let collaboration = CollaborationID(unchecked: "orebro")
    static let sender = PartyID(unchecked: "pol-18-rlc")
    static let client = ClientID(unchecked: "rlc-system")
    static let recipient = PartyID(unchecked: "soc-1880")
    static let desk = DeskID(unchecked: "soc-1880")
    static let station = Actor(party: recipient, client: ClientID(unchecked: "station"), desks: [desk])
    static let person = Actor(
        party: recipient, client: ClientID(unchecked: "p-1"), person: PersonID(unchecked: "staff-1"),
        role: "socialjour",
        desks: [desk])

    private static let type: EventType = {
        guard let type = EventType("se.budkavle.test.thing.happened.v1") else { preconditionFailure("a good type") }
        return type
    }()

    let data: DataDirectory
    let journal: JournalWriter
    var relay: Relay
    var now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    private var number: Int
    private var random = SystemRandomNumberGenerator()
    private var ticket: UInt64 = 0
    private let committed = ConditionLock<UInt64>(0)

    init(_ scratch: StoreScratch, from start: RecoveryStart = .snapshots, log: DaemonLog) throws {
        data = try scratch.data()
        var options = JournalOptions()
        options.segmentBytes = 64 << 10
        options.aheadBytes = 32 << 10
        options.progressReserveBytes = 16 << 10
        let (recovered, journal) = try Recovered.open(
            Self.collaboration, in: data, keys: try scratch.ring(), options: options, from: start, log: log)
        relay = recovered.relay
        contents = recovered.contents
        self.journal = journal
        number = Int(relay.sequence)
        let committed = committed
        journal.start(
            onCommit: { report in
                committed.withLock { $0 = report.lastTicket }
                committed.signal()
            }, onFailure: { error in preconditionFailure("\(error)") })
        if relay.activePolicy == nil {
            for part in PolicyActivation.all(digest: Digest(sha256Of: "p"), text: Array("p".utf8)) {
                perform(.activate(part))
            }
        }
    }

    /// What the start knew of stored content.
    let contents: ContentStore

    /// Ends the writer and gives the lock back.
    func close() {
        journal.stop()
        data.unlock()
    }

    func perform(_ command: RelayCommand, texts: [SealedText] = []) {
        let verdict = relay.decide(command, at: now, random: &random)
        guard !verdict.events.isEmpty else { return }
        append(verdict.events, texts)
    }

    private func append(_ events: [Event], _ texts: [SealedText]) {
        guard let request = try? AppendRequest(records: events.map { EventCodec.encode($0) }, texts: texts) else {
            preconditionFailure("a test's request is within the limits")
        }
        for event in events { relay.apply(event) }
        var grant = journal.reserve(.notification, bytes: request.footprint)
        while grant == nil {
            sched_yield()
            grant = journal.reserve(.notification, bytes: request.footprint)
        }
        guard let grant else { return }
        ticket += 1
        let ticket = ticket
        journal.append(request, ticket: ticket, grant: grant)
        committed.wait { $0 >= ticket ? .done(()) : .untilSignal }
    }

    private func takeSlot() -> UInt64 {
        while true {
            if let slot = journal.takeSlot() { return slot.rawValue }
            sched_yield()
        }
    }

    /// Accepts a notification whose content is 2,000 bytes of JSON, for one party.
    func accept(case number: UInt64 = 1) -> NotificationID {
        self.number += 1
        now = now.advanced(bySeconds: 1)
        let due = now.advanced(bySeconds: 900)
        let grant = Grant(
            party: Self.recipient, desk: Self.desk, rule: RuleID(unchecked: "r-1"), effect: .duty, basis: "osl-10-28",
            marking: "OSL 26:1", urgency: .u2, attributes: [], fields: [], isStrict: false, deadline: .by(due),
            acknowledgeBy: due)
        let notification = CaseNotification(
            id: "n-\(self.number)", source: Self.sender, type: Self.type, time: now,
            subject: CaseID(county: 18, year: 2026, number: number), isProtected: false)
        let slot = takeSlot()
        let caseSlot = relay.caseSlot(of: notification.subject) ?? takeSlot()
        let submission = Submission(
            notification: notification, digest: Digest(sha256Of: "body \(self.number)"), party: Self.sender,
            client: Self.client, notificationSlot: slot, freshCaseSlot: caseSlot,
            decision: Decision(
                at: now, urgency: .u2, grants: [grant], refusals: [], until: .distantFuture, refusal: nil),
            policy: Digest(sha256Of: "p"))
        let verdict = relay.decide(.submit(submission), at: now, random: &random)
        guard case .accepted(let id, _) = verdict.answer else { preconditionFailure("not accepted: \(verdict.answer)") }
        let body = #"{"id":"\#(id.text)","note":""# + String(repeating: "a", count: 2_000) + #""}"#
        append(
            verdict.events,
            [
                SealedText(
                    id: TextID(id), slots: [SlotID(rawValue: caseSlot), SlotID(rawValue: slot)], bytes: Array(body.utf8)
                )
            ])
        return id
    }

    /// A station takes it, a person opens and acknowledges it, and unless told not to its sender reads all receipts.
    func finish(_ id: NotificationID, readingReceipts readsReceipts: Bool = true) {
        let delivery = DeliveryID(notification: id, ordinal: 0)
        now = now.advanced(bySeconds: 1)
        perform(.custody(delivery, by: Self.station))
        guard let person = Self.person.person else { return }
        perform(.open(Opening(notification: id, actor: Self.person, person: person, role: "socialjour", at: nil)))
        perform(
            .acknowledge(
                Acknowledgement(
                    notification: id, actor: Self.person, person: person, role: "socialjour", act: .taken, at: nil)))
        guard readsReceipts else { return }
        let reader = ReceiptReader.party(Self.sender)
        let unread = relay.receipts(for: reader, after: relay.cursor(of: reader), limit: .max)
        if let last = unread.last { perform(.readReceipts(reader, through: last.number)) }
    }
}
