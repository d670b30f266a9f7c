import CaseNotifications
import Journal
import Relay
import STOMP
import TestSupport

/// What administrators and clocks do: clean ends, wrong times, erasures of cases, and retention.
extension SimulatedWorld {
    /// Now and then one of the faults that the first simulations had not.
    mutating func doMore() throws {
        switch Int.random(in: 0..<600, using: &draws) {
        case 0..<5: try end()
        // Later, when there is something that may become too old.
        case 8..<24 where traits.hasLongJumps && stepNumber > 40: jump()
        case 24..<34:
            if orderedCase == nil { orderedCase = CaseID("BK-18-2026-0000000\(Int.random(in: 1...3, using: &draws))") }
        case 34..<64 where traits.hasLongJumps: try retain()
        // Only a start believes a clock that has jumped.
        case 64..<72 where wrongBy != 0:
            try end()
            try retain()
        case 72..<80:
            let call = MemoryDisk.Call.allCases.randomElement(using: &draws) ?? .sync
            disk.fail(call, after: Int.random(in: 0..<6, using: &draws), errno: 5)
            count("failed call of any kind planned")
        case 80..<200:
            guard let id = node?.firstHeld else { break }
            count("erasure of what waits")
            try erase(id)
        default: break
        }
        if orderedCase != nil, Int.random(in: 0..<4, using: &draws) == 0 { try goOnErasing() }
    }

    // MARK: Time

    mutating func setWall(forwardBy milliseconds: Int64) {
        let before = time
        clock.setWall(forwardBy: milliseconds)
        history.clock.jumped(from: before, to: time)
    }

    /// Somebody sets the clock wrong by weeks, or right again.
    private mutating func jump() {
        // Mostly by more than the month after which a relay forgets.
        let most = SimulatedTraits.jumpWeeks
        let weeks = [0, 0, -most, most, most - 1, Int64.random(in: -most...most, using: &draws)]
        let target = (weeks.randomElement(using: &draws) ?? 0) * SimulatedTraits.weekMilliseconds
        guard target != wrongBy else { return }
        count(target > wrongBy ? "weeks forward" : "weeks back")
        setWall(forwardBy: target - wrongBy)
        wrongBy = target
    }

    /// Weeks later: what is finished goes, but only behind a start that finds an event of that time.
    mutating func age() throws {
        let weeks = SimulatedTraits.jumpWeeks * SimulatedTraits.weekMilliseconds
        setWall(forwardBy: weeks)
        wrongBy += weeks
        try retain()
        try guarded { node, now, time in
            try node.run(.maintain(MaintenanceNote(kind: .backup)), time)
            try node.commit(at: now, time: time)
        }
        try end()
        try retain()
    }

    private mutating func retain() throws {
        var retired: [NotificationID] = []
        try guarded { node, now, time in try node.retain(at: now, time: time, retired: &retired) }
        for id in retired { history.retired(id.text) }
        faults["retired", default: 0] += retired.count
    }

    // MARK: Erasures

    private mutating func goOnErasing() throws {
        guard let subject = orderedCase else { return }
        if Int.random(in: 0..<8, using: &draws) == 0 {
            disk.fail(.sync, after: Int.random(in: 1..<8, using: &draws), errno: 5)
        }
        var withdrawn: [NotificationID] = []
        let life = lives
        try guarded { node, now, time in
            try node.goOnErasing(subject, at: now, time: time, withdrawn: &withdrawn)
        }
        for id in withdrawn { history.erased(id.text) }
        guard life == lives, let erasure = node?.erasure, erasure.step == .done else { return }
        node?.erasure = nil
        orderedCase = nil
        guard !erasure.withdrawn.isEmpty else { return }
        count("case erasure")
        noteGone(erasure.withdrawn)
    }

    /// The order was answered: nobody gets this any more, and nobody can open it.
    mutating func noteGone(_ ids: [NotificationID]) {
        for id in ids {
            history.gone(id.text, underWay: node?.connectionsHolding(id) ?? [])
            gone.insert(id)
        }
    }

    /// What the relay's own disk must and must not give at the end.
    mutating func judgeContents() {
        guard let node else { return }
        for id in gone.sorted() where node.opens(id) { violate("\(id.text) can be opened although it was erased") }
        guard rotten == nil else { return }
        for id in node.stored().map(\.notification) where node.relay.contentState(of: id) == .unreadable {
            violate("\(id.text) cannot be read, and nothing rotted")
        }
    }

    // MARK: The end

    /// The daemon ends as on SIGTERM, and starts again: nothing is to be recovered then, also where the power went since.
    private mutating func end() throws {
        let life = lives
        try guarded { node, now, time in try node.end(at: now, time: time) }
        // Its journal failed at the end: it was stopped.
        guard life == lives, let ended = node else { return }
        count("clean end")
        history.endedCleanly()
        takeCounts()
        for number in links.keys.sorted() { try takeOutput(of: number) }
        node = nil
        try moveToClients(whole: Bool.random(using: &draws))
        try leaveLinks()
        if Bool.random(using: &draws) { disk.crash() } else { disk.heal() }
        let rots = rotten == .segments && Bool.random(using: &draws)
        if rots { rotEnd() }
        try start()
        guard let node, node.durable != ended.durable else { return }
        if !hasRotted {
            violate("a clean end at record \(ended.durable) left a start at \(node.durable)")
        } else if rots, node.durable < ended.durable, node.lostAtStart == 0 {
            violate("records up to \(ended.durable) were written down at a clean end, and nobody misses them")
        }
    }

    /// A bit flips in what was written last: a clean end has said where that is.
    private mutating func rotEnd() {
        let segments = disk.files.filter { $0.key.contains(Rotten.segments.rawValue) }.sorted { $0.key < $1.key }
        let written = segments.compactMap { path, bytes in bytes.lastIndex { $0 != 0 }.map { (path, $0) } }
        guard let (path, end) = written.last(where: { $0.1 > 4_096 }) else { return }
        let byte = Int.random(in: max(4_096, end - 2_048)...end, using: &draws)
        disk.rot(path, byte: byte, bit: UInt8.random(in: 0...7, using: &draws))
        count("rotten bit, last batch")
        hasRotted = true
    }

    /// Counts what the present life has counted.
    mutating func takeCounts() {
        faults.merge(node?.counts ?? [:]) { $0 + $1 }
        node?.counts = [:]
        mayHaveLetGo = mayHaveLetGo || node?.mayHaveLetGo == true
        guard let skipped = node?.receiptDesk.skippedCount, skipped > 0 else { return }
        count("skipped receipts")
        if hasRotted { return history.skippedReceipts() }
        violate("\(skipped) receipts were skipped, and nothing rotted")
    }
}
