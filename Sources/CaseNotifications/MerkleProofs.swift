import Crypto

/// The Merkle log's hashes: RFC 6962, section 2.1, with SHA-256.
package enum MerkleHashing {
    /// Longest path that is looked at: a tree of 2^64 leaves has no longer one.
    package static let longestPath = 64

    /// The leaf of a record: SHA-256(0x00 || record).
    package static func leaf(_ record: [UInt8]) -> Digest { Digest(sha256Of: [0] + record) }

    /// The node over two: SHA-256(0x01 || left || right).
    package static func node(_ left: Digest, _ right: Digest) -> Digest {
        Digest(sha256Of: [1] + left.bytes + right.bytes)
    }

    /// The root of a tree without leaves.
    package static let emptyRoot = Digest(sha256Of: [UInt8]())
}

/// Proves that a leaf is in a tree (RFC 9162, section 2.1.3).
package struct InclusionProof: Sendable, Equatable {
    /// The leaf's index, from 0.
    package var index: UInt64
    /// Leaves in the tree.
    package var size: UInt64
    /// The siblings on the way to the root, the leaf's first.
    package var path: [Digest]

    /// Takes the parts as they are; `root` judges them.
    package init(index: UInt64, size: UInt64, path: [Digest]) {
        self.index = index
        self.size = size
        self.path = path
    }

    /// The root that the leaf and the path give; nil when index, size and length of the path do not go together.
    package func root(of leaf: Digest) -> Digest? {
        guard index < size, path.count <= MerkleHashing.longestPath else { return nil }
        var (place, last) = (index, size - 1)
        var root = leaf
        for sibling in path {
            if last == 0 { return nil }
            if place & 1 == 1 || place == last {
                root = MerkleHashing.node(sibling, root)
                while place & 1 == 0, place > 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                root = MerkleHashing.node(root, sibling)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 ? root : nil
    }

    /// Whether the leaf is at that index in the tree with that root.
    package func verifies(_ leaf: Digest, root: Digest) -> Bool { self.root(of: leaf) == root }
}

/// Proves that a smaller tree is the beginning of a larger one (RFC 9162, section 2.1.4).
package struct ConsistencyProof: Sendable, Equatable {
    /// Leaves in the smaller tree.
    package var from: UInt64
    /// Leaves in the larger tree.
    package var to: UInt64
    /// The nodes, in the order of the RFC.
    package var path: [Digest]

    /// Takes the parts as they are; `verifies` judges them.
    package init(from: UInt64, to: UInt64, path: [Digest]) {
        self.from = from
        self.to = to
        self.path = path
    }

    /// Whether the tree with root `new` begins with the tree with root `old`.
    package func verifies(old: Digest, new: Digest) -> Bool {
        guard from <= to, path.count <= MerkleHashing.longestPath else { return false }
        if from == to { return path.isEmpty && old == new }
        // Every tree begins with the empty one; nothing has to be shown.
        if from == 0 { return path.isEmpty && old == MerkleHashing.emptyRoot }
        var rest = path[...]
        let first: Digest
        if from & (from - 1) == 0 {
            // The smaller tree is a node of the larger one: it need not be told again.
            first = old
        } else {
            guard let told = rest.popFirst() else { return false }
            first = told
        }
        var (place, last) = (from - 1, to - 1)
        while place & 1 == 1 { (place, last) = (place >> 1, last >> 1) }
        var (oldRoot, newRoot) = (first, first)
        for node in rest {
            if last == 0 { return false }
            if place & 1 == 1 || place == last {
                oldRoot = MerkleHashing.node(node, oldRoot)
                newRoot = MerkleHashing.node(node, newRoot)
                while place & 1 == 0, place > 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                newRoot = MerkleHashing.node(newRoot, node)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return last == 0 && oldRoot == old && newRoot == new
    }
}
