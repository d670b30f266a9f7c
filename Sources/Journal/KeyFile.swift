/// What of a key file can be read without any key. Layout: Journal.docc/FileFormat.md, "Key file".
struct KeyFileHeader {
    let bytes: [UInt8]
    let version: UInt16
    let journal: JournalID
    let generation: UInt64
    /// Bytes behind the header, the tag included.
    let bodyBytes: Int
    /// The id of the master key that seals the file.
    let master: String
    let check: [UInt8]

    /// Reads the front of a file.
    ///
    /// - Throws: `.keysDamaged`, `.newerFormat`.
    init(_ file: [UInt8], path: String) throws(JournalError) {
        let damaged = JournalError.keysDamaged(path: path)
        guard file.count > KeyTable.headerBytes, Array(file[..<8]) == KeyTable.magic,
            Array(Cipher.digest(Array(file[..<144]))[..<16]) == Array(file[144..<KeyTable.headerBytes])
        else { throw damaged }
        var reader = ByteReader(file[8..<KeyTable.headerBytes])
        guard let version = reader.number(UInt16.self), let suite = reader.number(UInt16.self) else { throw damaged }
        guard (1...KeyTable.version).contains(version), suite == KeyTable.suite else {
            throw .newerFormat(path: path, version: Int(max(version, suite)))
        }
        guard reader.number(UInt32.self) == UInt32(KeyTable.headerBytes), let journal = reader.journal(),
            let generation = reader.number(UInt64.self), let length = reader.number(UInt32.self),
            reader.number(UInt32.self) != nil, let name = reader.take(32), let check = reader.take(32)
        else { throw damaged }
        bytes = Array(file[..<KeyTable.headerBytes])
        self.version = version
        self.journal = journal
        self.generation = generation
        bodyBytes = Int(length)
        master = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        self.check = check
    }
}

/// The key file on disk: two generations, the newest counts.
struct KeyFile {
    static let limit = KeyTable.headerBytes + KeyTable.bodyHeadBytes + JournalLimits.maxKeys * KeyTable.entryBytes + 64
    /// Names under which a generation is written before it counts.
    static let temporaryNames = ["keys.new", "keys.new-2"]

    let directory: String
    let disk: any Disk

    func path(_ generation: UInt64) -> String { directory + "/keys-" + .hex(generation) }

    private func temporary(_ index: Int) -> String { directory + "/" + Self.temporaryNames[index] }

    /// The generations that these names show, the newest first.
    static func generations(in names: [String]) -> [UInt64] {
        names.compactMap { FileName.number(in: $0, prefix: "keys-") }.sorted(by: >)
    }

    /// Opens the newest generation, or the one before when the newest is damaged. Returns nil when there is none.
    func load(names: [String], with ring: KeyRing) throws(JournalError) -> KeyTable? {
        var first: JournalError?
        for generation in Self.generations(in: names).prefix(2) {
            let bytes = try JournalError.wrapping { () throws(DiskError) in
                try disk.readWhole(path(generation), limit: Self.limit)
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

    /// Writes two generations of the table under temporary names. Nothing has changed before `publish`.
    ///
    /// - Returns: the table as `publish` wants it. An error that is passing leaves nothing behind.
    func stage(_ table: KeyTable, with ring: KeyRing, random: any RandomSource) throws(DiskError) -> KeyTable {
        var next = table
        do throws(DiskError) {
            for index in Self.temporaryNames.indices {
                next.generation += 1
                try writeTemporary(index, next.sealed(with: ring, random: random))
            }
        } catch {
            if error.isPassing { unstage() }
            throw error
        }
        return next
    }

    /// Takes back what `stage` wrote.
    func unstage() {
        for index in Self.temporaryNames.indices { try? disk.remove(temporary(index)) }
    }

    /// Makes the two staged generations the only ones, so that nothing that left the table is in any of them.
    ///
    /// What is removed is not synced: a caller that removes more syncs the directory once.
    func publish(_ table: KeyTable) throws(DiskError) {
        try disk.rename(temporary(0), to: path(table.generation - 1))
        try disk.rename(temporary(1), to: path(table.generation))
        try disk.syncDirectory(directory)
        for generation in Self.generations(in: try disk.list(directory)) where generation + 1 < table.generation {
            try disk.remove(path(generation))
        }
    }

    private func writeTemporary(_ index: Int, _ bytes: [UInt8]) throws(DiskError) {
        try? disk.remove(temporary(index))
        do throws(DiskError) {
            try disk.writeNew(temporary(index), bytes)
        } catch {
            if error.isPassing { try? disk.remove(temporary(index)) }
            throw error
        }
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
