import CaseNotifications
import Foundation
import Journal
import Relay
import STOMP
import TestSupport

/// Clients, links, a relay and its disk in one thread on one seed. The seed alone repeats the run.
struct SimulatedWorld {
    /// What is to come back to life: `v1` seals in one ring, `v2` in the other, and both hold both.
    struct Rings {
        var first: KeyRing
        var second: KeyRing
    }

    /// The files whose bits flip, by what their paths contain.
    private enum Rotten: String {
        case segments = "/segments/"
        case slabs = "/keys/slab-"
        case watermark = "/watermark"
        case archive = "/audit/"
    }

    let seed: UInt64
    private let flaw: Flaw
    /// What rots, if anything. What was receipted may be lost with a segment, and then is said to be; with the others no record
    /// is.
    private let rotten: Rotten?
    private var hasRotted = false
    private var random: SeededGenerator
    private let disk: MemoryDisk
    private let clock = ManualClock()
    private let rings: Rings
    private var ring: KeyRing
    private var fullUntil: Int?
    private var stopsWhileFull = 0
    private var stepNumber = 0
    private var node: SimulatedNode?
    private var clients: [SimulatedClient] = []
    /// By connection; a link that is gone is not there.
    private var links: [Int: SimulatedLink] = [:]
    /// Connections that the relay still believes in.
    private var ghosts: [Int] = []
    private var nextConnection = 0
    private var lives: UInt64 = 0
    /// Says when the second fold runs, apart from everything else.
    private var foldDraws: SeededGenerator
    /// How often what was done to it.
    private(set) var faults: [String: Int] = [:]
    private(set) var history = History()

    init(seed: UInt64, rings: Rings, flaw: Flaw = .none) throws {
        self.seed = seed
        self.rings = rings
        ring = rings.first
        self.flaw = flaw
        let isRotten = seed % 5 == 3 || flaw == .servesDamage || flaw == .forgetsLosses
        rotten = isRotten ? (flaw == .none ? Self.rotten(of: seed) : .segments) : nil
        random = SeededGenerator(seed: seed)
        foldDraws = SeededGenerator(seed: seed &* 11 &+ 3)
        disk = MemoryDisk(seed: seed &* 7)
        try disk.makeDirectory("/data")
        if flaw == .diskLies { disk.lie() }
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

    private static func rotten(of seed: UInt64) -> Rotten {
        switch seed / 5 % 8 {
        case 3: .slabs
        case 5: .watermark
        case 7: .archive
        default: .segments
        }
    }

    private var instant: SessionInstant {
        SessionInstant(milliseconds: Int64(clock.monotonic / .milliseconds(1)))
    }

    private var time: Timestamp { Timestamp(milliseconds: clock.wallMilliseconds) }

    /// How long all this took in there.
    var simulated: Duration { clock.monotonic }

    mutating func violate(_ text: String) { history.violate(text) }

    private mutating func count(_ fault: String) { faults[fault, default: 0] += 1 }

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
        stepNumber += 1
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<370:
            for _ in 0..<4 { try act(Int.random(in: 0..<clients.count, using: &random), isCalm: false) }
        case 370..<590: try moveToServer(whole: false)
        case 590..<810: try moveToClients(whole: false)
        case 810..<900: try guarded { node, now, time in try node.commit(at: now, time: time) }
        case 900..<925:
            clock.advance(.milliseconds(Int64.random(in: 1...30_000, using: &random)))
            try guarded { node, now, time in try node.tick(at: now, time: time) }
        case 925..<940: try guarded { node, _, _ in try node.prepare() }
        case 940..<960: try cutSomeLink()
        case 960..<970: try noticeGhost()
        default: try doHarm()
        }
        if Int.random(in: 0..<24, using: &foldDraws) == 0 { try fold() }
        if let until = fullUntil, stepNumber >= until { makeRoom() }
        clock.advance(.milliseconds(Int64.random(in: 0...200, using: &random)))
        try guarded { node, now, time in try node.pump(at: now, time: time) }
    }

    private mutating func doHarm() throws {
        switch Int.random(in: 0..<(rotten == nil ? 10 : 16), using: &random) {
        case 0, 1: try stop()
        case 2, 3:
            let call: MemoryDisk.Call = Bool.random(using: &random) ? .sync : .write
            disk.fail(call, after: Int.random(in: 0..<3, using: &random), errno: 5)
            count("failed disk call planned")
        case 4:
            disk.limit(to: disk.used + Int.random(in: 0...60_000, using: &random))
            fullUntil = stepNumber + Int.random(in: 5...60, using: &random)
            count("full disk")
        case 5:
            clock.setWall(forwardBy: Int64.random(in: -7_200_000...7_200_000, using: &random))
            count("clock jump")
        case 6, 7:
            ring = ring.active == rings.first.active ? rings.second : rings.first
            // In one of three the disk fails somewhere in the middle.
            if Int.random(in: 0..<3, using: &random) == 0 {
                disk.fail(.sync, after: Int.random(in: 0..<3, using: &random), errno: 5)
            }
            count("key rotation")
            let ring = ring
            try guarded { node, _, _ in try node.rotateKeys(to: ring) }
        case 8, 9: try erase()
        default: try rot()
        }
    }

    /// A round of the second fold.
    private mutating func fold() throws {
        var draws = foldDraws
        var round = SimulatedNode.Round.nothing
        defer { foldDraws = draws }
        try guarded { node, now, time in round = try node.fold(at: now, time: time, random: &draws) }
        switch round {
        case .nothing: break
        case .left: count("fold left")
        case .snapshot: count("snapshot")
        case .dropped: count("segments let go")
        }
    }

    private mutating func erase() throws {
        if Int.random(in: 0..<3, using: &random) == 0 {
            disk.fail(.sync, after: Int.random(in: 1..<8, using: &random), errno: 5)
        }
        count("erasure")
        var random = random
        var erased: NotificationID?
        try guarded { node, now, time in
            try node.eraseSome(at: now, time: time, random: &random, chosen: &erased)
        }
        self.random = random
        if let erased { history.erased(erased.text) }
    }

    /// A bit flips somewhere in what was written long ago, to wit so long that the watermark knows of it: damage to the last
    /// batch of all cannot be told from a torn one before.
    private mutating func rot() throws {
        guard let rotten else { return }
        clock.advance(.seconds(2))
        try guarded { node, _, _ in try node.mark() }
        let first = rotten == .segments ? 4_096 : 0
        let old = disk.files.filter { $0.key.contains(rotten.rawValue) }.keys.sorted()
        guard let path = old.randomElement(using: &random), let bytes = disk.files[path],
            let end = bytes.lastIndex(where: { $0 != 0 }), end > first
        else { return }
        disk.rot(
            path, byte: Int.random(in: first...end, using: &random), bit: UInt8.random(in: 0...7, using: &random))
        count("rotten bit, \(rotten)")
        hasRotted = hasRotted || rotten == .segments
    }

    private mutating func makeRoom() {
        disk.limit(to: nil)
        fullUntil = nil
        stopsWhileFull = 0
    }

    /// No faults any more: everybody connects, everything moves, until nothing does.
    private mutating func rest() throws {
        disk.heal()
        makeRoom()
        // Whatever waits for a time that a wall clock set back has put off is due now.
        clock.setWall(forwardBy: 86_400_000)
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
            clock.advance(.seconds(2))
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
            history.opened(nextConnection)
            clients[place].connect(nextConnection, at: instant)
            links[nextConnection] = SimulatedLink()
            let now = instant
            let actor = clients[place].actor
            node?.open(nextConnection, actor, at: now)
        }
        // A calm station confirms all that it has at once.
        for _ in 0..<(isCalm ? 8 : 1) { try clients[place].act(&random, &history, isCalm: isCalm) }
        let now = instant
        let bytes = clients[place].takeOutput(at: now)
        links[clients[place].connection]?.write(bytes, at: now)
    }

    /// Moves some or all bytes of each link on; a piece may end anywhere.
    private mutating func moveToServer(whole: Bool) throws {
        for number in links.keys.sorted() {
            guard let bytes = links[number]?.toServer, !bytes.isEmpty else { continue }
            let count = whole ? bytes.count : Int.random(in: 0...bytes.count, using: &random)
            let now = instant
            let piece = links[number]?.move(count, at: now) ?? []
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
            links[number]?.wait(until: now)
            let goesOn = clients[place].receive(
                Array(bytes[..<count]), at: now, linkStoodFor: links[number]?.longestWait ?? 0, &history)
            let isOver = node?.connections[number]?.isClosed == true && links[number]?.toClient.isEmpty == true
            if !goesOn || isOver { try cut(number, isNoticed: true) }
        }
    }

    // MARK: Faults

    private mutating func cutSomeLink() throws {
        guard let number = links.keys.sorted().randomElement(using: &random) else { return }
        count("lost link")
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
        node = nil
        for number in links.keys.sorted() { try cut(number, isNoticed: true) }
        ghosts = []
        // A relay that cannot even write what it must stops again and again, until somebody makes room.
        if fullUntil != nil {
            stopsWhileFull += 1
            if stopsWhileFull > 2 { makeRoom() }
        }
        if Bool.random(using: &random) {
            count("power cut")
            disk.crash()
        } else {
            count("killed process")
            disk.heal()
        }
        try start()
    }

    private mutating func start() throws {
        for attempt in 0..<3 {
            lives += 1
            // Now and then the start itself does not come to its end.
            let failsItself = attempt == 0 && lives > 1 && Int.random(in: 0..<5, using: &random) == 0
            if failsItself {
                count("cut start")
                let call: MemoryDisk.Call = Bool.random(using: &random) ? .sync : .write
                disk.fail(call, after: Int.random(in: 0..<12, using: &random), errno: 5)
            }
            do {
                node = try SimulatedNode(
                    disk: disk, ring: ring, clock: clock, seed: seed &* 1_000_003 &+ lives, flaw: flaw)
                if node?.isFromSnapshot == true { count("start from a snapshot") }
                if let lost = node?.lostAtStart, lost > 0 {
                    count("start with losses")
                    history.lost()
                    if !hasRotted { history.violate("\(lost) records are lost, and nothing rotted") }
                }
                if let node, node.relay.sequence != node.durable {
                    history.violate("the relay stands at \(node.relay.sequence), the journal at \(node.durable)")
                }
                try guarded { node, _, time in try node.reportLosses(time) }
                return
            } catch let error as JournalError {
                switch error {
                case .noSpace: makeRoom()
                case .io where failsItself:
                    // The machine may go on: then the next start finds what this one wrote and did not sync.
                    if Bool.random(using: &random) { disk.crash() } else { disk.heal() }
                default: throw error
                }
            }
        }
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
