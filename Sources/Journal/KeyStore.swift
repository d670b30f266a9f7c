import Glibc
import Synchronization

/// Keys of segments, slabs and snapshots as the writer and the readers share them. Any thread.
///
/// A slab that is not in memory is read from its file, so `secret` may block.
final class KeyStore: Sendable {
    fileprivate struct State {
        var segments: [UInt64: Cipher.Key] = [:]
        var snapshots: [UInt64: Cipher.Key] = [:]
        /// Seals copies of audit records; nil before there is a signing key.
        var copies: Cipher.Key?
        var slabKeys: [UInt64: KeyTable.Entry] = [:]
        var slabs: [UInt64: SlabSecrets] = [:]
        /// Slabs in memory, the one that goes next in front.
        var order: [UInt64] = []
    }

    let journal: JournalID
    private let directory: String
    private let disk: any Disk
    private let state: Mutex<State>

    init(table: KeyTable, directory: String, disk: any Disk) {
        journal = table.journal
        self.directory = directory
        self.disk = disk
        var initial = State(copies: table.copyKey)
        for (name, entry) in table.entries {
            switch name.kind {
            case .segment: initial.segments[name.number] = entry.key
            case .slab: initial.slabKeys[name.number] = entry
            case .snapshot: initial.snapshots[name.number] = entry.key
            case .signing: break
            }
        }
        state = Mutex(initial)
    }

    func segment(_ number: UInt64) -> Cipher.Key? { state.withLock { $0.segments[number] } }

    func add(segment number: UInt64, key: Cipher.Key) { state.withLock { $0.segments[number] = key } }

    var copies: Cipher.Key? { state.withLock { $0.copies } }

    func setCopies(_ key: Cipher.Key?) { state.withLock { $0.copies = key } }

    func snapshot(_ segment: UInt64) -> Cipher.Key? { state.withLock { $0.snapshots[segment] } }

    func add(snapshot segment: UInt64, key: Cipher.Key) { state.withLock { $0.snapshots[segment] = key } }

    /// Forgets keys that left the key file.
    func forget(segmentsThrough last: UInt64, snapshotsBefore first: UInt64) {
        state.withLock { state in
            state.segments = state.segments.filter { $0.key > last }
            state.snapshots = state.snapshots.filter { $0.key >= first }
        }
    }

    /// Forgets a slab; whoever reads one of its slots from now on finds it erased.
    func forget(slab number: UInt64) {
        state.withLock { state in
            state.slabKeys[number] = nil
            if state.slabs.removeValue(forKey: number) != nil { state.order.removeAll { $0 == number } }
        }
    }

    func add(slab number: UInt64, entry: KeyTable.Entry, secrets: SlabSecrets) {
        state.withLock {
            $0.slabKeys[number] = entry
            $0.insert(number, secrets)
        }
    }

    /// The slab; nil when it was erased as a whole.
    ///
    /// - Throws: `.io`, or `.keysDamaged` when the file does not open.
    func slab(_ number: UInt64) throws(JournalError) -> SlabSecrets? {
        // A slab that is written anew meanwhile is read again, so each round but the last stands for one erasure.
        while true {
            let found = state.withLock { ($0.slabs[number], $0.slabKeys[number]) }
            if let slab = found.0 { return slab }
            guard let entry = found.1 else { return nil }
            let secrets: SlabSecrets
            do throws(JournalError) {
                secrets = try read(number, entry)
            } catch {
                if isCurrent(number, entry) { throw error }
                continue
            }
            let isKept = state.withLock { state in
                guard state.slabKeys[number]?.generation == entry.generation else { return false }
                state.insert(number, secrets)
                return true
            }
            if isKept { return secrets }
        }
    }

    /// Those of the slots that are not erased.
    func living(_ slots: [SlotID]) throws(JournalError) -> [SlotID] {
        var living: [SlotID] = []
        for slot in slots where try slab(slot.slab)?.secret(slot.index) != nil { living.append(slot) }
        return living
    }

    /// Those of the slabs whose file is not there or does not open, ascending.
    ///
    /// - Parameter isBadDiskCounted: whether those count too that the disk does not give; else they are an error.
    /// - Throws: `.io`, always for want of descriptors or memory: that says nothing about a file.
    func unreadable(_ slabs: Set<UInt64>, isBadDiskCounted: Bool) throws(JournalError) -> [UInt64] {
        var unreadable: [UInt64] = []
        for number in slabs.sorted() {
            do throws(JournalError) { _ = try slab(number) } catch {
                switch error {
                case .keysDamaged, .io(_, _, ENOENT): unreadable.append(number)
                case .io(let operation, let path, let errno):
                    guard isBadDiskCounted,
                        !DiskError(operation: operation, path: path, errno: errno).isPassing
                    else { throw error }
                    unreadable.append(number)
                default: throw error
                }
            }
        }
        return unreadable
    }

    private func isCurrent(_ number: UInt64, _ entry: KeyTable.Entry) -> Bool {
        state.withLock { $0.slabKeys[number]?.generation == entry.generation }
    }

    private func read(_ number: UInt64, _ entry: KeyTable.Entry) throws(JournalError) -> SlabSecrets {
        let path = directory + "/" + SlabFile.name(number, generation: entry.generation)
        let file = try JournalError.wrapping { () throws(DiskError) in
            try disk.readWhole(path, limit: SlabFile.fileBytes + 1)
        }
        let header = SlabFile.header(number, generation: entry.generation, journal: journal)
        guard let secrets = SlabFile.open(file, header: header, key: entry.key) else {
            throw .keysDamaged(path: path)
        }
        return secrets
    }

    /// The key of a text: HKDF over its slots' secrets, salted with what is stored beside the text.
    ///
    /// - Throws: `.textErased` when a slot is gone, else as `slab`.
    func textKey(_ id: TextID, slots: [SlotID], salt: [UInt8]) throws(JournalError) -> Cipher.Key {
        let material = UnsafeMutableRawBufferPointer.allocate(
            byteCount: slots.count * SlabSecrets.slotBytes, alignment: 8)
        defer {
            for index in material.indices { material[index] = 0 }
            material.deallocate()
        }
        for (place, slot) in slots.enumerated() {
            guard let slab = try slab(slot.slab), let secret = slab.secret(slot.index) else { throw .textErased(id) }
            UnsafeMutableRawBufferPointer(rebasing: material[(place * SlabSecrets.slotBytes)...])
                .copyMemory(from: secret)
        }
        var info = ByteWriter(bytes: Array("budkavle/journal/1/text".utf8))
        info.put(journal)
        info.put(id.high.bigEndian)
        info.put(id.low.bigEndian)
        return Cipher.derive(Cipher.key(UnsafeRawBufferPointer(material)), salt: salt, info: info.bytes)
    }
}

extension KeyStore.State {
    fileprivate mutating func insert(_ number: UInt64, _ secrets: SlabSecrets) {
        if slabs.updateValue(secrets, forKey: number) == nil { order.append(number) }
        if order.count > JournalLimits.cachedSlabs { slabs[order.removeFirst()] = nil }
    }
}
