extension Inspection {
    /// The journal's name, as it stands in heads, and the public halves of the keys that sign for it.
    ///
    /// - Throws: as `access`.
    package static func headKeys(
        directory: String, keys ring: KeyRing, disk: any Disk = PosixDisk()
    ) throws(JournalError) -> (journal: [UInt8], keys: [HeadKey]) {
        let table = try InspectedJournal(directory: directory, keys: ring, disk: disk).table
        var name = ByteWriter()
        name.put(table.journal)
        return (name.bytes, table.signingKeys.map(\.publicHalf))
    }

    /// Sight of a journal's records and snapshots for somebody who only reads, beside a running daemon too.
    ///
    /// Keys that are made later are not known to it: a segment that is begun afterwards is not seen.
    ///
    /// - Throws: `.keysMissing`, `.masterKeyMissing`, `.masterKeyWrong`, `.keysDamaged`, `.newerFormat`, `.foreign`, `.io`.
    package static func access(
        directory: String, keys ring: KeyRing, disk: any Disk = PosixDisk()
    ) throws(JournalError) -> JournalAccess {
        let sight = try InspectedJournal(directory: directory, keys: ring, disk: disk)
        return JournalAccess(
            paths: sight.paths, disk: disk, keys: sight.start.keys, clock: SystemJournalClock())
    }
}
