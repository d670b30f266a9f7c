import CaseNotifications
import Demo
import Foundation
import STOMP
import Testing

extension EndToEnd {
    /// What the programs tell the people who run a relay or rely on one: proofs, reloads, lost output.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct OperatorTests {
        @Test
        func `receipts verify proves with the relay's public keys what receipts printed, and what was altered not`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            for number in 1...2 {
                let answer = try await police.answer(
                    to: .concern("proof-\(number)", municipality: "1881", receipt: "\(number)"))
                #expect(answer["status"] == "accepted")
            }
            try await police.leave()
            let program = try Tools.budkavle()
            let connection = try connection(relay, "pol-18-rlc", "station")
            let listed = try await Child.run(program, ["receipts", "--keep", "--json"] + connection)
            #expect(listed.status == 0 && listed.lines.count >= 2, "\(listed)")
            let keys = try await relay.tool("keys", "list")
            let receipts = try Scratch.file("receipts.jsonl", listed.output, in: relay.directory.path)
            let keyFile = try Scratch.file("relay.pub", keys.output, in: relay.directory.path)

            let good = try await Child.run(program, ["receipts", "verify", receipts, "--key", keyFile])
            #expect(good.status == 0 && good.lines.count == listed.lines.count, "\(good)")
            let piped = try await Child.run(
                program, ["receipts", "verify", "--json", "--key", keyFile], input: listed.output)
            #expect(piped.status == 0 && piped.output.contains("\"valid\":true"), "\(piped)")
            let altered = listed.output.replacing("\"event\":\"accepted\"", with: "\"event\":\"acknowledged\"")
            #expect(altered != listed.output)
            let bad = try await Child.run(program, ["receipts", "verify", "-", "--key", keyFile], input: altered)
            #expect(bad.status == 65, "\(bad)")
            #expect(relay.process.stop() == 0)
        }

        @Test func `a reload says that it took a revocation, and which file refused the next one`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            let station = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 1)
            _ = try relay.directory.authority.revoke(relay.directory.files(of: "jour-18-syd", "jourdator").certificate)
            let taken = try await relay.admin("reload")
            #expect(taken.status == 0 && taken.output.contains("revocation lists were read again"), "\(taken)")
            #expect(taken.output.contains("1 session was cut"), "\(taken)")
            #expect(try await station.hear().headers["code"] == "revoked")

            let list = relay.pki + "/crl.pem"
            try FileManager.default.moveItem(atPath: list, toPath: list + ".away")
            let refused = try await relay.admin("reload")
            #expect(refused.status == 78, "\(refused)")
            #expect(refused.output.contains("crl.pem: No such file or directory"), "\(refused)")
            #expect(!refused.output.contains("policy was refused"), "\(refused)")
            let told = try JSONValue(parsing: Array(try await relay.admin("reload", "--json").output.utf8))
            #expect(told["reasons"]?.array?.count == 1, "\(told.text)")
            try FileManager.default.moveItem(atPath: list + ".away", toPath: list)
            #expect(try await relay.admin("reload").status == 0)
            #expect(relay.process.stop() == 0)
        }

        @Test func `a reload without an authority cuts its sessions and no other, and one that is renewed cuts nobody`()
            async throws
        {
            let relay = try TestRelay()
            defer { relay.remove() }
            let file = relay.directory.authority.certificateFile
            let second = try CertificateAuthority.create(in: relay.pki + "/second")
            // The on-call desk's computer has its certificate from the second authority.
            let holder = try CertificateHolder("jour-18-syd/jourdator")
            let (made, own) = (try second.issue(holder), relay.directory.files(of: "jour-18-syd", "jourdator"))
            for (new, old) in [(made.certificateFile, own.certificate), (made.keyFile, own.key)] {
                try FileManager.default.removeItem(atPath: old)
                try FileManager.default.moveItem(atPath: new, toPath: old)
            }
            /// How many sessions a reload cuts that believes these authorities.
            func cut(believing certificates: String...) async throws -> Int64? {
                try certificates.joined().write(toFile: file, atomically: true, encoding: .utf8)
                let reload = try await relay.admin("reload", "--json")
                #expect(reload.status == 0, "\(reload)")
                return try JSONValue(parsing: Array(reload.output.utf8))["cut"]?.integer
            }
            let ours = try String(contentsOfFile: file, encoding: .utf8)
            let theirs = try String(contentsOfFile: second.certificateFile, encoding: .utf8)
            #expect(try await cut(believing: ours, theirs) == 0)
            let police = try await Wire.connected(relay, as: "pol-18-rlc", "station")
            let station = try await Wire.subscribed(relay, desk: "jour-18-syd", prefetch: 1)

            let (renewedOurs, renewedTheirs) = (
                try await renewed(file, relay.pki + "/ca.key"),
                try await renewed(second.certificateFile, relay.pki + "/second/ca.key")
            )
            #expect(renewedOurs != ours && renewedTheirs != theirs)
            #expect(try await cut(believing: renewedOurs, renewedTheirs) == 0)
            #expect(
                try await police.answer(to: .concern("ca-1", municipality: "1880", receipt: "1"))["status"]
                    == "accepted")
            #expect(
                try await station.answer(to: Frame(.unsubscribe, ["id": "1", "receipt": "2"]))["receipt-id"] == "2")

            let start = ContinuousClock.now
            let sessions = try await cut(believing: renewedOurs)
            try #require(sessions == 1)
            #expect(try await station.hear().headers["code"] == "revoked")
            #expect(try await station.hearsEnd())
            #expect(ContinuousClock.now - start < .seconds(60), "design.md, section 6")
            #expect(
                try await police.answer(to: .concern("ca-2", municipality: "1880", receipt: "3"))["status"]
                    == "accepted")
            try await police.leave()
            #expect(relay.process.stop() == 0)
        }

        /// An authority's certificate with another period and number, and the same key and name.
        private func renewed(_ file: String, _ key: String) async throws -> String {
            let made = try await Child.run(
                Tools.openssl, ["x509", "-in", file, "-signkey", key, "-set_serial", "4711", "-days", "3000"])
            try #require(made.status == 0, "\(made)")
            return made.output
        }

        @Test func `a relay that cannot show who it is is told as such, and not as one that refuses us`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            var stranger = try connection(relay, "pol-18-rlc", "station")
            // A client's certificate is no authority that could have issued the relay's.
            let own = relay.directory.files(of: "pol-18-rlc", "station").certificate
            let authority = try #require(stranger.firstIndex(of: relay.directory.authority.certificateFile))
            stranger[authority] = own
            let refused = try await Child.run(try Tools.budkavle(), ["inbox"] + stranger)
            #expect(refused.status == 77, "\(refused)")
            #expect(refused.errors.contains("cannot show that it is your relay"), "\(refused)")
            #expect(!refused.errors.contains("does not accept the certificate"), "\(refused)")
            #expect(refused.errors.components(separatedBy: "serial").count == 2, "told once: \(refused)")
            #expect(relay.process.stop() == 0)
        }

        @Test func `orders find the daemon's socket from a relative directory too`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            try relay.editSettings { $0.hasPrefix("admin-socket:") ? "admin-socket: ../run/admin.sock" : $0 }
            let order = "cd \"$1\" && exec \"$0\" keys rotate --config config"
            let rotated = try await Child.run(
                "/bin/sh", ["-c", order, relay.process.executable, relay.directory.path],
                environment: ["BUDKAVLE_LANG": "en"])
            #expect(rotated.status == 0, "\(rotated)")
            #expect(relay.process.stop() == 0)
        }

        @Test func `output that is lost ends with 74`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            #expect(relay.process.stop() == 0)
            let commands = [
                "check", "check --json", "types", "schema", "coverage", "keys list", "journal verify",
                "journal stats --json", "audit verify",
            ]
            for command in commands {
                for target in ["> /dev/full", ">&-"] {
                    let lost = try await Child.run(
                        "/bin/sh",
                        [
                            "-c", "exec \"$0\" \(command) --config \"$1\" \(target)", relay.process.executable,
                            relay.directory.configDirectory,
                        ])
                    #expect(lost.status == 74, "\(command) \(target): \(lost)")
                    #expect(lost.errors.contains("standard output takes no more"), "\(command) \(target): \(lost)")
                }
            }
        }

        @Test func `a mistyped path is told as one, and not as a disk that dies`() async throws {
            let relay = try TestRelay()
            defer { relay.remove() }
            #expect(relay.process.stop() == 0)
            let base = relay.directory.path
            let file = try Scratch.file("file", "x", in: base)
            let made = try await Child.run(relay.process.executable, ["keys", "generate", base + "/nodir/master.key"])
            let outcomes = [
                (73, made), (73, try await relay.tool("backup", file)), (73, try await relay.tool("backup", "/proc/x")),
                (64, try await relay.tool("backup", "")),
                (66, try await relay.tool("restore", base + "/nobackup", "--keys", base + "/nokeys")),
            ]
            for (status, outcome) in outcomes {
                #expect(Int(outcome.status) == status, "\(outcome)")
                #expect(!outcome.errors.contains("check the disk"), "\(outcome)")
            }
            #expect(made.errors.contains("nodir/master.key: No such file or directory"), "\(made)")
        }

        private func connection(_ relay: TestRelay, _ party: String, _ name: String) throws -> [String] {
            let files = relay.directory.files(of: party, name)
            return [
                "--host", "localhost", "--port", "\(relay.port)", "--collaboration", "orebro", "--lang", "en", "--ca",
                relay.directory.authority.certificateFile, "--cert", files.certificate, "--key", files.key,
            ]
        }
    }
}
