import CaseNotifications
import Journal

/// The answers of the store's commands: the same over the wire and from a tool without a daemon.
enum StoreAnswers {
    private static func time(_ milliseconds: Int64?) -> Timestamp? { milliseconds.map { Timestamp(milliseconds: $0) } }

    private static func number(_ value: UInt64) -> Int { Int(clamping: value) }

    /// `budkavle.keys/1`.
    static func keys(_ report: KeyReport, action: String, at now: Timestamp) -> JSONValue {
        var answer = AnswerObject(schema: "keys", now: now)
        answer.set("action", action)
        answer.set("active", report.active)
        answer.set("masters", report.masters)
        let generations = report.generations.map { generation in
            var seal = AnswerObject()
            seal.set("generation", number(generation.number))
            seal.set("master", generation.master ?? "")
            return seal.value
        }
        answer.set("sealedby", .array(generations))
        answer.set("segments", report.segmentKeys)
        answer.set("slabs", report.slabKeys)
        answer.set("snapshots", report.snapshotKeys)
        let signing = report.signing.map { key in
            var signer = AnswerObject()
            signer.set("serial", Int(key.serial))
            signer.set("key", key.line(journal: report.journal))
            return signer.value
        }
        answer.set("signing", .array(signing))
        answer.set("lastkeybackup", time(report.lastKeyBackup))
        return answer.value
    }

    /// `budkavle.erase/1`.
    static func erasure(_ erasure: Erasure, _ finds: ErasureFinds, at now: Timestamp) -> JSONValue {
        var answer = AnswerObject(schema: "erase", now: now)
        answer.set("notifications", finds.notifications.count)
        answer.set("slots", erasure.slots)
        answer.set("slabsrewritten", erasure.slabsRewritten)
        answer.set("slabsdropped", erasure.slabsDropped)
        if let records = erasure.records {
            answer.set("firstdeletion", number(records.lowerBound))
            answer.set("lastdeletion", number(records.upperBound))
        }
        answer.set("masterkeys", erasure.completeness.masterKeys)
        answer.set("erasedat", time(erasure.completeness.erasedMilliseconds))
        answer.set("lastkeybackup", time(erasure.completeness.lastKeyBackup))
        return answer.value
    }

    /// `budkavle.backup/1`.
    static func backup(_ report: BackupReport, journal: String?, keys: String?, at now: Timestamp) -> JSONValue {
        var answer = AnswerObject(schema: "backup", now: now)
        answer.set("journal", journal)
        answer.set("keys", keys)
        answer.set("madeat", time(report.wallMilliseconds))
        answer.set("lastrecord", number(report.lastRecord))
        answer.set("files", report.files)
        answer.set("bytes", number(report.bytes))
        return answer.value
    }

    /// `budkavle.restore/1`.
    static func restore(_ report: RestoreReport, directory: String, at now: Timestamp) -> JSONValue {
        var answer = AnswerObject(schema: "restore", now: now)
        answer.set("directory", directory)
        answer.set("madeat", time(report.wallMilliseconds))
        answer.set("lastrecord", number(report.lastRecord))
        answer.set("files", report.files)
        answer.set("deletions", number(report.deletions))
        answer.set("erasedslots", report.slotsErased)
        return answer.value
    }

    /// `budkavle.journal-verify/1`.
    static func verification(_ report: VerifyReport, at now: Timestamp) -> JSONValue {
        var answer = AnswerObject(schema: "journal-verify", now: now)
        answer.set("sound", report.isSound)
        answer.set("startneedsoverride", report.startNeedsOverride)
        answer.set("findings", .array(report.findings.map { finding($0) }))
        answer.set("segments", report.segments)
        answer.set("batches", report.batches)
        answer.set("records", number(report.records))
        answer.set("firstrecord", number(report.firstRecord))
        answer.set("lastrecord", number(report.lastRecord))
        answer.set("texts", report.texts)
        answer.set("erasedtexts", report.erasedTexts)
        answer.set("slabs", report.slabs)
        answer.set("head", hex(report.head))
        return answer.value
    }

    /// `budkavle.journal-stats/1`.
    static func stats(_ stats: JournalStats, at now: Timestamp) -> JSONValue {
        var answer = AnswerObject(schema: "journal-stats", now: now)
        answer.set("starts", number(stats.starts))
        answer.set("keyfile", number(stats.keyGeneration))
        answer.set("segments", .array(stats.segments.map { segment($0) }))
        answer.set("slabs", stats.slabKeys)
        answer.set("slots", stats.slots)
        answer.set("erasedslots", stats.erasedSlots)
        answer.set("snapshots", stats.snapshots.count)
        answer.set("batches", stats.batches)
        answer.set("texts", stats.texts)
        answer.set("lastrecord", number(stats.lastRecord))
        answer.set("bytes", number(stats.fileBytes))
        answer.set("head", hex(stats.head))
        if let record = stats.markedRecord { answer.set("markedrecord", number(record)) }
        answer.set("markedat", time(stats.markedMilliseconds))
        return answer.value
    }

    private static func segment(_ segment: SegmentStats) -> JSONValue {
        var answer = AnswerObject()
        answer.set("number", number(segment.number))
        answer.set("bytes", number(segment.fileBytes))
        answer.set("usedbytes", number(segment.usedBytes))
        if let record = segment.firstRecord { answer.set("firstrecord", number(record)) }
        if let record = segment.lastRecord { answer.set("lastrecord", number(record)) }
        answer.set("batches", segment.batches)
        answer.set("texts", segment.texts)
        answer.set("made", time(segment.madeMilliseconds))
        return answer.value
    }

    /// `budkavle.salvage/1`.
    static func salvage(
        _ found: VerifyReport, isAccepted: Bool, quarantined: [String], at now: Timestamp
    ) -> JSONValue {
        var answer = AnswerObject(schema: "salvage", now: now)
        answer.set("accepted", isAccepted)
        answer.set("findings", .array(found.findings.map { finding($0) }))
        answer.set("quarantined", quarantined)
        return answer.value
    }

    /// `budkavle.salvage/1` of a daemon whose answers had stopped.
    static func cleared(_ stop: CheckpointStop, at now: Timestamp) -> JSONValue {
        var found = AnswerObject()
        found.set("consequence", "refusal")
        found.set("kind", "checkpoint")
        found.set("text", "a client's checkpoint of \(stop.size) records lies \(stop.place), which had \(stop.known)")
        var answer = AnswerObject(schema: "salvage", now: now)
        answer.set("accepted", true)
        answer.set("findings", .array([found.value]))
        answer.set("quarantined", [String]())
        return answer.value
    }

    /// `budkavle.audit-verify/1`.
    ///
    /// - Parameter checkpoints: how many were held against the log; `held` of the answer says how many it continues.
    static func audit(_ report: AuditReport, checkpoints: Int, at now: Timestamp) -> JSONValue {
        var answer = AnswerObject(schema: "audit-verify", now: now)
        answer.set("sound", report.isSound)
        answer.set("records", number(report.records))
        answer.set("lastrecord", number(report.lastRecord))
        answer.set("batches", number(report.batches))
        answer.set("unsigned", number(report.unsigned))
        answer.set("archived", number(report.archived))
        answer.set("heads", number(report.signatures))
        if checkpoints > 0 {
            answer.set("checkpoints", checkpoints)
            answer.set("held", report.held)
        }
        answer.set("finding", report.findings.first?.description)
        answer.set("findings", report.findings.count)
        return answer.value
    }

    /// One finding: where, what, and what to do.
    private static func finding(_ finding: Finding) -> JSONValue {
        var answer = AnswerObject()
        let consequence =
            switch finding.consequence {
            case .note: "note"
            case .damage: "damage"
            case .refusal: "refusal"
            }
        answer.set("consequence", consequence)
        answer.set("kind", "\(finding.kind)")
        answer.set("segment", number(finding.segment))
        answer.set("offset", number(finding.offset))
        answer.set("bytes", number(finding.bytes))
        if !finding.records.isEmpty {
            answer.set("firstlost", number(finding.records.lowerBound))
            answer.set("lost", finding.records.count)
        }
        answer.set("text", finding.description)
        return answer.value
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
