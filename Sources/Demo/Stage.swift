import BudkavleClient
import Foundation

/// What the chapters play on: one relay, the clients that speak with it, and its simulated clock.
final class Stage {
    let directory: RelayDirectory
    let process: RelayProcess
    let narrator: Narrator
    private(set) var port: Int
    private var clients: [String: RelayClient] = [:]

    /// The persons of `reference/domain.md` 6, all made up, with numbers that Skatteverket publishes for tests.
    enum Persons {
        static let suspect = (name: "Testman Ett Fiktivsson", number: "199006022397")
        static let victim = (name: "Testkvinna Två Fiktivsson", number: "199107172380")
        static let child = (name: "Testbarn Tre", number: "202402292383")
        static let all = [suspect, victim, child]
    }

    /// Every case id that a chapter has made up; none may be found on the disk.
    private(set) var cases: [String] = []

    init(directory: RelayDirectory, process: RelayProcess, narrator: Narrator, port: Int) {
        self.directory = directory
        self.process = process
        self.narrator = narrator
        self.port = port
    }

    // MARK: Clients

    /// The client with this certificate; made at the first call, and the same from then on.
    func client(_ party: String, _ name: String) throws -> RelayClient {
        let key = "\(party)/\(name)"
        if let client = clients[key] { return client }
        let files = directory.files(of: party, name)
        let client = try RelayClient(configuration(certificate: files.certificate, key: files.key))
        clients[key] = client
        return client
    }

    /// How a client reaches the relay with any certificate.
    func configuration(certificate: String, key: String, attempts: Int? = nil) -> RelayConfiguration {
        var configuration = RelayConfiguration(
            endpoint: .tls(host: "127.0.0.1", port: port),
            credentials: RelayCredentials(
                certificateFile: certificate, keyFile: key, authorityFiles: [directory.authority.certificateFile],
                revocationFiles: [directory.authority.revocationFile], serverName: "localhost"),
            collaboration: "orebro")
        configuration.reconnect.initialAttempts = attempts
        configuration.reconnect.longestPause = .seconds(1)
        configuration.answerLimit = .seconds(20)
        return configuration
    }

    /// Says goodbye for every client.
    func closeClients() async {
        for client in clients.values { await client.close() }
        clients = [:]
    }

    // MARK: Time

    /// The relay's own clock.
    func now() async throws -> Date {
        let answer = try await client("drift-18", "konsol").administer("clock")
        return try Self.date(RelayAnswers.read(RelayAnswers.Clock.self, answer).now)
    }

    /// Puts the simulated clock forward to `time` (`2026-12-11T23:10:00+01:00`), or not at all if it is past that.
    func advance(to time: String) async throws {
        let seconds = Int(try Self.date(time).timeIntervalSince(await now()).rounded(.up))
        guard seconds > 0 else { return }
        _ = try await client("drift-18", "konsol").administer("clock", Array("{\"advance\":\(seconds)}".utf8))
    }

    static func date(_ text: String) throws -> Date {
        if let date = try? Date(text, strategy: .iso8601) { return date }
        return try Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    // MARK: Shorthand

    /// A new case id, remembered for the search at the end.
    func newCase() -> String {
        let id = CloudEventText.newCase()
        cases.append(id)
        return id
    }

    /// The inbox of a client's own desks, as the relay lists it.
    func inbox(_ party: String, _ name: String) async throws -> [RelayAnswers.Inbox.Item] {
        let answer = try await client(party, name).ask("inbox")
        return try RelayAnswers.read(RelayAnswers.Inbox.self, answer).items
    }

    /// All parties that hold a certificate for a station, in the policy's order, with the station's name.
    func stations() -> [(party: String, name: String)] {
        var seen: Set<String> = []
        return directory.holders.compactMap { holder in
            guard case .client(let name) = holder.bearer, holder.party != "drift-18", seen.insert(holder.party).inserted
            else { return nil }
            return (holder.party, name)
        }
    }

    /// The parties in whose inbox a notification is.
    func whoHas(_ notification: String) async throws -> [String] {
        var found: [String] = []
        for (party, name) in stations() {
            do {
                if try await inbox(party, name).contains(where: { $0.notification == notification }) {
                    found.append(party)
                }
            } catch let error as RelayError where error.code == .forbidden || error.code == .unknown {
                continue  // A party without a desk has no inbox.
            }
        }
        return found
    }

    /// How many deliveries wait anywhere.
    func queued() async throws -> RelayAnswers.Queues.Count {
        let answer = try await client("drift-18", "konsol").ask("queues")
        return try RelayAnswers.read(RelayAnswers.Queues.self, answer).total
    }

    /// What the daemon has logged so far.
    func log() throws -> String {
        try String(contentsOfFile: directory.logFile, encoding: .utf8)
    }

    /// Starts the daemon again where it was.
    func restart() throws(DemoError) {
        port = try process.start(portFile: directory.portFile)
    }
}

extension SendAnswer {
    /// `accepted`, `duplicate`, or the code of the refusal.
    var word: String {
        switch self {
        case .accepted: "accepted"
        case .duplicate: "duplicate"
        case .refused(let refusal): "refused " + refusal.code
        }
    }
}
