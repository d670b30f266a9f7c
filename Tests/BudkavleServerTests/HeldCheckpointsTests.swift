import CaseNotifications
import Foundation
import Testing

@testable import BudkavleServer

/// Checkpoints that others kept, as `audit verify` reads and judges them.
struct HeldCheckpointsTests {
    private static func checkpoint(_ size: UInt8) throws -> Checkpoint {
        var body = [UInt8](repeating: 0, count: Checkpoint.bodyBytes)
        (body[0], body[32]) = (1, size)
        return try #require(Checkpoint(body: body, signature: [UInt8](repeating: size, count: 64)))
    }

    @Test func `a line is a checkpoint, a receipt or an answer to proof`() throws {
        let all = try (1...4).map { try Self.checkpoint($0) }
        let text = """
            \(all[0].text)

              \(all[1].text)\r
            {"id":"r1","data":{"event":"accepted","checkpoint":"\(all[2].text)"}}
            {"schema":"budkavle.proof/1","checkpoint":"\(all[0].text)","latest":"\(all[3].text)"}

            """
        #expect(try HeldCheckpoints.checkpoints(in: text, of: "kept") == all)
        #expect(all.map(\.size) == [1, 2, 3, 4])
    }

    @Test(arguments: [
        "x.y", "no checkpoint", "{}", "{", #"{"latest":7}"#, #"{"data":{"checkpoint":"x.y"}}"#,
    ])
    func `any other line is told with its number`(line: String) throws {
        let text = try Self.checkpoint(1).text + "\n" + line + "\n"
        let error = try #require(throws: ToolError.self) { try HeldCheckpoints.checkpoints(in: text, of: "kept") }
        #expect(error.status == .data && error.description.hasPrefix("kept:2: it is not of the form"), "\(error)")
    }

    @Test func `a file without any, without bytes, that is not there or is past the limit is an error`() throws {
        #expect(throws: ToolError.self) { try HeldCheckpoints.checkpoints(in: "\n \n", of: "kept") }
        let scratch = try StoreScratch()
        let path = scratch.path + "/kept"
        #expect(throws: ToolError.self) { try HeldCheckpoints.read(file: path) }
        try Data().write(to: URL(filePath: path))
        #expect(throws: ToolError.self) { try HeldCheckpoints.read(file: path) }
        let line = Data((try Self.checkpoint(1).text + "\n").utf8)
        for (spaces, isRead) in [(HeldCheckpoints.limitBytes - line.count, true), (HeldCheckpoints.limitBytes, false)] {
            try (line + Data(repeating: 0x20, count: spaces)).write(to: URL(filePath: path))
            #expect((try? HeldCheckpoints.read(file: path).count) == (isRead ? 1 : nil))
        }
    }

    @Test func `one of another journal, or that no key of this one signed, is not held against the log`() throws {
        let checkpoint = try Self.checkpoint(1)
        let key = (serial: UInt32(1), publicKey: [UInt8](repeating: 9, count: 32))
        #expect(checkpoint.fault(journal: [UInt8](repeating: 1, count: 16), keys: [key]) == .otherJournal)
        #expect(checkpoint.fault(journal: [UInt8](repeating: 0, count: 16), keys: [key]) == .wrongSignature)
        #expect(checkpoint.fault(journal: [UInt8](repeating: 0, count: 16), keys: []) == .wrongSignature)
    }
}
