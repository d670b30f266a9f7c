extension JournalCore {
    private static let zeros = [UInt8](repeating: 0, count: JournalLimits.preparationStepBytes)

    mutating func prepareStep() throws(DiskError) -> Preparation {
        var hasWorked = false
        if space.wantsMore {
            try prepareSpace()
            hasWorked = true
        }
        let missing = options.slabsAhead - slots.count / JournalLimits.slotsPerSlab
        if missing > 0 {
            try prepareSlabs(missing)
            hasWorked = true
        }
        space.setFull(false)
        return hasWorked ? .progressed : .idle
    }

    /// Grows the last segment by one piece of zeros, or makes the next segment when it has its full size.
    private mutating func prepareSpace() throws(DiskError) {
        let last = segments[segments.count - 1]
        guard last.prepared < options.segmentBytes else {
            segments.append(try makeSegment(last.number + 1))
            return
        }
        try grow(segments.count - 1, to: min(last.prepared + JournalLimits.preparationStepBytes, options.segmentBytes))
        updateSpace()
    }

    /// Writes and syncs real zeros: overwriting written blocks later changes no metadata, so that a commit's sync is quick
    /// and cannot meet a full disk.
    mutating func grow(_ index: Int, to end: Int) throws(DiskError) {
        let segment = segments[index]
        let count = end - segment.prepared
        precondition(count > 0 && count <= JournalLimits.preparationStepBytes)
        try disk.allocate(segment.file, at: UInt64(segment.prepared), count: count)
        let file = segment.file
        let offset = UInt64(segment.prepared)
        let result: Result<Void, DiskError> = Self.zeros.withUnsafeBytes { zeros in
            do throws(DiskError) {
                try disk.writeAll(file, at: offset, from: UnsafeRawBufferPointer(rebasing: zeros[..<count]))
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        try disk.sync(segment.file)
        segments[index].prepared += count
    }

    /// Makes an empty segment file with a new key, which is durable before the file is there.
    mutating func makeSegment(_ number: UInt64) throws(DiskError) -> OpenSegment {
        let key = newKey()
        var next = table
        next.entries[KeyName(kind: .segment, number: number)] = KeyTable.Entry(generation: 0, key: key)
        try storeKeys(&next)
        let path = paths.segment(number)
        // A file of this number can only be the rest of an attempt that a full disk ended.
        try? disk.remove(path)
        let file = try disk.open(path, .create)
        do throws(DiskError) {
            try disk.syncDirectory(paths.segments)
        } catch {
            disk.close(file)
            throw error
        }
        keys.add(segment: number, key: key)
        return OpenSegment(
            number: number, file: file, key: key, written: SegmentHeader.bytes, prepared: 0)
    }

    /// Makes slabs: each file synced, then the directory and the key file, then the slots are given out.
    mutating func prepareSlabs(_ count: Int) throws(DiskError) {
        var next = table
        var made: [(number: UInt64, entry: KeyTable.Entry, secrets: SlabSecrets)] = []
        var paths: [String] = []
        do throws(DiskError) {
            for _ in 0..<count {
                let number = next.nextSlab
                next.nextSlab += 1
                let entry = KeyTable.Entry(generation: 1, key: newKey())
                let secrets = SlabSecrets(random: random)
                let header = SlabFile.header(number, generation: entry.generation, journal: next.journal)
                let path = self.paths.keys + "/" + SlabFile.name(number, generation: entry.generation)
                paths.append(path)
                try disk.writeNew(path, SlabFile.sealed(secrets, header: header, key: entry.key))
                next.entries[KeyName(kind: .slab, number: number)] = entry
                made.append((number, entry, secrets))
            }
            try storeKeys(&next)
        } catch {
            if error.isFull {
                for path in paths { try? disk.remove(path) }
                // The numbers are not used again: whether the key file of this attempt reached the disk is not asked.
                table.nextSlab = next.nextSlab
            }
            throw error
        }
        for slab in made { keys.add(slab: slab.number, entry: slab.entry, secrets: slab.secrets) }
        slots.add(made.map(\.number))
    }

    /// Makes `next` the key file, and then this journal's table.
    mutating func storeKeys(_ next: inout KeyTable) throws(DiskError) {
        try KeyFile(directory: paths.keys, disk: disk).store(&next, with: ring, random: random)
        table = next
    }

    private func newKey() -> Cipher.Key {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Cipher.keyBytes, alignment: 8)
        defer {
            for index in bytes.indices { bytes[index] = 0 }
            bytes.deallocate()
        }
        random.fill(bytes)
        return Cipher.key(UnsafeRawBufferPointer(bytes))
    }
}
