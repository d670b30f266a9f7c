/// Opens texts by their places. One owner, one thread; keeps the last segments' files open.
package final class TextOpener {
    private let keys: KeyStore
    private let paths: JournalPaths
    private let disk: any Disk
    private var files: [UInt64: DiskFile] = [:]

    init(keys: KeyStore, paths: JournalPaths, disk: any Disk) {
        self.keys = keys
        self.paths = paths
        self.disk = disk
    }

    /// Lets go of the files. What is read afterwards opens them again.
    package func close() {
        for file in files.values { disk.close(file) }
        files = [:]
    }

    /// Reads the batch head and the text's frames, nothing else, and checks that it is this text. Blocks.
    ///
    /// - Throws: `.textErased`, `.textUnreadable`, `.textMismatch`, `.keysDamaged`, `.io`.
    package func read(_ id: TextID, at location: TextLocation) throws(JournalError) -> [UInt8] {
        let unreadable = JournalError.textUnreadable(location)
        guard let key = keys.segment(location.segment), location.byteCount > 0,
            Int(location.byteCount) <= JournalLimits.maxTextBytes
        else { throw unreadable }
        let file = try file(location.segment)
        let count = TextFormat.diskBytes(Int(location.byteCount))
        let (headBytes, bytes) = try JournalError.wrapping { () throws(DiskError) in
            (
                try disk.readUpTo(BatchFormat.headBytes, file, at: location.batchOffset),
                try disk.readUpTo(count, file, at: location.batchOffset + UInt64(location.textOffset))
            )
        }
        guard let head = BatchHead(decoding: headBytes[...]) else { throw unreadable }
        let opener = BatchOpener(journal: keys.journal, segment: location.segment, key: key)
        var context = opener.context(head, headBytes[...])
        guard let text = opener.textHead(bytes[...], at: 0, frame: location.frame, &context) else { throw unreadable }
        guard text.id == id else { throw .textMismatch(id) }
        guard text.byteCount == location.byteCount else { throw unreadable }
        let textKey = try keys.textKey(id, slots: text.slots, salt: text.salt)
        guard let opened = opener.openText(bytes[...], at: 0, location, key: textKey, &context) else {
            throw unreadable
        }
        return opened
    }

    private func file(_ segment: UInt64) throws(JournalError) -> DiskFile {
        if let file = files[segment] { return file }
        if files.count >= JournalLimits.cachedSegmentFiles { close() }
        let file = try JournalError.wrapping { () throws(DiskError) in try disk.open(paths.segment(segment), .read) }
        files[segment] = file
        return file
    }
}
