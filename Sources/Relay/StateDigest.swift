import CaseNotifications

/// A fingerprint of a relay's state: equal states have equal ones, and two that differ hardly ever do.
///
/// It finds mistakes, not attacks: the journal's chain protects the events that the state is made of.
package struct StateDigest: Sendable, Equatable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    /// 32 hexadecimal digits.
    package var description: String {
        [high, low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// Mixes words into one, the same in every process.
///
/// What people did is compared by it (`Relay.fingerprint`).
struct Mixer {
    private(set) var value: UInt64

    init(seed: UInt64) { value = seed &* 0x9e37_79b9_7f4a_7c15 ^ 0x2545_f491_4f6c_dd1d }

    mutating func mix(_ word: UInt64) {
        // One round of SplitMix64 over the running value.
        var mixed = (value ^ word) &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        value = mixed ^ (mixed >> 31)
    }
}

/// Mixes words into the two of a `StateDigest`, the same in every process.
struct DigestMixer {
    private var high = Mixer(seed: 11)
    private var low = Mixer(seed: 12)

    var digest: StateDigest { StateDigest(high: high.value, low: low.value) }

    mutating func mix(_ word: UInt64) {
        high.mix(word)
        low.mix(word)
    }

    /// Eight bytes at a time, then their count.
    mutating func mix(_ bytes: some Sequence<UInt8>) {
        var count: UInt64 = 0
        var word: UInt64 = 0
        for byte in bytes {
            word = word << 8 | UInt64(byte)
            count += 1
            if count & 7 == 0 { mix(word) }
        }
        if count & 7 != 0 { mix(word) }
        mix(count)
    }

    mutating func mix(_ time: Timestamp?) { mix(time.map { UInt64(bitPattern: $0.milliseconds) } ?? .max) }

    mutating func mix(_ id: NotificationID) {
        mix(id.high)
        mix(id.low)
    }

    mutating func mix(_ digest: StateDigest) {
        mix(digest.high)
        mix(digest.low)
    }
}

/// The sum of many fingerprints: the same in any order, and kept in step without going over them.
struct DigestSum: Sendable, Equatable {
    private(set) var high: UInt64 = 0
    private(set) var low: UInt64 = 0

    var digest: StateDigest { StateDigest(high: high, low: low) }

    mutating func add(_ digest: StateDigest) {
        high &+= digest.high
        low &+= digest.low
    }

    mutating func remove(_ digest: StateDigest) {
        high &-= digest.high
        low &-= digest.low
    }
}

extension Relay {
    /// The most rows over which `sample` goes: some milliseconds.
    package static let sampleRowLimit = 50_000

    /// Where the fold stands, for a comparison with another fold; nil while more than ``sampleRowLimit`` rows are in memory.
    package func sample() -> (sequence: UInt64, digest: StateDigest)? {
        let rows = notifications.count + deliveries.count + acts.count + receiptRows.count
        return rows <= Self.sampleRowLimit ? (sequence, stateDigest) : nil
    }

    /// The state's fingerprint, of everything that a snapshot holds. It does not depend on where rows happen to lie.
    ///
    /// Takes time in proportion to what is open and to unread receipts; submissions are summed up as they come and go.
    package var stateDigest: StateDigest {
        var mixer = DigestMixer()
        mixer.mix(sequence)
        mixer.mix(activePolicy?.bytes ?? [])
        mixer.mix(simulatedNow)
        mixer.mix((isAvailable ? 1 : 0) | (hasReleased ? 2 : 0))
        mixer.mix(lostRecords)
        mixer.mix(reportedLost)
        mixer.mix(salt?.high ?? 0)
        mixer.mix(salt?.low ?? 0)
        mixer.mix(UInt64(openDeliveries))
        mixer.mix(UInt64(protectedOpen))
        mixNames(into: &mixer)
        for slice in known.slices {
            mixer.mix(UInt64(bitPattern: slice.period))
            mixer.mix(UInt64(slice.table.count))
            mixer.mix(slice.sum.digest)
        }
        var sum = DigestSum()
        for number in 0..<notifications.end where notifications[number].isLive {
            sum.add(fingerprint(of: number))
        }
        mixer.mix(UInt64(notifications.count))
        mixer.mix(sum.digest)
        mixer.mix(UInt64(finished.count))
        for index in 0..<finished.count { mixer.mix(notifications[finished[index]].id) }
        for party in boxes.keys.sorted() { mix(box: party, into: &mixer) }
        for desk in desks.keys.sorted() { mix(desk: desk, into: &mixer) }
        return mixer.digest
    }

    private func mixNames(into mixer: inout DigestMixer) {
        mixer.mix(UInt64(names.reserved) << 32 | UInt64(names.reservedPeople))
        for name in names.all + names.people.map({ $0.map(Name.person) }) {
            guard let name else {
                mixer.mix(.max)
                continue
            }
            var writer = ByteWriter(bytes: [])
            writer.name(name)
            mixer.mix(writer.bytes)
        }
    }

    private func fingerprint(of number: UInt32) -> StateDigest {
        var mixer = DigestMixer()
        let row = notifications[number]
        mixer.mix(row.id)
        mixer.mix(row.digest.bytes)
        mixer.mix(sourceID(of: number).utf8)
        mixer.mix(row.sequence)
        mixer.mix(row.subject.text.utf8)
        mixer.mix(UInt64(row.source) << 32 | UInt64(row.client) << 16 | UInt64(row.type))
        mixer.mix(UInt64(row.policy) << 16 | UInt64(row.municipality))
        mixer.mix(UInt64(row.openDeliveries) << 8 | UInt64(row.traits.bits))
        mixer.mix(cases[row.subject]?.slot ?? .max)
        mixer.mix(row.nextInCase == .none ? NotificationID(high: 0, low: 0) : notifications[row.nextInCase].id)
        var delivery = row.firstDelivery
        while delivery != .none {
            mix(deliveries[delivery], into: &mixer)
            delivery = deliveries[delivery].nextOfNotification
        }
        var receipt = row.newestReceipt
        while receipt != .none {
            mix(receiptRows[receipt], into: &mixer)
            mixer.mix(receiptRows[receipt].isRead ? 1 : 0)
            receipt = receiptRows[receipt].nextOlder
        }
        return mixer.digest
    }

    private func mix(_ row: ReceiptRow, into mixer: inout DigestMixer) {
        mixer.mix(row.key)
        mixer.mix(row.at)
        mixer.mix(UInt64(row.party) << 48 | UInt64(row.desk) << 32 | UInt64(row.role) << 16 | UInt64(row.saying))
    }

    private func mix(_ row: DeliveryRow, into mixer: inout DigestMixer) {
        mixer.mix(UInt64(row.party) << 48 | UInt64(row.desk) << 32 | UInt64(row.agent) << 16 | UInt64(row.shape))
        mixer.mix(UInt64(row.giver) << 48 | UInt64(row.role) << 32 | UInt64(row.person))
        mixer.mix(UInt64(row.transportSpan.milliseconds) << 32 | UInt64(row.openedSpan.milliseconds))
        mixer.mix(UInt64(row.workSpan.milliseconds) << 32 | UInt64(row.ordinal) << 8 | UInt64(row.returns))
        mixer.mix(row.acknowledgeBy)
        mixer.mix(
            UInt64(row.transport.rawValue) << 24 | UInt64(row.work.rawValue) << 16 | UInt64(row.urgency.rawValue) << 8
                | (row.isListed ? 1 : 0))
        var act = row.firstAct
        while act != .none {
            mixer.mix(UInt64(acts[act].person) << 24 | UInt64(acts[act].role) << 8 | UInt64(acts[act].kind.rawValue))
            mixer.mix(acts[act].fingerprint)
            mixer.mix(acts[act].sequence)
            act = acts[act].next
        }
    }

    private func mix(box party: NameNumber, into mixer: inout DigestMixer) {
        guard let box = boxes[party] else { return }
        mixer.mix(UInt64(party))
        mixer.mix(box.firstNumber)
        mixer.mix(box.partyCursor)
        for client in box.clientCursors.keys.sorted() {
            mixer.mix(UInt64(client))
            mixer.mix(box.clientCursors[client] ?? 0)
        }
        mixer.mix(UInt64(box.rows.count))
        for index in 0..<box.rows.count {
            guard box.rows[index] != .none else {
                mixer.mix(.max)
                continue
            }
            // What an attached one says is part of its notification's fingerprint.
            let row = receiptRows[box.rows[index]]
            mixer.mix(row.key)
            guard row.isDetached else { continue }
            mix(row, into: &mixer)
            mixer.mix(row.accepted << 16 | UInt64(row.detachedClient))
        }
    }

    private func mix(desk: NameNumber, into mixer: inout DigestMixer) {
        guard let row = desks[desk] else { return }
        mixer.mix(UInt64(desk))
        for count in [row.waiting, row.inCustody, row.unacknowledged, row.setAside] { mixer.mix(UInt64(count)) }
        // Only where there are some, so that digests of journals without any stay what they were.
        if row.held > 0 { mixer.mix(UInt64(row.held)) }
        for head in row.heads {
            mixer.mix(.max)
            var next = head
            while next != .none {
                mixer.mix(notifications[deliveries[next].notification].id)
                mixer.mix(UInt64(deliveries[next].ordinal))
                next = deliveries[next].nextAtDesk
            }
        }
        for given in row.givenAway {
            mixer.mix(notifications[deliveries[given].notification].id)
            mixer.mix(UInt64(deliveries[given].ordinal))
        }
    }
}
