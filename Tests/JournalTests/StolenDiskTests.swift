import Foundation
import Journal
import TestSupport
import Testing

/// K4: what stands in clear on the disk.
struct StolenDiskTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Names, test numbers, case ids, parties and notes that occur nowhere else.
    private func canaries() -> [String] {
        var generator = SeededGenerator(seed: 500)
        func word() -> String {
            String((0..<9).map { _ in "abcdefghijklmnopqrstuvwxyzåäö".randomElement(using: &generator) ?? "x" })
        }
        func digits(_ count: Int) -> String {
            String((0..<count).map { _ in "0123456789".randomElement(using: &generator) ?? "0" })
        }
        return (0..<500).map { index in
            switch index % 5 {
            case 0: "\(word().capitalized) \(word().capitalized)sson"
            case 1: "19\(digits(6))-\(digits(4))"
            case 2: "BK-18-\(digits(4))-\(digits(8))"
            case 3: "soc-\(digits(4))-\(word())"
            default: "Anteckning: \(word()) \(word()) \(word())"
            }
        }
    }

    /// The forms in which a search would meet a text: UTF-8, UTF-16 both ways, base64 at each of three beginnings, hexadecimal.
    private func forms(_ text: String) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        var forms = [bytes, text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }]
        forms.append(text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
        for shift in 0..<3 {
            let padded = Data([UInt8](repeating: 0, count: shift) + bytes).base64EncodedString()
            // Without the ends, which neighbours decide.
            forms.append(Array(padded.utf8.dropFirst(shift == 0 ? 0 : shift + 1).prefix((bytes.count / 3 - 1) * 4)))
        }
        forms.append(bytes.flatMap { Array((($0 < 16 ? "0" : "") + String($0, radix: 16)).utf8) })
        return forms
    }

    /// How many canaries stand in these files in any form: every 8-byte window of the files against the forms' first 8 bytes.
    private func hits(_ files: [String: [UInt8]], _ canaries: [String]) -> Int {
        func word(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        var starts: [UInt64: [(canary: Int, form: [UInt8])]] = [:]
        for (index, canary) in canaries.enumerated() {
            for form in forms(canary) { starts[word(form.prefix(8)), default: []].append((index, form)) }
        }
        var found: Set<Int> = []
        for (name, bytes) in files {
            for (index, canary) in canaries.enumerated() where name.contains(canary) { found.insert(index) }
            bytes.withUnsafeBufferPointer { bytes in
                var window: UInt64 = 0
                for (index, byte) in bytes.enumerated() {
                    window = window << 8 | UInt64(byte)
                    guard index >= 7, let candidates = starts[window] else { continue }
                    for candidate in candidates where bytes[(index - 7)...].starts(with: candidate.form) {
                        found.insert(candidate.canary)
                    }
                }
            }
        }
        return found.count
    }

    @Test func `of 500 canaries none stands in any file of the journal, its backups and what was torn off it`() throws {
        let disk = MemoryDisk(seed: 1)
        let ring = try scratch.ring(["v1", "v2"], active: "v1")
        let canaries = canaries()
        #expect(Set(canaries).count == 500)
        var journal = try TestJournal(disk, ring)
        var slots: [SlotID] = []
        for (index, canary) in canaries.enumerated() {
            var slot = journal.core.slots.take()
            if slot == nil {
                try journal.prepareAll()
                slot = journal.core.slots.take()
            }
            slots += [slot].compactMap { $0 }
            let text = SealedText(id: textID(UInt64(index)), slots: Array(slots.suffix(1)), bytes: Array(canary.utf8))
            try journal.write([Array("\(canary) \(index)".utf8)], texts: [text])
            if index % 100 == 99 {
                disk.crash()
                journal = try TestJournal(disk, ring, random: UInt64(index))
            }
        }
        // A torn tail goes to quarantine; an erasure, a rotation and a backup write more.
        disk.fail(.sync, errno: 5)
        _ = journalError { try journal.write([Array(canaries[0].utf8)]) }
        disk.crash()
        journal = try TestJournal(disk, ring, random: 900)
        _ = try journal.core.erase(slots: Array(slots[..<50]))
        _ = try journal.core.rotateKeys(to: try scratch.ring(["v1", "v2"], active: "v2"))
        _ = try journal.core.backUp(to: BackupTargets(journal: "/j", keys: "/k"))
        let files = disk.files
        let bytes = files.values.reduce(0) { $0 + $1.count }
        #expect(hits(files, canaries) == 0)
        // Negative controls: the same search finds every canary in every form when it stands there.
        for form in 0..<7 {
            let clear = Array(canaries.map { forms($0)[form] }.joined(separator: [0, 1]))
            #expect(hits(["clear": clear], canaries) == 500, "form \(form)")
        }
        #expect(hits([canaries[7]: []], canaries) == 1)
        print("K4: 500 canaries in 7 forms searched in \(files.count) files of \(bytes) bytes: 0 hits; in clear: 500")
    }
}
