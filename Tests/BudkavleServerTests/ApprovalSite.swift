import CaseNotifications
import Foundation
import Routing
import Settings
import Testing

@testable import BudkavleServer

/// A configuration directory of its own with a copy of the county's policy.
final class ApprovalSite: Sendable {
    let path = NSTemporaryDirectory() + "budkavle-approvals-" + UUID().uuidString
    static let county: URL = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "config/orebro")

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Self.county, to: URL(filePath: directory))
        try """
        version: 1
        listen: {host: 127.0.0.1, port: 0}
        tls: {certificate: a.crt, key: a.key, client-ca: [ca.crt]}
        journal: {directory: data, master-key: key}
        collaborations: [orebro]

        """.write(toFile: path + "/budkavled.yaml", atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var directory: String { path + "/orebro" }

    func desk(_ party: String) throws -> ApprovalDesk {
        try ApprovalDesk.open(configDirectory: path, collaboration: nil, party: party)
    }

    func load() throws -> PolicyLoad { try PolicyFiles.load(directory: directory) }

    /// Replaces text in a file of the policy.
    func edit(_ file: String, _ old: String, _ new: String) throws {
        let text = try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
        try #require(text.contains(old), "no such text in \(file)")
        try text.replacingOccurrences(of: old, with: new)
            .write(toFile: "\(directory)/\(file)", atomically: true, encoding: .utf8)
    }

    /// The policy in production mode, each party having approved one part of its own under a key.
    ///
    /// - Parameter keys: the keys that are not the usual ones.
    /// - Parameter signed: seconds behind the usual time at which a party signed, and the day of its approvals.
    static func production(
        keys: [String: ApproverSecret] = [:], handOver: [String: (from: ApproverSecret, to: ApproverSecret)] = [:],
        signed: [String: (seconds: Int64, day: String)] = [:]
    ) throws -> Policy {
        var files = try SettingsFiles.read(directory: county.path)
        let name = county.path + "/collaboration.yaml"
        files[name] = files[name]?.replacingOccurrences(of: "mode: exercise\n", with: "mode: production\n")
            .split(separator: "\n").filter { !$0.hasPrefix("clock:") }.joined(separator: "\n").appending("\n")
        let zone = try ZoneFile.read(zone: "Europe/Stockholm", directory: ZoneFile.systemDirectory)
        let whole = try #require(PolicyLoader.load(files: files, zone: zone, approvals: .waived).whole)
        for part in whole.approvalParts() where part.id.hasPrefix("party:") {
            let party = PartyID(unchecked: String(part.id.dropFirst("party:".count)))
            let change = handOver[party.text]
            let key = try change?.from ?? keys[party.text] ?? usualKey(party.text)
            let (seconds, day) = signed[party.text] ?? (0, "2026-11-22")
            let approval = Approval(form: part.form, day: try #require(CivilDay(day)))
            let time = try #require(Timestamp(rfc3339: "2026-11-22T08:00:00Z")).advanced(bySeconds: seconds)
            let next = change.map {
                KeyHandOver(
                    key: $0.to.publicKey,
                    signature: $0.from.signature(
                        of: ApproverKeyChange(to: $0.to.publicKey, collaboration: whole.collaboration, party: party)))
            }
            files["\(county.path)/approvals/\(party).yaml"] =
                ApprovalsText(
                    collaboration: whole.collaboration, party: party, key: key.publicKey, next: next, time: time,
                    approvals: [part.id: approval], signer: change?.to ?? key
                ).text
        }
        let load = PolicyLoader.load(files: files, zone: zone)
        return try #require(load.policy, "\(load.diagnostics.filter { $0.severity == .error }.map(\.text))")
    }

    static func usualKey(_ party: String) throws -> ApproverSecret {
        try #require(ApproverSecret(secretText: Base64URL.text(Digest(sha256Of: "approver of \(party)").bytes)))
    }
}
