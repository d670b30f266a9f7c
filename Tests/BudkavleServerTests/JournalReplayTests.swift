import CaseNotifications
import Foundation
import Relay
import Routing
import STOMP
import Testing

@testable import BudkavleServer

/// What `simulate` reads of a journal.
@Suite(.timeLimit(.minutes(2))) struct JournalReplayTests {
    private static let settings = """
        version: 1
        listen: {host: 127.0.0.1, port: 0, port-file: run/port}
        admin-socket: run/admin.sock
        tls: {certificate: a.crt, key: a.key, client-ca: [ca.crt], crl: [x.crl], strict: yes}
        journal: {directory: data, master-key: key}
        log: {level: warning, format: json}
        collaborations: [orebro]
        """

    @Test func `as many acceptances as may be are kept, and of one more the newest`() throws {
        let scratch = try StoreScratch()
        let relay = try CoreRelay(scratch, isFolding: false, log: LogLines().log)
        let police = try relay.connect("pol-18-rlc", "station")
        let sent = try (1...5).map { try police.report("report-\($0)", case: $0) }
        try relay.stop()
        try Self.settings.write(toFile: scratch.path + "/budkavled.yaml", atomically: true, encoding: .utf8)
        let site = try StoreSite.find(configDirectory: scratch.path, collaboration: "orebro")

        let all = try JournalReplay(site, most: 5)
        #expect(all.accepted.map(\.notification.text) == sent)
        #expect(all.leftOut == 0 && all.leftOutThrough == nil && all.unresolved == 0)
        let cut = try JournalReplay(site, most: 4)
        #expect(cut.accepted.map(\.notification.text) == Array(sent[2...]))
        #expect(cut.leftOut == 2 && cut.leftOutThrough == all.accepted[1].at)
        let one = try JournalReplay(site, most: 1)
        #expect(one.accepted.map(\.notification.text) == [sent[4]] && one.leftOut == 4)

        // What was left out counts where it lies within the days that are asked for.
        for (replay, count) in [(all, 0), (cut, 2)] {
            let found = PolicySimulation(running: relay.policy, candidate: relay.policy, journal: replay, days: 1)
            #expect(found.unreadable == count)
            #expect(found.report.compared + found.unexplained == 5 - count)
        }
    }
}
