/// What is wrong with a deletion list.
package enum DeletionProblem: Sendable, Equatable {
    /// The line is not one that this program writes, or has no end.
    case form
    /// It belongs to another journal.
    case journal
    /// Its number or the digest of the line before does not continue the list.
    case order
    /// Nobody known signed it.
    case signature
    /// The list is longer than this many bytes.
    case tooLong(Int)
    /// It ends before the last erasure that the backup knows of.
    case older
    /// It does not begin with what the backup knows.
    case other
    /// The backup knows of erasures, and no list was given.
    case missing
}

/// The signed deletion records of one journal, in order.
package struct DeletionList: Sendable, Equatable {
    /// Every line, verified.
    package private(set) var records: [DeletionRecord] = []

    /// The digest of the last line; zeros when there is none.
    var lastDigest: [UInt8] { records.last?.digest ?? [UInt8](repeating: 0, count: KeyTable.digestBytes) }

    /// All slots that it erases.
    var slots: [SlotID] {
        records.flatMap { record -> [SlotID] in
            if case .erased(let slots) = record.statement { slots } else { [] }
        }
    }

    /// An empty list.
    init() {}

    /// Reads and verifies a list: numbers without gaps, each line with the digest of the one before, each signed.
    ///
    /// - Parameters:
    ///   - path: for the error.
    ///   - journal: the only journal that it may speak of; nil for any one.
    ///   - keys: signing keys known beforehand. Keys that a verified line introduces are known from there on.
    /// - Throws: `.deletionList`, naming the first bad line.
    package init(
        _ bytes: [UInt8], path: String, journal: JournalID? = nil, keys: [HeadKey]
    ) throws(JournalError) {
        var journal = journal
        var known: [UInt32: HeadKey] = [:]
        for key in keys { known[key.serial] = key }
        var digest = lastDigest
        var start = 0
        while start < bytes.count {
            let number = records.count + 1
            func bad(_ problem: DeletionProblem) -> JournalError {
                .deletionList(path: path, line: number, problem: problem)
            }
            let longest = bytes[start...].prefix(JournalLimits.maxDeletionLineBytes)
            guard let end = longest.firstIndex(of: UInt8(ascii: "\n")),
                let record = DeletionRecord(decoding: String(decoding: bytes[start..<end], as: UTF8.self))
            else { throw bad(.form) }
            guard record.journal == journal ?? record.journal else { throw bad(.journal) }
            guard record.number == UInt64(number), record.previous == digest else { throw bad(.order) }
            guard let key = known[record.serial], record.isSigned(by: key) else { throw bad(.signature) }
            if case .signingKey(let next) = record.statement {
                guard known[next.serial] == nil || known[next.serial] == next else { throw bad(.signature) }
                known[next.serial] = next
            }
            journal = record.journal
            records.append(record)
            digest = Cipher.digest(Array(bytes[start...end]))
            start = end + 1
        }
    }

    /// Reads and verifies a file.
    ///
    /// - Throws: as above; `.io`.
    package static func read(
        _ path: String, journal: JournalID? = nil, keys: [HeadKey], disk: any Disk = PosixDisk()
    ) throws(JournalError) -> DeletionList {
        let limit = JournalLimits.maxDeletionListBytes
        let bytes = try JournalError.wrapping { () throws(DiskError) in try disk.readWhole(path, limit: limit + 1) }
        guard bytes.count <= limit else {
            throw .deletionList(path: path, line: 0, problem: .tooLong(limit))
        }
        return try DeletionList(bytes, path: path, journal: journal, keys: keys)
    }

    /// The file's bytes.
    var bytes: [UInt8] { records.flatMap { Array($0.line.utf8) } }
}

/// The end of the list of a journal that is open, where the next line goes.
struct DeletionTail {
    /// Behind the last line that is carried out.
    var end: UInt64 = 0
    /// Length of the file.
    var size: UInt64 = 0
    /// A whole line behind it that the crash kept from being carried out.
    var unfinished: DeletionRecord?
    /// Whether the list does not end with the line that the key file names: cut, altered or put back.
    var isForeign = false

    /// Looks at the end of the file.
    static func find(_ path: String, _ table: KeyTable, _ disk: any Disk) throws(DiskError) -> DeletionTail {
        let file: DiskFile
        do throws(DiskError) {
            file = try disk.open(path, .read)
        } catch {
            guard error.isMissing else { throw error }
            var tail = DeletionTail()
            tail.isForeign = table.deletions > 0
            return tail
        }
        defer { disk.close(file) }
        let size = try disk.size(file)
        let span = UInt64(2 * JournalLimits.maxDeletionLineBytes)
        let first = size > span ? size - span : 0
        let bytes = try disk.readUpTo(Int(size - first), file, at: first)
        return DeletionTail(bytes, from: first, table)
    }

    /// The end of an empty list.
    init() {}

    private init(_ bytes: [UInt8], from first: UInt64, _ table: KeyTable) {
        size = first + UInt64(bytes.count)
        var start = 0
        var isFound = table.deletions == 0 && first == 0
        while !isFound, let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            isFound = Cipher.digest(Array(bytes[start...newline])) == table.deletionDigest
            start = newline + 1
        }
        end = first + UInt64(start)
        let rest = bytes[start...]
        if let newline = rest.firstIndex(of: UInt8(ascii: "\n")), isFound {
            let record = DeletionRecord(decoding: String(decoding: rest[..<newline], as: UTF8.self))
            guard let record, Self.isNext(record, table) else {
                isForeign = true
                end = size
                return
            }
            if case .erased = record.statement { unfinished = record }
        }
        if !isFound {
            isForeign = true
            end = size
        }
    }

    private static func isNext(_ record: DeletionRecord, _ table: KeyTable) -> Bool {
        record.number == table.deletions + 1 && record.previous == table.deletionDigest
            && record.journal == table.journal
            && table.signingKeys.contains { record.isSigned(by: $0.publicHalf) }
    }
}

extension DeletionProblem: CustomStringConvertible {
    /// What is wrong and what to do.
    package var description: String {
        switch self {
        case .form: "not a line of a deletion list; fetch the list again"
        case .journal: "belongs to another journal; give the list of the journal that is restored"
        case .order: "does not continue the line before; something was removed, moved or put in"
        case .signature: "not signed by a key of this journal"
        case .tooLong(let limit): "longer than \(limit) bytes"
        case .older: "the list is older than the backup; give the newest one"
        case .other: "the list does not begin with the lines that the backup holds"
        case .missing: "the backup knows of erasures; give the newest deletion list (audit/deletions)"
        }
    }
}
