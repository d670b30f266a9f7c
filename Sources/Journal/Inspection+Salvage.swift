/// A person's word that the journal shall be served as it is.
package struct SalvageAcceptance: Sendable {
    /// Why, at most `JournalLimits.maxReasonBytes`.
    package let reason: String
    /// Who, at most `JournalLimits.maxNameBytes`.
    package let by: String

    /// Takes both as they are; `salvage` checks them.
    package init(reason: String, by: String) {
        self.reason = reason
        self.by = by
    }
}

/// What `Inspection.salvage` did.
package struct SalvageReport: Sendable {
    /// What was found.
    package let found: VerifyReport
    /// Copies of what cannot be read, in `quarantine/`.
    package let quarantined: [String]
    /// The override that was written for the next start; nil without an acceptance, and when nothing refuses the start.
    package let override: Override?
}

extension Inspection {
    /// Copies whatever cannot be read to `quarantine/`, and with an acceptance lets the next start go on behind exactly what
    /// was found. The segments themselves are not touched.
    ///
    /// - Precondition: the caller holds the lock of the data directory: no daemon runs.
    /// - Throws: as `verify`; `.override(.tooMany)` when more is wrong than one override may name, `.override(.contents)` when
    ///   the words are empty or too long. Nothing has been written then but copies.
    package static func salvage(
        directory: String, keys ring: KeyRing, accepting acceptance: SalvageAcceptance? = nil,
        disk: any Disk = PosixDisk(), random: any RandomSource = SystemRandom(),
        clock: any JournalClock = SystemJournalClock()
    ) throws(JournalError) -> SalvageReport {
        let report = try verify(directory: directory, keys: ring, disk: disk)
        let paths = JournalPaths(root: directory)
        let copies = try JournalError.wrapping { () throws(DiskError) in
            try copyAside(report.findings, paths, disk)
        }
        guard let acceptance, !report.refusals.isEmpty else {
            return SalvageReport(found: report, quarantined: copies, override: nil)
        }
        let findings = Finding.folded(report.refusals)
        guard findings.count <= JournalLimits.maxAcceptedFindings else {
            throw .override(path: paths.override, problem: .tooMany(findings.count))
        }
        let override = Override(
            findings: findings, reason: acceptance.reason, by: acceptance.by,
            madeMilliseconds: clock.wallMilliseconds)
        try Override.write(override, paths, journal: report.journal, keys: ring, disk: disk, random: random)
        return SalvageReport(found: report, quarantined: copies, override: override)
    }

    private static func copyAside(
        _ findings: [Finding], _ paths: JournalPaths, _ disk: any Disk
    ) throws(DiskError) -> [String] {
        try disk.makeDirectory(paths.quarantine)
        var copies: [String] = []
        for finding in findings where finding.isSetAside || finding.kind == .text {
            let file = try disk.open(paths.segment(finding.segment), .read)
            defer { disk.close(file) }
            let path = paths.quarantined(finding.segment, finding.offset, "damaged")
            try disk.copy(file, from: finding.offset, count: Int(clamping: finding.bytes), to: path)
            copies.append(path)
        }
        if !copies.isEmpty { try disk.syncDirectory(paths.quarantine) }
        return copies
    }
}
