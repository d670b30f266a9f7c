import CaseNotifications

/// The answers of the store's commands, as lines for an operator.
package struct StoreRenderer: Sendable {
    private let language: Language

    /// A renderer in one language.
    package init(_ language: Language) { self.language = language }

    /// The lines of any of these answers, without line ends.
    package func lines(_ answer: [UInt8]) throws(AnswerFault) -> [String] { lines(try StoreAnswer(answer)) }

    func lines(_ answer: StoreAnswer) -> [String] {
        switch answer {
        case .keys(let keys): lines(keys)
        case .erasure(let erasure): lines(erasure)
        case .backup(let backup): lines(backup)
        case .restore(let restore):
            [
                text(.restored(restore.directory)),
                text(
                    .restoredUpTo(
                        lastRecord: restore.lastRecord, deletions: restore.deletions, slots: restore.erasedSlots)),
                text(.restoredNeedsOverride),
            ]
        case .salvage(let salvage): lines(salvage)
        case .verification(let verification): lines(verification)
        case .stats(let stats): lines(stats)
        case .audit(let audit):
            (audit.isSound
                ? [text(.auditSound(records: audit.records, batches: audit.batches, heads: audit.heads))]
                : [text(.auditBroken)] + (audit.finding.map { ["  " + safe($0)] } ?? []))
                + (audit.checkpoints.map { [text(.auditHeld(audit.held ?? 0, of: $0))] } ?? [])
        case .deadLetters(let letters): lines(letters)
        case .requeued(let count): [text(.requeued(count))]
        }
    }

    private func lines(_ keys: StoreAnswer.Keys) -> [String] {
        var result: [String] = []
        switch keys.action {
        case "rotate":
            let isOnlyKey = keys.atHand.allSatisfy { $0 == keys.active }
            result.append(text(isOnlyKey ? .onlyKey(keys.active) : .rotated(keys.active)))
        case "retire": result.append(text(.retired))
        default: break
        }
        result += [text(.activeKey(keys.active)), text(.keysAtHand(keys.atHand))]
        result += keys.sealedBy.map { text(.sealed(generation: $0.generation, master: $0.master)) }
        result.append(text(.keyCounts(segments: keys.segments, slabs: keys.slabs, snapshots: keys.snapshots)))
        result += keys.signing.map { text(.signingKey($0.key)) }
        result.append(text(keys.lastKeyBackup.map { .lastKeyBackup($0.rfc3339) } ?? .noKeyBackup))
        return result
    }

    private func lines(_ erasure: StoreAnswer.Erasure) -> [String] {
        // What was found and has no keys left was erased before.
        var result =
            erasure.slots > 0
            ? [
                text(.erased(notifications: erasure.notifications, slots: erasure.slots)),
                text(.erasedFromDisk(rewritten: erasure.slabsRewritten, dropped: erasure.slabsDropped)),
            ] : [text(.nothingErased)]
        guard erasure.slots > 0 || erasure.notifications > 0 else { return result }
        result.append(text(.oldKeyFiles(erasure.masterKeys)))
        result.append(text(erasure.lastKeyBackup.map { .oldKeyBackups($0.rfc3339) } ?? .noOldKeyBackup))
        return result
    }

    private func lines(_ backup: StoreAnswer.Backup) -> [String] {
        var result: [String] = []
        if let path = backup.journal { result.append(text(.journalBackup(path))) }
        if let path = backup.keys { result.append(text(.keyBackup(path))) }
        result.append(text(.backupSize(lastRecord: backup.lastRecord, files: backup.files, bytes: backup.bytes)))
        if backup.journal != nil, backup.keys != nil { result.append(text(.keepApart)) }
        return result
    }

    private func lines(_ salvage: StoreAnswer.Salvage) -> [String] {
        var result = salvage.findings.map(line)
        result += salvage.quarantined.map { text(.quarantined($0)) }
        let isBlocked = salvage.findings.contains { $0.consequence == "refusal" }
        if salvage.isAccepted {
            result.append(text(.accepted))
        } else {
            result.append(text(isBlocked ? .acceptHint : .nothingToSalvage))
        }
        return result
    }

    private func lines(_ verification: StoreAnswer.Verification) -> [String] {
        var result = [text(verification.isSound ? .sound : .notSound)]
        result += verification.findings.map(line)
        result.append(
            text(
                .verified(
                    segments: verification.segments, batches: verification.batches, records: verification.records,
                    texts: verification.texts, erased: verification.erasedTexts)))
        result.append(text(.head(lastRecord: verification.lastRecord, hash: verification.head)))
        if verification.startNeedsOverride { result.append(text(.needsOverride)) }
        return result
    }

    private func line(_ finding: StoreAnswer.Finding) -> String {
        "  \(safe(finding.consequence)): \(safe(finding.text))"
    }

    private func lines(_ stats: StoreAnswer.Stats) -> [String] {
        var result = [
            text(.starts(stats.starts, keyFile: stats.keyFile)),
            text(.segmentTitles),
        ]
        result += stats.segments.map { segment in
            let first = segment.firstRecord.map(String.init) ?? "-"
            let last = segment.lastRecord.map(String.init) ?? "-"
            return "\(segment.number)  \(first)..\(last)  \(segment.batches)  \(segment.texts)"
                + "  \(segment.usedBytes)/\(segment.bytes)  \(segment.made?.rfc3339 ?? "-")"
        }
        result.append(text(.totals(bytes: stats.bytes, lastRecord: stats.lastRecord)))
        result.append(
            text(
                .slabs(
                    count: stats.slabs, slots: stats.slots, erased: stats.erasedSlots, snapshots: stats.snapshots)))
        return result
    }

    private func lines(_ letters: StoreAnswer.DeadLetters) -> [String] {
        if letters.deliveries.isEmpty { return [text(.noDeadLetters)] }
        var result = letters.deliveries.map { letter in
            let place = letter.desk.map(safe) ?? text(.protectedDelivery)
            return [safe(letter.delivery), place, safe(letter.urgency ?? "-"), letter.since?.rfc3339 ?? "-"]
                .joined(separator: "  ")
        }
        if letters.hasMore { result.append(text(.more)) }
        return result
    }

    /// Foreign text is sanitised here, once.
    private func safe(_ text: String) -> String { Sanitizer.line(text, limit: 500) }

    private func text(_ message: StoreText) -> String { Sanitizer.line(message.text(language), limit: 1_000) }
}
