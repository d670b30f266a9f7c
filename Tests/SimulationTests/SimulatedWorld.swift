import CaseNotifications
import Foundation
import Journal
import Relay
import STOMP
import TestSupport

/// Clients, links, a relay and its disk in one thread on one seed. The seed alone repeats the run.
struct SimulatedWorld {
    private struct Link {
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
    }

    let seed: UInt64
    private let flaw: Flaw
    private var random: SeededGenerator
    private let disk: MemoryDisk
    private let clock = ManualClock()
    private let ring: KeyRing
    private var node: SimulatedNode?
    private var clients: [SimulatedClient] = []
    /// By connection; a link that is gone is not there.
    private var links: [Int: Link] = [:]
    /// Connections that the relay still believes in.
    private var ghosts: [Int] = []
    private var nextConnection = 0
    private var lives: UInt64 = 0
    private(set) var crashes = 0
    private(set) var history = History()

    init(seed: UInt64, ring: KeyRing, flaw: Flaw = .none) throws {
        self.seed = seed
        self.ring = ring
        self.flaw = flaw
        random = SeededGenerator(seed: seed)
        disk = MemoryDisk(seed: seed &* 7)
        try disk.makeDirectory("/data")
        clients = [
            SimulatedClient(.sender(party: "agency-a"), name: "system-a"),
            SimulatedClient(.sender(party: "agency-b"), name: "system-b"),
            SimulatedClient(.station(desk: "soc-1880"), name: "station-1"),
            SimulatedClient(.station(desk: "soc-1880"), name: "station-2"),
            SimulatedClient(.station(desk: "soc-1881"), name: "station-3"),
            SimulatedClient(.station(desk: "pol-18"), name: "station-4"),
        ]
        try start()
    }

    private var instant: SessionInstant {
        SessionInstant(milliseconds: Int64(clock.monotonic / .milliseconds(1)))
    }

    private var time: Timestamp { Timestamp(milliseconds: clock.wallMilliseconds) }

    /// Runs everything, then lets it come to rest, and judges.
    mutating func run(steps: Int) throws {
        for _ in 0..<steps { try step() }
        try rest()
        let stored = (node?.stored() ?? []).compactMap { delivery in
            node?.relay.delivery(delivery).map { $0.desk.text + " " + delivery.notification.text }
        }
        history.judgeEnd(stillStored: Set(stored))
    }

    // MARK: Steps

    private mutating func step() throws {
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<350:
            for _ in 0..<4 { try act(Int.random(in: 0..<clients.count, using: &random), isCalm: false) }
        case 350..<580: try moveToServer(whole: false)
        case 580..<810: try moveToClients(whole: false)
        case 810..<910: try guarded { node, now, time in try node.commit(at: now, time: time) }
        case 910..<940:
            clock.advance(.milliseconds(Int64.random(in: 1...1_500, using: &random)))
            try guarded { node, now, time in try node.tick(at: now, time: time) }
        case 940..<960: try guarded { node, _, _ in try node.prepare() }
        case 960..<980: try cutSomeLink()
        case 980..<990: try noticeGhost()
        case 990..<995: try stop()
        default:
            let call: MemoryDisk.Call = Bool.random(using: &random) ? .sync : .write
            disk.fail(call, after: Int.random(in: 0..<2, using: &random), errno: 5)
        }
        clock.advance(.milliseconds(Int64.random(in: 0...20, using: &random)))
        try guarded { node, now, time in try node.pump(at: now, time: time) }
    }

    /// No faults any more: everybody connects, everything moves, until nothing does.
    private mutating func rest() throws {
        disk.heal()
        var quietRounds = 0
        for _ in 0..<600 {
            for place in clients.indices { try act(place, isCalm: true) }
            try moveToServer(whole: true)
            try guarded { node, _, _ in try node.prepare() }
            try guarded { node, now, time in try node.commit(at: now, time: time) }
            while let ghost = ghosts.first {
                ghosts.removeFirst()
                try guarded { node, now, time in try node.endOfInput(on: ghost, at: now, time: time) }
            }
            clock.advance(.milliseconds(250))
            try guarded { node, now, time in try node.pump(at: now, time: time) }
            try moveToClients(whole: true)
            quietRounds = isQuiet ? quietRounds + 1 : 0
            if quietRounds == 3 { return }
        }
        history.violate("it does not come to rest")
    }

    /// Whether nobody waits for anything, nothing is under way, and every receipt has been read.
    private var isQuiet: Bool {
        guard let relay = node?.relay, relay.openTickets.isEmpty, clients.allSatisfy(\.isQuiet) else { return false }
        return links.values.allSatisfy { $0.toServer.isEmpty && $0.toClient.isEmpty }
            && SimulatedPolicy.senders.allSatisfy {
                relay.receipts(for: .party($0), after: relay.cursor(of: .party($0)), limit: 1).isEmpty
            }
    }

    private mutating func act(_ place: Int, isCalm: Bool) throws {
        if clients[place].session == nil {
            nextConnection += 1
            clients[place].connect(nextConnection, at: instant)
            links[nextConnection] = Link()
            let now = instant
            let actor = clients[place].actor
            node?.open(nextConnection, actor, at: now)
        }
        // A calm station confirms all that it has at once.
        for _ in 0..<(isCalm ? 8 : 1) { try clients[place].act(&random, &history, isCalm: isCalm) }
        let bytes = clients[place].takeOutput(at: instant)
        links[clients[place].connection]?.toServer += bytes
    }

    /// Moves some or all bytes of each link on; a piece may end anywhere.
    private mutating func moveToServer(whole: Bool) throws {
        for number in links.keys.sorted() {
            guard let bytes = links[number]?.toServer, !bytes.isEmpty else { continue }
            let count = whole ? bytes.count : Int.random(in: 0...bytes.count, using: &random)
            links[number]?.toServer.removeFirst(count)
            let piece = Array(bytes[..<count])
            try guarded { node, now, time in try node.receive(piece, on: number, at: now, time: time) }
        }
    }

    private mutating func moveToClients(whole: Bool) throws {
        for number in links.keys.sorted() {
            let now = instant
            if let output = node?.takeOutput(of: number, at: now) { links[number]?.toClient += output }
            guard let place = clients.firstIndex(where: { $0.connection == number && $0.session != nil }),
                let bytes = links[number]?.toClient
            else { continue }
            let count = whole ? bytes.count : Int.random(in: 0...bytes.count, using: &random)
            links[number]?.toClient.removeFirst(count)
            let goesOn = clients[place].receive(Array(bytes[..<count]), at: now, &history)
            let isOver = node?.connections[number]?.isClosed == true && links[number]?.toClient.isEmpty == true
            if !goesOn || isOver { try cut(number, isNoticed: true) }
        }
    }

    // MARK: Faults

    private mutating func cutSomeLink() throws {
        guard let number = links.keys.sorted().randomElement(using: &random) else { return }
        try cut(number, isNoticed: Bool.random(using: &random))
    }

    /// What is under way on the link is lost.
    private mutating func cut(_ number: Int, isNoticed: Bool) throws {
        links[number] = nil
        if let place = clients.firstIndex(where: { $0.connection == number }) { clients[place].lose() }
        if isNoticed {
            try guarded { node, now, time in try node.endOfInput(on: number, at: now, time: time) }
        } else {
            ghosts.append(number)
        }
    }

    private mutating func noticeGhost() throws {
        guard let ghost = ghosts.randomElement(using: &random) else { return }
        ghosts.removeAll { $0 == ghost }
        try guarded { node, now, time in try node.endOfInput(on: ghost, at: now, time: time) }
    }

    /// The process ends, with or without the machine.
    private mutating func stop() throws {
        crashes += 1
        node = nil
        for number in links.keys.sorted() { try cut(number, isNoticed: true) }
        ghosts = []
        if Bool.random(using: &random) { disk.crash() } else { disk.heal() }
        try start()
    }

    private mutating func start() throws {
        lives += 1
        node = try SimulatedNode(
            disk: disk, ring: ring, clock: clock, seed: seed &* 1_000_003 &+ lives, flaw: flaw)
    }

    /// Does something with the relay; if its journal failed, the process ends.
    private mutating func guarded(
        _ body: (inout SimulatedNode, SessionInstant, Timestamp) throws -> Void
    ) throws {
        let now = instant
        let time = time
        do {
            guard var node else { return }
            self.node = nil
            defer { if self.node == nil { self.node = node } }
            try body(&node, now, time)
        } catch is NodeStopped {
            try stop()
        }
    }
}
