import CaseNotifications
import Journal
import Relay
import STOMP
import TestSupport

/// What goes wrong.
extension SimulatedWorld {
    mutating func doHarm() throws {
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
            setWall(forwardBy: Int64.random(in: -7_200_000...7_200_000, using: &random))
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
    mutating func fold() throws {
        var draws = foldDraws
        var round = SimulatedNode.Round.nothing
        defer { foldDraws = draws }
        try guarded { node, now, time in round = try node.fold(at: now, time: time, random: &draws) }
        switch round {
        case .nothing: break
        case .left: count("fold left")
        case .failed(let error):
            count("fold left")
            if !isExplained(.journal(error)) { violate("the second fold failed: \(error)") }
        case .snapshot: count("snapshot")
        case .dropped:
            count("segments let go")
            history.letGo()
        }
    }

    mutating func erase() throws {
        if Int.random(in: 0..<3, using: &random) == 0 {
            disk.fail(.sync, after: Int.random(in: 1..<8, using: &random), errno: 5)
        }
        count("erasure")
        var random = random
        let id = node?.erasable(&random)
        self.random = random
        if let id { try erase(id) }
    }

    /// One notification is recalled.
    mutating func erase(_ id: NotificationID) throws {
        history.erased(id.text)
        var isGone = false
        try guarded { node, now, time in isGone = try node.erase(id, at: now, time: time) }
        if isGone { noteGone([id]) }
    }

    /// A bit flips somewhere in what was written long ago, to wit so long that the watermark knows of it: damage to the last
    /// batch of all cannot be told from a torn one before.
    mutating func rot() throws {
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

    mutating func makeRoom() {
        disk.limit(to: nil)
        fullUntil = nil
        stopsWhileFull = 0
    }

    mutating func cutSomeLink() throws {
        guard let number = links.keys.sorted().randomElement(using: &random) else { return }
        count("lost link")
        try cut(number, isNoticed: Bool.random(using: &random))
    }

    /// What is under way on the link is lost.
    mutating func cut(_ number: Int, isNoticed: Bool) throws {
        links[number] = nil
        if let place = clients.firstIndex(where: { $0.connection == number }) { clients[place].lose() }
        if isNoticed {
            try guarded { node, now, time in try node.endOfInput(on: number, at: now, time: time) }
        } else {
            ghosts.append(number)
        }
    }

    mutating func noticeGhost() throws {
        guard let ghost = ghosts.randomElement(using: &random) else { return }
        ghosts.removeAll { $0 == ghost }
        try guarded { node, now, time in try node.endOfInput(on: ghost, at: now, time: time) }
    }

    /// The process ends, with or without the machine.
    mutating func stop() throws {
        takeCounts()
        node = nil
        try leaveLinks()
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

    /// All links end with the process.
    mutating func leaveLinks() throws {
        for number in links.keys.sorted() { try cut(number, isNoticed: true) }
        ghosts = []
    }

    mutating func start() throws {
        for attempt in 0..<3 {
            lives += 1
            // Now and then the start itself does not come to its end.
            let failsItself = attempt == 0 && lives > 1 && Int.random(in: 0..<5, using: &random) == 0
            var call = MemoryDisk.Call.sync
            if failsItself {
                count("cut start")
                call = Bool.random(using: &random) ? .sync : .write
                if traits.faults == .all { call = MemoryDisk.Call.allCases.randomElement(using: &draws) ?? call }
                disk.fail(call, after: Int.random(in: 0..<12, using: &random), errno: 5)
            }
            do {
                node = try SimulatedNode(
                    disk: disk, ring: ring, clock: clock, seed: seed &* 1_000_003 &+ lives, flaw: flaw,
                    traits: traits, mayHaveLetGo: mayHaveLetGo)
                history.clock.started(at: time, elapsed: instant.milliseconds)
                if node?.isFromSnapshot == true { count("start from a snapshot") }
                if let lost = node?.lostAtStart, lost > 0 {
                    count("start with losses")
                    history.lost(node?.lostRecords ?? [], total: lost)
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
                // What could not be read may be what it had to start from: it refuses, and nothing has changed.
                case .segmentMissing where failsItself && call == .read: disk.heal()
                case .io where failsItself:
                    // The machine may go on: then the next start finds what this one wrote and did not sync.
                    if Bool.random(using: &random) { disk.crash() } else { disk.heal() }
                default: throw error
                }
            }
        }
    }
}
