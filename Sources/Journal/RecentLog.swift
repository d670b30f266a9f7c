import Synchronization

/// Leaves, nodes and heads that are not in `audit/` yet, and the newest of those that are. Any thread.
///
/// At most `JournalLimits.maxRecentLeaves` leaves are held, 64 bytes each, and as many heads of 192 bytes as fall on them, at
/// most `JournalLimits.maxRecentHeads`.
final class RecentLog: Sendable {
    private struct State {
        var nodes = MerkleNodes()
        var heads = HeadList()
    }

    private let state = Mutex(State())

    /// Forgets everything and goes on behind `frontier`.
    func begin(_ frontier: MerkleFrontier) {
        state.withLock { $0 = State(nodes: MerkleNodes(frontier)) }
    }

    func append(_ leaves: [MerkleHash]) {
        state.withLock { state in
            for leaf in leaves { state.nodes.append(leaf) }
            let limit = UInt64(JournalLimits.maxRecentLeaves)
            guard state.nodes.size - state.nodes.firstLeaf > limit else { return }
            // Half of them at once, so that it happens seldom.
            state.nodes.forget(below: state.nodes.size - limit / 2)
            state.heads.forget(below: state.nodes.firstLeaf)
        }
    }

    /// The leaves of a batch with the head that covers them.
    func append(_ leaves: [MerkleHash], _ head: SignedHead) {
        append(leaves)
        append(head)
    }

    func append(_ head: SignedHead) { state.withLock { $0.heads.append(head) } }

    func lose(through record: UInt64) { state.withLock { $0.nodes.appendUnknown(through: record) } }

    func place(_ frontier: MerkleFrontier) { state.withLock { $0.nodes.place(frontier) } }

    /// Gives back what lies in `audit/`, but for the newest leaves: their receipts are likely to be asked for soon.
    func forget(below leaf: UInt64) {
        state.withLock { state in
            let kept = UInt64(JournalLimits.keptRecentLeaves)
            state.nodes.forget(below: min(leaf, state.nodes.size - min(state.nodes.size, kept)))
            state.heads.forget(below: state.nodes.firstLeaf)
        }
    }

    /// Leaves in the whole tree.
    var size: UInt64 { state.withLock { $0.nodes.size } }
    var latest: SignedHead? { state.withLock { $0.heads.last } }

    func node(_ level: Int, _ index: UInt64) -> MerkleHash? { state.withLock { $0.nodes.node(level, index) } }

    /// The first head that is held and covers the record.
    func head(covering record: UInt64) -> SignedHead? { state.withLock { $0.heads.first(covering: record) } }

    /// Leaf, path and head from memory alone.
    func evidence(for record: UInt64) -> MerkleEvidence? {
        state.withLock { state in
            guard record > 0, let leaf = state.nodes.node(0, record - 1),
                let head = state.heads.first(covering: record)
            else { return nil }
            // The closure cannot fail here, and a failure would only mean that there is no evidence.
            let path = try? MerkleProofs.path(of: record - 1, size: head.size) { level, index in
                state.nodes.node(level, index)
            }
            guard let path else { return nil }
            return MerkleEvidence(record: record, leaf: leaf, path: path, head: head)
        }
    }

    func root(size: UInt64) -> MerkleHash? {
        state.withLock { state in
            try? MerkleProofs.root(size: size) { level, index in state.nodes.node(level, index) }
        }
    }
}

/// What proves that a record is in the log.
package struct MerkleEvidence: Sendable, Equatable {
    /// The record's number; its leaf's index is one less.
    package let record: UInt64
    /// SHA-256(0x00 || record).
    package let leaf: MerkleHash
    /// The audit path in the tree of `head`, from the leaf up.
    package let path: [MerkleHash]
    /// A signed head that covers the record, the first one where it is known.
    package let head: SignedHead
}

/// Signed heads one behind the other, in the form that the file has.
struct HeadList {
    private var sizes: [UInt64] = []
    private var entries: [[UInt8]] = []

    var count: Int { sizes.count }
    var last: SignedHead? { entries.last.flatMap { HeadEntry(decoding: $0)?.head } }

    mutating func append(_ head: SignedHead) {
        sizes.append(head.size)
        entries.append(HeadEntry(head: head).encoded)
        if sizes.count > JournalLimits.maxRecentHeads { drop(JournalLimits.maxRecentHeads / 2) }
    }

    /// The first head whose tree holds the record.
    func first(covering record: UInt64) -> SignedHead? {
        let index = partition(record)
        return index < entries.count ? HeadEntry(decoding: entries[index])?.head : nil
    }

    /// Drops heads that cover no record behind `leaf`; the newest stays.
    mutating func forget(below leaf: UInt64) { drop(min(partition(leaf + 1), max(sizes.count - 1, 0))) }

    private mutating func drop(_ count: Int) {
        sizes.removeFirst(count)
        entries.removeFirst(count)
    }

    /// How many heads do not cover the record.
    private func partition(_ record: UInt64) -> Int {
        var (low, high) = (0, sizes.count)
        while low < high {
            let middle = (low + high) / 2
            if sizes[middle] < record { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// One entry of `audit/heads`: a signed head, or a mark that says how far the levels are synced. 192 bytes.
///
/// Layout: Journal.docc/FileFormat.md, "Audit".
struct HeadEntry: Equatable {
    static let bytes = 192
    static let checkOffset = 177
    private static let markSerial: UInt32 = 0

    /// A mark has the serial 0 and no signature.
    var head: SignedHead
    var isMark: Bool { head.serial == Self.markSerial }

    init(head: SignedHead) { self.head = head }

    /// The levels hold this many leaves; the root is theirs, unknown when leaves are.
    init(mark frontier: MerkleFrontier, journal: JournalID) {
        let statement = SignedHead.Statement(
            journal: journal, batch: 0, size: frontier.size, wallMilliseconds: 0,
            chain: [UInt8](repeating: 0, count: Chain.headBytes), root: frontier.root)
        head = SignedHead(
            statement, serial: Self.markSerial, signature: [UInt8](repeating: 0, count: SigningKey.signatureBytes))
    }

    var encoded: [UInt8] {
        var entry = ByteWriter()
        entry.put(head.serial)
        entry.put(UInt32(0))
        entry.put(head.body)
        entry.put(head.signature)
        entry.put(Array(Cipher.digest(entry.bytes)[..<(Self.bytes - Self.checkOffset)]))
        return entry.bytes
    }

    init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.bytes,
            Cipher.digest(Array(bytes[..<Self.checkOffset])).starts(with: bytes[Self.checkOffset...])
        else { return nil }
        var reader = ByteReader(bytes)
        guard let serial = reader.number(UInt32.self), reader.number(UInt32.self) != nil,
            let body = reader.take(SignedHead.bodyBytes), let signature = reader.take(SigningKey.signatureBytes),
            let statement = SignedHead.Statement(body: body)
        else { return nil }
        head = SignedHead(statement, serial: serial, signature: signature)
    }
}

extension SignedHead.Statement {
    /// Reads a body. Foreign bytes: what is none gives nil.
    init?(body: [UInt8]) {
        guard body.count == SignedHead.bodyBytes, body[0] == 1 else { return nil }
        var reader = ByteReader(body.dropFirst())
        guard let journal = reader.journal(), let batch = reader.number(UInt64.self),
            let size = reader.number(UInt64.self), let wall = reader.number(UInt64.self),
            let chain = reader.take(Chain.headBytes), let root = reader.hashes(1)?.first
        else { return nil }
        self.init(
            journal: journal, batch: UInt64(bigEndian: batch), size: UInt64(bigEndian: size),
            wallMilliseconds: Int64(bitPattern: UInt64(bigEndian: wall)), chain: chain, root: root)
    }
}
