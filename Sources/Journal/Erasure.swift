/// What must still happen before nobody can open what was erased.
///
/// The key files that held the slots' slab keys are gone from the directory, but copies of them may exist: on worn blocks of
/// the disk, and in backups of the keys. Each needs a master key to be opened.
package struct ErasureCompleteness: Sendable, Equatable {
    /// Master keys that were in use before the erasure: copies on the disk's own blocks end with them.
    package let masterKeys: [String]
    /// When the slots were destroyed here, milliseconds since 1970 UTC.
    package let erasedMilliseconds: Int64
    /// The last backup of keys before it, milliseconds since 1970 UTC: it and all earlier ones must go. Nil: there is none.
    package let lastKeyBackup: Int64?

    /// Takes the parts as they are.
    package init(masterKeys: [String], erasedMilliseconds: Int64, lastKeyBackup: Int64?) {
        self.masterKeys = masterKeys
        self.erasedMilliseconds = erasedMilliseconds
        self.lastKeyBackup = lastKeyBackup
    }
}

/// A slab that cannot be read, and holds more than was to be erased: what else lies in it may still be put back, and is not
/// destroyed unasked.
package struct UnreadableSlab: Sendable, Equatable {
    /// Its file: damaged, missing, or on a sector that cannot be read.
    package let path: String
    /// Slots in it that were to be destroyed and are not; some may have been destroyed earlier.
    package let slots: Int
}

/// What an erasure did.
package struct Erasure: Sendable, Equatable {
    /// Numbers of the signed deletion records; nil when every slot was gone already.
    package internal(set) var records: ClosedRange<UInt64>?
    /// Slots that were destroyed now; those of a slab that could not be read are not counted.
    package internal(set) var slots = 0
    /// Slabs that were written anew without them.
    package internal(set) var slabsRewritten = 0
    /// Slabs that went whole, since nothing of them was left.
    package internal(set) var slabsDropped = 0
    /// Slabs of which nothing was erased, and no record says so: repeat when their files are back. Empty for a whole erasure.
    package internal(set) var unreadable: [UnreadableSlab] = []
    /// What is left to do.
    package internal(set) var completeness: ErasureCompleteness

    mutating func add(_ next: Erasure) {
        if let more = next.records { records = (records?.lowerBound ?? more.lowerBound)...more.upperBound }
        slots += next.slots
        slabsRewritten += next.slabsRewritten
        slabsDropped += next.slabsDropped
        unreadable += next.unreadable
        completeness = next.completeness
    }
}

/// A slab and what becomes of it.
private struct SlabChange {
    let number: UInt64
    let oldFile: String
    /// Nil when it goes whole.
    let new: (entry: KeyTable.Entry, secrets: SlabSecrets, path: String)?
}

extension JournalCore {
    /// Destroys key slots, so that no key in this directory opens the texts under them any more. Through
    /// `JournalWriter.maintain`, or better `JournalWriter.erase`.
    ///
    /// On disk when it returns: a signed line in `audit/deletions`; the slabs under new keys and without the slots, or not at
    /// all; two key files that are the only ones. A crash leaves the old or the new state; a start carries out what was
    /// signed. Slots that are gone already are passed over, so repeating is safe. A slab that cannot be read goes whole when
    /// every slot that was used in it is to go; else it stays as it is and is named in `Erasure.unreadable`, and the rest is
    /// erased.
    ///
    /// - Parameter slots: at most `JournalLimits.maxSlotsPerErasure` in `maxSlabsPerErasure` slabs. No text may be appended
    ///   under them afterwards; a slot that nobody took yet is not given out any more.
    /// - Throws: `.limit`; `.noRoom`, and `.io` for want of descriptors: nothing has changed. Other failures end the journal,
    ///   and the next start carries the erasure out if it was signed.
    package mutating func erase(slots: [SlotID]) throws(JournalError) -> Erasure {
        guard failure == nil else { throw .stopped }
        let wanted = Set(slots)
        let slabs = Set(slots.map(\.slab))
        try Self.check("slots per erasure", wanted.count, JournalLimits.maxSlotsPerErasure)
        try Self.check("slabs per erasure", slabs.count, JournalLimits.maxSlabsPerErasure)
        guard let key = table.signingKeys.last else { preconditionFailure("a journal has a signing key") }
        self.slots.withdraw(wanted)
        if let record = deletionTail.unfinished { _ = try carryOut(record) }
        let unreadable = try keys.unreadable(slabs, isBadDiskCounted: true)
        let whole = unreadable.filter { isUsed($0, onlyIn: wanted) }
        let kept = Set(unreadable).subtracting(whole)
        let remainder = kept.sorted().map { number in
            UnreadableSlab(path: slabPath(number), slots: wanted.count { $0.slab == number })
        }
        let live =
            try keys.living(Array(wanted.filter { !unreadable.contains($0.slab) }))
            + wanted.filter { whole.contains($0.slab) }
        let now = clock.wallMilliseconds
        var result = Erasure(completeness: completeness(at: now))
        if !live.isEmpty {
            let record = DeletionRecord(
                .erased(live.sorted()), number: table.deletions + 1, journal: table.journal, wallMilliseconds: now,
                position: nextRecord - 1, previous: table.deletionDigest, key: key)
            result = try carryOut(record, dropping: whole)
        }
        result.unreadable = remainder
        return result
    }

    /// Whether texts can lie under no slots of this slab but these.
    private func isUsed(_ slab: UInt64, onlyIn slots: Set<SlotID>) -> Bool {
        guard let entry = table.entries[KeyName(kind: .slab, number: slab)], !self.slots.isOpen(slab) else {
            return false
        }
        return (0..<entry.use.count).allSatisfy { slots.contains(SlotID(slab: slab, index: $0)) }
    }

    private func slabPath(_ number: UInt64) -> String {
        let generation = table.entries[KeyName(kind: .slab, number: number)]?.generation ?? 0
        return paths.keys + "/" + SlabFile.name(number, generation: generation)
    }

    private static func check(_ name: String, _ value: Int, _ limit: Int) throws(JournalError) {
        guard value <= limit else { throw .limit(name: name, value: value, limit: limit) }
    }

    private func completeness(at milliseconds: Int64) -> ErasureCompleteness {
        ErasureCompleteness(
            masterKeys: ring.ids, erasedMilliseconds: milliseconds,
            lastKeyBackup: table.keyBackupMilliseconds == 0 ? nil : table.keyBackupMilliseconds)
    }

    /// Carries out a record; its line is written when it is not there yet.
    ///
    /// - Parameter whole: slabs that cannot be read, of which the record names all that was used. Where it was signed earlier
    ///   they are looked for.
    private mutating func carryOut(
        _ record: DeletionRecord, dropping whole: [UInt64] = []
    ) throws(JournalError) -> Erasure {
        guard case .erased(let slots) = record.statement else { preconditionFailure("this record erases nothing") }
        // What was signed is carried out. A slab that cannot be read goes whole: whatever could still be put back of it would
        // bring back what was erased. One on a bad sector only when nothing of others is in it: it may be read another time.
        var unreadable = whole
        if deletionTail.unfinished == record {
            let (named, slabs) = (Set(slots), Set(slots.map(\.slab)))
            unreadable = try keys.unreadable(slabs, isBadDiskCounted: true).filter { isUsed($0, onlyIn: named) }
            unreadable += try keys.unreadable(slabs.subtracting(unreadable), isBadDiskCounted: false)
            unreadable.sort()
        }
        let live = try keys.living(slots.filter { !unreadable.contains($0.slab) })
        var result = Erasure(
            records: record.number...record.number, slots: live.count,
            completeness: completeness(at: record.wallMilliseconds))
        let changes = try plan(live) + drop(unreadable)
        report.findings += unreadable.map { Finding(.slab, segment: $0) }
        result.slabsDropped = changes.count { $0.new == nil }
        result.slabsRewritten = changes.count - result.slabsDropped
        try replace(record, changes)
        for change in changes {
            if let new = change.new {
                keys.add(slab: change.number, entry: new.entry, secrets: new.secrets)
            } else {
                keys.forget(slab: change.number)
            }
        }
        try irrevocably { (core) throws(DiskError) in
            for change in changes {
                do throws(DiskError) { try core.disk.remove(change.oldFile) } catch {
                    guard error.isMissing, unreadable.contains(change.number) else { throw error }
                }
            }
            try core.disk.syncDirectory(core.paths.keys)
        }
        return result
    }

    private func drop(_ slabs: [UInt64]) -> [SlabChange] {
        slabs.compactMap { number in
            table.entries[KeyName(kind: .slab, number: number)].map { _ in
                SlabChange(number: number, oldFile: slabPath(number), new: nil)
            }
        }
    }

    private func plan(_ live: [SlotID]) throws(JournalError) -> [SlabChange] {
        var changes: [SlabChange] = []
        for (number, slots) in Dictionary(grouping: live, by: \.slab).sorted(by: { $0.key < $1.key }) {
            let name = KeyName(kind: .slab, number: number)
            guard let old = table.entries[name], let secrets = try keys.slab(number) else { continue }
            let oldFile = paths.keys + "/" + SlabFile.name(number, generation: old.generation)
            let next = SlabSecrets(secrets, erasing: slots.map(\.index))
            guard self.slots.isOpen(number) || next.hasSecret(amongFirst: old.use.count) else {
                changes.append(SlabChange(number: number, oldFile: oldFile, new: nil))
                continue
            }
            let generation = old.generation + 1
            let key = table.newKey(
                name, generation: generation, content: UnsafeRawBufferPointer(next.bytes), random: random)
            let path = paths.keys + "/" + SlabFile.name(number, generation: generation)
            changes.append(
                SlabChange(
                    number: number, oldFile: oldFile,
                    new: (KeyTable.Entry(generation: generation, key: key, use: old.use), next, path)))
        }
        return changes
    }

    /// First everything that needs space, then the signed line, from which on there is no way back, then the key files.
    ///
    /// - Parameter added: what else the table gets.
    private mutating func replace(
        _ record: DeletionRecord, _ changes: [SlabChange], adding added: [KeyName: KeyTable.Entry] = [:]
    ) throws(JournalError) {
        var next = table
        next.entries.merge(added) { _, new in new }
        next.deletions = record.number
        next.deletionDigest = record.digest
        for change in changes { next.entries[KeyName(kind: .slab, number: change.number)] = change.new?.entry }
        let file = KeyFile(directory: paths.keys, disk: disk)
        let staged = try maintaining { (core) throws(DiskError) in
            do throws(DiskError) {
                for change in changes { try core.write(change) }
                // The names are there before a key file speaks of them, whatever order the file system keeps.
                try core.disk.syncDirectory(core.paths.keys)
                let staged = try file.stage(next, with: core.ring, random: core.random)
                if core.deletionTail.unfinished != record { try core.append(record) }
                return staged
            } catch {
                guard error.isPassing else { throw error }
                file.unstage()
                for case let new? in changes.map(\.new) { try? core.disk.remove(new.path) }
                throw error
            }
        }
        try irrevocably { (core) throws(DiskError) in try file.publish(staged) }
        table = staged
        deletionTail.unfinished = nil
    }

    /// Makes the next signing key and lets the present one say so in the deletion list. Heads and deletions are signed by it
    /// from now on; the public halves of all keys stay.
    ///
    /// - Throws: as `erase`.
    package mutating func rotateSigningKey() throws(JournalError) -> HeadKey {
        guard failure == nil else { throw .stopped }
        guard let old = table.signingKeys.last else { preconditionFailure("a journal has a signing key") }
        if let record = deletionTail.unfinished { _ = try carryOut(record) }
        let name = KeyName(kind: .signing, number: UInt64(old.serial) + 1)
        let key = table.newKey(name, random: random)
        let new = SigningKey(serial: old.serial + 1, secret: key).publicHalf
        let record = DeletionRecord(
            .signingKey(new), number: table.deletions + 1, journal: table.journal,
            wallMilliseconds: clock.wallMilliseconds, position: nextRecord - 1, previous: table.deletionDigest,
            key: old)
        try replace(record, [], adding: [name: KeyTable.Entry(generation: 0, key: key)])
        try irrevocably { (core) throws(DiskError) in try core.disk.syncDirectory(core.paths.keys) }
        signerChanged()
        return new
    }

    private func write(_ change: SlabChange) throws(DiskError) {
        guard let new = change.new else { return }
        // A file of this generation can only be the rest of an attempt that a full disk ended.
        try? disk.remove(new.path)
        let header = SlabFile.header(change.number, generation: new.entry.generation, journal: table.journal)
        try disk.writeNew(new.path, SlabFile.sealed(new.secrets, header: header, key: new.entry.key))
    }

    /// Appends a line to the deletion list and syncs it. An error that is passing leaves the list as it was.
    mutating func append(_ record: DeletionRecord) throws(DiskError) {
        let line = Array(record.line.utf8)
        var isNew = false
        let file: DiskFile
        do throws(DiskError) {
            file = try disk.open(paths.deletions, .update)
        } catch {
            guard error.isMissing else { throw error }
            isNew = true
            file = try disk.open(paths.deletions, .create)
        }
        defer { disk.close(file) }
        // What lies behind the last whole line was never carried out.
        let end = min(deletionTail.end, try disk.size(file))
        try disk.truncate(file, to: end)
        do throws(DiskError) {
            try disk.writeAll(file, at: end, line)
        } catch {
            if error.isPassing { try? disk.truncate(file, to: end) }
            throw error
        }
        try disk.sync(file)
        if isNew { try disk.syncDirectory(paths.audit) }
        deletionTail.end = end + UInt64(line.count)
    }

    /// What a start does about slabs: unused ones of the last start go, and of the others it is noted how far they were used.
    ///
    /// - Parameter mark: every slot that a text on disk names is below it; 0 when nobody knows.
    mutating func settleSlabs(mark: UInt64) {
        for (name, entry) in table.entries where name.kind == .slab && entry.use == .open {
            let use = SlabUse(of: name.number, mark: mark)
            table.entries[name]?.use = use
            if use == .first(0) {
                table.entries[name] = nil
                keys.forget(slab: name.number)
            }
        }
        slots.mark = mark
    }

    /// Carries out an erasure that was signed before a crash. Readers and the caller have seen nothing yet.
    ///
    /// - Throws: what is final. For want of space it is left to the next erasure or start, and reported.
    mutating func finishErasure() throws(JournalError) {
        guard let record = deletionTail.unfinished else { return }
        do throws(JournalError) {
            _ = try carryOut(record)
        } catch {
            guard case .noRoom = error else { throw error }
        }
    }
}

extension JournalWriter {
    /// Destroys key slots, however many: in steps with commits between them, each atomic and with a signed record of its own.
    ///
    /// The caller appends no text under these slots from now on; what it appended before is on disk before they go.
    ///
    /// - Parameter completion: once, as for `maintain`, when the last step is on disk. After an error some steps may be
    ///   done; repeating carries out the rest.
    package func erase(
        _ slots: [SlotID], completion: @escaping @Sendable (Result<Erasure, JournalError>) -> Void
    ) {
        erase(ErasurePortions(slots).portions[...], after: nil, completion)
    }

    private func erase(
        _ portions: ArraySlice<[SlotID]>, after done: Erasure?,
        _ completion: @escaping @Sendable (Result<Erasure, JournalError>) -> Void
    ) {
        guard let portion = portions.first else {
            if let done { completion(.success(done)) }
            return
        }
        maintain({ (core: inout JournalCore) throws(JournalError) in try core.erase(slots: portion) }) { result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let step):
                var sum = done ?? step
                if done != nil { sum.add(step) }
                self.erase(portions.dropFirst(), after: sum, completion)
            }
        }
    }
}

/// Slots in portions that one step may erase; at least one portion, so that an empty erasure is answered too.
struct ErasurePortions {
    private(set) var portions: [[SlotID]] = [[]]

    init(_ slots: [SlotID]) {
        var slabs = 0
        var last: SlotID?
        for slot in Set(slots).sorted() {
            let isNew = last.map { $0.slab != slot.slab } ?? true
            let isFull = portions[portions.count - 1].count == JournalLimits.maxSlotsPerErasure
            if isFull || (isNew && slabs == JournalLimits.maxSlabsPerErasure) {
                portions.append([])
                slabs = 0
            }
            if isNew || portions[portions.count - 1].isEmpty { slabs += 1 }
            portions[portions.count - 1].append(slot)
            last = slot
        }
    }
}
