import Journal
import Synchronization

/// Random numbers that repeat with their seed (SplitMix64). Not for keys.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Starts at a seed, which a failing test prints.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// The same as the journal's source of keys and salts.
package final class SeededRandom: RandomSource {
    private let generator: Mutex<SeededGenerator>

    /// Starts at a seed.
    package init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

    package func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        generator.withLock { generator in
            var offset = 0
            // Of what is longer only the beginning is drawn; it is repeated, and each 32 bytes get a word of their own.
            let drawn = min(bytes.count, Self.drawnBytes)
            while offset < drawn {
                var word = generator.next()
                let count = min(8, drawn - offset)
                withUnsafeBytes(of: &word) { word in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: word[..<count]))
                }
                offset += count
            }
            while offset < bytes.count {
                let count = min(offset, bytes.count - offset)
                UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                offset += count
            }
            guard bytes.count > drawn else { return }
            var word = generator.next()
            for place in stride(from: 0, to: bytes.count - 7, by: 32) {
                bytes.storeBytes(of: word, toByteOffset: place, as: UInt64.self)
                word &+= 0x9E37_79B9_7F4A_7C15
            }
        }
    }

    /// A slab of 64 KiB is filled at each start of each simulated daemon: drawing all of it would be most of the work.
    private static let drawnBytes = 4_096
}
