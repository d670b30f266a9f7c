/// BEGIN, COMMIT, ABORT. A transaction is kept here until its COMMIT and handed out as one list; the RECEIPTs of its
/// frames come when COMMIT is answered, just before COMMIT's own. ABORT answers them with `status:aborted`.
extension ServerSession {
    struct Transaction: Sendable {
        var name: String
        var items: [Item] = []
        var byteCount = 0
    }

    struct Item: Sendable {
        var receipt: String?
        var action: ItemAction
    }

    /// As `TransactedAction`, with numbers in flight where that has tags.
    enum ItemAction: Sendable {
        case send(SendRequest)
        case acknowledge([UInt64])
        case reject([UInt64])
    }

    mutating func add(
        _ action: ItemAction, _ receipt: String?, byteCount: Int = 0, to name: String
    ) throws(Fault) {
        let index = try indexOfTransaction(name)
        guard transactions[index].items.count < limits.transactionFrames else {
            throw Fault(
                "more than \(limits.transactionFrames) frames in a transaction",
                "A transaction may have \(limits.transactionFrames) frames. COMMIT earlier.")
        }
        let total = transactions.reduce(0) { $0 + $1.byteCount } + byteCount
        guard total <= limits.transactionBytes else {
            throw Fault(
                "more than \(limits.transactionBytes) bytes in transactions",
                "The open transactions of a connection may have \(limits.transactionBytes) bytes. COMMIT earlier.")
        }
        transactions[index].items.append(Item(receipt: receipt, action: action))
        transactions[index].byteCount += byteCount
    }

    mutating func handleBegin(
        _ frame: Frame, _ receipt: String?, at now: SessionInstant, _ effects: inout [SessionEffect]
    ) throws(Fault) {
        guard let name = frame.headers["transaction"] else { throw Self.missing("transaction", on: .begin) }
        guard !transactions.contains(where: { $0.name == name }) else {
            throw Fault(
                "transaction is open already", "BEGIN needs a name that no open transaction of the connection has.")
        }
        guard transactions.count < limits.openTransactions else {
            throw Fault(
                "more than \(limits.openTransactions) open transactions",
                "A connection may have \(limits.openTransactions) open transactions. COMMIT or ABORT one first.")
        }
        transactions.append(Transaction(name: name))
        answerOwn(receipt, at: now, &effects)
    }

    mutating func handleCommit(
        _ frame: Frame, _ receipt: String?, at now: SessionInstant, _ effects: inout [SessionEffect]
    ) throws(Fault) {
        guard let name = frame.headers["transaction"] else { throw Self.missing("transaction", on: .commit) }
        let transaction = transactions.remove(at: try indexOfTransaction(name))
        guard !transaction.items.isEmpty else { return answerOwn(receipt, at: now, &effects) }
        var items: [TransactionItem] = []
        items.reserveCapacity(transaction.items.count)
        for item in transaction.items {
            let action: TransactedAction =
                switch item.action {
                case .send(let request): .send(request)
                case .acknowledge(let numbers): .acknowledge(removeInFlight(numbers))
                case .reject(let numbers): .reject(removeInFlight(numbers))
                }
            items.append(TransactionItem(receipt: item.receipt, action: action))
        }
        handOut(
            .commit(items), receipt, kind: .commit(receipts: transaction.items.map(\.receipt)),
            byteCount: transaction.byteCount, &effects)
    }

    mutating func handleAbort(
        _ frame: Frame, _ receipt: String?, at now: SessionInstant, _ effects: inout [SessionEffect]
    ) throws(Fault) {
        guard let name = frame.headers["transaction"] else { throw Self.missing("transaction", on: .abort) }
        let transaction = transactions.remove(at: try indexOfTransaction(name))
        var returned: [MessageTag] = []
        for item in transaction.items {
            switch item.action {
            case .send: break
            case .acknowledge(let numbers), .reject(let numbers): returned += inFlight.release(numbers)
            }
        }
        if !returned.isEmpty { effects.append(.returned(returned)) }
        let aborted: Answer = .committed(transaction.items.map { _ in ["status": "aborted"] })
        answerOwn(receipt, .commit(receipts: transaction.items.map(\.receipt)), aborted, at: now, &effects)
    }

    private func indexOfTransaction(_ name: String) throws(Fault) -> Int {
        guard let index = transactions.firstIndex(where: { $0.name == name }) else {
            throw Fault(
                "unknown transaction", "No transaction of that name is open on this connection. BEGIN it first.")
        }
        return index
    }
}
