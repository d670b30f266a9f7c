/// What is wrong with a backup or its place.
package enum BackupProblem: Sendable, Equatable {
    /// Neither a directory for the journal nor one for the keys was named, or both are one.
    case noTarget
    /// Something lies there already.
    case notEmpty
    /// There is no whole manifest: the backup was broken off, or it is none.
    case noManifest
    /// A backup of keys where one of a journal must be, or the other way round.
    case kind
    /// A file is not as the manifest says.
    case file(String)
    /// Journal and keys are of two journals.
    case journal
    /// The keys are older than the journal.
    case keysOlder
}

extension BackupProblem: CustomStringConvertible {
    /// What is wrong and what to do.
    package var description: String {
        switch self {
        case .noTarget: "name a directory for the journal, another one for the keys, or both"
        case .notEmpty: "not empty; name a new directory"
        case .noManifest: "no backup, or one that was broken off: its manifest is missing or not whole"
        case .kind: "a backup of the other kind: journal and keys lie in two directories"
        case .file(let name): "\(name) is not as the manifest says; take another copy of the backup"
        case .journal: "the keys belong to another journal"
        case .keysOlder: "the keys are older than the journal; take those of the same backup, or newer ones"
        }
    }
}

/// What a backup holds, as a text file that is written last. Layout: Journal.docc/FileFormat.md, "Backup".
struct BackupManifest: Equatable {
    enum Kind: String {
        case journal
        case keys
    }

    struct File: Equatable {
        /// Directory and name.
        let name: String
        let bytes: UInt64
        /// SHA-256.
        let digest: [UInt8]
    }

    static let fileName = "manifest"
    static let word = "budkavle-backup/1"
    /// A manifest that is read.
    static let limitBytes = 64 << 20

    var kind: Kind
    var journal: JournalID
    var wallMilliseconds: Int64
    var lastRecord: UInt64
    var files: [File] = []

    /// The file's bytes: a head, a line for each file, and the digest of all that.
    var bytes: [UInt8] {
        var text =
            "\(Self.word) \(kind.rawValue) \(String.hex(journal.high))\(String.hex(journal.low)) \(wallMilliseconds)"
            + " \(lastRecord)\n"
        for file in files { text += "\(Base64URL.text(file.digest)) \(file.bytes) \(file.name)\n" }
        return Array((text + "end \(Base64URL.text(Cipher.digest(Array(text.utf8))))\n").utf8)
    }

    init(kind: Kind, journal: JournalID, wallMilliseconds: Int64, lastRecord: UInt64) {
        self.kind = kind
        self.journal = journal
        self.wallMilliseconds = wallMilliseconds
        self.lastRecord = lastRecord
    }

    /// Reads what `bytes` writes, nothing else. Foreign bytes.
    init?(decoding bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, let front = lines.first?.split(separator: " ", omittingEmptySubsequences: false),
            front.count == 5, front[0] == Self.word, let kind = Kind(rawValue: String(front[1])),
            front[2].utf8.count == 32, let high = UInt64(front[2].prefix(16), radix: 16),
            let low = UInt64(front[2].suffix(16), radix: 16), let milliseconds = Int64(front[3]),
            let lastRecord = UInt64(front[4])
        else { return nil }
        self.init(
            kind: kind, journal: JournalID(high: high, low: low), wallMilliseconds: milliseconds,
            lastRecord: lastRecord)
        for line in lines[1..<(lines.count - 2)] {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 3, let digest = Base64URL.bytes(fields[0]), let count = UInt64(fields[1]),
                Self.isUsable(fields[2])
            else { return nil }
            files.append(File(name: String(fields[2]), bytes: count, digest: digest))
        }
        guard self.bytes == bytes else { return nil }
    }

    /// Whether a file of this name is taken along: `directory/name` of a-z, 0-9, '-' and '.', as the journal writes them.
    static func isUsable(_ name: some StringProtocol) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.first != "."
                    && part.utf8.allSatisfy { byte in
                        (97...122).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46
                    }
            }
    }

    /// Reads the manifest in `directory`.
    static func read(_ directory: String, _ kind: Kind, _ disk: any Disk) throws(JournalError) -> BackupManifest {
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.readWhole(directory + "/" + fileName, limit: limitBytes)
        } catch {
            if error.isMissing { throw .backup(path: directory, problem: .noManifest) }
            throw JournalError(error)
        }
        guard let manifest = BackupManifest(decoding: bytes) else {
            throw .backup(path: directory, problem: .noManifest)
        }
        guard manifest.kind == kind else { throw .backup(path: directory, problem: .kind) }
        return manifest
    }
}

/// Copies files into a new directory, each synced and with its digest.
struct BackupCopier {
    let disk: any Disk
    /// Asked between two pieces.
    let mayGoOn: () -> Bool

    /// Makes the directory and what lies in it.
    ///
    /// - Throws: `.backup(.notEmpty)` when something is in it already.
    func makeTarget(_ path: String, _ directories: [String]) throws(JournalError) {
        guard try JournalPaths.names(in: path, disk).isEmpty else { throw .backup(path: path, problem: .notEmpty) }
        try JournalError.wrapping { () throws(DiskError) in
            try disk.makeDirectory(path)
            for directory in directories { try disk.makeDirectory(path + "/" + directory) }
        }
    }

    /// Copies the first `count` bytes of a file and syncs them.
    ///
    /// - Parameter digest: what they must be; nil for whatever they are.
    /// - Throws: `.backup(.file)` when the file is shorter or another; `.stopped`; `.io`.
    func copy(
        _ name: String, from source: String, to target: String, count: UInt64, digest: [UInt8]? = nil
    ) throws(JournalError) -> BackupManifest.File {
        var sum = Cipher.Digest()
        var done: UInt64 = 0
        let files = try JournalError.wrapping { () throws(DiskError) in
            let input = try disk.open(source + "/" + name, .read)
            do throws(DiskError) {
                return (input: input, output: try disk.open(target + "/" + name, .create))
            } catch {
                disk.close(input)
                throw error
            }
        }
        defer {
            disk.close(files.input)
            disk.close(files.output)
        }
        while done < count {
            guard mayGoOn() else { throw .stopped }
            let piece = try JournalError.wrapping { () throws(DiskError) in
                let most = Int(min(UInt64(JournalLimits.preparationStepBytes), count - done))
                let piece = try disk.readUpTo(most, files.input, at: done)
                try disk.writeAll(files.output, at: done, piece)
                return piece
            }
            guard !piece.isEmpty else { throw .backup(path: source, problem: .file(name)) }
            sum.add(piece)
            done += UInt64(piece.count)
        }
        try JournalError.wrapping { () throws(DiskError) in try disk.sync(files.output) }
        let value = sum.value()
        guard value == digest ?? value else { throw .backup(path: source, problem: .file(name)) }
        return BackupManifest.File(name: name, bytes: count, digest: value)
    }

    /// Makes names durable: of the directories in `path`, of `path`, and its own.
    func sync(_ path: String, _ directories: [String]) throws(JournalError) {
        try JournalError.wrapping { () throws(DiskError) in
            for directory in directories { try disk.syncDirectory(path + "/" + directory) }
            try disk.syncDirectory(path)
            let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            try disk.syncDirectory(parent.count <= 1 ? "/" : parent.joined(separator: "/"))
        }
    }
}
