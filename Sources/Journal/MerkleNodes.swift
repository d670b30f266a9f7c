/// The nodes of a Merkle tree's newer part in memory: every full subtree that a proof about these leaves needs.
///
/// Level 0 holds leaves; node `index` of level `l` stands over the leaves from `index << l` on, `1 << l` of them. 64 bytes per
/// leaf. A node over a lost leaf is unknown and counts as not held.
package struct MerkleNodes {
    private struct Level {
        /// Index of the first node that is held.
        var start: UInt64
        var hashes: [MerkleHash] = []
    }

    /// Leaves in the whole tree.
    package private(set) var size: UInt64
    /// Every level holds the nodes from `start` to `size >> level`, `start` even: the left sibling of the first is there.
    private var levels: [Level] = []

    /// Holds the peaks and nothing before them.
    package init(_ frontier: MerkleFrontier = MerkleFrontier()) {
        size = frontier.size
        let bits = UInt64.bitWidth - size.leadingZeroBitCount
        levels = (0..<bits).map { Level(start: size >> UInt64($0) & ~1) }
        place(frontier)
    }

    /// The first leaf that is held.
    package var firstLeaf: UInt64 { levels.first?.start ?? 0 }

    /// Appends a leaf and what it completes.
    package mutating func append(_ leaf: MerkleHash) {
        var node = leaf
        var index = size
        var level = 0
        size += 1
        while true {
            if level == levels.count { levels.append(Level(start: 0)) }
            levels[level].hashes.append(node)
            guard index & 1 == 1 else { return }
            let left = levels[level].hashes[levels[level].hashes.count - 2]
            node = MerkleTree.node(left, node)
            index >>= 1
            level += 1
        }
    }

    /// Appends leaves that nobody knows any more.
    package mutating func appendUnknown(through last: UInt64) {
        while size < last { append(.unknown) }
    }

    /// Sets the peaks, which are known again behind lost leaves.
    ///
    /// - Precondition: the frontier has this tree's size.
    package mutating func place(_ frontier: MerkleFrontier) {
        precondition(frontier.size == size)
        var peaks = frontier.peaks[...]
        for level in levels.indices.reversed() where size >> UInt64(level) & 1 == 1 {
            guard let peak = peaks.popFirst() else { return }
            if levels[level].hashes.isEmpty {
                levels[level].hashes = [peak]
            } else {
                levels[level].hashes[levels[level].hashes.count - 1] = peak
            }
        }
    }

    /// Gives back what only proofs about leaves before `leaf` need.
    package mutating func forget(below leaf: UInt64) {
        for level in levels.indices {
            let start = leaf >> UInt64(level) & ~1
            guard start > levels[level].start else { continue }
            levels[level].hashes.removeFirst(Int(start - levels[level].start))
            levels[level].start = start
        }
    }

    /// A node; nil when it is not full, not held or unknown.
    package func node(_ level: Int, _ index: UInt64) -> MerkleHash? {
        guard level < levels.count, index >= levels[level].start else { return nil }
        let place = index - levels[level].start
        guard place < UInt64(levels[level].hashes.count) else { return nil }
        let hash = levels[level].hashes[Int(place)]
        return hash == .unknown ? nil : hash
    }

    /// The nodes of a level from one on, unknown ones among them.
    func hashes(_ level: Int, from index: UInt64) -> ArraySlice<MerkleHash> {
        guard level < levels.count, index >= levels[level].start else { return [] }
        return levels[level].hashes.dropFirst(Int(index - levels[level].start))
    }

    /// The right edge as far as it is known.
    package var frontier: MerkleFrontier {
        let peaks = levels.indices.reversed().filter { size >> UInt64($0) & 1 == 1 }
            .map { levels[$0].hashes.last ?? .unknown }
        return MerkleFrontier(size: size, peaks: peaks) ?? MerkleFrontier()
    }
}

/// Paths and proofs of RFC 6962, sections 2.1.1 and 2.1.2, over a function that knows the full subtrees.
///
/// `node` is given a level and an index, see `MerkleNodes`; where it gives nil, so does the proof.
package enum MerkleProofs {
    package typealias Nodes = (_ level: Int, _ index: UInt64) throws(JournalError) -> MerkleHash?

    /// The audit path of the leaf with this index in the tree of `size` leaves, from the leaf up.
    package static func path(of leaf: UInt64, size: UInt64, _ node: Nodes) throws(JournalError) -> [MerkleHash]? {
        guard leaf < size else { return nil }
        var path: [MerkleHash] = []
        var range = 0..<size
        // From the root down: the sibling that is left aside at each step.
        while range.count64 > 1 {
            let split = range.lowerBound + split(range.count64)
            let (near, far) =
                leaf < split
                ? (range.lowerBound..<split, split..<range.upperBound)
                : (split..<range.upperBound, range.lowerBound..<split)
            guard let hash = try subtree(far, node) else { return nil }
            path.append(hash)
            range = near
        }
        return path.reversed()
    }

    /// The proof that the tree of `from` leaves is the beginning of the tree of `to` leaves.
    package static func consistency(from: UInt64, to: UInt64, _ node: Nodes) throws(JournalError) -> [MerkleHash]? {
        guard from > 0, from <= to else { return nil }
        var proof: [MerkleHash] = []
        var range = 0..<to
        var isWhole = true
        while range.upperBound > from {
            let split = range.lowerBound + split(range.count64)
            let far: Range<UInt64>
            if from <= split {
                far = split..<range.upperBound
                range = range.lowerBound..<split
            } else {
                far = range.lowerBound..<split
                range = split..<range.upperBound
                isWhole = false
            }
            guard let hash = try subtree(far, node) else { return nil }
            proof.append(hash)
        }
        if !isWhole {
            guard let hash = try subtree(range, node) else { return nil }
            proof.append(hash)
        }
        return proof.reversed()
    }

    /// The root of the tree of the first `size` leaves.
    package static func root(size: UInt64, _ node: Nodes) throws(JournalError) -> MerkleHash? {
        size == 0 ? MerkleTree.empty : try subtree(0..<size, node)
    }

    /// The root that a leaf and its path give (RFC 9162, section 2.1.3.2); nil when the path has the wrong length.
    package static func root(of leaf: MerkleHash, at index: UInt64, size: UInt64, path: [MerkleHash]) -> MerkleHash? {
        guard index < size else { return nil }
        var (place, last) = (index, size - 1)
        var hash = leaf
        for sibling in path {
            guard last > 0 else { return nil }
            if place & 1 == 1 || place == last {
                hash = MerkleTree.node(sibling, hash)
                while place & 1 == 0, place > 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                hash = MerkleTree.node(hash, sibling)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 ? hash : nil
    }

    /// - Precondition: `range` begins where a full subtree of at least its size does.
    private static func subtree(_ range: Range<UInt64>, _ node: Nodes) throws(JournalError) -> MerkleHash? {
        var rest = range
        var left: [MerkleHash] = []
        while true {
            let level = UInt64.bitWidth - 1 - rest.count64.leadingZeroBitCount
            guard let hash = try node(level, rest.lowerBound >> UInt64(level)) else { return nil }
            left.append(hash)
            rest = (rest.lowerBound + 1 << UInt64(level))..<rest.upperBound
            if rest.isEmpty { break }
        }
        guard var hash = left.popLast() else { return nil }
        while let next = left.popLast() { hash = MerkleTree.node(next, hash) }
        return hash
    }

    /// The largest power of two below `count`, which is at least 2.
    private static func split(_ count: UInt64) -> UInt64 {
        1 << UInt64(UInt64.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}

extension Range<UInt64> {
    fileprivate var count64: UInt64 { upperBound - lowerBound }
}
