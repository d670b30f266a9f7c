import Foundation
import Relay
import Routing
import STOMP
import Testing

@testable import BudkavleServer
@testable import CaseNotifications

/// What `simulate` reads of a journal.
@Suite(.timeLimit(.minutes(10))) struct JournalReplayTests {
    static let settings = """
        version: 1
        listen: {host: 127.0.0.1, port: 0, port-file: run/port}
        admin-socket: run/admin.sock
        tls: {certificate: a.crt, key: a.key, client-ca: [ca.crt], crl: [x.crl], strict: yes}
        journal: {directory: data, master-key: key}
        log: {level: warning, format: json}
        collaborations: [orebro]
        """

    @Test func `everything that a decision may read and the journal does not keep is said to be assumed`() throws {
        // Kept with the acceptance as it was, or never read by a rule.
        let kept: Set<EnvelopeAttribute> = [.source, .type, .municipality, .drill]
        let unread: Set<EnvelopeAttribute> = [
            .specversion, .id, .subject, .datacontenttype, .dataschema, .data, .binaryData, .supersedes, .expirytime,
        ]
        let words = Set(
            RebuiltEnvelope.assumptions.flatMap { assumption in
                assumption.prefix { $0 != ":" }.split { !$0.isLetter }.map(String.init)
            })
        for attribute in EnvelopeAttribute.allCases where !attribute.isDelivery {
            let isAssumed = words.contains(attribute.rawValue)
            #expect(isAssumed != (kept.contains(attribute) || unread.contains(attribute)), "\(attribute.rawValue)")
        }
    }

    @Test func `what a running relay writes meanwhile is read up to some moment, and it goes on undisturbed`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        try Self.settings.write(toFile: scratch.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
        let site = try StoreSite.find(configDirectory: scratch.path, collaboration: "orebro")
        var sent: [String] = []
        var seen = 0
        for round in 1...8 {
            // Four are on their way to disk, none of them answered, while the journal is read: a slow disk has space for more
            // ready only later.
            let numbers = (1...4).map { 100 * round + $0 }
            let asked = numbers.map { police.send(CoreClient.concern("n-\($0)", case: $0)) }
            let replay = try JournalReplay(site)
            #expect(replay.unresolved == 0 && replay.leftOut == 0)
            let found = PolicySimulation(running: relay.policy, candidate: relay.policy, journal: replay, days: 30)
            #expect(found.report.compared + found.unexplained == replay.accepted.count)
            #expect(found.report.same == found.report.compared && found.report.rebuilt == 0)
            for number in asked {
                let receipt = try police.hear(.receipt)
                #expect(receipt.headers["receipt-id"] == number && receipt.headers["status"] == "accepted")
                sent.append(try #require(receipt.headers["notification"]))
            }
            // A prefix of what was sent, without gaps, and never less than was answered before.
            #expect(replay.accepted.map(\.facts.notification.text) == Array(sent.prefix(replay.accepted.count)))
            #expect(replay.accepted.count >= seen)
            seen = sent.count
        }
        #expect(try JournalReplay(site).accepted.map(\.facts.notification.text) == sent)
        try relay.stop()
    }

    @Test func `as many acceptances as may be are kept, and of one more the newest`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, isFolding: false, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let sent = try (1...5).map { try police.report("report-\($0)", case: $0) }
        try relay.stop()
        try Self.settings.write(toFile: scratch.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
        let site = try StoreSite.find(configDirectory: scratch.path, collaboration: "orebro")

        let all = try JournalReplay(site, most: 5)
        #expect(all.accepted.map(\.facts.notification.text) == sent)
        #expect(all.leftOut == 0 && all.leftOutThrough == nil && all.unresolved == 0)
        let cut = try JournalReplay(site, most: 4)
        #expect(cut.accepted.map(\.facts.notification.text) == Array(sent[2...]))
        #expect(cut.leftOut == 2 && cut.leftOutThrough == all.accepted[1].facts.at)
        let one = try JournalReplay(site, most: 1)
        #expect(one.accepted.map(\.facts.notification.text) == [sent[4]] && one.leftOut == 4)

        // What was left out counts where it lies within the days that are asked for.
        for (replay, count) in [(all, 0), (cut, 2)] {
            let found = PolicySimulation(running: relay.policy, candidate: relay.policy, journal: replay, days: 1)
            #expect(found.unreadable == count)
            #expect(found.report.compared + found.unexplained == 5 - count)
        }
    }
}
