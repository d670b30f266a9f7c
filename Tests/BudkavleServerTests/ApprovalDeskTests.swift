import CaseNotifications
import Foundation
import Routing
import Testing

@testable import BudkavleServer

/// What `budkavled approve` reads and writes.
@Suite(.timeLimit(.minutes(10))) struct ApprovalDeskTests {
    private let site: ApprovalSite

    init() throws { site = try ApprovalSite() }

    private func refusal(_ work: () throws -> Void) -> ToolError? {
        do {
            try work()
            return nil
        } catch {
            return error as? ToolError
        }
    }

    @Test func `what is signed is approved, and nothing else`() throws {
        let desk = try site.desk("soc-1880")
        let secret = ApproverSecret()
        #expect(desk.items.count > 10 && desk.items.allSatisfy(\.isPending))
        let chosen = try desk.pending(["party:soc-1880", "client:soc-1880/verksamhetssystem"])
        #expect(chosen.count == 2)
        try desk.approve(chosen, by: secret, handingOverTo: nil)
        let again = try site.desk("soc-1880")
        #expect(again.items.filter { !$0.isPending }.map(\.part.id) == chosen.map(\.part.id).sorted())
        try again.approve(try again.pending([]), by: secret, handingOverTo: nil)
        #expect(try site.desk("soc-1880").pending([]).isEmpty)
        let standing = try #require(try site.load().approvals)
        #expect(standing.approved.keys.map(\.text) == ["soc-1880"])
        #expect(standing.missing.allSatisfy { !$0.parties.contains(PartyID(unchecked: "soc-1880")) })
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.directory + "/approvals") == ["soc-1880.yaml"])
    }

    @Test func `what has changed since is told, and the other approvals stay as they are`() throws {
        let secret = ApproverSecret()
        let first = try site.desk("soc-1880")
        try first.approve(try first.pending([]), by: secret, handingOverTo: nil)
        let before = try #require(try site.load().approvals?.approved[PartyID(unchecked: "soc-1880")])
        try site.edit("parties/soc-1880.yaml", "roles: [responder, sender, receiver]", "roles: [responder, receiver]")
        let changed = try site.desk("soc-1880")
        let pending = try changed.pending([])
        #expect(pending.map(\.part.id) == ["person:soc-1880/staff-23"])
        guard case .changed(_, let changes) = pending.first?.state else {
            Issue.record("not told as changed")
            return
        }
        #expect(changes.map(\.en) == ["roles: sender gone"])
        try changed.approve(pending, by: secret, handingOverTo: nil)
        let after = try #require(try site.load().approvals?.approved[PartyID(unchecked: "soc-1880")])
        #expect(Set(before.keys) == Set(after.keys))
        #expect(
            before.filter { $0.key != "person:soc-1880/staff-23" }
                == after.filter { $0.key != "person:soc-1880/staff-23" })
    }

    @Test func `who works at an on-call desk waits for every board, and each learns who else has not signed`() throws {
        let secret = ApproverSecret()
        let part = "person:jour-18-norr/staff-73"
        for party in ["jour-18-norr", "soc-1863", "soc-1864", "soc-1884"] {
            let desk = try site.desk(party)
            try desk.approve(try desk.pending([]), by: secret, handingOverTo: nil)
        }
        // soc-1885 has not said that the desk acts for it, so nothing of its is there and nobody waits for it.
        #expect(try site.desk("soc-1863").items.first { $0.part.id == part }?.others == [])
        let last = try site.desk("soc-1885")
        let agent = "agent:jour-18-norr/soc-1885"
        try last.approve(try last.pending([agent]), by: secret, handingOverTo: nil)
        // Nor while it has approved nobody who reads there: only the desk's acting for it waits.
        #expect(try site.desk("soc-1863").items.first { $0.part.id == part }?.others == [])
        #expect(try site.desk("jour-18-norr").items.first { $0.part.id == agent }?.others.map(\.text) == ["soc-1885"])
        let more = try site.desk("soc-1885")
        let readers = ["desk:jour-18-norr/jour-18-norr", "client:jour-18-norr/jourdator"]
        try more.approve(try more.pending(readers + ["person:jour-18-norr/staff-74"]), by: secret, handingOverTo: nil)
        #expect(try site.desk("soc-1863").items.first { $0.part.id == part }?.others.map(\.text) == ["soc-1885"])
        let again = try site.desk("soc-1885")
        #expect(again.items.first { $0.part.id == part }?.others == [] && again.items.contains { $0.part.id == part })
        try again.approve(try again.pending([part]), by: secret, handingOverTo: nil)
        #expect(try site.desk("soc-1863").items.first { $0.part.id == part }?.others == [])
    }

    @Test func `another key is refused and told by its public half alone`() throws {
        let first = try site.desk("soc-1880")
        try first.approve(try first.pending(["party:soc-1880"]), by: ApproverSecret(), handingOverTo: nil)
        let other = ApproverSecret()
        let desk = try site.desk("soc-1880")
        let told = try #require(refusal { try desk.approve(try desk.pending([]), by: other, handingOverTo: nil) })
        #expect(told.status == .refused)
        #expect(told.description.contains("--next-key") && told.description.contains("\(other.publicKey)"))
        #expect(!told.description.contains(other.secretText) && !"\(other)".contains(other.secretText))
    }

    @Test func `a key hands over, and what it approved is signed by the next one`() throws {
        let (old, new, third) = (ApproverSecret(), ApproverSecret(), ApproverSecret())
        let first = try site.desk("soc-1880")
        try first.approve(try first.pending(["party:soc-1880"]), by: old, handingOverTo: nil)
        try site.desk("soc-1880").approve([], by: old, handingOverTo: new)
        let desk = try site.desk("soc-1880")
        #expect(desk.items.filter { !$0.isPending }.map(\.part.id) == ["party:soc-1880"])
        #expect(refusal { try desk.check(old) } != nil && refusal { try desk.check(new) } == nil)
        try desk.approve(try desk.pending(["secrecy:soc-1880"]), by: new, handingOverTo: nil)
        let approver = try #require(try site.load().approvals?.approvers.first)
        #expect(approver.key == old.publicKey && approver.current == new.publicKey, "the chain stays in the file")
        try site.desk("soc-1880").approve([], by: new, handingOverTo: third)
        let last = try #require(try site.load().approvals?.approvers.first)
        #expect(last.key == new.publicKey && last.current == third.publicKey)
        #expect(try site.desk("soc-1880").items.count { !$0.isPending } == 2)
    }

    @Test func `every signature is later than the last, and what is taken back is in no later one`() throws {
        let secret = ApproverSecret()
        let first = try site.desk("soc-1880")
        let one = try first.approve(try first.pending([]), by: secret, handingOverTo: nil)
        let second = try site.desk("soc-1880")
        let part = "person:soc-1880/staff-23"
        #expect(refusal { _ = try second.approved(["person:soc-1880/nobody"]) }?.status == .usage)
        #expect(second.kept(besides: [], without: [part]) == second.items.count - 1)
        let two = try second.approve([], withdrawing: try second.approved([part]), by: secret, handingOverTo: nil)
        #expect(two > one, "within one second, too")
        let third = try site.desk("soc-1880")
        #expect(third.signed == two)
        #expect(third.items.filter(\.isPending).map(\.part.id) == [part])
    }

    @Test func `nothing of an older file is kept when the key has signed a later one`() throws {
        let secret = ApproverSecret()
        let key = site.path + "/approver.key"
        let first = try site.desk("soc-1880")
        try first.approve(try first.pending([]), by: secret, handingOverTo: nil)
        let old = try Data(contentsOf: URL(filePath: first.path))
        let second = try site.desk("soc-1880")
        let last = try second.approve([], withdrawing: ["party:soc-1880"], by: secret, handingOverTo: nil)
        var memory = try ApproverMemory(besides: key)
        #expect(memory.last(second) == nil)
        try memory.remember(second, last)
        var current = try site.desk("soc-1880")
        #expect(try ApproverMemory(besides: key).last(current) == last)
        let isCurrentStale = current.forget(ifSignedBefore: last)
        #expect(!isCurrentStale && current.kept(besides: [], without: []) > 10)
        try old.write(to: URL(filePath: first.path))
        var stale = try site.desk("soc-1880")
        let isStale = stale.forget(ifSignedBefore: last)
        #expect(isStale && stale.items.allSatisfy(\.isPending) && stale.kept(besides: [], without: []) == 0)
        let again = try stale.approve(try stale.pending(["secrecy:soc-1880"]), by: secret, handingOverTo: nil)
        #expect(again > last)
        #expect(try site.desk("soc-1880").items.filter { !$0.isPending }.map(\.part.id) == ["secrecy:soc-1880"])
    }

    @Test func `what lies beside a key and is no memory of it is told`() throws {
        let key = site.path + "/approver.key"
        for text in ["orebro soc-1880\n", "orebro soc-1880 soon\n", String(repeating: "\n", count: 65_537)] {
            try text.write(toFile: key + ".signed", atomically: true, encoding: .utf8)
            #expect(refusal { _ = try ApproverMemory(besides: key) }?.status == .data)
        }
        try String(repeating: "\n", count: 65_536).write(toFile: key + ".signed", atomically: true, encoding: .utf8)
        #expect(refusal { _ = try ApproverMemory(besides: key) } == nil)
    }

    @Test func `a file with a mistake is told and not overwritten`() throws {
        let first = try site.desk("soc-1880")
        try first.approve(try first.pending(["party:soc-1880"]), by: ApproverSecret(), handingOverTo: nil)
        try site.edit("approvals/soc-1880.yaml", "version: 1", "version: 3")
        let told = try #require(refusal { _ = try site.desk("soc-1880") })
        #expect(told.status == .configuration && told.description.contains("approvals/soc-1880.yaml:2:10: error:"))
    }

    @Test func `an unknown party, part or collaboration is a wrong use`() throws {
        #expect(refusal { _ = try site.desk("soc-9999") }?.status == .usage)
        let desk = try site.desk("soc-1880")
        #expect(refusal { _ = try desk.pending(["client:soc-1864/other"]) }?.status == .usage)
        let open = { try ApprovalDesk.open(configDirectory: site.path, collaboration: "dalarna", party: "soc-1880") }
        #expect(refusal { _ = try open() }?.status == .usage)
    }

    // MARK: Key files

    @Test func `a key file is made once, with mode 0600, and read back`() throws {
        let path = site.path + "/approver.key"
        let made = try ApproverKeyFile.generate(at: path)
        #expect(try ApproverKeyFile.read(path).publicKey == made)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        let before = try String(contentsOfFile: path, encoding: .utf8)
        #expect(refusal { _ = try ApproverKeyFile.generate(at: path) }?.status == .cannotCreate)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == before)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o610] as [mode_t]) func `a key file that others may use is refused`(
        mode: mode_t
    ) throws {
        let path = site.path + "/approver.key"
        _ = try ApproverKeyFile.generate(at: path)
        #expect(chmod(path, mode) == 0)
        #expect(refusal { _ = try ApproverKeyFile.read(path) }?.description.contains("chmod 0600") == true)
    }

    @Test func `what is no key file is refused without a word of what is in it`() throws {
        let path = site.path + "/approver.key"
        let link = site.path + "/link.key"
        _ = try ApproverKeyFile.generate(at: path)
        #expect(symlink(path, link) == 0)
        #expect(refusal { _ = try ApproverKeyFile.read(link) }?.status == .noInput)
        #expect(refusal { _ = try ApproverKeyFile.read(site.path) }?.status == .noInput)
        let line = try String(contentsOfFile: path, encoding: .utf8)
        let bad = [
            "", "secret words", String(line.dropLast(3)) + "\n", line + line,
            line.trimmingCharacters(in: .newlines) + String(repeating: " ", count: 257 - line.utf8.count + 1),
        ]
        for text in bad {
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect(chmod(path, 0o600) == 0)
            let told = try #require(refusal { _ = try ApproverKeyFile.read(path) }, "\(text.utf8.count)")
            #expect(told.status == .data && !told.description.contains("secret words"))
            #expect(!told.description.contains(line.dropFirst(24).prefix(20)))
        }
        let padded = line.trimmingCharacters(in: .newlines) + String(repeating: " ", count: 256 - line.utf8.count + 1)
        try Data(padded.utf8).write(to: URL(filePath: path))
        #expect(refusal { _ = try ApproverKeyFile.read(path) } == nil, "256 bytes are read")
    }
}
