import Foundation
import Testing

@testable import Demo

struct RelayDirectoryTests {
    let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
    }

    @Test func `a throw-away relay has the policy, a key, and a certificate for every client and person`() throws {
        let policy = try RelayDirectory.shippedConfiguration() + "/orebro"
        let path = scratch.path + "/relay"
        let made = try RelayDirectory.make(at: path, policyFrom: policy, port: 0, clock: "2026-12-11T23:00:00+01:00")
        #expect(made.holders.count > 60)
        for holder in made.holders {
            let files = made.files(of: holder.party, holder.name)
            #expect(FileManager.default.fileExists(atPath: files.certificate), "\(holder.uri)")
            #expect(FileManager.default.fileExists(atPath: files.key), "\(holder.uri)")
        }
        #expect(try scratch.mode("relay/keys/master.key") == 0o600)
        #expect(FileManager.default.contents(atPath: path + "/keys/master.key")?.count == 32)
        let collaboration = try scratch.text("relay/config/orebro/collaboration.yaml")
        #expect(collaboration.contains("\nmode: exercise\nclock: {start: 2026-12-11T23:00:00+01:00, speed: 1}\n"))
        #expect(collaboration.components(separatedBy: "\nclock:").count == 2)
        #expect(try scratch.text("relay/config/budkavled.yaml").contains("port: 0"))
        try made.pin(port: 4711)
        #expect(try scratch.text("relay/config/budkavled.yaml").contains("port: 4711"))
    }

    @Test func `a directory that holds something is left alone`() throws {
        try "mine".write(toFile: scratch.path + "/file", atomically: false, encoding: .utf8)
        let before = try scratch.contents()
        #expect(throws: DemoError.self) {
            try RelayDirectory.make(at: scratch.path, policyFrom: "/none", port: 0, clock: nil)
        }
        #expect(try scratch.contents() == before)
    }

    @Test func `a policy with errors is told with its errors`() throws {
        let policy = scratch.path + "/broken"
        try FileManager.default.createDirectory(atPath: policy, withIntermediateDirectories: true)
        try "version: 1\nid: broken\n".write(toFile: policy + "/collaboration.yaml", atomically: false, encoding: .utf8)
        do {
            _ = try RelayDirectory.make(at: scratch.path + "/relay", policyFrom: policy, port: 0, clock: nil)
            Issue.record("it was made")
        } catch {
            guard case .policy(_, let errors) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!errors.isEmpty)
            #expect(error.exitCode == EX_CONFIG)
        }
    }
}
