import Crypto
import Foundation
import Journal
import TestSupport

/// The journal that `Vectors/version-N` keeps for ever: one per format version, written once by the program of that
/// version.
///
/// Four starts; records from 1 byte to 20,000, texts with one and two slots, a rotation in the second start and an
/// empty prepared segment at the end. The same seed gives the same bytes.
enum GoldenJournal {
    /// Where the journal lies in the vector's directory.
    static let collaboration = "orebro"
    /// What must come out, one line per fact.
    static let expectations = "expected.txt"
    /// The master key, id `golden`: for this vector only.
    static let masterKey = "master.key"

    /// Writes it to a new disk and says what must come out.
    static func write(_ ring: KeyRing) throws -> (disk: MemoryDisk, expected: [String]) {
        let disk = MemoryDisk(seed: 11)
        let clock = ManualClock()
        var generator = SeededGenerator(seed: 2_026)
        var expected: [String] = []
        var record: UInt64 = 0
        for start in 1...4 {
            var journal = try TestJournal(
                disk, ring, options: smallOptions { $0.slabsAhead = start < 3 ? 1 : 0 }, random: UInt64(start),
                clock: clock)
            for write in 0..<(start == 2 ? 24 : 3) {
                clock.advance(.seconds(1))
                let sizes = (0..<Int.random(in: 1...4, using: &generator)).map { index in
                    write % 8 == 3 && index == 0 ? 20_000 : Int.random(in: 1...300, using: &generator)
                }
                let records = sizes.map { randomBytes($0, &generator) }
                var texts: [SealedText] = []
                if start < 3, write % 3 == 1 {
                    let slots = (0..<(write % 2 + 1)).compactMap { _ in journal.core.slots.take() }
                    let bytes = randomBytes(write == 7 ? 17_000 : 200 + write, &generator)
                    texts = [SealedText(id: textID(UInt64(start * 100 + write)), slots: slots, bytes: bytes)]
                }
                let report = try journal.write(records, texts: texts)
                for (text, place) in zip(texts, report.texts) {
                    expected.append(
                        "text \(text.id.low) segment \(place.location.segment) \(summary(text.bytes))")
                }
                for bytes in records {
                    record += 1
                    expected.append("record \(record) \(summary(bytes))")
                }
            }
            try journal.prepareAll()
            if start == 4 { expected.append("head " + hex(journal.core.head)) }
            try journal.core.finish()
        }
        return (disk, expected)
    }

    /// What a reader got, in the form of the expectations.
    static func facts(_ items: [ReplayItem], head: [UInt8], text: (TextID, TextLocation) throws -> [UInt8]) rethrows
        -> [String]
    {
        var facts: [String] = []
        for item in items {
            switch item {
            case .text(let id, let place):
                facts.append("text \(id.low) segment \(place.segment) \(summary(try text(id, place)))")
            case .record(let number, let bytes): facts.append("record \(number) \(summary(bytes))")
            case .lost(let records, let segment): facts.append("lost \(records) segment \(segment)")
            }
        }
        return facts + ["head " + hex(head)]
    }

    private static func randomBytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    private static func summary(_ bytes: [UInt8]) -> String {
        "bytes \(bytes.count) sha256 \(hex(SHA256.hash(data: bytes)))"
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
