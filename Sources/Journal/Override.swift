/// Why an override cannot be used.
package enum OverrideProblem: Sendable, Equatable {
    /// It is cut, altered, or of another journal.
    case damaged
    /// Its reason or name is empty or too long, or it names no finding or too many.
    case contents
    /// More refuses the start than one override may name; neighbouring missing segments count as one.
    case tooMany(Int)
    /// One lies there already.
    case exists
}

extension OverrideProblem: CustomStringConvertible {
    /// What is wrong and what to do.
    package var description: String {
        switch self {
        case .damaged: "cannot be opened; remove it and make it again: budkavled journal salvage --accept"
        case .contents:
            "an override names 1 to \(JournalLimits.maxAcceptedFindings) findings, a reason of at most"
                + " \(JournalLimits.maxReasonBytes) bytes and a name of at most \(JournalLimits.maxNameBytes)"
        case .tooMany(let count):
            "\(count) findings refuse the start, and one override takes \(JournalLimits.maxAcceptedFindings) (missing segments"
                + " side by side count as one): nothing was accepted; put back what is missing or damaged, from the"
                + " newest backup or another copy, until no more are left, or restore the backup beside it"
        case .exists: "exists already; start the daemon, or remove it"
        }
    }
}

/// A person's decision that a journal shall be served although something refuses the start.
///
/// The file is sealed under the active master key: nobody without it makes one, and a thief of the disk does not read who and
/// why. Layout: Journal.docc/FileFormat.md, "Override".
package struct Override: Sendable, Equatable {
    static let magic = Array("BKOVER01".utf8)
    static let version: UInt16 = 2
    static let headerBytes = 128
    static let saltOffset = 64
    static let digestOffset = 112

    /// Exactly what is accepted, and nothing else.
    package let findings: [Finding]
    /// Why, in the person's words.
    package let reason: String
    /// Who.
    package let by: String
    /// When, milliseconds since 1970 UTC.
    package let madeMilliseconds: Int64

    /// Takes the parts as they are; `write` checks them.
    package init(findings: [Finding], reason: String, by: String, madeMilliseconds: Int64) {
        self.findings = findings
        self.reason = reason
        self.by = by
        self.madeMilliseconds = madeMilliseconds
    }

    private var isUsable: Bool {
        (1...JournalLimits.maxAcceptedFindings).contains(findings.count)
            && findings.allSatisfy { $0.consequence == .refusal }
            && (1...JournalLimits.maxReasonBytes).contains(reason.utf8.count)
            && (1...JournalLimits.maxNameBytes).contains(by.utf8.count)
    }

    func sealed(journal: JournalID, with ring: KeyRing, random: any RandomSource) -> [UInt8] {
        guard let master = ring.key(ring.active) else { preconditionFailure("the ring holds its active key") }
        var body = ByteWriter()
        body.put(madeMilliseconds)
        Finding.put(findings, to: &body)
        for text in [by, reason] {
            body.put(UInt16(text.utf8.count))
            body.put(Array(text.utf8))
        }
        var header = ByteWriter()
        header.put(Self.magic)
        header.put(Self.version)
        header.put(KeyTable.suite)
        header.put(UInt32(Self.headerBytes))
        header.put(journal)
        header.put(Array(ring.active.utf8))
        header.pad(to: Self.saltOffset)
        header.put(random.bytes(32))
        header.put(UInt32(body.bytes.count + Cipher.tagBytes))
        header.pad(to: Self.digestOffset)
        header.put(Array(Cipher.digest(header.bytes)[..<16]))
        var file = header.bytes
        let key = Self.key(master, header: header.bytes)
        Cipher.append(body.bytes, key: key, number: 0, additional: header.bytes, to: &file)
        return file
    }

    /// Opens a file's bytes.
    ///
    /// - Throws: `.override`, `.masterKeyMissing`, `.newerFormat`.
    init(opening file: [UInt8], path: String, journal: JournalID, with ring: KeyRing) throws(JournalError) {
        let damaged = JournalError.override(path: path, problem: .damaged)
        guard file.count > Self.headerBytes, Array(file[..<8]) == Self.magic,
            Array(Cipher.digest(Array(file[..<Self.digestOffset]))[..<16])
                == Array(file[Self.digestOffset..<Self.headerBytes])
        else { throw damaged }
        var reader = ByteReader(file[8..<Self.headerBytes])
        guard let version = reader.number(UInt16.self), let suite = reader.number(UInt16.self) else { throw damaged }
        guard version == Self.version, suite == KeyTable.suite else {
            throw .newerFormat(path: path, version: Int(max(version, suite)))
        }
        guard reader.number(UInt32.self) == UInt32(Self.headerBytes), reader.journal() == journal,
            let name = reader.take(32), reader.take(32) != nil, let length = reader.number(UInt32.self),
            Int(length) == file.count - Self.headerBytes
        else { throw damaged }
        let id = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        guard let master = ring.key(id) else { throw .masterKeyMissing(id: id) }
        let header = Array(file[..<Self.headerBytes])
        let opened = file[Self.headerBytes...].withUnsafeBytes {
            Cipher.open($0, key: Self.key(master, header: header), number: 0, additional: header)
        }
        guard let body = opened else { throw damaged }
        var items = ByteReader(body)
        guard let made = items.number(UInt64.self),
            let findings = items.take(Finding.fieldBytes).flatMap({ Finding.findings(decoding: $0) }),
            let by = items.shortText(), let reason = items.shortText(), items.remaining == 0
        else { throw damaged }
        self.init(findings: findings, reason: reason, by: by, madeMilliseconds: Int64(bitPattern: made))
        guard isUsable else { throw .override(path: path, problem: .contents) }
    }

    private static func key(_ master: Cipher.Key, header: [UInt8]) -> Cipher.Key {
        Cipher.derive(
            master, salt: Array(header[saltOffset..<(saltOffset + 32)]),
            info: Array("budkavle/journal/2/override".utf8) + header)
    }
}

extension Override {
    /// Puts the override into the journal's directory, for the next start. Nothing else is changed.
    ///
    /// - Precondition: the caller holds the lock of the data directory.
    /// - Throws: `.override(.contents)` for parts that are too long, `.override(.exists)` when one lies there already; `.io`.
    static func write(
        _ override: Override, _ paths: JournalPaths, journal: JournalID, keys ring: KeyRing, disk: any Disk,
        random: any RandomSource
    ) throws(JournalError) {
        guard override.isUsable else { throw .override(path: paths.override, problem: .contents) }
        let file = override.sealed(journal: journal, with: ring, random: random)
        do throws(DiskError) {
            try? disk.remove(paths.override + ".new")
            try disk.writeNew(paths.override + ".new", file)
            try disk.syncDirectory(paths.root)
            try disk.rename(paths.override + ".new", to: paths.override)
            try disk.syncDirectory(paths.root)
        } catch {
            throw JournalError(error)
        }
    }

    /// The override that lies in the directory; nil when there is none.
    static func load(
        _ paths: JournalPaths, journal: JournalID, keys ring: KeyRing, disk: any Disk
    ) throws(JournalError) -> Override? {
        let file: [UInt8]
        do throws(DiskError) {
            file = try disk.readWhole(paths.override, limit: longestFile + 1)
        } catch {
            guard error.isMissing else { throw JournalError(error) }
            return nil
        }
        return try Override(opening: file, path: paths.override, journal: journal, with: ring)
    }

    private static let longestFile =
        headerBytes + 8 + Finding.fieldBytes + 4 + JournalLimits.maxReasonBytes + JournalLimits.maxNameBytes
        + Cipher.tagBytes
}

extension JournalCore {
    /// Moves the override to `quarantine/`: what it accepted is recorded, and no later start shall look at it.
    ///
    /// - Throws: as `commit`.
    package mutating func retireOverride() throws(JournalError) {
        guard report.acceptedOverride != nil else { return }
        try unlessFailed { (core) throws(JournalError) in
            try JournalError.wrapping { () throws(DiskError) in try core.moveOverride() }
        }
        report.acceptedOverride = nil
    }

    func moveOverride() throws(DiskError) {
        try disk.rename(paths.override, to: paths.quarantine + "/override-" + .hex(table.start))
        try disk.syncDirectory(paths.quarantine)
        try disk.syncDirectory(paths.root)
    }
}

extension ByteReader {
    /// UTF-8 with its length (2) in front.
    fileprivate mutating func shortText() -> String? {
        guard let count = number(UInt16.self), let bytes = take(Int(count)) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
