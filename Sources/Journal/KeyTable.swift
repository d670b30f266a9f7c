/// What a wrapped key opens.
struct KeyName: Hashable {
    enum Kind: UInt8 {
        case segment = 1
        case slab = 2
        /// The number is that of the last segment in the snapshot.
        case snapshot = 3
        /// An Ed25519 private key; the number is its serial, and the highest one signs.
        case signing = 4
    }

    let kind: Kind
    let number: UInt64
}

/// The contents of the key file. Layout: Journal.docc/FileFormat.md, "Key file".
struct KeyTable {
    struct Entry {
        /// Counts how often a slab was written anew; 0 for others.
        var generation: UInt32
        var key: Cipher.Key
        /// Which of a slab's slots may be used; 0 for others.
        var use = SlabUse.notKnown
    }

    static let magic = Array("BKKEYS01".utf8)
    static let headerBytes = 160
    static let entryBytes = 48
    /// Head of the body in version 1 and from version 2 on.
    static let firstBodyHeadBytes = 32
    static let bodyHeadBytes = 96
    static let version: UInt16 = 2
    static let suite: UInt16 = 1
    static let digestBytes = 32

    let journal: JournalID
    /// Rises with every file written.
    var generation: UInt64 = 0
    /// How many times the journal was started.
    var start: UInt64 = 0
    /// The number of the next slab; never used twice, also when slabs went.
    var nextSlab: UInt64 = 1
    /// When keys were backed up last, milliseconds since 1970 UTC; 0 for never.
    var keyBackupMilliseconds: Int64 = 0
    /// Lines of the deletion list that are carried out, and the digest of the last; zeros before the first.
    var deletions: UInt64 = 0
    var deletionDigest = [UInt8](repeating: 0, count: KeyTable.digestBytes)
    /// Somebody has answered for it that heads signed up to this time may contradict the log, milliseconds since 1970 UTC.
    var answeredMilliseconds: Int64 = 0
    var entries: [KeyName: Entry] = [:]

    /// The file's bytes under the ring's active key.
    func sealed(with ring: KeyRing, random: any RandomSource) -> [UInt8] {
        guard let master = ring.key(ring.active) else { preconditionFailure("the ring holds its active key") }
        var body = body
        defer { Cipher.wipe(&body) }
        var header = ByteWriter()
        header.put(Self.magic)
        header.put(Self.version)
        header.put(Self.suite)
        header.put(UInt32(Self.headerBytes))
        header.put(journal)
        header.put(generation)
        header.put(UInt32(body.count + Cipher.tagBytes))
        header.put(UInt32(0))
        header.put(Array(ring.active.utf8))
        header.pad(to: 80)
        header.put(Self.check(of: master))
        header.put(Self.salt(for: body, master: master, random: random))
        header.put(Array(Cipher.digest(header.bytes)[..<16]))
        let key = Self.wrappingKey(master, header: header.bytes)
        var file = header.bytes + [UInt8](repeating: 0, count: body.count + Cipher.tagBytes)
        body.withUnsafeBytes { plain in
            file.withUnsafeMutableBytes { whole in
                Cipher.seal(
                    plain, key: key, number: 0, additional: header.bytes,
                    to: UnsafeMutableRawBufferPointer(rebasing: whole[Self.headerBytes...]))
            }
        }
        return file
    }

    /// The plaintext.
    private var body: [UInt8] {
        let names = entries.keys.sorted { ($0.kind.rawValue, $0.number) < ($1.kind.rawValue, $1.number) }
        precondition(names.count <= JournalLimits.maxKeys, "the key file is full")
        var body = ByteWriter()
        body.bytes.reserveCapacity(Self.bodyHeadBytes + names.count * Self.entryBytes)
        body.put(start)
        body.put(UInt32(names.count))
        body.put(UInt32(0))
        body.put(nextSlab)
        body.put(keyBackupMilliseconds)
        body.put(deletions)
        body.put(deletionDigest)
        body.put(answeredMilliseconds)
        body.pad(to: Self.bodyHeadBytes)
        for name in names {
            guard let entry = entries[name] else { continue }
            body.put(UInt16(name.kind.rawValue))
            body.put(entry.use.encoded)
            body.put(entry.generation)
            body.put(name.number)
            body.put(Cipher.bytes(of: entry.key))
        }
        return body.bytes
    }

    /// Opens a file's bytes.
    ///
    /// - Throws: `.keysDamaged` when the bytes are not what was written; `.masterKeyMissing`, `.masterKeyWrong` and
    ///   `.newerFormat` when they are, but cannot be opened here.
    init(opening file: [UInt8], path: String, with ring: KeyRing) throws(JournalError) {
        let damaged = JournalError.keysDamaged(path: path)
        let header = try KeyFileHeader(file, path: path)
        guard header.bodyBytes == file.count - Self.headerBytes else { throw damaged }
        guard let master = ring.key(header.master) else { throw .masterKeyMissing(id: header.master) }
        guard header.check == Self.check(of: master) else { throw .masterKeyWrong(id: header.master) }
        let opened = file[Self.headerBytes...].withUnsafeBytes { sealed in
            Cipher.open(
                sealed, key: Self.wrappingKey(master, header: header.bytes), number: 0, additional: header.bytes)
        }
        guard var body = opened else { throw damaged }
        defer { Cipher.wipe(&body) }
        journal = header.journal
        generation = header.generation
        var items = ByteReader(body)
        guard let start = items.number(UInt64.self), let count = items.number(UInt32.self),
            items.number(UInt32.self) != nil, let nextSlab = items.number(UInt64.self)
        else { throw damaged }
        self.start = start
        self.nextSlab = nextSlab
        let isFirst = header.version == 1
        if isFirst {
            guard items.take(Self.firstBodyHeadBytes - 24) != nil else { throw damaged }
        } else {
            guard let backup = items.number(UInt64.self), let deletions = items.number(UInt64.self),
                let digest = items.take(Self.digestBytes), let answered = items.number(UInt64.self),
                items.take(Self.bodyHeadBytes - 48 - Self.digestBytes) != nil
            else { throw damaged }
            keyBackupMilliseconds = Int64(bitPattern: backup)
            self.deletions = deletions
            deletionDigest = digest
            answeredMilliseconds = Int64(bitPattern: answered)
        }
        guard items.remaining == Int(count) * Self.entryBytes else { throw damaged }
        for _ in 0..<count {
            guard let kind = items.number(UInt16.self), let use = items.number(UInt16.self),
                let generation = items.number(UInt32.self), let number = items.number(UInt64.self),
                var bytes = items.take(Cipher.keyBytes)
            else { throw damaged }
            defer { Cipher.wipe(&bytes) }
            guard let kind = UInt8(exactly: kind).flatMap(KeyName.Kind.init), let use = SlabUse(decoding: use),
                !isFirst || (kind == .segment || kind == .slab) && use == .notKnown
            else { throw .newerFormat(path: path, version: Int(header.version) + 1) }
            entries[KeyName(kind: kind, number: number)] = Entry(
                generation: generation, key: bytes.withUnsafeBytes { Cipher.key($0) }, use: use)
        }
    }

    /// An empty table for a new journal.
    init(journal: JournalID) { self.journal = journal }

    /// Tells a wrong master key from a damaged file, and binds the file to one key (GCM alone does not).
    private static func check(of master: Cipher.Key) -> [UInt8] {
        Cipher.bytes(of: Cipher.derive(master, salt: [], info: Array("budkavle/journal/1/master check".utf8)))
    }

    /// Random, and hedged: a generator that repeats itself, in a clone or for good, does not repeat the salt for other keys.
    private static func salt(for body: [UInt8], master: Cipher.Key, random: any RandomSource) -> [UInt8] {
        let key = Cipher.derive(master, salt: [], info: Array("budkavle/journal/2/key file salt".utf8))
        return Cipher.authenticate(random.bytes(32) + Cipher.digest(body), key: key)
    }

    private static func wrappingKey(_ master: Cipher.Key, header: [UInt8]) -> Cipher.Key {
        Cipher.derive(
            master, salt: Array(header[112..<144]), info: Array("budkavle/journal/1/key file".utf8) + header)
    }
}

/// Which slots of a slab may stand in a text that is on disk.
enum SlabUse: Equatable {
    /// All of them: nobody wrote down how far it was used.
    case notKnown
    /// The start that made it is handing them out, or ended without saying how far it came.
    case open
    /// The first so many, at most 2,048.
    case first(Int)

    var encoded: UInt16 {
        switch self {
        case .notKnown: 0
        case .open: 0xFFFF
        case .first(let count): UInt16(count + 1)
        }
    }

    init?(decoding value: UInt16) {
        switch value {
        case 0: self = .notKnown
        case 0xFFFF: self = .open
        case 1...UInt16(JournalLimits.slotsPerSlab + 1): self = .first(Int(value) - 1)
        default: return nil
        }
    }
}

extension KeyTable {
    /// A new random key.
    ///
    /// Hedged: the key of the newest segment, the name and `content` go into it besides 32 random bytes, so that a generator
    /// that repeats itself gives neither one key for two things nor a key that its victim could guess.
    ///
    /// - Parameter content: what the key is to seal, when that is known already.
    func newKey(
        _ name: KeyName, generation: UInt32 = 0, content: UnsafeRawBufferPointer? = nil, random: any RandomSource
    ) -> Cipher.Key {
        var info = ByteWriter(bytes: Array("budkavle/journal/2/new key".utf8))
        info.put(journal)
        info.put(UInt32(name.kind.rawValue))
        info.put(name.number)
        info.put(generation)
        info.put(start)
        info.put(self.generation)
        if let content {
            var digest = Cipher.Digest()
            digest.add(content)
            info.put(digest.value())
        }
        let newest = entries.filter { $0.key.kind == .segment }.max { $0.key.number < $1.key.number }
        var secret = newest.map { Cipher.bytes(of: $0.value.key) } ?? []
        var fresh = random.bytes(Cipher.keyBytes)
        defer {
            Cipher.wipe(&secret)
            Cipher.wipe(&fresh)
        }
        return Cipher.derive(fresh.withUnsafeBytes { Cipher.key($0) }, salt: secret, info: info.bytes)
    }

    /// How many keys of a kind there are.
    func count(_ kind: KeyName.Kind) -> Int { entries.keys.count { $0.kind == kind } }
}
