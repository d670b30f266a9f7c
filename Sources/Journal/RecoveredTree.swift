/// The Merkle tree as a start finds it: computed from the records, compared with every trailer and header that tells it, and
/// taken from them behind records that are lost.
///
/// Signatures are not verified here: the trailers are authentic under the batches' keys, and `audit verify` checks the rest.
struct RecoveredTree {
    /// The right edge after the last record that was seen.
    private(set) var frontier: MerkleFrontier
    /// The last head that was seen.
    private(set) var lastHead: SignedHead?
    /// Whether records were lost and nothing behind them told the tree yet.
    private var isUncertain = false
    /// Where the leaves and heads go; nil when nobody will ask for proofs.
    private let log: RecentLog?

    /// - Parameter frontier: the tree before the first record that will be seen: empty, or a snapshot's.
    init(frontier: MerkleFrontier = MerkleFrontier(), log: RecentLog? = nil) {
        self.frontier = frontier
        self.log = log
        log?.begin(frontier)
    }

    /// Goes on to the end of `batch`; false when its trailer is authentic and speaks of another tree.
    mutating func follow(_ batch: OpenedBatch, journal: JournalID) -> Bool {
        guard batch.head.firstRecord > 0, batch.head.firstRecord - 1 >= frontier.size else { return false }
        lose(through: batch.head.firstRecord - 1)
        let leaves = batch.leaves
        for leaf in leaves { frontier.append(leaf) }
        log?.append(leaves)
        guard case .sound(let trailer) = batch.trailer else { return true }
        guard agree(trailer.frontier) else { return false }
        let head = trailer.signedHead(journal: journal, batch: batch.head.batch, chain: batch.chain)
        lastHead = head
        log?.append(head)
        return true
    }

    /// Goes on to the first record of a segment; false when its header speaks of another tree.
    mutating func follow(_ header: SegmentHeader) -> Bool {
        guard header.firstRecord > 0, header.firstRecord - 1 >= frontier.size else { return false }
        lose(through: header.firstRecord - 1)
        guard let told = header.frontier else { return true }
        return agree(told)
    }

    /// Every record up to this number is lost. What stands in their place is replaced by what a trailer or header behind
    /// them tells, if there is one.
    mutating func lose(through record: UInt64) {
        guard frontier.size < record else { return }
        isUncertain = true
        log?.lose(through: record)
        while frontier.size < record { frontier.append(MerkleTree.lostLeaf(frontier.size + 1)) }
    }

    /// Goes on behind the last record that the watermark knows.
    mutating func take(_ told: MerkleFrontier) {
        lose(through: told.size)
        _ = agree(told)
    }

    /// Takes the tree that somebody tells for this very place, unless it is known.
    mutating func place(_ told: MerkleFrontier) {
        if isUncertain { _ = agree(told) }
    }

    private mutating func agree(_ told: MerkleFrontier) -> Bool {
        if told == frontier {
            // The stand-ins were what was signed: a journal that lost records before heads were.
            if isUncertain { log?.place(told) }
        } else {
            guard told.size == frontier.size else { return false }
            // Where nothing was lost it is another tree. Whoever accepts that goes on with what was signed.
            defer { isUncertain = false }
            frontier = told
            log?.place(told)
            return isUncertain
        }
        isUncertain = false
        return true
    }

    /// Says what stands behind lost records when nothing told it to the end.
    mutating func finish() {
        if isUncertain { log?.place(frontier) }
        isUncertain = false
    }
}
