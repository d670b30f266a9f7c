import BudkavleClient
import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension TestRelay {
    /// Asks one question with our own client.
    func ask(
        _ name: String, _ body: String, as party: String, _ client: String, in collaboration: String = "orebro"
    ) async throws -> JSONValue {
        let client = try makeClient(party, client, collaboration)
        let answer = try await client.ask(name, Array(body.utf8))
        await client.close()
        return try JSONValue(parsing: answer)
    }

    /// Puts the simulated clock forward.
    func advanceClock(seconds: Int) async throws {
        let client = try makeClient("drift-18", "konsol")
        _ = try await client.administer("clock", Array("{\"advance\":\(seconds)}".utf8))
        await client.close()
    }

    /// The counts of one desk's queue; nil when nothing is there.
    func queue(of desk: String) async throws -> JSONValue? {
        let answer = try await ask("queues", "{}", as: "drift-18", "konsol")
        return answer["queues"]?.array?.first { $0["desk"]?.string == desk }
    }

    /// Takes custody of whatever is left at a desk, so that the next test finds it empty.
    func takeEverything(at desk: String) async {
        guard let wire = try? await Wire.subscribed(self, desk: desk, prefetch: 100) else { return }
        while let left = try? await queue(of: desk),
            (left["ready"]?.integer ?? 0) + (left["inflight"]?.integer ?? 0) > 0
        {
            guard let message = try? await wire.hear(.message) else { return }
            try? await wire.acknowledge(message)
        }
        try? await wire.leave()
    }

    /// The daemon's log from its beginning, and what comes.
    func followLog() throws -> LogFollower {
        LogFollower(try Child("/usr/bin/tail", ["-n", "+1", "-f", directory.logFile]))
    }

    private func makeClient(
        _ party: String, _ name: String, _ collaboration: String = "orebro"
    ) throws -> RelayClient {
        let files = directory.files(of: party, name)
        return try RelayClient(
            RelayConfiguration(
                endpoint: .tls(host: "localhost", port: port),
                credentials: RelayCredentials(
                    certificateFile: files.certificate, keyFile: files.key,
                    authorityFiles: [directory.authority.certificateFile]),
                collaboration: collaboration))
    }
}

/// Reads a log file as it grows.
struct LogFollower {
    private let tail: Child
    private var lines: LineReader

    init(_ tail: Child) {
        self.tail = tail
        lines = LineReader(tail.output)
    }

    /// The first line from here on for which `isWanted` holds.
    mutating func first(where isWanted: (String) -> Bool) async throws -> String {
        try await lines.first(where: isWanted)
    }
}
