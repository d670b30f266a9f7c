/// A file in the journal's directory that refuses every start until an override names it. Layout: Journal.docc/FileFormat.md,
/// "Hold".
package enum Hold: String, Sendable, CaseIterable {
    /// The directory was put back from a backup: what was receipted after it may be missing.
    case restored
    /// A client showed a signed checkpoint that lies beyond or beside the journal.
    case checkpoint

    /// What the finding carries.
    var number: UInt64 {
        switch self {
        case .restored: 1
        case .checkpoint: 2
        }
    }

    init?(number: UInt64) {
        guard let hold = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = hold
    }

    var fileName: String { "hold-" + rawValue }

    var sentence: String {
        switch self {
        case .restored: "the journal was restored from a backup: what was receipted after that backup may be missing"
        case .checkpoint: "a client holds a signed checkpoint that this journal does not continue"
        }
    }

    /// Puts the hold into the journal in `directory`; one that lies there already stays as it is.
    ///
    /// Safe beside a running journal. When it returns, the hold is durable.
    ///
    /// - Parameter note: at most `JournalLimits.maxHoldBytes`, for people; it tells two holds apart.
    package static func place(
        _ hold: Hold, in directory: String, note: [UInt8], disk: any Disk = PosixDisk()
    ) throws(JournalError) {
        guard note.count <= JournalLimits.maxHoldBytes else {
            throw .limit(name: "hold bytes", value: note.count, limit: JournalLimits.maxHoldBytes)
        }
        do throws(DiskError) {
            try disk.writeNew(directory + "/" + hold.fileName, note)
            try disk.syncDirectory(directory)
        } catch {
            guard error.isExisting else { throw JournalError(error) }
        }
    }

    /// The holds that lie in a journal's directory.
    static func findings(_ paths: JournalPaths, _ disk: any Disk) throws(JournalError) -> [Finding] {
        var found: [Finding] = []
        for hold in allCases {
            do throws(DiskError) {
                let note = try disk.readWhole(
                    paths.root + "/" + hold.fileName, limit: JournalLimits.maxHoldBytes + 1)
                var reader = ByteReader(Cipher.digest(note))
                found.append(
                    Finding(
                        .held, offset: hold.number, bytes: UInt64(note.count),
                        detail: reader.number(UInt64.self) ?? 0))
            } catch {
                guard error.isMissing else { throw JournalError(error) }
            }
        }
        return found
    }
}
