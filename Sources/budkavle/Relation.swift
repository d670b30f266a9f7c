import BudkavleClient
import Console
import Foundation

/// One command's relation with its relay: options and profile put together, errors turned into exit codes.
struct Relation {
    let surroundings: Surroundings
    let client: RelayClient
    let endpoint: RelayEndpoint
    let limitSeconds: Int
    private let checkpoint: CheckpointFile

    /// The administration socket that is tried when nothing else is named.
    static let systemSocket = "/run/budkavle/admin.sock"

    /// How long the first connection is tried for.
    enum Patience {
        /// A relay that is not there is an answer: exit 69 at once.
        case firstAttempt
        /// It is worth waiting for, within the time limit or for ever.
        case untilLimit
    }

    /// - Throws: 78 when the profile or an option is wrong.
    init(
        _ options: ConnectionOptions, patience: Patience = .firstAttempt, prefersSystemSocket: Bool = false,
        onLinkChange: (@Sendable (RelayLinkState, Surroundings) -> Void)? = nil
    ) throws(CommandFailure) {
        let profile = try Profile.load(named: options.profile, environment: ProcessInfo.processInfo.environment)
        let surroundings = Surroundings(options.appearance, profileLanguage: profile.lang)
        var configuration = try Self.configuration(options, profile, prefersSystemSocket: prefersSystemSocket)
        configuration.answerLimit = .seconds(options.timeout)
        if patience == .firstAttempt { configuration.reconnect.initialAttempts = 1 }
        if let onLinkChange { configuration.onLinkChange = { onLinkChange($0, surroundings) } }
        checkpoint = CheckpointFile(configuration, environment: ProcessInfo.processInfo.environment)
        configuration.checkpoint = checkpoint.checkpoint
        do { client = try RelayClient(configuration) } catch {
            throw CommandFailure(.configuration, "budkavle: \(error.message)")
        }
        self.surroundings = surroundings
        endpoint = configuration.endpoint
        limitSeconds = options.timeout
    }

    private static func configuration(
        _ options: ConnectionOptions, _ profile: Profile, prefersSystemSocket: Bool
    ) throws(CommandFailure) -> RelayConfiguration {
        let host = options.host ?? (options.socket == nil ? profile.host : nil)
        var socket = options.socket ?? (options.host == nil ? profile.socket : nil)
        if socket == nil, host == nil, prefersSystemSocket, FileManager.default.fileExists(atPath: systemSocket) {
            socket = systemSocket
        }
        if let socket {
            let path = socket.hasPrefix("unix:") ? socket : "unix:\(absolute(socket))"
            guard let endpoint = RelayEndpoint(path) else {
                let limit = RelayEndpoint.socketPathLimitBytes
                throw CommandFailure(.configuration, "budkavle: \(socket): no path of a socket, at most \(limit) bytes")
            }
            return RelayConfiguration(
                endpoint: endpoint, credentials: nil,
                collaboration: options.collaboration ?? profile.collaboration ?? "local")
        }
        guard let host else {
            throw CommandFailure(
                .configuration,
                "budkavle: no relay is named; use --host or a profile (\(Profile.file(environment: ProcessInfo.processInfo.environment)))"
            )
        }
        var missing: [String] = []
        func demand(_ name: String, _ flag: String?, _ inProfile: String?) -> String {
            if let value = flag ?? inProfile { return value }
            missing.append("--\(name)")
            return ""
        }
        let credentials = RelayCredentials(
            certificateFile: demand("cert", options.cert, profile.cert),
            keyFile: demand("key", options.key, profile.key),
            authorityFiles: [demand("ca", options.ca, profile.ca)])
        if !missing.isEmpty {
            let list = missing.joined(separator: ", ")
            throw CommandFailure(.configuration, "budkavle: \(list) must be given, or stand in the profile")
        }
        try Profile.demandMode(of: credentials.keyFile, without: 0o077, "others may read this key; chmod 600")
        let port = options.port ?? profile.port ?? Profile.defaultPort
        return RelayConfiguration(
            endpoint: .tls(host: host, port: port), credentials: credentials,
            collaboration: options.collaboration ?? profile.collaboration ?? host)
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    func text(_ message: Message) -> String { surroundings.text(message) }

    /// Runs `work`, says goodbye to the relay, and turns errors of the client into exit codes.
    func run<Result>(_ work: () async throws -> Result) async throws -> Result {
        do {
            let result = try await work()
            checkpoint.keep(await client.checkpoint)
            await client.close()
            return result
        } catch let error as RelayError {
            throw failure(error)
        } catch let fault as AnswerFault {
            throw CommandFailure(.protocolFault, "budkavle: \(fault)")
        }
    }

    /// What to say for an error of the client, and what to end with.
    func failure(_ error: RelayError) -> CommandFailure {
        let detail = Sanitizer.line(error.description, limit: 500)
        let lead: Message
        switch error.code {
        case .unreachable: lead = .relayUnreachable(endpoint.description)
        case .certificateRefused: lead = .refusedCertificate
        case .relayNotTrusted: lead = .relayNotTrusted
        // A socket's rights: no certificate is in it.
        case .forbidden where error.refusal == nil:
            return CommandFailure(status: error.exitStatus, "budkavle: \(detail)")
        case .forbidden: lead = .forbidden
        case .unknown: lead = .unknownThing
        case .refused:
            lead = .sentRefused(
                code: Sanitizer.line(error.refusal?.code ?? ""), path: Sanitizer.line(error.refusal?.path ?? ""))
        case .notConfirmed: lead = .timedOut(seconds: limitSeconds)
        case .closed: lead = .interrupted
        case .configuration, .protocolFault, .overflow:
            return CommandFailure(status: error.exitStatus, "budkavle: \(detail)")
        }
        return CommandFailure(status: error.exitStatus, "\(text(lead))\n  \(detail)")
    }

    /// Asks and decodes, or prints the answer as it is for `--json`.
    func ask(_ name: String, _ body: ReportBody = ReportBody()) async throws -> [UInt8] {
        try await client.ask(name, body.bytes)
    }

    /// Prints an answer: as JSON when that is wanted, else as `lines` has it.
    func show(_ answer: [UInt8], _ lines: ([UInt8]) throws -> [String]) throws {
        let rendered = try lines(answer)
        if surroundings.isJSON {
            try Output.put(try JSONText.line(answer))
        } else {
            try Output.put(rendered)
        }
    }
}

/// The body of a question: a flat JSON object without absent members.
struct ReportBody {
    private var members: [String] = []

    init() {}

    mutating func add(_ name: String, _ text: String?) {
        guard let text else { return }
        members.append("\(Self.quoted(name)):\(Self.quoted(text))")
    }

    mutating func add(_ name: String, _ number: Int?) {
        guard let number else { return }
        members.append("\(Self.quoted(name)):\(number)")
    }

    mutating func add(_ name: String, _ flag: Bool) { members.append("\(Self.quoted(name)):\(flag)") }

    var bytes: [UInt8] { Array("{\(members.joined(separator: ","))}".utf8) }

    private static func quoted(_ text: String) -> String { Console.JSONText.quoted(text) }
}
