package import CaseNotifications

/// Rebuilds a relay from the pieces of a snapshot. Foreign bytes never trap: what no writer writes is refused, and what
/// was read is the state that was written, by its digest.
///
/// After an error the reader is of no use any more.
package struct RelaySnapshotReader: Sendable {
    var relay: Relay
    private var pieces: UInt64 = 0
    private var group = -1
    private var stored: StateDigest?
    /// Numbers to be left out, told before the names are read.
    private var reserved = (names: 0, people: 0)

    // What later items are checked against.
    /// Rows of notifications in the order of acceptance.
    var order: [UInt32] = []
    var lastDelivery = UInt32.none
    var lastAct = UInt32.none
    /// Deliveries that must stand in a list, and those that do.
    var expectedListed = 0
    var foundListed = 0
    var expectedGiven = 0
    var givenSeen: Set<UInt32> = []
    /// Receipts that must stand in a box, and those that do.
    var expectedUnread = 0
    var foundUnread = 0
    /// Places in all boxes so far.
    var boxed: UInt64 = 0
    var desk: NameNumber?
    var party: NameNumber?
    var period: Int64?
    var lastKnown: UInt64?

    /// A reader for a relay of this collaboration.
    package init(
        collaboration: CollaborationID, settings: RelaySettings = .standard, finishedLimit: Int = Relay.finishedLimit
    ) {
        relay = Relay(collaboration: collaboration, settings: settings, finishedLimit: finishedLimit)
    }

    /// Takes the next piece.
    package mutating func add(_ piece: [UInt8]) throws(SnapshotFault) {
        var reader = ByteReader(piece)
        let number = pieces
        do {
            let version = try reader.byte()
            guard version == RelaySnapshot.version else { throw SnapshotFault.unknownVersion(version) }
            guard try reader.number() == number else { throw SnapshotFault.outOfOrder(piece: number) }
            while reader.offset < piece.count { try item(&reader) }
        } catch let fault as SnapshotFault {
            throw fault
        } catch {
            throw .badItem(piece: number, offset: reader.offset)
        }
        pieces += 1
    }

    /// The relay, once all pieces are there.
    package mutating func finish() throws(SnapshotFault) -> Relay {
        guard let stored else { throw .incomplete }
        guard foundListed == expectedListed, givenSeen.count == expectedGiven, foundUnread == expectedUnread,
            order.allSatisfy({ relay.isOpenOrFinished($0) })
        else { throw .incomplete }
        let digest = relay.stateDigest
        guard digest == stored else { throw .digestMismatch(stored: stored, read: digest) }
        return relay
    }

    private mutating func item(_ reader: inout ByteReader) throws {
        guard stored == nil else { throw SnapshotFault.incomplete }
        guard let tag = RelaySnapshot.Tag(rawValue: try reader.byte()), tag.group >= group,
            tag.group > 0 || group < 0, group >= 0 || tag == .head
        else { throw reader.bad }
        if tag.group > 2, group <= 2 { relay.names.reserve(names: reserved.names, people: reserved.people) }
        if tag.group != group, group == 6 { try closeBox(reader) }
        group = tag.group
        switch tag {
        case .head: try head(&reader)
        case .name, .person: try name(tag, &reader)
        case .notification: try notification(&reader)
        case .delivery: try delivery(&reader)
        case .act: try act(&reader)
        case .receipt: try attachedReceipt(&reader)
        case .desk: try desk(&reader)
        case .listed, .given: try reference(tag, &reader)
        case .finished: try finished(&reader)
        case .box: try box(&reader)
        case .cursor: try cursor(&reader)
        case .detached: try place(&reader)
        case .slice: try slice(&reader)
        case .known: try known(&reader)
        case .end: stored = StateDigest(high: try reader.word(), low: try reader.word())
        }
    }

    private mutating func head(_ reader: inout ByteReader) throws {
        guard try reader.text() == relay.collaboration.text else { throw SnapshotFault.otherCollaboration }
        relay.sequence = try reader.number()
        guard relay.sequence < 1 << 48 else { throw reader.bad }
        relay.isAvailable = try reader.flag()
        relay.hasReleased = try reader.flag()
        if try reader.flag() { relay.activePolicy = try reader.digest() }
        relay.simulatedNow = try reader.optionalTime()
        relay.lostRecords = try reader.number()
        relay.reportedLost = try reader.number()
        guard relay.lostRecords < 1 << 48 else { throw reader.bad }
        if try reader.flag() { relay.salt = LeafRandom(high: try reader.word(), low: try reader.word()) }
        let (names, people) = (try reader.number(), try reader.number())
        guard names <= UInt64(Names.reserveLimit), people <= UInt64(Names.reserveLimit) else { throw reader.bad }
        reserved = (Int(names), Int(people))
    }

    private mutating func name(_ tag: RelaySnapshot.Tag, _ reader: inout ByteReader) throws {
        let number = Int(try reader.person())
        let name: Name = try reader.name()
        var isPerson = false
        if case .person = name { isPerson = true }
        guard isPerson == (tag == .person), relay.names.fits(name, as: number) else { throw reader.bad }
        relay.names.add(name, as: number)
    }
}

// MARK: Notifications

extension RelaySnapshotReader {
    private mutating func notification(_ reader: inout ByteReader) throws {
        let id = try reader.notification()
        let digest = try reader.digest()
        let sourceID = try reader.text()
        let (source, client, type): (NameNumber, NameNumber, NameNumber) = (
            try reader.name(), try reader.name(), try reader.name()
        )
        let (policy, municipality): (NameNumber, NameNumber) = (try reader.name(), try reader.name())
        let sequence = try reader.number()
        let subject = try reader.checked { CaseID($0) }
        let slot = try reader.optional()
        guard let traits = NotificationRow.Traits(bits: try reader.byte()), !traits.isInFinished,
            relay.index[id] == nil, relay.cases[subject].map({ $0.slot == slot }) ?? true,
            relay.isParty(source), relay.isClient(client), relay.isType(type), relay.isPolicy(policy),
            relay.isTextOrNone(municipality), sequence <= relay.sequence,
            order.last.map({ relay.notifications[$0].sequence < sequence }) ?? (sequence > 0)
        else { throw reader.bad }
        let number = relay.notifications.add(
            NotificationRow(
                id: id, digest: digest, sourceID: InlineText(sourceID) ?? InlineText(), source: source,
                client: client, type: type, policy: policy, municipality: municipality, sequence: sequence,
                subject: subject, traits: traits))
        if InlineText(sourceID) == nil { relay.longIDs[number] = sourceID }
        relay.index[id] = number
        relay.link(number, slot: slot)
        order.append(number)
        lastDelivery = .none
        lastAct = .none
    }

    private mutating func delivery(_ reader: inout ByteReader) throws {
        guard let number = order.last else { throw reader.bad }
        let acknowledgeBy = try reader.time()
        var numbers: [NameNumber] = []
        for _ in 0..<6 { numbers.append(try reader.name()) }
        let person = try reader.person()
        let spans = (try reader.span(), try reader.span(), try reader.span())
        let ordinal: NameNumber = try reader.name()
        guard relay.isParty(numbers[0]), relay.isDesk(numbers[1]), numbers[2] == .none || relay.isParty(numbers[2]),
            relay.isShape(numbers[3]), numbers[4] == .none || relay.isDesk(numbers[4]), relay.isTextOrNone(numbers[5]),
            person == .none || relay.isPerson(person), ordinal < Relay.partyLimit,
            Int(ordinal) == (lastDelivery == .none ? 0 : Int(relay.deliveries[lastDelivery].ordinal) + 1)
        else { throw reader.bad }
        guard let transport = Transport(rawValue: try reader.byte()), let work = Work(rawValue: try reader.byte())
        else {
            throw reader.bad
        }
        let returns = try reader.byte()
        let row = DeliveryRow(
            acknowledgeBy: acknowledgeBy, notification: number, person: person, party: numbers[0], desk: numbers[1],
            agent: numbers[2], shape: numbers[3], giver: numbers[4], role: numbers[5], transportSpan: spans.0,
            openedSpan: spans.1, workSpan: spans.2, ordinal: ordinal, transport: transport, work: work,
            returns: returns, urgency: try reader.urgency())
        let added = relay.deliveries.add(row)
        if lastDelivery == .none {
            relay.notifications[number].firstDelivery = added
        } else {
            relay.deliveries[lastDelivery].nextOfNotification = added
        }
        relay.count(row, by: 1)
        if row.belongsOnList { expectedListed += 1 }
        if row.isGivenAway { expectedGiven += 1 }
        lastDelivery = added
        lastAct = .none
    }

    private mutating func act(_ reader: inout ByteReader) throws {
        let (person, role): (PersonNumber, NameNumber) = (try reader.person(), try reader.name())
        guard lastDelivery != .none, relay.isPerson(person), relay.isText(role),
            let kind = ActRow.Kind(stored: try reader.byte())
        else { throw reader.bad }
        let row = ActRow(
            next: relay.deliveries[lastDelivery].firstAct, person: person, role: role, kind: kind,
            fingerprint: try reader.word(), sequence: try reader.number())
        relay.deliveries[lastDelivery].firstAct = relay.acts.add(row)
    }

    private mutating func attachedReceipt(_ reader: inout ByteReader) throws {
        guard let number = order.last else { throw reader.bad }
        var row = try receipt(&reader)
        let newest = relay.notifications[number].newestReceipt
        guard newest == .none || relay.receiptRows[newest].key < row.key else { throw reader.bad }
        row.isRead = try reader.flag()
        if !row.isRead { expectedUnread += 1 }
        row.attach(to: number, nextOlder: newest)
        relay.notifications[number].newestReceipt = relay.receiptRows.add(row)
    }

    private func receipt(_ reader: inout ByteReader) throws -> ReceiptRow {
        let (sequence, ordinal): (UInt64, NameNumber) = (try reader.number(), try reader.name())
        let at = try reader.time()
        let (saying, party): (NameNumber, NameNumber) = (try reader.name(), try reader.name())
        let (desk, role): (NameNumber, NameNumber) = (try reader.name(), try reader.name())
        guard sequence <= relay.sequence, party == .none || relay.isParty(party), desk == .none || relay.isDesk(desk),
            relay.isTextOrNone(role),
            var row = ReceiptRow(sequence: sequence, ordinal: ordinal, at: at, saying: saying)
        else { throw reader.bad }
        row.party = party
        row.desk = desk
        row.role = role
        return row
    }
}

// MARK: Lists

extension RelaySnapshotReader {
    private mutating func desk(_ reader: inout ByteReader) throws {
        let number: NameNumber = try reader.name()
        guard relay.isDesk(number), desk.map({ $0 < number }) ?? true else { throw reader.bad }
        desk = number
        if relay.desks[number] == nil { relay.desks[number] = DeskRow() }
    }

    private func notification(at place: UInt64) -> UInt32? {
        place < UInt64(order.count) ? order[Int(place)] : nil
    }

    private mutating func reference(_ tag: RelaySnapshot.Tag, _ reader: inout ByteReader) throws {
        let place = try reader.number()
        let ordinal: NameNumber = try reader.name()
        guard let desk, let number = notification(at: place),
            let row = relay.row(of: DeliveryID(notification: relay.notifications[number].id, ordinal: ordinal))
        else { throw reader.bad }
        let delivery = relay.deliveries[row]
        if tag == .listed {
            guard delivery.desk == desk, delivery.belongsOnList, !delivery.isListed else { throw reader.bad }
            relay.list(row)
            foundListed += 1
        } else {
            guard delivery.isGivenAway, delivery.giver == desk, givenSeen.insert(row).inserted else { throw reader.bad }
            relay.desks[desk]?.givenAway.append(row)
        }
    }

    private mutating func finished(_ reader: inout ByteReader) throws {
        guard let number = notification(at: try reader.number()), !relay.notifications[number].traits.isInFinished,
            relay.finished.count < relay.finishedLimit
        else { throw reader.bad }
        relay.notifications[number].traits.isInFinished = true
        relay.finished.append(number)
    }
}

// MARK: Boxes

extension RelaySnapshotReader {
    private mutating func box(_ reader: inout ByteReader) throws {
        try closeBox(reader)
        let number: NameNumber = try reader.name()
        let (first, count, cursor) = (try reader.number(), try reader.number(), try reader.number())
        guard relay.isParty(number), party.map({ $0 < number }) ?? true, first > 0, first < 1 << 48,
            count <= RelaySnapshot.boxLimit - boxed
        else { throw reader.bad }
        boxed += count
        var box = ReceiptBox()
        box.firstNumber = first
        for _ in 0..<count { box.rows.append(.none) }
        guard cursor <= box.lastNumber else { throw reader.bad }
        box.partyCursor = cursor
        relay.boxes[number] = box
        party = number
    }

    /// The first place of a box is never empty, and its receipts are in their order.
    private func closeBox(_ reader: ByteReader) throws {
        guard let party, let box = relay.boxes[party], box.rows.count > 0 else { return }
        guard box.rows.first != UInt32.none else { throw reader.bad }
        var last: UInt64?
        for index in 0..<box.rows.count where box.rows[index] != .none {
            let key = relay.receiptRows[box.rows[index]].key
            if let last, key <= last { throw reader.bad }
            last = key
        }
    }

    private mutating func cursor(_ reader: inout ByteReader) throws {
        let client: NameNumber = try reader.name()
        let number = try reader.number()
        guard let party, relay.isClient(client), number > 0, relay.boxes[party]?.clientCursors[client] == nil,
            number <= relay.boxes[party]?.lastNumber ?? 0
        else { throw reader.bad }
        relay.boxes[party]?.clientCursors[client] = number
    }

    private mutating func place(_ reader: inout ByteReader) throws {
        let index = try reader.number()
        // Nothing may hold the box while it changes, or every change would copy it.
        guard let party, index < UInt64(relay.boxes[party]?.rows.count ?? 0),
            relay.boxes[party]?.rows[Int(index)] == UInt32.none
        else { throw reader.bad }
        let row = try reader.flag() ? try detachedReceipt(&reader) : try unreadRow(of: party, &reader)
        relay.boxes[party]?.rows[Int(index)] = row
    }

    private mutating func detachedReceipt(_ reader: inout ByteReader) throws -> UInt32 {
        var row = try receipt(&reader)
        let accepted = try reader.number()
        let client: NameNumber = try reader.name()
        guard accepted > 0, accepted <= row.sequence, relay.isClient(client) else { throw reader.bad }
        row.detach(accepted: accepted, client: client)
        return relay.receiptRows.add(row)
    }

    /// The attached receipt that a box refers to.
    private mutating func unreadRow(of party: NameNumber, _ reader: inout ByteReader) throws -> UInt32 {
        guard let number = notification(at: try reader.number()), relay.notifications[number].source == party else {
            throw reader.bad
        }
        let key = try reader.word()
        var row = relay.notifications[number].newestReceipt
        while row != .none, relay.receiptRows[row].key != key { row = relay.receiptRows[row].nextOlder }
        guard row != .none, !relay.receiptRows[row].isRead else { throw reader.bad }
        foundUnread += 1
        return row
    }
}

// MARK: Known submissions

extension RelaySnapshotReader {
    private mutating func slice(_ reader: inout ByteReader) throws {
        let next = try reader.time().milliseconds
        guard period.map({ $0 < next }) ?? true, next.magnitude < 1 << 40 else { throw reader.bad }
        period = next
        lastKnown = nil
    }

    private mutating func known(_ reader: inout ByteReader) throws {
        let key = try reader.word()
        let id = try reader.notification()
        let (sequence, head): (UInt64, NameNumber) = (try reader.number(), try reader.name())
        let tail = try reader.word()
        guard let period, lastKnown.map({ $0 < key }) ?? true, sequence <= relay.sequence else { throw reader.bad }
        lastKnown = key
        relay.known.insert(
            SubmissionKey(bits: key),
            KnownRow(notification: id, sequence: sequence, digestHead: head, digestTail: tail), period: period)
    }
}

extension ByteReader {
    fileprivate mutating func span() throws(EventCodecError) -> Span { Span(milliseconds: try person()) }
}
