/// Where the files of one journal lie. Layout: Journal.docc/FileFormat.md, "Directories".
struct JournalPaths {
    let root: String

    var keys: String { root + "/keys" }
    var segments: String { root + "/segments" }
    var snapshots: String { root + "/snapshots" }
    var quarantine: String { root + "/quarantine" }
    var audit: String { root + "/audit" }
    var deletions: String { audit + "/deletions" }
    /// How far the journal was on disk; see `Watermark`.
    var watermark: String { root + "/watermark" }
    /// A person's decision for the next start; see `Override`.
    var override: String { root + "/override" }
    /// Space that is given back on a full disk; see `ReserveFile`.
    var reserve: String { root + "/reserve" }
    var all: [String] { [keys, segments, snapshots, quarantine, audit] }

    func segment(_ number: UInt64) -> String { segments + "/" + SegmentHeader.fileName(number) }

    /// The copy of bytes that were cut off or set aside.
    func quarantined(_ segment: UInt64, _ offset: UInt64, _ kind: String) -> String {
        quarantine + "/" + SegmentHeader.fileName(segment) + "-" + .hex(offset) + "." + kind
    }

    /// Names in a directory; none when it is not there yet.
    static func names(in directory: String, _ disk: any Disk) throws(JournalError) -> [String] {
        do throws(DiskError) {
            return try disk.list(directory)
        } catch {
            if error.isMissing { return [] }
            throw JournalError(error)
        }
    }
}

extension Disk {
    /// Copies bytes of one file to a new file, synced, and replaces an older copy of the same name.
    func copy(_ source: DiskFile, from offset: UInt64, count: Int, to path: String) throws(DiskError) {
        try? remove(path)
        let target = try open(path, .create)
        defer { close(target) }
        var done = 0
        while done < count {
            let piece = try readUpTo(
                min(JournalLimits.preparationStepBytes, count - done), source, at: offset + UInt64(done))
            if piece.isEmpty { break }
            try writeAll(target, at: UInt64(done), piece)
            done += piece.count
        }
        try sync(target)
    }
}
