extension JournalCore {
    /// Puts a first signing key into the table when there is none: a new journal, or one that version 1 wrote.
    ///
    /// It is durable when the next key file is, which is before anything is signed.
    mutating func ensureSigningKey() {
        if table.signingKeys.isEmpty {
            let name = KeyName(kind: .signing, number: 1)
            table.entries[name] = KeyTable.Entry(generation: 0, key: table.newKey(name, random: random))
        }
        signerChanged()
    }

    /// Signs with the key of the highest serial from now on. After the table got another one, and before that is used.
    mutating func signerChanged() {
        let keys = table.signingKeys
        signer = keys.last
        self.keys.setCopies(table.copyKey)
        archive.setHeadKeys(keys.map(\.publicHalf))
    }
}

extension JournalCore {
    /// Makes every later start ask for an override: a client holds a signed head that this journal does not continue.
    ///
    /// - Parameter note: at most `JournalLimits.maxHoldBytes` in UTF-8, for people. A hold that lies there already stays.
    /// - Throws: `.noRoom`: there is no hold, and the journal goes on. Else final.
    package mutating func placeCheckpointHold(note: String) throws(JournalError) {
        let path = paths.root + "/" + Hold.checkpoint.fileName
        try maintaining { (core) throws(DiskError) in
            do throws(DiskError) {
                try core.disk.writeNew(path, Array(note.utf8))
            } catch {
                if error.isExisting { return }
                if error.isPassing { try? core.disk.remove(path) }
                throw error
            }
            try core.disk.syncDirectory(core.paths.root)
        }
    }

    /// Heads that were signed up to this time, milliseconds since 1970 UTC, may contradict the log: somebody has answered for
    /// it. 0 for none.
    package var answeredMilliseconds: Int64 { table.answeredMilliseconds }

    /// Moves the hold to `quarantine/`: somebody has answered for it, and for every head that was signed until now.
    package mutating func removeCheckpointHold() throws(JournalError) {
        let name = Hold.checkpoint.fileName
        let now = clock.wallMilliseconds
        try maintaining { (core) throws(DiskError) in
            var next = core.table
            next.answeredMilliseconds = max(next.answeredMilliseconds, now)
            try core.storeKeys(&next)
        }
        try maintaining { (core) throws(DiskError) in
            do throws(DiskError) {
                let suffix = "-" + String.hex(core.table.start) + "-" + .hex(core.nextRecord)
                try core.disk.rename(core.paths.root + "/" + name, to: core.paths.quarantine + "/" + name + suffix)
            } catch {
                if error.isMissing { return }
                throw error
            }
            try core.disk.syncDirectory(core.paths.quarantine)
            try core.disk.syncDirectory(core.paths.root)
        }
    }
}
