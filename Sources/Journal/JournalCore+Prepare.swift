extension JournalCore {
    private static let zeros = [UInt8](repeating: 0, count: JournalLimits.preparationStepBytes)

    mutating func prepareStep() throws(DiskError) -> Preparation {
        guard try isReserveBack() else {
            // What the reserve gave is for deliveries and acknowledgements alone.
            space.setFull(true)
            guard space.progressIsBelow(partOf: 1) else { return .full }
            try prepareSpace()
            return .progressed
        }
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
        if !hasWorked, reserve.isMissing { _ = try reserve.make() }
        return hasWorked ? .progressed : .idle
    }

    /// Whether the reserve file stands or was never given away; tries to make it when it was.
    private mutating func isReserveBack() throws(DiskError) -> Bool {
        guard reserve.isSpent else { return true }
        guard try reserve.make() else { return false }
        space.setSpent(false)
        return true
    }

    /// On a full disk, when little is left for deliveries and acknowledgements: the reserve file gives its space.
    mutating func makeRoomForProgress() throws(DiskError) -> Bool {
        guard space.progressIsBelow(partOf: 2), try reserve.release() else { return false }
        space.setSpent(true)
        return true
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
        let name = KeyName(kind: .segment, number: number)
        let key = table.newKey(name, random: random)
        var next = table
        next.entries[name] = KeyTable.Entry(generation: 0, key: key)
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
                let name = KeyName(kind: .slab, number: number)
                let secrets = SlabSecrets(random: random)
                let key = next.newKey(
                    name, generation: 1, content: UnsafeRawBufferPointer(secrets.bytes), random: random)
                let entry = KeyTable.Entry(generation: 1, key: key, use: .open)
                let header = SlabFile.header(number, generation: entry.generation, journal: next.journal)
                let path = self.paths.keys + "/" + SlabFile.name(number, generation: entry.generation)
                paths.append(path)
                try disk.writeNew(path, SlabFile.sealed(secrets, header: header, key: entry.key))
                next.entries[name] = entry
                made.append((number, entry, secrets))
            }
            try storeKeys(&next)
        } catch {
            if error.isPassing {
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
    ///
    /// Both generations hold it: a key that seals what is written from now on must survive the loss of one file.
    mutating func storeKeys(_ next: inout KeyTable) throws(DiskError) {
        let file = KeyFile(directory: paths.keys, disk: disk)
        let staged = try file.stage(next, with: ring, random: random)
        try file.publish(staged)
        next = staged
        table = next
    }
}
