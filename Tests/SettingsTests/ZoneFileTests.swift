import Foundation
import Testing

@testable import Settings

struct ZoneFileTests {
    /// Seconds since 1970 of a time in UTC.
    private func seconds(_ text: String) -> Int64 {
        Int64(ISO8601DateFormatter().date(from: text)?.timeIntervalSince1970 ?? 0)
    }

    @Test(arguments: [
        ("2026-10-25T00:59:59Z", 7_200), ("2026-10-25T01:00:00Z", 3_600), ("2027-03-28T00:59:59Z", 3_600),
        ("2027-03-28T01:00:00Z", 7_200), ("2040-07-01T00:00:00Z", 7_200), ("2099-12-31T00:00:00Z", 3_600),
        ("1975-07-01T00:00:00Z", 3_600),
    ])
    func `Stockholm's clocks`(at: String, offset: Int32) throws {
        #expect(try ZoneFile.read(zone: "Europe/Stockholm").offset(at: seconds(at)) == offset)
    }

    @Test func `local times that are skipped or shown twice`() throws {
        let zone = try ZoneFile.read(zone: "Europe/Stockholm")
        // 02:30 on 2026-10-25 is shown twice, and the first counts.
        #expect(zone.instant(ofLocal: seconds("2026-10-25T02:30:00Z")) == seconds("2026-10-25T00:30:00Z"))
        // 02:30 on 2027-03-28 is skipped, and counts as 03:30.
        #expect(zone.instant(ofLocal: seconds("2027-03-28T02:30:00Z")) == seconds("2027-03-28T01:30:00Z"))
        #expect(zone.instant(ofLocal: seconds("2026-12-11T23:10:00Z")) == seconds("2026-12-11T22:10:00Z"))
    }

    @Test func `a rule alone gives the same changes as the table`() throws {
        let rule = try #require(PosixZoneRule("CET-1CEST,M3.5.0,M10.5.0/3"))
        #expect(
            rule.changes(in: 2027) == [
                .init(at: seconds("2027-03-28T01:00:00Z"), offsetSeconds: 7_200),
                .init(at: seconds("2027-10-31T01:00:00Z"), offsetSeconds: 3_600),
            ])
        #expect(PosixZoneRule("UTC0")?.changes(in: 2027) == [])
        #expect(PosixZoneRule("<+0330>-3:30")?.standardOffset == 12_600)
        for text in ["", "CET", "CET-1CEST,J60,J300", "CET-1CEST,M13.5.0,M10.5.0", "C-1", "CET-1CEST,M3.5.0"] {
            #expect(PosixZoneRule(text) == nil, "\(text)")
        }
    }

    @Test func `what is no zone is refused`() {
        for zone in ["Europe/Nowhere", "../../etc/passwd", "", "/etc/passwd", "Europe/../UTC"] {
            #expect(throws: ZoneFault.unknownZone(zone)) { try ZoneFile.read(zone: zone) }
        }
        #expect(throws: ZoneFault.malformed("x")) { try ZoneFile.decode(Array("TZif".utf8), zone: "x") }
    }

    @Test func `a zone file cut anywhere is refused or complete, and never traps`() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: ZoneFile.systemDirectory + "/Europe/Stockholm"))
        for length in stride(from: 0, to: data.count, by: 7) {
            _ = try? ZoneFile.decode(Array(data.prefix(length)), zone: "x")
        }
    }

    @Test func `files are read with limits`() throws {
        let directory = NSTemporaryDirectory() + "/settings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory + "/parties", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + name))
        }
        try write("rules.yaml", Array("a: 1\n".utf8))
        try write("parties/p.yaml", Array("b: 1\n".utf8))
        try write("README.md", [0xFF])
        try write(".hidden.yaml", [0xFF])
        let files = try SettingsFiles.read(directory: directory)
        #expect(files == [directory + "/rules.yaml": "a: 1\n", directory + "/parties/p.yaml": "b: 1\n"])
        try write("big.yaml", [UInt8](repeating: 0x23, count: SettingsReader.longestFileBytes))
        #expect(try SettingsFiles.read(directory: directory).count == 3)
        try write("big.yaml", [UInt8](repeating: 0x23, count: SettingsReader.longestFileBytes + 1))
        #expect(throws: SettingsFault.tooLong(path: directory + "/big.yaml")) {
            try SettingsFiles.read(directory: directory)
        }
        try write("big.yaml", [0x61, 0xFF])
        #expect(throws: SettingsFault.notUTF8(path: directory + "/big.yaml", line: 1, column: 2)) {
            try SettingsFiles.read(directory: directory)
        }
        #expect(throws: SettingsFault.unreadable(path: directory + "/no.yaml", why: "there is no such file")) {
            try SettingsFiles.read(file: directory + "/no.yaml")
        }
    }

    @Test func `a file that cannot be read hides no other, and one that is not UTF-8 is read beside the place`() throws
    {
        let directory = NSTemporaryDirectory() + "/settings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + name))
        }
        try write("big.yaml", [UInt8](repeating: 0x23, count: SettingsReader.longestFileBytes + 1))
        try write("latin.yaml", Array("a: å\nb: ".utf8) + [0xE5, 0x0A] + Array("c: 1\n".utf8))
        try write("good.yaml", Array("d: 1\n".utf8))
        let (files, faults) = try SettingsFiles.readAll(directory: directory)
        #expect(files == [directory + "/latin.yaml": "a: å\nb: \u{FFFD}\nc: 1\n", directory + "/good.yaml": "d: 1\n"])
        #expect(
            faults == [
                .tooLong(path: directory + "/big.yaml"), .notUTF8(path: directory + "/latin.yaml", line: 2, column: 4),
            ])
    }

    @Test func `a file whose name only looks like YAML is not read, and is a warning`() throws {
        let directory = NSTemporaryDirectory() + "/settings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory + "/parties", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let names = ["rules.yaml", "parties/a.yml", "parties/b.YAML", "parties/.c.yml", "parties/d.yaml~", "yml"]
        for name in names { try Data("a: 1\n".utf8).write(to: URL(fileURLWithPath: directory + "/" + name)) }
        let (files, faults) = try SettingsFiles.readAll(directory: directory)
        #expect(files.keys.sorted() == [directory + "/rules.yaml"])
        #expect(faults == ["a.yml", "b.YAML"].map { .misnamed(path: directory + "/parties/" + $0) })
        #expect(try SettingsFiles.read(directory: directory).count == 1)
        let told = faults[0].diagnostic
        #expect(told.code.text == "BK1015" && told.severity == .warning)
        #expect(told.hint == "rename it to .yaml, or move it away")
    }
}
