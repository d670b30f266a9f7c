import CaseNotifications
import Relay
import STOMP
import TestSupport

/// An agency's system: it sends, sends again what it does not know the outcome of, and reads its receipts. Or a desk's
/// station: it takes messages, and confirms, returns or just keeps them.
struct SimulatedClient {
    enum Kind {
        case sender(party: String)
        case station(desk: String)
    }

    private enum Awaited {
        case notification(Draft, isOtherBody: Bool)
        case custody(notification: String)
        case nothing
    }

    let kind: Kind
    let actor: Actor
    private(set) var session: ClientSession?
    private(set) var connection = 0
    private var isSubscribed = false
    private var awaited: [ReceiptNumber: Awaited] = [:]
    /// Sent, and the outcome is not known.
    private var unknown: [Draft] = []
    private var accepted: [Draft] = []
    /// The relay's ids of these, by our own.
    private var notifications: [String: String] = [:]
    /// Refused since one of the clocks was wrong.
    private var mistimed: [Draft] = []
    /// What its own clock shows.
    var time = Draft.firstTime
    /// Says which ones supersede others, apart from everything else; nil where none does.
    var supersedingDraws: SeededGenerator?
    private var serial = 0
    private var transactions = 0
    /// Messages that are neither confirmed nor returned; the notification, nil for a receipt.
    private var held: [(ack: String, notification: String?)] = []

    init(_ kind: Kind, name: String) {
        self.kind = kind
        switch kind {
        case .sender(let party): actor = Actor(party: PartyID(party)!, client: ClientID(name)!)
        case .station(let desk):
            actor = Actor(party: PartyID(desk)!, client: ClientID(name)!, desks: [DeskID(desk)!])
        }
    }

    /// Whether nothing is open on this side.
    var isQuiet: Bool {
        unknown.isEmpty && awaited.isEmpty && held.isEmpty && session?.isConnected == true && isSubscribed
    }

    mutating func connect(_ number: Int, at now: SessionInstant) {
        var options = ClientOptions(host: "simulated")
        options.heartBeatMilliseconds = 0
        session = ClientSession(options: options, openedAt: now)
        connection = number
        isSubscribed = false
    }

    /// The connection is gone: what was not answered is unknown.
    mutating func lose() {
        guard session != nil else { return }
        session = nil
        for number in awaited.keys.sorted() {
            if case .notification(let draft, isOtherBody: false)? = awaited[number], !accepted.contains(draft) {
                unknown.append(draft)
            }
        }
        awaited = [:]
        held = []
    }

    mutating func takeOutput(at now: SessionInstant) -> [UInt8] {
        var bytes: [UInt8] = []
        session?.drainOutput(into: &bytes, at: now)
        return bytes
    }

    // MARK: What it does

    /// One thing that a client does, by chance. `isCalm`: only what brings everything to its end.
    mutating func act(_ random: inout SeededGenerator, _ history: inout History, isCalm: Bool) throws(ClientFault) {
        guard session?.isConnected == true else { return }
        guard isSubscribed else { return try subscribe(&random) }
        switch kind {
        case .sender(let party):
            if try confirmReceipt() { return }
            try send(as: party, &random, &history, isCalm: isCalm)
        case .station:
            guard !held.isEmpty else { return }
            let place = isCalm ? 0 : Int.random(in: 0..<held.count, using: &random)
            let (ack, notification) = held[place]
            switch isCalm ? 0 : Int.random(in: 0..<8, using: &random) {
            case 0...3:
                held.remove(at: place)
                acknowledged(notification, &history)
                let number = try session?.acknowledge(ack, receipt: .wanted)
                if let number, let notification { awaited[number] = .custody(notification: notification) }
            case 4:
                held.remove(at: place)
                acknowledged(notification, &history)
                _ = try session?.acknowledge(ack)
            case 5:
                held.remove(at: place)
                _ = try session?.reject(ack)
            default: break
            }
        }
    }

    private func acknowledged(_ notification: String?, _ history: inout History) {
        guard let notification, case .station(let desk) = kind else { return }
        history.acknowledged(notification, at: desk)
    }

    private mutating func subscribe(_ random: inout SeededGenerator) throws(ClientFault) {
        isSubscribed = true
        let destination: String
        switch kind {
        case .sender: destination = "/receipts"
        case .station(let desk): destination = "/inbox/" + desk
        }
        let prefetch = Int.random(in: 1...6, using: &random)
        let number = try session?.subscribe(to: destination, id: "1", ack: .clientIndividual, prefetch: prefetch)
        if let number { awaited[number] = .nothing }
    }

    private mutating func confirmReceipt() throws(ClientFault) -> Bool {
        guard !held.isEmpty else { return false }
        _ = try session?.acknowledge(held.removeFirst().ack)
        return true
    }

    private mutating func send(
        as party: String, _ random: inout SeededGenerator, _ history: inout History, isCalm: Bool
    ) throws(ClientFault) {
        if let draft = unknown.first {
            unknown.removeFirst()
            return try send(draft, body: draft.body(), isOtherBody: false)
        }
        if !isCalm, let draft = mistimed.popLast() {
            return try send(draft, body: draft.body(), isOtherBody: false)
        }
        guard !isCalm, awaited.count < 8 else { return }
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            guard let draft = accepted.randomElement(using: &random) else { return }
            try send(draft, body: draft.body(), isOtherBody: false)
        case 1:
            guard let draft = accepted.randomElement(using: &random) else { return }
            try send(draft, body: draft.body(shown: Draft.otherNumber), isOtherBody: true)
        case 2: try sendTransaction(as: party, &random, &history)
        default:
            let draft = make(party, &random, &history, maySupersede: true)
            try send(draft, body: draft.body(), isOtherBody: false)
        }
    }

    private mutating func make(
        _ party: String, _ random: inout SeededGenerator, _ history: inout History, maySupersede: Bool = false
    ) -> Draft {
        serial += 1
        let cases = ["BK-18-2026-00000001", "BK-18-2026-00000002", "BK-18-2026-00000003"]
        let chance = Int.random(in: 0..<20, using: &random)
        var draft = Draft(
            source: party, id: "n-\(serial)",
            municipality: chance == 0 ? "1883" : SimulatedPolicy.municipalities[chance % 3],
            subject: cases[Int.random(in: 0..<3, using: &random)],
            urgency: ["U1", "U2", "U4"][Int.random(in: 0..<3, using: &random)],
            number: serial * 10 + (party == "agency-a" ? 0 : 1), time: time)
        if maySupersede, var draws = supersedingDraws {
            if Int.random(in: 0..<5, using: &draws) == 0 {
                let old = accepted.filter { $0.subject == draft.subject }.randomElement(using: &draws)
                draft.supersedes = old.flatMap { notifications[$0.id] }
            }
            supersedingDraws = draws
        }
        history.made(draft)
        return draft
    }

    private mutating func send(
        _ draft: Draft, body: [UInt8], isOtherBody: Bool, transaction: String? = nil
    ) throws(ClientFault) {
        let number = try session?.send(
            to: "/notifications", contentType: "application/cloudevents+json", body: body, transaction: transaction)
        if let number { awaited[number] = .notification(draft, isOtherBody: isOtherBody) }
    }

    private mutating func sendTransaction(
        as party: String, _ random: inout SeededGenerator, _ history: inout History
    ) throws(ClientFault) {
        transactions += 1
        let name = "t\(transactions)"
        _ = try session?.begin(name, receipt: .none)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            var draft = make(party, &random, &history)
            // All of a transaction are such that a rule gives them to somebody: one refusal would refuse the others.
            if SimulatedPolicy.recipients(of: draft.municipality).isEmpty {
                draft.municipality = "1880"
                history.made(draft)
            }
            try send(draft, body: draft.body(), isOtherBody: false, transaction: name)
        }
        _ = try session?.commit(name, receipt: .none)
    }

    // MARK: What it sees

    /// Takes bytes; false: the connection is over.
    ///
    /// - Parameter linkStoodFor: the longest that anything written here has been under way, in milliseconds.
    mutating func receive(
        _ bytes: [UInt8], at now: SessionInstant, linkStoodFor wait: Int64, _ history: inout History
    ) -> Bool {
        for effect in session?.receive(bytes, at: now) ?? [] {
            switch effect {
            case .connected: break
            case .message(let message): take(message, &history)
            case .receipt(let number, let outcome): take(number, outcome, &history)
            // A link that stood still before the client had said who it is: it connects again.
            case .failed(let error) where error.message.hasPrefix("no CONNECT in time"): break
            // The same in the middle of a frame; where the link did not stand still for so long the relay is wrong.
            case .failed(let error)
            where error.message.hasPrefix("frame took too long") && wait >= SessionLimits().frameMilliseconds: break
            case .failed(let error) where error.message == SimulatedNode.draining.message && history.hasCleanEnds: break
            case .failed(let error): history.violate("\(actor.client) got ERROR \(error.message) \(error.details)")
            case .close: return false
            }
        }
        return true
    }

    private mutating func take(_ message: IncomingMessage, _ history: inout History) {
        guard let ack = message.ack else { return history.violate("a message without ack") }
        switch kind {
        case .sender(let party):
            history.receipt(body: message.body, reader: party)
            held.append((ack, nil))
        case .station(let desk):
            let notification = message.headers["notification"] ?? ""
            history.arrived(
                notification: notification, desk: desk, connection: connection,
                isRedelivered: message.headers["redelivered"] == "true", body: message.body)
            held.append((ack, notification))
        }
    }

    private mutating func take(_ number: ReceiptNumber, _ outcome: ReceiptOutcome, _ history: inout History) {
        switch (awaited.removeValue(forKey: number), outcome) {
        case (.notification(let draft, let isOtherBody), .done(let headers)):
            if isOtherBody { return history.acceptedOtherBody(draft) }
            history.receipted(
                draft, status: headers["status"] ?? "", notification: headers["notification"] ?? "",
                position: headers["position"] ?? "")
            if !accepted.contains(draft) { accepted.append(draft) }
            notifications[draft.id] = headers["notification"]
        case (.notification(let draft, let isOtherBody), .refused(let code, let path, _)):
            history.refused(draft, isOtherBody: isOtherBody, code: code, path: path)
            if code == "too-old" || path == "/time", !isOtherBody, !accepted.contains(draft) { mistimed.append(draft) }
            if code == "unavailable", !isOtherBody, !accepted.contains(draft) { unknown.append(draft) }
        case (.custody(let notification), .done):
            if case .station(let desk) = kind { history.custodyConfirmed(notification: notification, desk: desk) }
        case (.custody, .refused(let code, _, _)): history.violate("an ACK was refused with \(code)")
        case (.nothing, .refused(let code, _, _)): history.violate("a subscription was refused with \(code)")
        case (.nothing, .done), (nil, _): break
        }
    }
}
