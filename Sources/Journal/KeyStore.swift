import Synchronization

/// Keys of segments and slabs as the writer and the readers share them. Any thread.
///
/// A slab that is not in memory is read from its file, so `secret` may block.
final class KeyStore: Sendable {
    fileprivate struct State {
        var segments: [UInt64: Cipher.Key] = [:]
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
        var initial = State()
        for (name, entry) in table.entries {
            switch name.kind {
            case .segment: initial.segments[name.number] = entry.key
            case .slab: initial.slabKeys[name.number] = entry
            }
        }
        state = Mutex(initial)
    }

    func segment(_ number: UInt64) -> Cipher.Key? { state.withLock { $0.segments[number] } }

    func add(segment number: UInt64, key: Cipher.Key) { state.withLock { $0.segments[number] = key } }

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
        let found = state.withLock { ($0.slabs[number], $0.slabKeys[number]) }
        if let slab = found.0 { return slab }
        guard let entry = found.1 else { return nil }
        let path = directory + "/" + SlabFile.name(number, generation: entry.generation)
        let file: [UInt8]
        do throws(DiskError) {
            file = try disk.readWhole(path, limit: SlabFile.fileBytes + 1)
        } catch {
            throw JournalError(error)
        }
        let header = SlabFile.header(number, generation: entry.generation, journal: journal)
        guard let secrets = SlabFile.open(file, header: header, key: entry.key) else {
            throw .keysDamaged(path: path)
        }
        state.withLock { $0.insert(number, secrets) }
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
