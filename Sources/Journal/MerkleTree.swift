/// A SHA-256 value in the Merkle log. 32 bytes, held inline.
package struct MerkleHash: Hashable, Sendable {
    /// Bytes of one.
    package static let byteCount = 32
    /// Stands in the archive for a hash that nobody can compute any more, because the record under it was lost.
    ///
    /// No SHA-256 value is known to be all zero.
    package static let unknown = MerkleHash(words: (0, 0, 0, 0))

    // Eight bytes each, in the order of the digest and in the machine's own byte order: never looked at as numbers.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    private init(words: (UInt64, UInt64, UInt64, UInt64)) { (first, second, third, fourth) = words }

    /// - Precondition: there are exactly 32 bytes.
    init(loading bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == Self.byteCount)
        first = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        third = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        fourth = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    /// Takes exactly 32 bytes; anything else gives nil.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self = Array(bytes).withUnsafeBytes { MerkleHash(loading: $0) }
    }

    /// The 32 bytes, as they stand in files and proofs.
    package var bytes: [UInt8] {
        withUnsafeBytes(of: (first, second, third, fourth)) { Array($0) }
    }
}

/// The hashes of RFC 6962, section 2.1, with SHA-256.
package enum MerkleTree {
    /// Most peaks of a tree: it holds fewer than 2^40 records.
    package static let maxPeaks = 40

    private static let leafPrefix: [UInt8] = [0]

    /// The root of a tree without leaves: SHA-256 of nothing.
    package static let empty = Cipher.Digest().hash()

    /// The leaf of a record: SHA-256(0x00 || record).
    package static func leaf(_ record: some Sequence<UInt8>) -> MerkleHash {
        var digest = Cipher.Digest()
        digest.add(leafPrefix)
        let isContiguous: Void? = record.withContiguousStorageIfAvailable { digest.add(UnsafeRawBufferPointer($0)) }
        if isContiguous == nil { digest.add(Array(record)) }
        return digest.hash()
    }

    /// The node over two: SHA-256(0x01 || left || right). Unknown when either is.
    package static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        guard left != .unknown, right != .unknown else { return .unknown }
        var digest = Cipher.Digest()
        // 0x01 and both children lie one behind the other: 65 bytes.
        withUnsafeTemporaryAllocation(byteCount: 1 + 2 * MerkleHash.byteCount, alignment: 8) { buffer in
            buffer[0] = 1
            buffer.storeBytes(of: left, toByteOffset: 1, as: MerkleHash.self)
            buffer.storeBytes(of: right, toByteOffset: 1 + MerkleHash.byteCount, as: MerkleHash.self)
            digest.add(UnsafeRawBufferPointer(buffer))
        }
        return digest.hash()
    }

    /// The leaf that stands for a record that is lost and whose hash no batch behind it tells.
    ///
    /// Only journals that a version without heads wrote need it: no signed head names their leaves.
    static func lostLeaf(_ record: UInt64) -> MerkleHash {
        var stand = ByteWriter(bytes: Array("budkavle/journal/2/lost".utf8))
        stand.put(record)
        return leaf(stand.bytes)
    }
}

/// The right edge of a Merkle tree: enough to append to it and to know its root.
///
/// Each peak is the root of a full subtree, largest first; there are as many as `size` has bits that are set.
package struct MerkleFrontier: Sendable, Equatable {
    /// Leaves in the tree.
    package private(set) var size: UInt64 = 0
    /// Roots of the full subtrees, the largest (leftmost) first.
    package private(set) var peaks: [MerkleHash] = []

    /// An empty tree.
    package init() {}

    /// Takes peaks that somebody wrote down; nil when there are not as many as a tree of `size` has.
    package init?(size: UInt64, peaks: [MerkleHash]) {
        guard peaks.count == size.nonzeroBitCount, peaks.count <= MerkleTree.maxPeaks else { return nil }
        self.size = size
        self.peaks = peaks
    }

    /// Appends one leaf; twice the number of hashes that a counter flips bits, so two on the average.
    package mutating func append(_ leaf: MerkleHash) {
        var node = leaf
        var carry = size
        while carry & 1 == 1, let left = peaks.popLast() {
            node = MerkleTree.node(left, node)
            carry >>= 1
        }
        peaks.append(node)
        size += 1
        precondition(peaks.count <= MerkleTree.maxPeaks, "the Merkle log is full")
    }

    /// The whole value for other files: size (8), then the peaks. At most 1,288 bytes.
    package var encoded: [UInt8] {
        var bytes = ByteWriter()
        bytes.put(size)
        for peak in peaks { bytes.put(peak.bytes) }
        return bytes.bytes
    }

    /// Reads `encoded`. Foreign bytes: what cannot be a frontier gives nil.
    package init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let size = reader.number(UInt64.self), let peaks = reader.hashes(size.nonzeroBitCount),
            reader.remaining == 0
        else { return nil }
        self.init(size: size, peaks: peaks)
    }

    /// The root, as RFC 6962 bags the peaks: from the right.
    package var root: MerkleHash {
        guard var node = peaks.last else { return MerkleTree.empty }
        for peak in peaks.dropLast().reversed() { node = MerkleTree.node(peak, node) }
        return node
    }
}

extension ByteReader {
    /// So many hashes, one behind the other.
    mutating func hashes(_ count: Int) -> [MerkleHash]? {
        guard remaining >= count * MerkleHash.byteCount else { return nil }
        var hashes: [MerkleHash] = []
        hashes.reserveCapacity(count)
        for _ in 0..<count {
            guard let bytes = take(MerkleHash.byteCount), let hash = MerkleHash(bytes: bytes) else { return nil }
            hashes.append(hash)
        }
        return hashes
    }
}
