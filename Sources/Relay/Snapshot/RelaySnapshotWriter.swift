import CaseNotifications

/// Writes a relay's state piece by piece, each at most ``RelaySnapshot/pieceLimitBytes``. Nothing but the relay and one
/// piece is held.
package struct RelaySnapshotWriter: Sequence, IteratorProtocol, Sendable {
    private enum Stage: Sendable {
        case head
        case names(Int)
        case people(Int)
        case notifications(Int)
        case desks(Int)
        case finished(Int)
        case boxes(Int, row: Int)
        case known(slice: Int, place: Int)
        case end
        case done
    }

    private let relay: Relay
    /// Rows of notifications in the order of acceptance, and the place of each row in it.
    private let order: [UInt32]
    private var places: [UInt32]
    private let desks: [NameNumber]
    private let parties: [NameNumber]
    private var stage = Stage.head
    private var pieceNumber: UInt64 = 0
    /// Items that were made and are not in a piece yet; where each ends.
    private var made = ByteWriter(bytes: [])
    private var ends: [Int] = []
    private var packed = 0

    /// A writer of this state.
    package init(_ relay: Relay) {
        self.relay = relay
        var order = (0..<relay.notifications.end).filter { relay.notifications[$0].isLive }
        order.sort { relay.notifications[$0].sequence < relay.notifications[$1].sequence }
        places = Array(repeating: .none, count: Int(relay.notifications.end))
        for (place, row) in order.enumerated() { places[Int(row)] = UInt32(place) }
        self.order = order
        desks = relay.desks.keys.sorted()
        parties = relay.boxes.keys.sorted()
    }

    /// The next piece; nil behind the last.
    package mutating func next() -> [UInt8]? {
        var piece = ByteWriter(bytes: [])
        piece.byte(RelaySnapshot.version)
        piece.number(pieceNumber)
        var isEmpty = true
        while true {
            while packed < ends.count {
                let start = packed == 0 ? 0 : ends[packed - 1]
                if !isEmpty, piece.bytes.count + ends[packed] - start > RelaySnapshot.pieceLimitBytes {
                    pieceNumber += 1
                    return piece.bytes
                }
                piece.bytes += made.bytes[start..<ends[packed]]
                isEmpty = false
                packed += 1
            }
            made.bytes.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
            packed = 0
            if case .done = stage {
                pieceNumber += 1
                return isEmpty ? nil : piece.bytes
            }
            make()
        }
    }

    // MARK: Items

    private mutating func item(_ tag: RelaySnapshot.Tag, _ write: (inout ByteWriter) -> Void) {
        made.byte(tag.rawValue)
        write(&made)
        ends.append(made.bytes.count)
    }

    /// Makes the next items, and goes on to the next stage behind the last of one.
    private mutating func make() {
        switch stage {
        case .head:
            makeHead()
            stage = .names(0)
        case .names(let place):
            guard place < relay.names.all.count else { return stage = .people(0) }
            if let name = relay.names.all[place] { makeName(.name, name, place) }
            stage = .names(place + 1)
        case .people(let place):
            guard place < relay.names.people.count else { return stage = .notifications(0) }
            if let person = relay.names.people[place] { makeName(.person, .person(person), place) }
            stage = .people(place + 1)
        case .notifications(let place):
            guard place < order.count else { return stage = .desks(0) }
            makeNotification(order[place])
            stage = .notifications(place + 1)
        case .desks(let place):
            guard place < desks.count else { return stage = .finished(0) }
            makeDesk(desks[place])
            stage = .desks(place + 1)
        case .finished(let place):
            guard place < relay.finished.count else { return stage = .boxes(0, row: 0) }
            let number = places[Int(relay.finished[place])]
            item(.finished) { $0.number(number) }
            stage = .finished(place + 1)
        case .boxes(let place, let row):
            guard place < parties.count else { return stage = .known(slice: 0, place: 0) }
            let next = makeBox(parties[place], from: row)
            stage = next.map { .boxes(place, row: $0) } ?? .boxes(place + 1, row: 0)
        case .known(let slice, let place):
            guard slice < relay.known.slices.count else { return stage = .end }
            let next = makeKnown(relay.known.slices[slice], from: place)
            stage = next.map { .known(slice: slice, place: $0) } ?? .known(slice: slice + 1, place: 0)
        case .end:
            let digest = relay.stateDigest
            item(.end) {
                $0.word(digest.high)
                $0.word(digest.low)
            }
            stage = .done
        case .done: break
        }
    }

    private mutating func makeHead() {
        let relay = relay
        item(.head) { writer in
            writer.text(relay.collaboration.text)
            writer.number(relay.sequence)
            writer.flag(relay.isAvailable)
            writer.flag(relay.hasReleased)
            writer.flag(relay.activePolicy != nil)
            if let policy = relay.activePolicy { writer.digest(policy) }
            writer.time(relay.simulatedNow)
            writer.number(relay.lostRecords)
            writer.number(relay.reportedLost)
            writer.flag(relay.salt != nil)
            if let salt = relay.salt {
                writer.word(salt.high)
                writer.word(salt.low)
            }
            writer.number(UInt(relay.names.reserved))
            writer.number(UInt(relay.names.reservedPeople))
        }
    }

    private mutating func makeName(_ tag: RelaySnapshot.Tag, _ name: Name, _ number: Int) {
        item(tag) {
            $0.number(UInt(number))
            $0.name(name)
        }
    }

    private mutating func makeNotification(_ number: UInt32) {
        let row = relay.notifications[number]
        let sourceID = relay.sourceID(of: number)
        let slot = relay.cases[row.subject]?.slot
        item(.notification) { writer in
            writer.id(row.id)
            writer.digest(row.digest)
            writer.text(sourceID)
            for name in [row.source, row.client, row.type, row.policy, row.municipality] { writer.number(name) }
            writer.number(row.sequence)
            writer.text(row.subject.text)
            writer.optional(slot)
            // Whether it stands in `finished` is said there.
            writer.byte(row.traits.bits & 127)
        }
        var delivery = row.firstDelivery
        while delivery != .none {
            makeDelivery(relay.deliveries[delivery])
            delivery = relay.deliveries[delivery].nextOfNotification
        }
        var receipts: [UInt32] = []
        var receipt = row.newestReceipt
        while receipt != .none {
            receipts.append(receipt)
            receipt = relay.receiptRows[receipt].nextOlder
        }
        for receipt in receipts.reversed() {
            let entry = relay.receiptRows[receipt]
            item(.receipt) { writer in
                writer.receipt(entry)
                writer.flag(entry.isRead)
            }
        }
    }

    private mutating func makeDelivery(_ row: DeliveryRow) {
        item(.delivery) { writer in
            writer.time(row.acknowledgeBy)
            for name in [row.party, row.desk, row.agent, row.shape, row.giver, row.role] { writer.number(name) }
            writer.number(row.person)
            for span in [row.transportSpan, row.openedSpan, row.workSpan] { writer.number(span.milliseconds) }
            writer.number(row.ordinal)
            for byte in [row.transport.rawValue, row.work.rawValue, row.returns, row.urgency.rawValue] {
                writer.byte(byte)
            }
        }
        var acts: [ActRow] = []
        var act = row.firstAct
        while act != .none {
            acts.append(relay.acts[act])
            act = relay.acts[act].next
        }
        for act in acts.reversed() {
            item(.act) { writer in
                writer.number(act.person)
                writer.number(act.role)
                writer.byte(act.kind.stored)
                writer.word(act.fingerprint)
                writer.number(act.sequence)
            }
        }
    }

    private mutating func makeDesk(_ desk: NameNumber) {
        guard let row = relay.desks[desk] else { return }
        item(.desk) { $0.number(desk) }
        for head in row.heads {
            var next = head
            while next != .none {
                makeReference(.listed, next)
                next = relay.deliveries[next].nextAtDesk
            }
        }
        for given in row.givenAway { makeReference(.given, given) }
    }

    private mutating func makeReference(_ tag: RelaySnapshot.Tag, _ delivery: UInt32) {
        let row = relay.deliveries[delivery]
        let place = places[Int(row.notification)]
        item(tag) {
            $0.number(place)
            $0.number(row.ordinal)
        }
    }

    /// Some receipts of a box, from the `first`th on; returns where to go on.
    private mutating func makeBox(_ party: NameNumber, from first: Int) -> Int? {
        guard let box = relay.boxes[party] else { return nil }
        if first == 0 {
            item(.box) { writer in
                writer.number(party)
                writer.number(box.firstNumber)
                writer.number(UInt(box.rows.count))
                writer.number(box.partyCursor)
            }
            for client in box.clientCursors.keys.sorted() {
                item(.cursor) {
                    $0.number(client)
                    $0.number(box.clientCursors[client] ?? 0)
                }
            }
        }
        let end = Swift.min(first + 1_024, box.rows.count)
        let places = places
        for index in first..<end where box.rows[index] != .none {
            let entry = relay.receiptRows[box.rows[index]]
            item(.detached) { writer in
                writer.number(UInt(index))
                writer.flag(entry.isDetached)
                guard entry.isDetached else {
                    writer.number(places[Int(entry.notification)])
                    writer.word(entry.key)
                    return
                }
                writer.receipt(entry)
                writer.number(entry.accepted)
                writer.number(entry.detachedClient)
            }
        }
        return end < box.rows.count ? end : nil
    }

    private mutating func makeKnown(_ slice: KnownSubmissions.Slice, from place: Int) -> Int? {
        if place == 0 { item(.slice) { $0.time(Timestamp(milliseconds: slice.period)) } }
        guard let (entries, next) = slice.table.chunk(at: place) else { return nil }
        for (key, row) in entries {
            item(.known) { writer in
                writer.word(key.spread)
                writer.id(row.notification)
                writer.number(row.sequence)
                writer.number(row.digestHead)
                writer.word(row.digestTail)
            }
        }
        return next
    }
}

extension ByteWriter {
    /// What a receipt says and where it is.
    mutating func receipt(_ row: ReceiptRow) {
        number(row.sequence)
        number(row.ordinal)
        time(row.at)
        number(row.saying)
        for name in [row.party, row.desk, row.role] { number(name) }
    }
}

extension ActRow.Kind {
    var stored: UInt8 {
        switch self {
        case .opened: 1
        case .acknowledged: 2
        case .recused: 3
        }
    }

    init?(stored: UInt8) {
        switch stored {
        case 1: self = .opened
        case 2: self = .acknowledged
        case 3: self = .recused
        default: return nil
        }
    }
}
