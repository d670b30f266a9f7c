extension Inspection {
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
