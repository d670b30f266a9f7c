/// What a wrapped key opens.
struct KeyName: Hashable {
    enum Kind: UInt8 {
        case segment = 1
        case slab = 2
    }

    let kind: Kind
    let number: UInt64
}

/// The contents of the key file. Layout: Journal.docc/FileFormat.md, "Key file".
struct KeyTable {
    struct Entry {
        /// Counts how often a slab was written anew; 0 for segments.
        var generation: UInt32
        var key: Cipher.Key
    }

    static let magic = Array("BKKEYS01".utf8)
    static let headerBytes = 160
    static let entryBytes = 48
    static let bodyHeadBytes = 32
    static let version: UInt16 = 1
    static let suite: UInt16 = 1

    let journal: JournalID
    /// Rises with every file written.
    var generation: UInt64 = 0
    /// How many times the journal was started.
    var start: UInt64 = 0
    /// The number of the next slab; never used twice, also when slabs went.
    var nextSlab: UInt64 = 1
    var entries: [KeyName: Entry] = [:]

    /// The file's bytes under the ring's active key.
    func sealed(with ring: KeyRing, random: any RandomSource) -> [UInt8] {
        guard let master = ring.key(ring.active) else { preconditionFailure("the ring holds its active key") }
        let names = entries.keys.sorted { ($0.kind.rawValue, $0.number) < ($1.kind.rawValue, $1.number) }
        precondition(names.count <= JournalLimits.maxKeys, "the key file is full")
        var body = ByteWriter()
        body.put(start)
        body.put(UInt32(names.count))
        body.put(UInt32(0))
        body.put(nextSlab)
        body.pad(to: Self.bodyHeadBytes)
        for name in names {
            guard let entry = entries[name] else { continue }
            body.put(UInt32(name.kind.rawValue))
            body.put(entry.generation)
            body.put(name.number)
            body.put(Cipher.bytes(of: entry.key))
        }
        var header = ByteWriter()
        header.put(Self.magic)
        header.put(Self.version)
        header.put(Self.suite)
        header.put(UInt32(Self.headerBytes))
        header.put(journal)
        header.put(generation)
        header.put(UInt32(body.bytes.count + Cipher.tagBytes))
        header.put(UInt32(0))
        header.put(Array(ring.active.utf8))
        header.pad(to: 80)
        header.put(Self.check(of: master))
        header.put(random.bytes(32))
        header.put(Array(Cipher.digest(header.bytes)[..<16]))
        let key = Self.wrappingKey(master, header: header.bytes)
        var file = header.bytes + [UInt8](repeating: 0, count: body.bytes.count + Cipher.tagBytes)
        body.bytes.withUnsafeMutableBytes { plain in
            file.withUnsafeMutableBytes { whole in
                Cipher.seal(
                    UnsafeRawBufferPointer(plain), key: key, number: 0, additional: header.bytes,
                    to: UnsafeMutableRawBufferPointer(rebasing: whole[Self.headerBytes...]))
            }
            for index in plain.indices { plain[index] = 0 }
        }
        return file
    }

    /// Opens a file's bytes.
    ///
    /// - Throws: `.keysDamaged` when the bytes are not what was written; `.masterKeyMissing`, `.masterKeyWrong` and
    ///   `.newerFormat` when they are, but cannot be opened here.
    init(opening file: [UInt8], path: String, with ring: KeyRing) throws(JournalError) {
        let damaged = JournalError.keysDamaged(path: path)
        guard file.count > Self.headerBytes, Array(file[..<8]) == Self.magic,
            Array(Cipher.digest(Array(file[..<144]))[..<16]) == Array(file[144..<160])
        else { throw damaged }
        var reader = ByteReader(file[8..<Self.headerBytes])
        guard let version = reader.number(UInt16.self), let suite = reader.number(UInt16.self) else { throw damaged }
        guard version == Self.version, suite == Self.suite else {
            throw .newerFormat(path: path, version: Int(max(version, suite)))
        }
        guard reader.number(UInt32.self) == UInt32(Self.headerBytes), let journal = reader.journal(),
            let generation = reader.number(UInt64.self), let length = reader.number(UInt32.self),
            reader.number(UInt32.self) != nil, let name = reader.take(32), let check = reader.take(32),
            Int(length) == file.count - Self.headerBytes
        else { throw damaged }
        let id = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        guard let master = ring.key(id) else { throw .masterKeyMissing(id: id) }
        guard check == Self.check(of: master) else { throw .masterKeyWrong(id: id) }
        let header = Array(file[..<Self.headerBytes])
        let opened = file[Self.headerBytes...].withUnsafeBytes { sealed in
            Cipher.open(sealed, key: Self.wrappingKey(master, header: header), number: 0, additional: header)
        }
        guard var body = opened else { throw damaged }
        defer { Cipher.wipe(&body) }
        self.journal = journal
        self.generation = generation
        var items = ByteReader(body)
        guard let start = items.number(UInt64.self), let count = items.number(UInt32.self),
            items.number(UInt32.self) != nil, let nextSlab = items.number(UInt64.self), items.take(8) != nil,
            items.remaining == Int(count) * Self.entryBytes
        else { throw damaged }
        self.start = start
        self.nextSlab = nextSlab
        for _ in 0..<count {
            guard let rawKind = items.number(UInt32.self), let generation = items.number(UInt32.self),
                let number = items.number(UInt64.self), let bytes = items.take(Cipher.keyBytes)
            else { throw damaged }
            guard let kind = UInt8(exactly: rawKind).flatMap(KeyName.Kind.init) else {
                throw .newerFormat(path: path, version: Int(version))
            }
            entries[KeyName(kind: kind, number: number)] = Entry(
                generation: generation, key: bytes.withUnsafeBytes { Cipher.key($0) })
        }
    }

    /// An empty table for a new journal.
    init(journal: JournalID) { self.journal = journal }

    /// Tells a wrong master key from a damaged file, and binds the file to one key (GCM alone does not).
    private static func check(of master: Cipher.Key) -> [UInt8] {
        Cipher.bytes(of: Cipher.derive(master, salt: [], info: Array("budkavle/journal/1/master check".utf8)))
    }

    private static func wrappingKey(_ master: Cipher.Key, header: [UInt8]) -> Cipher.Key {
        Cipher.derive(
            master, salt: Array(header[112..<144]), info: Array("budkavle/journal/1/key file".utf8) + header)
    }
}

/// The key file on disk: two generations, the newest counts.
struct KeyFile {
    let directory: String
    let disk: any Disk

    func path(_ generation: UInt64) -> String { directory + "/keys-" + .hex(generation) }

    /// Opens the newest generation, or the one before when the newest is damaged. Returns nil when there is none.
    func load(names: [String], with ring: KeyRing) throws(JournalError) -> KeyTable? {
        let generations = names.compactMap { FileName.number(in: $0, prefix: "keys-") }.sorted(by: >)
        var first: JournalError?
        for generation in generations.prefix(2) {
            let bytes: [UInt8]
            do throws(DiskError) {
                bytes = try disk.readWhole(
                    path(generation), limit: KeyTable.headerBytes + 64 + JournalLimits.maxKeys * KeyTable.entryBytes)
            } catch {
                throw JournalError(error)
            }
            do throws(JournalError) {
                let table = try KeyTable(opening: bytes, path: path(generation), with: ring)
                guard table.generation == generation else { throw .keysDamaged(path: path(generation)) }
                return table
            } catch {
                guard case .keysDamaged = error else { throw error }
                first = first ?? error
            }
        }
        if let first { throw first }
        return nil
    }

    /// Writes the next generation: temporary file, sync, rename, directory sync. Then the one before the last goes.
    func store(_ table: inout KeyTable, with ring: KeyRing, random: any RandomSource) throws(DiskError) {
        var next = table
        next.generation += 1
        let temporary = directory + "/keys.new"
        try? disk.remove(temporary)
        do throws(DiskError) {
            try disk.writeNew(temporary, next.sealed(with: ring, random: random))
        } catch {
            if error.isFull { try? disk.remove(temporary) }
            throw error
        }
        try disk.rename(temporary, to: path(next.generation))
        try disk.syncDirectory(directory)
        table = next
        // A generation that stays behind is removed at the next start; nothing ever reads it.
        if next.generation > 2 { try? disk.remove(path(next.generation - 2)) }
    }
}

/// Names of files that carry a number.
enum FileName {
    /// The number behind the prefix: exactly 16 lower-case hexadecimal digits.
    static func number(in name: some StringProtocol, prefix: String) -> UInt64? {
        guard name.hasPrefix(prefix) else { return nil }
        let digits = name.dropFirst(prefix.count)
        guard let number = UInt64(digits, radix: 16), String.hex(number) == digits else { return nil }
        return number
    }
}
