import Demo
import Foundation

/// A directory made by `prepare`: a throw-away relay, and what a load generator needs.
///
/// Beside what every `RelayDirectory` has there is `bench/`: `fan3.json` and `fan1.json` (body templates for `stompload`),
/// and `consumer-N.crt` and `.key` (links: the recipient whose desk is `desk-N`).
struct BenchDirectory {
    /// Absolute.
    let path: String

    var configDirectory: String { path + "/config" }
    var portFile: String { path + "/run/port" }
    var logFile: String { path + "/run/budkavled.log" }
    var authority: String { path + "/pki/ca.crt" }

    /// Certificate and key of a party's client.
    func files(of party: String) -> (certificate: String, key: String) {
        ("\(path)/pki/\(party)/\(BenchPolicy.client).crt", "\(path)/pki/\(party)/\(BenchPolicy.client).key")
    }

    /// Whether `prepare` was here.
    var isPrepared: Bool {
        access(authority, R_OK) == 0 && access(files(of: BenchPolicy.sender).key, R_OK) == 0
            && access("\(configDirectory)/budkavled.yaml", R_OK) == 0
    }

    /// Writes everything. The directory must be empty or not there yet.
    static func make(at path: String, port: Int, bodyBytes: Int) throws(BenchError) -> BenchDirectory {
        let path = URL(filePath: path).standardizedFileURL.path
        let policy = FileManager.default.temporaryDirectory.appending(path: "budkavle-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: policy) }
        do {
            for (name, text) in BenchPolicy.files {
                try write(text, to: "\(policy.path)/\(BenchPolicy.collaboration)/\(name)")
            }
            _ = try RelayDirectory.make(
                at: path, policyFrom: "\(policy.path)/\(BenchPolicy.collaboration)", port: port, clock: nil)
            let directory = BenchDirectory(path: path)
            try directory.writeTemplates(bodyBytes: bodyBytes)
            return directory
        } catch let error as DemoError {
            throw .relay("\(error)")
        } catch let error as BenchError {
            throw error
        } catch {
            throw .file(path, reason: error.localizedDescription)
        }
    }

    private func writeTemplates(bodyBytes: Int) throws {
        try Self.write(BodyTemplate.text(type: "fan3", bytes: bodyBytes), to: "\(path)/bench/fan3.json")
        try Self.write(BodyTemplate.text(type: "one{d}", bytes: bodyBytes), to: "\(path)/bench/fan1.json")
        for (index, party) in BenchPolicy.recipients.enumerated() {
            for suffix in ["crt", "key"] {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(path)/bench/consumer-\(index).\(suffix)",
                    withDestinationPath: "../pki/\(party)/\(BenchPolicy.client).\(suffix)")
            }
        }
    }

    private static func write(_ text: String, to file: String) throws {
        try FileManager.default.createDirectory(
            at: URL(filePath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    // MARK: Command lines

    /// The line that starts the relay.
    var daemonCommand: String { "budkavled run --config \(configDirectory)" }

    /// The line for `stompload` (see shared/bench): closed loop, 8 producers x window 64, one consumer per desk.
    func stomploadCommand(_ fanOut: FanOut, port: Int) -> String {
        let sender = files(of: BenchPolicy.sender)
        var words = [
            "stompload load --host 127.0.0.1 --port \(port) --vhost \(BenchPolicy.collaboration)",
            "--ca \(authority) --cert \(sender.certificate) --key \(sender.key)",
            "--ccert '\(path)/bench/consumer-{i}.crt' --ckey '\(path)/bench/consumer-{i}.key'",
            "--connect-header rejections:receipt --send-header content-type:application/cloudevents+json",
            "--dest /notifications --consumers 3 --sub-dest '/inbox/desk-{i}' --prefetch 1000",
            "--producers 8 --window 64 --warmup 2 --seconds 10",
            "--server-pid \"$(pgrep -n -x budkavled)\"",
        ]
        switch fanOut {
        case .three: words.append("--body-file \(path)/bench/fan3.json --label fan-out-3")
        case .one: words.append("--body-file \(path)/bench/fan1.json --ndest 3 --share --label fan-out-1")
        }
        return words.joined(separator: " \\\n    ")
    }
}
