import CaseNotifications

/// One notification as a client made it.
struct Draft: Hashable {
    var source: String
    var id: String
    var municipality: String
    var subject: String
    var urgency: String
    var number: Int
    /// When it was made, by its client's clock.
    var time = Draft.firstTime
    /// The relay's id of an earlier one of the same case.
    var supersedes: String?
    static let firstTime = Timestamp(rfc3339: "2026-12-05T00:00:00Z")!
    /// What another body under the same id shows.
    static let otherNumber = 1_000_000_000

    func body(shown: Int? = nil) -> [UInt8] {
        let time = time == Self.firstTime ? "2026-12-05T00:00:00Z" : time.rfc3339
        let supersedes = supersedes.map { "\"supersedes\":\"\($0)\"," } ?? ""
        return Array(
            """
            {"specversion":"1.0","id":"\(id)","source":"urn:budkavle:\(source)","type":"\(SimulatedPolicy.type.text)",\
            "time":"\(time)",\(supersedes)"subject":"\(subject)","datacontenttype":"application/json","county":"18",\
            "municipality":"\(municipality)","urgency":"\(urgency)","protected":false,\
            "data":{"shown":\(shown ?? number),"hidden":777}}
            """.utf8)
    }
}

/// What clients have seen, and nothing else: the judge never asks the relay, but for what it says it still holds.
struct History {
    struct Stored: Hashable {
        var notification: String
        var position: String
    }

    struct Arrival {
        var draft: Draft?
        var notification: String
        var desk: String
        var connection: Int
        var isRedelivered: Bool
        var body: String
    }

    private(set) var violations: [String] = []
    /// By source and id, as made.
    private(set) var drafts: [String: Draft] = [:]
    private var draftsByNumber: [Int: Draft] = [:]
    /// By source and id, one behind the other: where the relay may have forgotten the first, there may be a second.
    private(set) var accepted: [String: [Stored]] = [:]
    private(set) var owners: [String: String] = [:]
    private var arrivals: [Arrival] = []
    /// Custody that the relay confirmed: desk and notification.
    private var confirmed: Set<String> = []
    /// What came first of a notification at a desk, by both.
    private struct Sight {
        /// The newest connection at that time: what was sent on it or an older one may still have been under way.
        var newestConnection: Int
        /// Whether one came without redelivered:true: there is one such.
        var hasUnmarked: Bool
    }

    private var seenAtDesk: [String: Sight] = [:]
    /// What was erased for good, and the connections on which it may still be under way.
    private var gone: [String: Set<Int>] = [:]
    var clock = WallHistory()
    private var newestConnection = 0
    private var receipts: [String: String] = [:]
    private var accountedFor: Set<String> = []
    /// What a station has acknowledged, whether that arrived or not: desk and notification.
    private var handedOver: Set<String> = []
    /// By position: no number is given twice.
    private var positions: [String: String] = [:]
    /// Records of which starts have said that they are lost.
    private var lostRecords: Set<UInt64> = []
    /// More are lost than any start has named.
    private var isBlind = false
    /// A start has said that records are lost: what was receipted may be, but nothing is served altered or to others.
    private(set) var hasLosses = false
    private var hasRotted = false
    /// The relay has ended of its own will.
    private(set) var hasCleanEnds = false
    /// Receipts could not be made, and the relay has said so: their records rotted after its start.
    private var missesReceipts = false
    /// Segments have gone: what was accepted there can be superseded no more.
    private(set) var hasLetGo = false
    /// By source and id: drafts whose acceptance is lost, and under whose id another body was accepted since.
    private var replaced: Set<String> = []
    private(set) var erasedNotifications: Set<String> = []
    private(set) var redeliveries = 0
    private(set) var duplicates = 0
    private(set) var conflicts = 0
    private(set) var mistimed = 0

    mutating func violate(_ text: String) {
        if violations.count < 20 { violations.append(text) }
    }

    /// Connections are numbered as they are opened.
    mutating func opened(_ connection: Int) { newestConnection = connection }

    /// Of this one nothing is demanded any more.
    mutating func erased(_ notification: String) { erasedNotifications.insert(notification) }

    /// Its erasure is done: but for what is under way on these connections, nobody gets it any more.
    mutating func gone(_ notification: String, underWay: Set<Int>) { gone[notification] = underWay }

    /// The relay ends, and tells its clients.
    mutating func endedCleanly() { hasCleanEnds = true }

    /// Records from which receipts are made rotted while the relay ran, and it has said so.
    mutating func skippedReceipts() { missesReceipts = true }

    /// Segments with their records went.
    mutating func letGo() { hasLetGo = true }

    /// Records are lost, and the relay knows.
    ///
    /// - Parameters:
    ///   - records: those that this start has met.
    ///   - total: how many it knows of.
    mutating func lost(_ records: [Range<UInt64>], total: UInt64) {
        hasLosses = true
        for range in records { lostRecords.formUnion(range) }
        isBlind = isBlind || UInt64(lostRecords.count) < total
    }

    /// Whether the record of this acceptance is lost.
    private func isLost(_ stored: Stored) -> Bool {
        guard hasLosses, !isBlind, let record = Self.record(stored) else { return hasLosses }
        return lostRecords.contains(record)
    }

    private static func record(_ stored: Stored) -> UInt64? {
        stored.position.split(separator: ".").last.flatMap { UInt64($0) }
    }

    /// A station says that it has it.
    mutating func acknowledged(_ notification: String, at desk: String) {
        handedOver.insert(desk + " " + notification)
    }

    /// It was not erased after all.
    mutating func stays(_ notification: String) { erasedNotifications.remove(notification) }

    /// A bit of a segment rotted: what a snapshot knows serves on, and what is read from there may find nothing.
    mutating func rotted() { hasRotted = true }

    static func key(_ draft: Draft) -> String { draft.source + " " + draft.id }

    mutating func made(_ draft: Draft) {
        drafts[Self.key(draft)] = draft
        draftsByNumber[draft.number] = draft
        clock.made(Self.key(draft))
    }

    /// Whether the relay may know nothing any more of what was accepted under this draft's id.
    func mayBeForgotten(_ draft: Draft) -> Bool {
        accepted[Self.key(draft), default: []].allSatisfy { isLost($0) || clock.mayForget($0.notification) }
    }

    /// Whether a desk has acknowledged a notification.
    func isHandedOver(_ notification: String, to desk: String) -> Bool {
        handedOver.contains(desk + " " + notification)
    }

    mutating func receipted(_ draft: Draft, status: String, notification: String, position: String) {
        let stored = Stored(notification: notification, position: position)
        if SimulatedPolicy.recipients(of: draft.municipality).isEmpty { violate("\(draft) was accepted by no rule") }
        let earlier = accepted[Self.key(draft), default: []]
        if !earlier.isEmpty {
            // Where the record of the first answer is lost, or so old that it is forgotten, nobody knows of it.
            let isNew = mayBeForgotten(draft)
            if !earlier.contains(stored), !isNew { violate("\(draft) has two answers: \(earlier) and \(stored)") }
            if status == "accepted", !isNew { violate("\(draft) was accepted twice") }
            duplicates += 1
        }
        if let owner = owners[notification], owner != Self.key(draft) {
            violate("\(notification) stands for \(owner) and for \(Self.key(draft))")
        }
        owners[notification] = Self.key(draft)
        if let other = positions.updateValue(notification, forKey: position), other != notification {
            violate("\(position) was given to \(other) and to \(notification)")
        }
        if !earlier.contains(stored) { accepted[Self.key(draft), default: []].append(stored) }
    }

    mutating func refused(_ draft: Draft, isOtherBody: Bool, code: String, path: String?) {
        switch code {
        case "conflict" where isOtherBody: conflicts += 1
        case "conflict" where replaced.contains(Self.key(draft)): break
        case "no-rule" where SimulatedPolicy.recipients(of: draft.municipality).isEmpty: break
        case "unavailable": break
        // By the relay's clock it is too old or in the future; what is known is answered as before all the same.
        case "too-old" where clock.wasTooOld(draft) && mayBeForgotten(draft): mistimed += 1
        case "schema" where path == "/time" && clock.wasAhead(draft) && mayBeForgotten(draft): mistimed += 1
        case "schema" where path == "/supersedes" && draft.supersedes != nil && (hasLosses || hasRotted || hasLetGo):
            break
        default: violate("\(draft) was refused with \(code) \(path ?? "")")
        }
    }

    /// Another body under an id that was accepted must be a conflict, unless the first one's record is lost or forgotten.
    mutating func acceptedOtherBody(_ draft: Draft) {
        guard mayBeForgotten(draft) else { return violate("another body was accepted under the id of \(draft)") }
        replaced.insert(Self.key(draft))
    }

    mutating func arrived(
        notification: String, desk: String, connection: Int, isRedelivered: Bool, body: [UInt8]
    ) {
        let text = String(decoding: body, as: UTF8.self)
        let key = desk + " " + notification
        if confirmed.contains(key), !hasLosses {
            violate("\(notification) came to \(desk) although its custody was confirmed")
        }
        if let underWay = gone[notification], !underWay.contains(connection) {
            violate("\(notification) came to \(desk) although it was erased")
        }
        if let sight = seenAtDesk[key] {
            redeliveries += 1
            // The first one may be overtaken on another link by the second, which says so.
            if !isRedelivered, sight.hasUnmarked || connection > sight.newestConnection {
                violate("\(notification) came twice to \(desk) without redelivered:true")
            }
        }
        var sight = seenAtDesk[key] ?? Sight(newestConnection: newestConnection, hasUnmarked: false)
        sight.hasUnmarked = sight.hasUnmarked || !isRedelivered
        seenAtDesk[key] = sight
        let draft = draftOf(body)
        if let draft {
            if !SimulatedPolicy.recipients(of: draft.municipality).contains(desk) {
                violate("\(draft) came to \(desk), which no rule names")
            }
        } else {
            violate("\(notification) at \(desk) was never sent: \(text)")
        }
        if text.contains("hidden") { violate("\(notification) at \(desk) shows a field that its rule does not list") }
        arrivals.append(
            Arrival(
                draft: draft, notification: notification, desk: desk, connection: connection,
                isRedelivered: isRedelivered, body: text))
    }

    /// The draft that a view was cut from, by its `shown` number and its id.
    private mutating func draftOf(_ body: [UInt8]) -> Draft? {
        guard let value = try? JSONValue(parsing: body), let id = value["id"]?.string,
            let source = value["source"]?.string, case .integer(let number)? = value["data"]?["shown"]
        else { return nil }
        if number == Draft.otherNumber {
            // The second body of a draft whose first one is lost or forgotten; its own answer may still be under way.
            let key = source.replacing("urn:budkavle:", with: "") + " " + id
            guard let draft = drafts[key], mayBeForgotten(draft) else { return nil }
            replaced.insert(key)
            return draft
        }
        guard let draft = draftsByNumber[Int(number)] else { return nil }
        return draft.id == id && "urn:budkavle:" + draft.source == source ? draft : nil
    }

    mutating func custodyConfirmed(notification: String, desk: String) { confirmed.insert(desk + " " + notification) }

    mutating func receipt(body: [UInt8], reader: String) {
        do throws(Refusal) {
            let receipt = try Receipt(json: body)
            if receipt.source.text != reader { violate("\(reader) got a receipt of \(receipt.source)") }
            let draft = drafts[receipt.source.text + " " + receipt.id]
            guard let draft else { return violate("a receipt speaks of \(receipt.id), which was never sent") }
            let id = receiptID(of: body)
            let text = String(decoding: body, as: UTF8.self)
            if let earlier = receipts[id], earlier != text, !hasLosses { violate("receipt \(id) says two things") }
            receipts[id] = text
            if let desk = receipt.desk, !SimulatedPolicy.recipients(of: draft.municipality).contains(desk.text) {
                violate("a receipt of \(draft) names \(desk)")
            }
            if receipt.event == .delivered,
                !isHandedOver(receipt.notification.text, to: receipt.desk?.text ?? "")
            {
                violate("a receipt of \(draft) tells of custody that nobody gave")
            }
            accountedFor.insert("\(receipt.event.text) \(receipt.notification.text) \(receipt.party?.text ?? "")")
        } catch {
            violate("a receipt cannot be read: \(error)")
        }
    }

    private func receiptID(of body: [UInt8]) -> String {
        (try? JSONValue(parsing: body))?["id"]?.string ?? ""
    }

    // MARK: The end

    /// Once everybody is connected and nothing moves any more.
    mutating func judgeEnd(stillStored: Set<String>) {
        let all = accepted.sorted { $0.key < $1.key }.flatMap { key, stored in stored.map { (key, $0) } }
        for (key, stored) in all {
            guard let draft = drafts[key], !isLost(stored) else { continue }
            let hasReceipts = !missesReceipts && !hasLosses
            if hasReceipts, !accountedFor.contains("accepted \(stored.notification) ") {
                violate("\(draft) has no accepted receipt")
            }
            guard !erasedNotifications.contains(stored.notification) else { continue }
            for desk in SimulatedPolicy.recipients(of: draft.municipality) {
                let place = desk + " " + stored.notification
                if !handedOver.contains(place), !stillStored.contains(place) {
                    violate("\(draft) was receipted, and \(desk) never confirmed it")
                }
                if hasReceipts, confirmed.contains(place),
                    !accountedFor.contains("delivered \(stored.notification) \(desk)")
                {
                    violate("\(draft): custody of \(desk) has no delivered receipt")
                }
            }
        }
        if !hasLosses { judgeOrder() }
    }

    /// First deliveries of one case and class on one connection come in the order of acceptance.
    private mutating func judgeOrder() {
        var last: [String: (sequence: UInt64, draft: Draft)] = [:]
        for arrival in arrivals where !arrival.isRedelivered {
            guard let draft = arrival.draft, let all = accepted[Self.key(draft)] else { continue }
            guard let stored = all.first(where: { $0.notification == arrival.notification }) else {
                // Its acceptance may be forgotten without anybody having heard of it, or be another body's.
                if !clock.mayForget(arrival.notification), !replaced.contains(Self.key(draft)) {
                    violate("\(draft) was receipted as \(all) and came as \(arrival.notification)")
                }
                continue
            }
            guard let sequence = Self.record(stored) else { continue }
            let place = "\(arrival.connection) \(arrival.desk) \(draft.subject) \(draft.urgency)"
            if let earlier = last[place], earlier.sequence > sequence {
                violate("at \(arrival.desk) \(draft) came after \(earlier.draft)")
            }
            last[place] = (sequence, draft)
        }
    }

    /// What was counted, to see that a run was worth its time.
    var figures: [String: Int] {
        [
            "accepted": accepted.count, "arrivals": arrivals.count, "confirmed": confirmed.count,
            "redelivered": redeliveries, "duplicates": duplicates, "conflicts": conflicts, "receipts": receipts.count,
            "mistimed": mistimed,
        ]
    }
}
