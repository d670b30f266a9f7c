import Glibc

/// What is wrong with a master key file.
package enum KeyFileProblem: Sendable, Equatable {
    /// It is not there, or may not be opened; the error number says why.
    case unreadable(errno: Int32)
    /// It is a symbolic link, a directory or a device.
    case notRegular
    /// Others than the owner have rights on it.
    case mode(UInt32)
    /// It belongs to somebody else.
    case owner(UInt32)
    /// It is not exactly 32 bytes long.
    case length(Int)
    /// All its bytes are equal: not a key that anybody generated.
    case notRandom
    /// A new key was to be written where something lies already.
    case exists
    /// The id is not 1 to 32 characters of a-z, 0-9 and '-', or it is given twice, or it is not in the ring.
    case id(String)
}

/// Everything that goes wrong in the journal. The description says where, what and what to do; it never quotes content.
package enum JournalError: Error, Equatable, Sendable {
    /// A value is outside a limit of `JournalLimits`.
    case limit(name: String, value: Int, limit: Int)
    /// Another process holds the data directory.
    case locked(path: String)
    /// A file operation failed. After a failed write or sync nothing more is committed; the process exits with 74.
    case io(operation: String, path: String, errno: Int32)
    /// There is no space to start with.
    case noSpace(path: String)
    /// There is no space for a piece of maintenance; nothing was changed.
    case noRoom(path: String)
    /// The data directory cannot be written.
    case readOnly(path: String)
    /// A master key file is not as it must be.
    case keyFile(path: String, problem: KeyFileProblem)
    /// The key file is wrapped under a master key that was not given.
    case masterKeyMissing(id: String)
    /// A master key with the right id has the wrong bytes.
    case masterKeyWrong(id: String)
    /// A master key cannot go: it is the active one, or these files are sealed under it.
    case masterKeyInUse(id: String, paths: [String])
    /// A deletion list cannot be used; line 0 stands for the whole.
    case deletionList(path: String, line: Int, problem: DeletionProblem)
    /// A backup cannot be made or used.
    case backup(path: String, problem: BackupProblem)
    /// Neither generation of the key file can be opened.
    case keysDamaged(path: String)
    /// There are segments but no key file.
    case keysMissing(path: String)
    /// A file was written by a newer version.
    case newerFormat(path: String, version: Int)
    /// A name in the directory that this program never writes.
    case foreign(path: String)
    /// Batches that cannot be read, with what follows them intact or a later segment that knows more.
    case damaged(segment: UInt64, offset: UInt64, records: Range<UInt64>)
    /// A segment that must be there is not.
    case segmentMissing(UInt64)
    /// A segment's header does not verify or belongs elsewhere.
    case segmentHeader(UInt64)
    /// A segment's key is not in the key file.
    case segmentKey(UInt64)
    /// The journal ends before what the watermark says was on disk.
    case behindWatermark(segment: UInt64, records: Range<UInt64>)
    /// The journal's history is not the one that the watermark speaks of.
    case besideWatermark(segment: UInt64)
    /// A hold lies in the directory: a person has to look first.
    case held(Hold)
    /// The override in the directory cannot be used.
    case override(path: String, problem: OverrideProblem)
    /// Batches or segments that verify do not follow each other: something was removed, moved or put back.
    case chain(segment: UInt64, offset: UInt64)
    /// A text cannot be opened at its place.
    case textUnreadable(TextLocation)
    /// A slot of the text's key was destroyed.
    case textErased(TextID)
    /// At that place lies another text.
    case textMismatch(TextID)
    /// A snapshot is not as it was written, or its key is gone.
    case snapshotDamaged(path: String)
    /// The journal stopped, after a failure or because it was told to.
    case stopped
}

extension JournalError: CustomStringConvertible {
    /// One sentence for the log.
    package var description: String {
        switch self {
        case .limit(let name, let value, let limit): "\(name): \(value) is outside the limit \(limit)"
        case .locked(let path): "\(path) is in use by another process; stop it, or use its administration socket"
        case .io(let operation, let path, let number):
            isMisnamed
                ? "\(path): \(String(cString: strerror(number)))"
                : "\(operation) \(path) failed: \(String(cString: strerror(number))) (error \(number)); nothing was answered"
                    + " after it; check the disk and restart"
        case .noSpace(let path): "\(path): no space for a new segment; free some and start again"
        case .noRoom(let path): "\(path): no space for it; nothing was changed; free some and repeat"
        case .readOnly(let path): "\(path) cannot be written; mount it read-write or correct its owner (mode 0700)"
        case .keyFile(let path, let problem): "\(path): \(problem)"
        case .masterKeyMissing(let id): "the journal's keys are wrapped under master key \(id); add that key and start"
        case .masterKeyWrong(let id):
            "master key \(id) is not the one the journal was written with; nothing was changed"
        case .masterKeyInUse(let id, let paths):
            paths.isEmpty
                ? "master key \(id) is the active one; make another one active and rotate first"
                : "rotate first: master key \(id) is still needed by \(paths.joined(separator: ", "))"
        case .deletionList(let path, let line, let problem):
            line == 0 ? "\(path): \(problem)" : "\(path), line \(line): \(problem)"
        case .backup(let path, let problem): "\(path): \(problem)"
        case .keysDamaged(let path):
            "\(path): no generation of the key file can be opened; restore it from the key backup"
        case .keysMissing(let path): "\(path): segments without a key file; restore it from the key backup"
        case .newerFormat(let path, let version):
            "\(path) has format version \(version); this program knows 1: use the newer program; nothing was changed"
        case .foreign(let path): "\(path) is not a file of this journal; move it away"
        case .damaged(let segment, let offset, let records):
            "segment \(segment) is damaged at byte \(offset): records \(records.lowerBound) up to, not including,"
                + " \(records.upperBound); restore it from the backup, or start with the damage set aside"
        case .segmentMissing(let number): "segment \(number) is missing; \(Self.remedy)"
        case .segmentHeader(let number): "segment \(number): the header does not verify; \(Self.remedy)"
        case .segmentKey(let number): "segment \(number): its key is not in the key file; \(Self.remedy)"
        case .chain(let segment, let offset):
            "segment \(segment), byte \(offset): does not continue what is before it; something was removed, moved or put"
                + " back; \(Self.remedy)"
        case .behindWatermark(let segment, let records):
            "the journal ends before what was on disk (segment \(segment)\(Self.named(records))): cut off, or an older copy;"
                + " \(Self.remedy)"
        case .besideWatermark(let segment):
            "segment \(segment) holds another history than the one that was on disk; \(Self.remedy)"
        case .held(let hold): "\(hold.sentence); look first, then: budkavled journal salvage --accept"
        case .override(let path, let problem): "\(path): \(problem)"
        case .textUnreadable(let place): "segment \(place.segment), byte \(place.batchOffset): a text cannot be opened"
        case .textErased: "the text was erased"
        case .textMismatch: "another text lies at that place"
        case .snapshotDamaged(let path):
            "\(path) cannot be opened; the snapshot before it, or the records, are used instead"
        case .stopped: "the journal has stopped"
        }
    }

    /// Whether a name was wrong, as a rule one that a person typed, and not a disk.
    package var isMisnamed: Bool {
        guard case .io(_, _, let number) = self else { return false }
        return [ENOENT, ENOTDIR, EISDIR, EEXIST, ENAMETOOLONG, ELOOP].contains(number)
    }

    /// What to do about a journal that no start goes on with by itself.
    private static let remedy =
        "nothing was changed: see budkavled journal verify; restore it from the backup, or budkavled journal salvage"
        + " --accept"

    private static func named(_ records: Range<UInt64>) -> String {
        records.isEmpty ? "" : ", records \(records.lowerBound) to \(records.upperBound - 1)"
    }
}

extension KeyFileProblem: CustomStringConvertible {
    /// What is wrong and what to do.
    package var description: String {
        switch self {
        case .unreadable(let number): "cannot be opened: \(String(cString: strerror(number))); check path and owner"
        case .notRegular: "is not a regular file; links are not followed"
        case .mode(let mode): "has mode 0\(String(mode, radix: 8)); others may not have any right on it: chmod 0600"
        case .owner(let owner): "belongs to user \(owner); chown it to the daemon's user"
        case .length(let length): "is \(length) bytes long; a master key has exactly 32: budkavled keys generate"
        case .notRandom: "holds 32 equal bytes, which is no key: budkavled keys generate"
        case .exists: "exists already; a key is never overwritten"
        case .id(let id):
            "the key id '\(id)' is not usable: 1 to 32 of a-z, 0-9, '-', each once, the active one among them"
        }
    }
}
