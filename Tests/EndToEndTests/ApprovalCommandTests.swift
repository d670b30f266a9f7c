import Demo
import Foundation
import Testing

extension EndToEnd {
    /// `budkavled approve` as an approver calls it. Standard input is a pipe here, so there is no terminal to ask on.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct ApprovalCommandTests {
        /// A configuration of its own.
        private final class Site: Sendable {
            let path = NSTemporaryDirectory() + "budkavle-approve-" + UUID().uuidString

            init() throws {
                let package = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
                    .deletingLastPathComponent().deletingLastPathComponent()
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    atPath: package.appending(path: "config/orebro").path, toPath: path + "/orebro")
                try """
                version: 1
                listen: {host: 127.0.0.1, port: 0}
                tls: {certificate: a.crt, key: a.key, client-ca: [ca.crt]}
                journal: {directory: data, master-key: key}
                collaborations: [orebro]

                """.write(toFile: path + "/budkavled.yaml", atomically: true, encoding: .utf8)
            }

            deinit { try? FileManager.default.removeItem(atPath: path) }

            var key: String { path + "/approver.key" }
            var file: String { path + "/orebro/approvals/soc-1880.yaml" }

            func approve(_ arguments: String...) async throws -> Child.Outcome {
                try await Child.run(
                    try RelayProcess.daemonExecutable(),
                    ["approve", "--config", path, "--party", "soc-1880"] + arguments, environment: Self.english)
            }

            func tool(_ arguments: String...) async throws -> Child.Outcome {
                try await Child.run(try RelayProcess.daemonExecutable(), arguments, environment: Self.english)
            }

            private static let english = ["BUDKAVLE_LANG": "en"]
        }

        @Test func `nothing is signed without a terminal unless --yes is said, and then check knows it`() async throws {
            let site = try Site()
            let before = try await site.tool("check", "--config", site.path)
            #expect(before.output.contains("orebro: no approvals: "), "\(before)")
            let made = try await site.tool("approve", "--new-key", site.key)
            #expect(made.status == 0 && made.output.count == 44, "\(made)")

            let asked = try await site.approve("--key", site.key)
            #expect(asked.status == 64 && asked.errors.contains("--yes"), "\(asked)")
            #expect(asked.output.contains("Must be told by law. Of ") && asked.output.contains("Reads: "), "\(asked)")
            let swedish = try await site.approve("--list", "--lang", "sv")
            #expect(swedish.output.contains("Ska underrättas enligt lag. Av ") && swedish.output.contains("Får läsa: "))
            #expect(swedish.output.hasSuffix(" inte godkända\n"))
            #expect(!FileManager.default.fileExists(atPath: site.file))

            let signed = try await site.approve("--key", site.key, "--yes")
            #expect(signed.status == 0 && signed.output.contains("they count from the next reload on"), "\(signed)")
            let listed = try await site.approve("--list")
            #expect(listed.status == 0 && listed.output.hasSuffix(" parts, 0 not approved\n"), "\(listed)")
            let again = try await site.approve("--key", site.key, "--yes")
            #expect(again.status == 0 && again.output == "nothing to approve\n", "\(again)")
            let after = try await site.tool("check", "--config", site.path)
            #expect(!after.output.contains("no approvals:"))
            #expect(after.errors.contains("BK5301") && !after.errors.contains("approval of soc-1880 missing"))

            let secret = try String(contentsOfFile: site.key, encoding: .utf8).split(separator: " ")[1]
            for outcome in [made, asked, signed, listed, again, after] {
                #expect(!(outcome.output + outcome.errors).contains(secret.prefix(20)), "a secret was told")
            }
        }

        @Test func `a key that others may read is refused, and so is a key that is not the party's`() async throws {
            let site = try Site()
            #expect(try await site.tool("approve", "--new-key", site.key).status == 0)
            #expect(try await site.tool("approve", "--new-key", site.key).status == 73, "never overwritten")
            #expect(chmod(site.key, 0o640) == 0)
            let refused = try await site.approve("--key", site.key, "--yes")
            #expect(refused.status == 78 && refused.errors.contains("chmod 0600"), "\(refused)")
            #expect(chmod(site.key, 0o600) == 0)
            #expect(try await site.approve("--key", site.key, "--yes", "--part", "party:soc-1880").status == 0)

            #expect(try await site.tool("approve", "--new-key", site.key + "2").status == 0)
            let other = try await site.approve("--key", site.key + "2", "--yes")
            #expect(other.status == 77 && other.errors.contains("--next-key"), "\(other)")
            let handed = try await site.approve("--key", site.key, "--next-key", site.key + "2", "--yes")
            #expect(handed.status == 0, "\(handed)")
            #expect(try await site.approve("--key", site.key, "--yes").status == 77)
            #expect(try await site.approve("--key", site.key + "2", "--yes").status == 0)
        }

        @Test func `wrong uses are told`() async throws {
            let site = try Site()
            #expect(try await site.approve().status == 64)
            #expect(try await site.approve("--list", "--key", site.key).status == 64)
            #expect(try await site.tool("approve", "--new-key", site.key, "--party", "soc-1880").status == 64)
            #expect(try await site.approve("--key", site.path + "/none.key", "--yes").status == 66)
            let unknown = try await site.tool("approve", "--config", site.path, "--party", "soc-9999", "--list")
            #expect(unknown.status == 64 && unknown.errors.contains("soc-9999"), "\(unknown)")
        }
    }
}
