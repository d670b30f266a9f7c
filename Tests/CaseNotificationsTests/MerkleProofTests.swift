import CaseNotifications
import Testing

/// The tree of RFC 6962 written as its section 2.1 says it, without any of the shortcuts of the product.
enum PlainTree {
    /// Roots that were computed already, for trees over the same leaves.
    final class Known { var roots: [Range<Int>: Digest] = [:] }

    static func root(_ leaves: ArraySlice<Digest>, _ known: Known? = nil) -> Digest {
        if leaves.isEmpty { return Digest(sha256Of: [UInt8]()) }
        if leaves.count == 1 { return leaves[leaves.startIndex] }
        if let root = known?.roots[leaves.indices] { return root }
        let split = leaves.startIndex + split(leaves.count)
        let root = Digest(
            sha256Of: [1] + self.root(leaves[..<split], known).bytes + self.root(leaves[split...], known).bytes)
        known?.roots[leaves.indices] = root
        return root
    }

    static func path(_ index: Int, _ leaves: ArraySlice<Digest>, _ known: Known? = nil) -> [Digest] {
        if leaves.count == 1 { return [] }
        let split = split(leaves.count)
        let (left, right) = (leaves.prefix(split), leaves.dropFirst(split))
        return index < split
            ? path(index, left, known) + [root(right, known)] : path(index - split, right, known) + [root(left, known)]
    }

    static func proof(
        _ count: Int, _ leaves: ArraySlice<Digest>, whole: Bool = true, _ known: Known? = nil
    ) -> [Digest] {
        if count == leaves.count { return whole ? [] : [root(leaves, known)] }
        let split = split(leaves.count)
        let (left, right) = (leaves.prefix(split), leaves.dropFirst(split))
        return count <= split
            ? proof(count, left, whole: whole, known) + [root(right, known)]
            : proof(count - split, right, whole: false, known) + [root(left, known)]
    }

    private static func split(_ count: Int) -> Int {
        var power = 1
        while power * 2 < count { power *= 2 }
        return power
    }

    /// Different leaves.
    static func leaves(_ count: Int) -> [Digest] {
        (0..<count).map { MerkleHashing.leaf([UInt8($0 & 255), UInt8($0 >> 8)]) }
    }
}

/// A digest with one bit turned.
func turned(_ digest: Digest, bit: Int = 77) throws -> Digest {
    var bytes = digest.bytes
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return try #require(Digest(bytes: bytes))
}

@Suite struct MerkleProofTests {
    /// Leaves and roots of the test vectors of Certificate Transparency (RFC 6962).
    static let records: [[UInt8]] = [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43], Array(0x50...0x57),
        Array(0x60...0x6F),
    ]
    static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test func `the vectors of RFC 6962 give the published roots, and their proofs verify`() throws {
        let leaves = Self.records.map { MerkleHashing.leaf($0) }
        let roots = try Self.roots.map { try #require(Digest(hex: $0)) }
        #expect(MerkleHashing.emptyRoot == roots[0])
        for size in 1...8 {
            #expect(PlainTree.root(leaves[..<size]) == roots[size])
            for index in 0..<size {
                let path = PlainTree.path(index, leaves[..<size])
                let proof = InclusionProof(index: UInt64(index), size: UInt64(size), path: path)
                #expect(proof.verifies(leaves[index], root: roots[size]))
            }
        }
        // Published: the path of leaf 0 of 8, and the consistency of 6 with 8.
        let path = [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ].compactMap { Digest(hex: $0) }
        #expect(InclusionProof(index: 0, size: 8, path: path).verifies(leaves[0], root: roots[8]))
        let growth = [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ].compactMap { Digest(hex: $0) }
        #expect(ConsistencyProof(from: 6, to: 8, path: growth).verifies(old: roots[6], new: roots[8]))
    }

    @Test func `every inclusion proof up to 130 leaves verifies, and none with one thing changed`() throws {
        let leaves = PlainTree.leaves(131)
        let known = PlainTree.Known()
        for size in 1...130 {
            let root = PlainTree.root(leaves[..<size], known)
            for index in 0..<size {
                let path = PlainTree.path(index, leaves[..<size], known)
                let proof = InclusionProof(index: UInt64(index), size: UInt64(size), path: path)
                guard proof.verifies(leaves[index], root: root) else {
                    Issue.record("leaf \(index) of \(size) does not verify")
                    continue
                }
                #expect(!proof.verifies(try turned(leaves[index]), root: root))
                #expect(!proof.verifies(leaves[index], root: try turned(root)))
                #expect(
                    !InclusionProof(index: UInt64(index), size: UInt64(size), path: path + [root]).verifies(
                        leaves[index], root: root))
                #expect(
                    !InclusionProof(index: UInt64(size), size: UInt64(size), path: path).verifies(
                        leaves[index], root: root))
                if path.isEmpty { continue }
                let place = (index + size) % path.count
                var wrong = proof
                wrong.path[place] = try turned(path[place], bit: (index * 7 + size) % 256)
                #expect(!wrong.verifies(leaves[index], root: root))
                wrong.path = path.dropLast()
                #expect(!wrong.verifies(leaves[index], root: root))
            }
        }
    }

    @Test func `every consistency proof up to 130 leaves verifies, and none with one thing changed`() throws {
        let leaves = PlainTree.leaves(131)
        let known = PlainTree.Known()
        let roots = (0...130).map { PlainTree.root(leaves[..<$0], known) }
        for to in 1...130 {
            for from in 1...to {
                let path = PlainTree.proof(from, leaves[..<to], known)
                let proof = ConsistencyProof(from: UInt64(from), to: UInt64(to), path: path)
                guard proof.verifies(old: roots[from], new: roots[to]) else {
                    Issue.record("\(from) to \(to) does not verify")
                    continue
                }
                #expect(!proof.verifies(old: try turned(roots[from]), new: roots[to]))
                #expect(!proof.verifies(old: roots[from], new: try turned(roots[to])))
                #expect(
                    !ConsistencyProof(from: proof.from, to: proof.to, path: path + [roots[1]]).verifies(
                        old: roots[from], new: roots[to]))
                if path.isEmpty { continue }
                var wrong = proof
                let place = (from + to) % path.count
                wrong.path[place] = try turned(path[place], bit: (from * 5 + to) % 256)
                #expect(!wrong.verifies(old: roots[from], new: roots[to]))
                wrong.path = path.dropLast()
                #expect(!wrong.verifies(old: roots[from], new: roots[to]))
                #expect(
                    !ConsistencyProof(from: proof.to, to: proof.from, path: path).verifies(
                        old: roots[to], new: roots[from]) || from == to)
            }
        }
    }

    @Test func `a path of 65 hashes is refused whatever it says`() {
        let path = [Digest](repeating: MerkleHashing.emptyRoot, count: MerkleHashing.longestPath + 1)
        #expect(InclusionProof(index: 0, size: .max, path: path).root(of: MerkleHashing.emptyRoot) == nil)
        #expect(InclusionProof(index: 0, size: .max, path: path.dropLast()).root(of: MerkleHashing.emptyRoot) != nil)
        let root = MerkleHashing.emptyRoot
        #expect(!ConsistencyProof(from: 1, to: .max, path: path).verifies(old: root, new: root))
    }

    @Test func `base64url has one text for one value`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(($0 * 37 + count) & 255) }
            #expect(Base64URL.bytes(Base64URL.text(bytes)) == bytes)
        }
        for wrong in ["A", "AB", "AAB", "AA=", "A+==", "å", "AA A", "AAAAA"] {
            #expect(Base64URL.bytes(wrong) == nil, "\(wrong)")
        }
        #expect(Base64URL.bytes("") == [])
        #expect(Base64URL.bytes("AA") == [0])
    }
}
