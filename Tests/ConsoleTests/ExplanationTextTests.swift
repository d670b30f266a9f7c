import CaseNotifications
import Foundation
import Routing
import Settings
import Testing

@testable import Console

@Suite struct ExplanationTextTests {
    private static let saturday = "2026-12-12T14:00:00+01:00"

    /// What the county's policy says of a release that names the local district, whose desks are closed.
    private func text(about party: String?) throws -> ExplanationText {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let files = try SettingsFiles.read(directory: root.path + "/config/orebro")
        let zone = try ZoneFile.read(zone: "Europe/Stockholm", directory: ZoneFile.systemDirectory)
        let policy = try #require(PolicyLoader.load(files: files, zone: zone).whole)
        let at = try #require(Timestamp(rfc3339: Self.saturday))
        let body = """
            {"specversion":"1.0","id":"e-1","source":"urn:budkavle:krim-18-hakte",\
            "type":"se.budkavle.custody.released.v1","time":"\(Self.saturday)","subject":"BK-18-2026-7QK2ZD9F",\
            "municipality":"1880","protected":false,"audience":"pol-18-lpo-orebro/recipient",\
            "data":{"stage":"remanded","releasedAt":"\(Self.saturday)","conditions":["contact-ban"]}}
            """
        let notification = try NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode).decode(
            Array(body.utf8))
        return ExplanationText(
            policy: policy, explanation: policy.explain(notification, at: at), at: at,
            party: party.map { PartyID(unchecked: $0) })
    }

    @Test func `why a party gets nothing says to which fallback it goes`() throws {
        let lines = try text(about: "pol-18-lpo-orebro").lines
        #expect(lines.contains("sent to      pol-18-rlc at desk pol-18-rlc-vakthavande"))
        #expect(lines.contains { $0.contains("it is the fallback of pol-18-lpo-orebro, whose desks are closed") })
        #expect(!lines.contains { $0.contains("denied by default") })
        let json = try JSONValue(parsing: Array(try text(about: nil).json.utf8))
        #expect(json["recipients"]?.array?.map { $0["insteadof"]?.string } == ["pol-18-lpo-orebro"])
        // Of others nothing is said.
        let other = try text(about: "soc-1864").lines
        #expect(other.contains("No rule sends it to soc-1864 (denied by default)."))
        #expect(!other.contains { $0.contains("sent to      pol") })
    }
}
