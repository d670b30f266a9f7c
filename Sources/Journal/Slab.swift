import Glibc

/// The secrets of one slab in memory; overwritten when they go.
///
/// SAFETY: `bytes` is filled before the object is handed out and only read afterwards, until deinit.
final class SlabSecrets: @unchecked Sendable {
    static let slotBytes = 32
    static let bitmapBytes = JournalLimits.slotsPerSlab / 8
    static let plaintextBytes = bitmapBytes + JournalLimits.slotsPerSlab * slotBytes

    /// First the bitmap of erased slots, then the slots.
    let bytes: UnsafeMutableRawBufferPointer

    init(random: any RandomSource) {
        bytes = .allocate(byteCount: Self.plaintextBytes, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        random.fill(UnsafeMutableRawBufferPointer(rebasing: bytes[Self.bitmapBytes...]))
    }

    init?(copying plaintext: some Collection<UInt8>) {
        guard plaintext.count == Self.plaintextBytes else { return nil }
        bytes = .allocate(byteCount: Self.plaintextBytes, alignment: 16)
        bytes.copyBytes(from: plaintext)
    }

    /// The same without these slots.
    init(_ other: SlabSecrets, erasing slots: some Sequence<Int>) {
        bytes = .allocate(byteCount: Self.plaintextBytes, alignment: 16)
        bytes.copyMemory(from: UnsafeRawBufferPointer(other.bytes))
        for index in slots {
            let start = Self.bitmapBytes + index * Self.slotBytes
            bytes[index / 8] |= 1 << (index % 8)
            for place in start..<(start + Self.slotBytes) { bytes[place] = 0 }
        }
    }

    deinit {
        bytes.baseAddress.map { explicit_bzero($0, bytes.count) }
        bytes.deallocate()
    }

    /// Whether one of the first `count` slots is still there.
    func hasSecret(amongFirst count: Int) -> Bool { (0..<count).contains { secret($0) != nil } }

    /// The 32 bytes of a slot; nil when it was erased or there is no such slot.
    func secret(_ index: Int) -> UnsafeRawBufferPointer? {
        guard (0..<JournalLimits.slotsPerSlab).contains(index), bytes[index / 8] & (1 << (index % 8)) == 0 else {
            return nil
        }
        let start = Self.bitmapBytes + index * Self.slotBytes
        return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + Self.slotBytes)])
    }
}

/// A slab's file. Layout: Journal.docc/FileFormat.md, "Slab".
enum SlabFile {
    static let magic = Array("BKSLAB01".utf8)
    static let version: UInt16 = 1
    static let headerBytes = 64
    static let fileBytes = headerBytes + SlabSecrets.plaintextBytes + Cipher.tagBytes

    static func name(_ number: UInt64, generation: UInt32) -> String {
        "slab-" + .hex(number) + "-" + String(String.hex(UInt64(generation)).suffix(8))
    }

    static func header(_ number: UInt64, generation: UInt32, journal: JournalID) -> [UInt8] {
        var header = ByteWriter()
        header.put(magic)
        header.put(version)
        header.put(KeyTable.suite)
        header.put(UInt32(headerBytes))
        header.put(journal)
        header.put(number)
        header.put(generation)
        header.put(UInt32(JournalLimits.slotsPerSlab))
        header.pad(to: headerBytes)
        return header.bytes
    }

    static func sealed(_ slab: SlabSecrets, header: [UInt8], key: Cipher.Key) -> [UInt8] {
        var file = header + [UInt8](repeating: 0, count: fileBytes - headerBytes)
        file.withUnsafeMutableBytes { whole in
            Cipher.seal(
                UnsafeRawBufferPointer(slab.bytes), key: key, number: 0, additional: header,
                to: UnsafeMutableRawBufferPointer(rebasing: whole[headerBytes...]))
        }
        return file
    }

    /// Opens a file that must have exactly this header.
    static func open(_ file: [UInt8], header: [UInt8], key: Cipher.Key) -> SlabSecrets? {
        guard file.count == fileBytes, Array(file[..<headerBytes]) == header else { return nil }
        let opened = file[headerBytes...].withUnsafeBytes {
            Cipher.open($0, key: key, number: 0, additional: header)
        }
        guard var plaintext = opened else { return nil }
        defer { Cipher.wipe(&plaintext) }
        return SlabSecrets(copying: plaintext)
    }
}

extension SlabUse {
    /// How far a slab of an earlier start was used.
    ///
    /// - Parameter mark: every used slot is below it; 0 when nobody knows.
    init(of slab: UInt64, mark: UInt64) {
        let last = SlotID(rawValue: mark)
        if mark == 0 {
            self = .notKnown
        } else if slab == last.slab {
            self = .first(min(last.index, JournalLimits.slotsPerSlab))
        } else {
            self = .first(slab > last.slab ? 0 : JournalLimits.slotsPerSlab)
        }
    }

    /// How many slots have to be looked at to know that no text is left.
    var count: Int {
        switch self {
        case .notKnown, .open: JournalLimits.slotsPerSlab
        case .first(let count): count
        }
    }
}
