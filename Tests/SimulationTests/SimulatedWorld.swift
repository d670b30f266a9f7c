import CaseNotifications
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
    enum Rotten: String {
        case segments = "/segments/"
        case slabs = "/keys/slab-"
        case watermark = "/watermark"
        case archive = "/audit/"
    }

    let seed: UInt64
    let flaw: Flaw
    /// What rots, if anything. What was receipted may be lost with a segment, and then is said to be; with the others no record
    /// is.
    let rotten: Rotten?
    var hasRotted = false {
        didSet { if hasRotted { history.rotted() } }
    }
    var random: SeededGenerator
    let disk: MemoryDisk
    let clock = ManualClock()
    let rings: Rings
    var ring: KeyRing
    var fullUntil: Int?
    var stopsWhileFull = 0
    var stepNumber = 0
    var node: SimulatedNode?
    var clients: [SimulatedClient] = []
    /// By connection; a link that is gone is not there.
    var links: [Int: SimulatedLink] = [:]
    /// Connections that the relay still believes in.
    var ghosts: [Int] = []
    var nextConnection = 0
    var lives: UInt64 = 0
    /// Says when the second fold runs, apart from everything else.
    var foldDraws: SeededGenerator
    /// Says which faults happen that the first simulations had not, apart from everything else.
    var draws: SeededGenerator
    let traits: SimulatedTraits
    /// Whether the oldest segments may be gone, so that a start needs a snapshot.
    var mayHaveLetGo = false
    /// By how many milliseconds the wall clock is set wrong for long.
    var wrongBy: Int64 = 0
    /// A case whose erasure was ordered, and the order has no answer yet.
    var orderedCase: CaseID?
    /// What nobody may be able to open any more.
    var gone: Set<NotificationID> = []
    /// How often what was done to it.
    var faults: [String: Int] = [:]
    var history = History()

    init(seed: UInt64, rings: Rings, faults: SimulatedTraits.Faults = .all, flaw: Flaw = .none) throws {
        self.seed = seed
        self.rings = rings
        ring = rings.first
        self.flaw = flaw
        var draws = SeededGenerator(seed: seed &* 13 &+ 5)
        traits = SimulatedTraits(faults, flaw, &draws)
        self.draws = draws
        let isRotten = seed % 5 == 3 || [.servesDamage, .forgetsLosses, .endsWithoutMark].contains(flaw)
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
        for place in clients.indices where faults == .all {
            clients[place].supersedingDraws = SeededGenerator(seed: seed &* 17 &+ UInt64(place))
        }
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

    var instant: SessionInstant {
        SessionInstant(milliseconds: Int64(clock.monotonic / .milliseconds(1)))
    }

    var time: Timestamp { Timestamp(milliseconds: clock.wallMilliseconds) }

    /// How long all this took in there.
    var simulated: Duration { clock.monotonic }

    mutating func violate(_ text: String) { history.violate(text) }

    mutating func count(_ fault: String) { faults[fault, default: 0] += 1 }

    /// Runs everything, then lets it come to rest, and judges.
    mutating func run(steps: Int) throws {
        for _ in 0..<steps { try step() }
        try rest()
        if traits.hasLongJumps {
            try age()
            try rest()
        }
        takeCounts()
        let stored = (node?.stored() ?? []).compactMap { delivery in
            node?.relay.delivery(delivery).map { $0.desk.text + " " + delivery.notification.text }
        }
        judgeContents()
        for id in history.erasedNotifications.sorted() {
            guard let id = NotificationID(text: id), node?.relay.contentState(of: id) == .stored else { continue }
            history.stays(id.text)
        }
        history.judgeEnd(stillStored: Set(stored))
    }

    // MARK: Steps

    mutating func step() throws {
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
        if traits.faults == .all { try doMore() }
        if let until = fullUntil, stepNumber >= until { makeRoom() }
        clock.advance(.milliseconds(Int64.random(in: 0...200, using: &random)))
        try guarded { node, now, time in try node.pump(at: now, time: time) }
    }

    /// No faults any more: everybody connects, everything moves, until nothing does.
    mutating func rest() throws {
        disk.heal()
        makeRoom()
        // Whatever waits for a time that a wall clock set back has put off is due now.
        setWall(forwardBy: 86_400_000 - wrongBy)
        wrongBy = 0
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
        guard let node, node.connections.values.allSatisfy(\.held.isEmpty) else { return false }
        return links.values.allSatisfy { $0.toServer.isEmpty && $0.toClient.isEmpty }
            && SimulatedPolicy.senders.allSatisfy {
                let next = relay.nextReceipt(for: .party($0), after: relay.cursor(of: .party($0)))
                // What was skipped, since its record rotted, stays unread until a later one is read.
                return next == nil || hasRotted && node.receiptDesk.skippedCount > 0 && next?.atHand == nil
            }
    }

    mutating func act(_ place: Int, isCalm: Bool) throws {
        if clients[place].session == nil {
            nextConnection += 1
            history.opened(nextConnection)
            clients[place].connect(nextConnection, at: instant)
            links[nextConnection] = SimulatedLink()
            let now = instant
            let actor = clients[place].actor
            node?.open(nextConnection, actor, at: now)
        }
        if traits.faults == .all {
            clients[place].time = Timestamp(milliseconds: clock.wallMilliseconds - (traits.hasOneClock ? 0 : wrongBy))
        }
        // A calm station confirms all that it has at once.
        for _ in 0..<(isCalm ? 8 : 1) { try clients[place].act(&random, &history, isCalm: isCalm) }
        let now = instant
        let bytes = clients[place].takeOutput(at: now)
        links[clients[place].connection]?.write(bytes, at: now)
    }

    /// Moves some or all bytes of each link on; a piece may end anywhere.
    mutating func moveToServer(whole: Bool) throws {
        for number in links.keys.sorted() {
            guard let bytes = links[number]?.toServer, !bytes.isEmpty, node?.hasRoom(number) != false else { continue }
            let count = whole ? bytes.count : Int.random(in: 0...bytes.count, using: &random)
            let now = instant
            let piece = links[number]?.move(count, at: now) ?? []
            try guarded { node, now, time in try node.receive(piece, on: number, at: now, time: time) }
        }
    }

    /// What a client can take goes on its link.
    mutating func takeOutput(of number: Int) throws {
        guard let link = links[number], link.toClient.count < traits.windowBytes else { return }
        var output: [UInt8] = []
        try guarded { node, now, time in
            output = node.takeOutput(of: number, at: now)
            try node.goOn(with: number, time)
        }
        links[number]?.toClient += output
    }

    mutating func moveToClients(whole: Bool) throws {
        for number in links.keys.sorted() {
            let now = instant
            try takeOutput(of: number)
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

    /// Does something with the relay; if its journal failed, the process ends.
    mutating func guarded(
        _ body: (inout SimulatedNode, SessionInstant, Timestamp) throws -> Void
    ) throws {
        let now = instant
        let time = time
        do {
            guard var node else { return }
            history.clock.passed(to: time, elapsed: now.milliseconds)
            self.node = nil
            defer { if self.node == nil { self.node = node } }
            try body(&node, now, time)
        } catch let stopped as NodeStopped {
            if !isExplained(stopped.cause) { violate("the relay ended by itself: \(stopped.cause)") }
            try stop()
        }
    }

    /// Whether what was done to the disk is a reason to end.
    func isExplained(_ cause: NodeStopped.Cause) -> Bool {
        switch cause {
        // No call of this disk fails but those that were planned.
        case .journal(.io): true
        case .journal(.noSpace), .noSpace: fullUntil != nil
        case .journal: rotten != nil
        case .content: false
        }
    }
}
