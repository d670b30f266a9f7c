import CaseNotifications
import Foundation
import Journal
import Relay
import STOMP
import Synchronization
import Testing

@testable import BudkavleServer

/// What a start does behind damage, and what is done with content that cannot be opened.
@Suite(.timeLimit(.minutes(10))) struct DamagedStartTests {
    let scratch: StoreScratch
    let log = LogLines()

    init() throws { scratch = try StoreScratch() }

    /// A relay that has accepted so many concerns, one case each, and was stopped.
    ///
    /// - Parameter folded: the segment that a snapshot shall then cover; nil for no snapshot.
    private func stopped(after count: Int, from first: Int = 1, folded: UInt64? = nil) throws
        -> [(id: String, place: TextLocation)]
    {
        let relay = try CoreRelay(scratch, isFolding: folded != nil, log: log.log)
        if let folded { try relay.folded(through: folded) }
        let police = try relay.connect("pol-18-rlc", "station")
        var sent: [(String, TextLocation)] = []
        for number in first..<(first + count) {
            let id = try police.report("n-\(number)", case: number)
            try relay.durable()
            let notification = try #require(NotificationID(text: id))
            sent.append((id, try #require(try relay.onLoop { $0.contents.location(of: notification) })))
        }
        try relay.stop()
        return sent
    }

    private func path(_ segment: UInt64) -> String {
        scratch.directory + "/segments/segment-" + String(repeating: "0", count: 16 - String(segment, radix: 16).count)
            + String(segment, radix: 16)
    }

    /// Turns one bit round.
    private func damage(_ segment: UInt64, at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path(segment)))
        try file.seek(toOffset: offset)
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data([byte ^ 1]))
        try file.close()
    }

    @Test func `a start behind damaged records journals the loss once and serves the rest`() throws {
        let sent = try stopped(after: 3)
        // In the batch that accepted the second one, behind its head.
        try damage(sent[1].place.segment, at: sent[1].place.batchOffset + 200)
        var relay = try CoreRelay(scratch, log: log.log)
        let station = try relay.connect("jour-1880", "jourdator")
        try station.subscribe("/inbox/jour-1880")
        let heard = try [station.hear(.message), station.hear(.message)].map { $0.headers["notification"] }
        #expect(heard == [sent[0].id, sent[2].id])
        let lost = try #require(try relay.maintenance().last)
        #expect(lost.kind == .lost)
        #expect(lost.count > 0 && lost.lost?.count == lost.count, "\(lost)")
        #expect(try relay.onLoop { $0.relay.unreportedLost } == 0)
        #expect(log.lines.withLock { $0 }.contains { $0.contains("segment") })
        let police = try relay.connect("pol-18-rlc", "station")
        #expect(try police.ask(CoreClient.concern("n-9", case: 9))["status"] == "accepted")
        try relay.stop()
        relay = try CoreRelay(scratch, log: log.log)
        #expect(try relay.maintenance().map(\.kind) == [.lost])
        try relay.stop()
    }

    @Test func `that segments went is journaled with their number and nothing else`() throws {
        let relay = try CoreRelay(scratch, log: log.log)
        try relay.onLoop { $0.noteDropped(segments: 3) }
        let done = try #require(try relay.maintenance().last)
        #expect(done.kind == .retired && done.count == 3 && done.notifications.isEmpty && done.reasonSlot == nil)
        try relay.stop()
    }

    @Test func `an override is journaled with its reason sealed, and retired`() throws {
        _ = try stopped(after: 2)
        let lost = try stopped(after: 2, from: 3)
        let last = try stopped(after: 1, from: 5)
        try FileManager.default.removeItem(atPath: path(lost[0].place.segment))
        #expect(throws: JournalError.self) { _ = try CoreRelay(scratch, log: log.log) }
        let report = try Inspection.salvage(
            directory: scratch.directory, keys: try scratch.ring(),
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"))
        #expect(report.override != nil)
        var relay = try CoreRelay(scratch, log: log.log)
        let done = try relay.maintenance()
        #expect(done.map(\.kind) == [.lost, .override])
        #expect(done.last?.reasonSlot != nil)
        let station = try relay.connect("jour-1880", "jourdator")
        try station.subscribe("/inbox/jour-1880")
        let heard = try (0..<3).map { _ in try station.hear(.message).headers["notification"] }
        #expect(heard.last == last[0].id)
        try relay.stop()
        #expect(!FileManager.default.fileExists(atPath: scratch.directory + "/override"))
        #expect(scratch.names("quarantine").contains { $0.hasPrefix("override-") })
        relay = try CoreRelay(scratch, log: log.log)
        #expect(try relay.maintenance().map(\.kind) == [.lost, .override])
        try relay.stop()
    }

    @Test func `a missing segment that a snapshot covers is accepted once, and behind later snapshots too`() throws {
        let first = try stopped(after: 2, folded: 0)
        let lost = try stopped(after: 2, from: 3, folded: 1)
        let last = try stopped(after: 1, from: 5, folded: 2)
        #expect(lost[0].place.segment == 2)
        try FileManager.default.removeItem(atPath: path(2))
        #expect(throws: JournalError.self) { _ = try CoreRelay(scratch, log: log.log) }
        _ = try Inspection.salvage(
            directory: scratch.directory, keys: try scratch.ring(),
            accepting: SalvageAcceptance(reason: "the disk was exchanged", by: "Karin Berg"))
        for folded: UInt64 in [3, 4, 5] {
            let relay = try CoreRelay(scratch, log: log.log)
            #expect(try relay.maintenance().map(\.kind) == [.override])
            if folded == 3 {
                let station = try relay.connect("jour-1880", "jourdator")
                try station.subscribe("/inbox/jour-1880")
                let heard = try (0..<3).map { _ in try station.hear(.message).headers["notification"] }
                #expect(heard == [first[0].id, first[1].id, last[0].id], "what is lost is set aside")
            }
            try relay.folded(through: folded)
            try relay.stop()
        }
    }

    @Test func `content that cannot be opened is set aside at once, its sender told, and what is behind it goes on`()
        throws
    {
        let sent = try stopped(after: 2)
        let place = sent[0].place
        try damage(place.segment, at: place.batchOffset + UInt64(place.textOffset) + 40)
        let relay = try CoreRelay(scratch, log: log.log)
        let police = try relay.connect("pol-18-rlc", "station")
        try police.subscribe("/receipts")
        let station = try relay.connect("jour-1880", "jourdator")
        try station.subscribe("/inbox/jour-1880")
        #expect(try station.hear(.message).headers["notification"] == sent[1].id)
        while true {
            let message = try police.hear(.message)
            let text = String(decoding: message.body, as: UTF8.self)
            guard text.contains("set-aside") else { continue }
            #expect(message.headers["notification"] == sent[0].id && text.contains("escalated"), "\(text)")
            break
        }
        let unreadable = try relay.events().compactMap { event -> String? in
            if case .unreadable(let id) = event.body { id.text } else { nil }
        }
        #expect(unreadable == [sent[0].id])
        let person = try relay.connect("jour-1880", "person:staff-71")
        let list = try person.query("inbox", "{}")
        #expect(list["items"]?.array?.contains { $0["notification"]?.string == sent[0].id } == true, "\(list.text)")
        #expect(!log.lines.withLock { $0 }.joined().contains("barn-1"))
        try relay.stop()
    }
}
