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

    mutating func mix(_ bytes: some Sequence<UInt8>) {
        var count: UInt64 = 0
        for byte in bytes {
            mix(UInt64(byte))
            count += 1
        }
        mix(count)
    }

    mutating func mix(_ time: Timestamp?) { mix(time.map { UInt64(bitPattern: $0.milliseconds) } ?? .max) }

    mutating func mix(_ id: NotificationID) {
        mix(id.high)
        mix(id.low)
    }
}

extension Relay {
    /// The state's fingerprint. It does not depend on where rows happen to lie. Takes time in proportion to the state.
    package var stateDigest: StateDigest {
        StateDigest(high: fingerprint(seed: 11), low: fingerprint(seed: 12))
    }

    private func fingerprint(seed: UInt64) -> UInt64 {
        var mixer = Mixer(seed: seed)
        mixer.mix(sequence)
        mixer.mix(activePolicy?.bytes ?? [])
        mixer.mix(simulatedNow)
        mixer.mix(isAvailable ? 1 : 0)
        mixer.mix(UInt64(known.count))
        mixer.mix(UInt64(cases.count))
        mixer.mix(UInt64(forgottenCount))
        mixer.mix(UInt64(ages.count))
        mixer.mix(UInt64(openDeliveries))
        mixer.mix(UInt64(protectedOpen))
        for name in names.all + names.people.map(Name.person) {
            var writer = ByteWriter(bytes: [])
            writer.body(.named(name))
            mixer.mix(writer.bytes)
        }
        var sum: UInt64 = 0
        for number in 0..<notifications.end where notifications[number].isLive {
            sum &+= fingerprint(of: number, seed: seed)
        }
        mixer.mix(sum)
        for party in boxes.keys.sorted() { mix(party, into: &mixer) }
        for desk in desks.keys.sorted() { mix(desk: desk, into: &mixer) }
        return mixer.value
    }

    private func fingerprint(of number: UInt32, seed: UInt64) -> UInt64 {
        var mixer = Mixer(seed: seed)
        let row = notifications[number]
        mixer.mix(row.id)
        mixer.mix(row.digest.bytes)
        mixer.mix(sourceID(of: number).utf8)
        mixer.mix(row.sequence)
        mixer.mix(row.subject.text.utf8)
        mixer.mix(UInt64(row.source) << 32 | UInt64(row.client) << 16 | UInt64(row.type))
        mixer.mix(UInt64(row.policy) << 16 | UInt64(row.municipality))
        mixer.mix(UInt64(row.openDeliveries) << 32 | UInt64(row.liveReceipts))
        mixer.mix(
            UInt64(row.traits.urgency.rawValue) << 2 | (row.traits.isDrill ? 2 : 0) | (row.traits.isProtected ? 1 : 0))
        mixer.mix(caseSlot(of: row.subject) ?? .max)
        let key = SubmissionKey(source: names.party(row.source), id: sourceID(of: number))
        mixer.mix(known[key]?.has(row.digest) == true ? 1 : 0)
        var delivery = row.firstDelivery
        while delivery != .none {
            mix(deliveries[delivery], into: &mixer)
            delivery = deliveries[delivery].nextOfNotification
        }
        return mixer.value
    }

    private func mix(_ row: DeliveryRow, into mixer: inout Mixer) {
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

    private func mix(_ party: NameNumber, into mixer: inout Mixer) {
        guard let box = boxes[party] else { return }
        mixer.mix(UInt64(party))
        mixer.mix(box.firstNumber)
        mixer.mix(box.partyCursor)
        for client in box.clientCursors.keys.sorted() {
            mixer.mix(UInt64(client) << 48 | (box.clientCursors[client] ?? 0))
        }
        for index in 0..<box.entries.count {
            let entry = box.entries[index]
            mixer.mix(entry.sequence)
            mixer.mix(entry.at)
            mixer.mix(notifications[entry.notification].id)
            mixer.mix(
                UInt64(entry.party) << 48 | UInt64(entry.desk) << 32 | UInt64(entry.role) << 16 | UInt64(entry.ordinal))
            mixer.mix(UInt64(entry.event.rawValue) << 8 | (entry.isSetAside ? 1 : 0))
            mixer.mix((entry.outcome?.text ?? "").utf8)
            mixer.mix((entry.reason?.rawValue ?? "").utf8)
        }
    }

    private func mix(desk: NameNumber, into mixer: inout Mixer) {
        guard let row = desks[desk] else { return }
        mixer.mix(UInt64(desk))
        for count in [row.waiting, row.inCustody, row.unacknowledged, row.setAside] { mixer.mix(UInt64(count)) }
        for head in row.heads {
            var next = head
            while next != .none {
                mixer.mix(notifications[deliveries[next].notification].id)
                mixer.mix(UInt64(deliveries[next].ordinal))
                next = deliveries[next].nextAtDesk
            }
        }
        for given in row.givenAway { mixer.mix(notifications[deliveries[given].notification].id) }
    }
}
