import Journal
import TestSupport
import Testing

/// The tree of RFC 6962 as its section 2.1 says it; each hash is computed once.
final class PlainTree {
    let leaves: [MerkleHash]
    private var roots: [Range<Int>: MerkleHash] = [:]

    init(_ leaves: [MerkleHash]) { self.leaves = leaves }

    convenience init(count: Int) {
        self.init((0..<count).map { MerkleTree.leaf([UInt8($0 & 255), UInt8($0 >> 8)]) })
    }

    func root(_ range: Range<Int>) -> MerkleHash {
        if range.isEmpty { return MerkleTree.empty }
        if range.count == 1 { return leaves[range.lowerBound] }
        if let known = roots[range] { return known }
        let split = range.lowerBound + Self.split(range.count)
        let root = MerkleTree.node(self.root(range.lowerBound..<split), self.root(split..<range.upperBound))
        roots[range] = root
        return root
    }

    func path(_ index: Int, _ range: Range<Int>) -> [MerkleHash] {
        if range.count == 1 { return [] }
        let split = range.lowerBound + Self.split(range.count)
        let (left, right) = (range.lowerBound..<split, split..<range.upperBound)
        return index < split ? path(index, left) + [root(right)] : path(index, right) + [root(left)]
    }

    func proof(_ count: Int, _ range: Range<Int>, whole: Bool = true) -> [MerkleHash] {
        let end = range.lowerBound + count
        if end == range.upperBound { return whole ? [] : [root(range)] }
        let split = range.lowerBound + Self.split(range.count)
        let (left, right) = (range.lowerBound..<split, split..<range.upperBound)
        return end <= split
            ? proof(count, left, whole: whole) + [root(right)]
            : proof(end - split, right, whole: false) + [root(left)]
    }

    private static func split(_ count: Int) -> Int {
        var power = 1
        while power * 2 < count { power *= 2 }
        return power
    }
}

func hash(hex: String) throws -> MerkleHash {
    let bytes = stride(from: 0, to: 64, by: 2).compactMap { place -> UInt8? in
        let start = hex.index(hex.startIndex, offsetBy: place)
        return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)
    }
    return try #require(MerkleHash(bytes: bytes))
}

@Suite struct MerkleTests {
    /// Leaves and roots of the test vectors of Certificate Transparency (RFC 6962).
    static let vectors: [(record: [UInt8], root: String)] = [
        ([], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ([0x00], "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        ([0x10], "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        ([0x20, 0x21], "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        ([0x30, 0x31], "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        ([0x40, 0x41, 0x42, 0x43], "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        (Array(0x50...0x57), "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (Array(0x60...0x6F), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ]

    @Test func `the vectors of RFC 6962 give the published roots`() throws {
        #expect(
            MerkleTree.empty == (try hash(hex: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")))
        var frontier = MerkleFrontier()
        for (record, root) in Self.vectors {
            frontier.append(MerkleTree.leaf(record))
            #expect(frontier.root == (try hash(hex: root)), "\(frontier.size) leaves")
        }
    }

    @Test func `frontier, nodes, every path and every consistency proof up to 130 leaves are the plain tree's`() throws
    {
        let plain = PlainTree(count: 130)
        var frontier = MerkleFrontier()
        var nodes = MerkleNodes()
        #expect(frontier.root == plain.root(0..<0))
        for size in 1...130 {
            frontier.append(plain.leaves[size - 1])
            nodes.append(plain.leaves[size - 1])
            #expect(frontier.root == plain.root(0..<size))
            #expect(nodes.frontier == frontier)
            #expect(MerkleFrontier(decoding: frontier.encoded) == frontier)
            #expect(try MerkleProofs.root(size: UInt64(size)) { nodes.node($0, $1) } == plain.root(0..<size))
        }
        for size in 1...130 {
            for index in 0..<size {
                let path = try MerkleProofs.path(of: UInt64(index), size: UInt64(size)) { nodes.node($0, $1) }
                guard path == plain.path(index, 0..<size) else {
                    Issue.record("path of leaf \(index) of \(size)")
                    continue
                }
                let root = MerkleProofs.root(
                    of: plain.leaves[index], at: UInt64(index), size: UInt64(size), path: path ?? [])
                #expect(root == plain.root(0..<size))
                let proof = try MerkleProofs.consistency(from: UInt64(index + 1), to: UInt64(size)) {
                    nodes.node($0, $1)
                }
                #expect(proof == plain.proof(index + 1, 0..<size), "\(index + 1) to \(size)")
            }
        }
        #expect(try MerkleProofs.path(of: 130, size: 130) { nodes.node($0, $1) } == nil)
        #expect(try MerkleProofs.path(of: 0, size: 131) { nodes.node($0, $1) } == nil)
        #expect(try MerkleProofs.consistency(from: 0, to: 5) { nodes.node($0, $1) } == nil)
        #expect(try MerkleProofs.consistency(from: 6, to: 5) { nodes.node($0, $1) } == nil)
    }

    @Test func `a frontier with a peak too many or too few, or cut anywhere, is none`() {
        var frontier = MerkleFrontier()
        for leaf in PlainTree(count: 13).leaves { frontier.append(leaf) }
        #expect(frontier.peaks.count == 3)
        #expect(MerkleFrontier(size: 13, peaks: frontier.peaks) == frontier)
        #expect(MerkleFrontier(size: 13, peaks: frontier.peaks.dropLast()) == nil)
        #expect(MerkleFrontier(size: 12, peaks: frontier.peaks) == nil)
        let encoded = frontier.encoded
        for count in 0..<encoded.count { #expect(MerkleFrontier(decoding: Array(encoded[..<count])) == nil) }
        #expect(MerkleFrontier(decoding: encoded + [0]) == nil)
        let most = [MerkleHash](repeating: MerkleTree.empty, count: MerkleTree.maxPeaks + 1)
        #expect(MerkleFrontier(size: 1 << 40 - 1, peaks: most.dropLast()) != nil)
        #expect(MerkleFrontier(size: 1 << 41 - 1, peaks: most) == nil)
    }

    @Test func `nodes that begin at a frontier, or that forgot, still prove everything behind it`() throws {
        let plain = PlainTree(count: 200)
        for start in [0, 1, 2, 63, 64, 65, 100, 127, 128, 130] {
            var frontier = MerkleFrontier()
            for leaf in plain.leaves[..<start] { frontier.append(leaf) }
            var later = MerkleNodes(frontier)
            var whole = MerkleNodes()
            for leaf in plain.leaves { whole.append(leaf) }
            for leaf in plain.leaves[start...] { later.append(leaf) }
            whole.forget(below: UInt64(start))
            for nodes in [later, whole] {
                #expect(nodes.frontier.root == plain.root(0..<200))
                for index in start..<200 {
                    let path = try MerkleProofs.path(of: UInt64(index), size: 200) { nodes.node($0, $1) }
                    #expect(path == plain.path(index, 0..<200), "leaf \(index) behind \(start)")
                }
                guard start > 0 else { continue }
                let proof = try MerkleProofs.consistency(from: UInt64(start), to: 200) { nodes.node($0, $1) }
                #expect(proof == plain.proof(start, 0..<200))
            }
            #expect(whole.firstLeaf == UInt64(start) & ~1)
        }
    }

    @Test func `behind lost leaves the peaks are known again and only what hangs on the lost ones has no proof`() throws
    {
        let plain = PlainTree(count: 64)
        var nodes = MerkleNodes()
        for leaf in plain.leaves[..<20] { nodes.append(leaf) }
        nodes.appendUnknown(through: 23)
        for leaf in plain.leaves[23..<40] { nodes.append(leaf) }
        var frontier = MerkleFrontier()
        for leaf in plain.leaves[..<40] { frontier.append(leaf) }
        nodes.place(frontier)
        for leaf in plain.leaves[40...] { nodes.append(leaf) }
        #expect(nodes.frontier.root == plain.root(0..<64))
        var proved: [Int] = []
        for index in 0..<64 {
            let path = try MerkleProofs.path(of: UInt64(index), size: 64) { nodes.node($0, $1) }
            guard let path else { continue }
            #expect(path == plain.path(index, 0..<64))
            proved.append(index)
        }
        // 20 to 22 are lost. Leaf 23 and the rest of its subtree of 32 lack a sibling over them; the others do not.
        #expect(proved == Array(32..<64))
    }
}
