import Glibc

/// A segment's bytes, read in pieces of a mebibyte and more only where a batch is longer.
struct SegmentWindow {
    let disk: any Disk
    let file: DiskFile
    let size: UInt64
    private var start: UInt64 = 0
    private var buffer: [UInt8] = []

    init(disk: any Disk, path: String) throws(DiskError) {
        self.disk = disk
        file = try disk.open(path, .read)
        do throws(DiskError) {
            size = try disk.size(file)
        } catch {
            disk.close(file)
            throw error
        }
    }

    func close() { disk.close(file) }

    /// The bytes from `offset`, fewer than `count` only at the end of the file.
    mutating func bytes(at offset: UInt64, _ count: Int) throws(DiskError) -> ArraySlice<UInt8> {
        guard offset < size else { return [] }
        let count = Int(min(UInt64(count), size - offset))
        if offset < start || offset + UInt64(count) > start + UInt64(buffer.count) {
            buffer = try disk.readUpTo(max(count, JournalLimits.preparationStepBytes), file, at: offset)
            start = offset
        }
        let first = Int(offset - start)
        return buffer[first..<min(first + count, buffer.count)]
    }

    /// Looks through everything from `offset` on.
    ///
    /// - Parameter skippingFirst: a batch at `offset` itself is known not to be whole and does not count.
    /// - Returns: the first place where `isBatch` finds one, if any, and the end of the last block that is not zero before it.
    mutating func survey(
        from offset: UInt64, skippingFirst: Bool = false, isBatch: (ArraySlice<UInt8>) -> Bool
    ) throws(DiskError) -> (batch: UInt64?, end: UInt64) {
        var position = offset
        var end = offset
        while position < size {
            let block = try bytes(at: position, BatchFormat.blockBytes)
            if block.isEmpty { break }
            if !Self.isZero(block) {
                let counts = position != offset || !skippingFirst
                if counts, block.starts(with: BatchFormat.magic), isBatch(block) { return (position, end) }
                end = position + UInt64(block.count)
            }
            position += UInt64(BatchFormat.blockBytes)
        }
        return (nil, end)
    }

    static func isZero(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return true }
            return raw[0] == 0 && memcmp(base, base + 1, raw.count - 1) == 0
        }
    }
}

extension DiskError {
    var isMissing: Bool { errno == ENOENT }
}
