/// What the store's commands say to operators. Both languages are exhaustive switches, as in `Message`.
enum StoreText: Equatable, Sendable {
    case activeKey(String)
    case keysAtHand([String])
    case sealed(generation: Int, master: String)
    case keyCounts(segments: Int, slabs: Int, snapshots: Int)
    case signingKey(String)
    case lastKeyBackup(String)
    case noKeyBackup
    case rotated(String)
    case onlyKey(String)
    case retired
    case erased(notifications: Int, slots: Int)
    case nothingErased
    case erasedFromDisk(rewritten: Int, dropped: Int)
    case oldKeyFiles([String])
    case oldKeyBackups(String)
    case noOldKeyBackup
    case journalBackup(String)
    case keyBackup(String)
    case backupSize(lastRecord: Int, files: Int, bytes: Int)
    case keepApart
    case restored(String)
    case restoredUpTo(lastRecord: Int, deletions: Int, slots: Int)
    case restoredNeedsOverride
    case nothingToSalvage
    case accepted
    case acceptHint
    case quarantined(String)
    case sound
    case notSound
    case needsOverride
    case verified(segments: Int, batches: Int, records: Int, texts: Int, erased: Int)
    case head(lastRecord: Int, hash: String)
    case starts(Int, keyFile: Int)
    case segmentTitles
    case totals(bytes: Int, lastRecord: Int)
    case slabs(count: Int, slots: Int, erased: Int, snapshots: Int)
    case auditSound(records: Int, batches: Int, heads: Int)
    case auditBroken
    case auditHeld(Int, of: Int)
    case noDeadLetters
    case protectedDelivery
    case more
    case requeued(Int)

    func text(_ language: Language) -> String {
        switch language {
        case .english: english
        case .swedish: swedish
        }
    }
}

extension StoreText {
    private var english: String {
        switch self {
        case .activeKey(let id): "active master key  \(id)"
        case .keysAtHand(let ids): "at hand            \(ids.joined(separator: " "))"
        case .sealed(let generation, let master): "key file \(generation) is sealed under \(master)"
        case .keyCounts(let segments, let slabs, let snapshots):
            "in it: \(segments) segment keys, \(slabs) slab keys, \(snapshots) snapshot keys"
        case .signingKey(let line): "signing key: \(line)"
        case .lastKeyBackup(let time): "last backup of the keys \(time)"
        case .noKeyBackup: "the keys have never been backed up"
        case .rotated(let id):
            "Everything is sealed under \(id) now. Next: keys retire with the old key's id, then destroy that key."
        case .onlyKey(let id):
            "The master key is the same as before: \(id) is the only one that budkavled.yaml names. keys rotate --help says what to"
                + " write there first."
        case .retired: "Nothing is sealed under it. Take it out of budkavled.yaml and destroy its file and every copy."
        case .erased(let notifications, let slots): "Erased: \(notifications) notifications, \(slots) key slots."
        case .nothingErased: "It was erased before: there is nothing left to erase."
        case .erasedFromDisk(let rewritten, let dropped):
            "\(rewritten) slabs written anew, \(dropped) dropped. What waited for delivery is withdrawn."
        case .oldKeyFiles(let ids):
            "Older key files on worn blocks of the disk or in backups open it until master key"
                + " \(ids.joined(separator: ", ")) is rotated away, retired and destroyed."
        case .oldKeyBackups(let time):
            "Backups of the keys made up to \(time) have to go, too: with them it is complete."
        case .noOldKeyBackup: "No backup of the keys was made before."
        case .journalBackup(let path): "journal, without keys: \(path)"
        case .keyBackup(let path): "key set, under the master key: \(path)"
        case .backupSize(let lastRecord, let files, let bytes):
            "up to record \(lastRecord), \(files) files, \(bytes) bytes"
        case .keepApart: "Keep the two apart, and the key set at most 35 days."
        case .restored(let path): "restored into \(path)"
        case .restoredUpTo(let lastRecord, let deletions, let slots):
            "up to record \(lastRecord); \(deletions) deletions applied, \(slots) key slots erased again"
        case .restoredNeedsOverride:
            "A restored journal may know less than clients were told. Before the first start:"
                + " journal salvage --accept --reason … --by …"
        case .nothingToSalvage: "Nothing keeps the daemon from starting or answering."
        case .accepted: "Accepted. The next start goes on with it and writes reason and name into the audit log."
        case .acceptHint: "Nothing was written. To go on all the same: journal salvage --accept --reason … --by …"
        case .quarantined(let path): "set aside: \(path)"
        case .sound: "SOUND"
        case .notSound: "NOT SOUND"
        case .needsOverride: "The daemon does not start with this: budkavled journal salvage says what to do."
        case .verified(let segments, let batches, let records, let texts, let erased):
            "\(segments) segments, \(batches) batches, \(records) records, \(texts) texts opened, \(erased) erased"
        case .head(let lastRecord, let hash): "head after record \(lastRecord): \(hash)"
        case .starts(let count, let keyFile): "started \(count) times, key file \(keyFile)"
        case .segmentTitles: "segment  records  batches  texts  used of bytes  made"
        case .totals(let bytes, let lastRecord): "in all \(bytes) bytes, last record \(lastRecord)"
        case .slabs(let count, let slots, let erased, let snapshots):
            "\(count) slabs with \(slots) key slots, \(erased) of them erased; \(snapshots) snapshots"
        case .auditSound(let records, let batches, let heads):
            "VERIFIED  \(records) records in \(batches) batches under \(heads) signed heads"
        case .auditBroken: "BROKEN"
        case .auditHeld(let held, let all): "The log continues \(held) of \(all) checkpoints."
        case .noDeadLetters: "Nothing is set aside."
        case .protectedDelivery: "(protected)"
        case .more: "There are more that are not shown."
        case .requeued(let count): "\(count) deliveries go to stations again."
        }
    }

    private var swedish: String {
        switch self {
        case .activeKey(let id): "aktiv huvudnyckel  \(id)"
        case .keysAtHand(let ids): "till hands         \(ids.joined(separator: " "))"
        case .sealed(let generation, let master): "nyckelfil \(generation) är förseglad under \(master)"
        case .keyCounts(let segments, let slabs, let snapshots):
            "i den: \(segments) segmentnycklar, \(slabs) blocknycklar, \(snapshots) nycklar till ögonblicksbilder"
        case .signingKey(let line): "signeringsnyckel: \(line)"
        case .lastKeyBackup(let time): "nycklarna säkerhetskopierades senast \(time)"
        case .noKeyBackup: "nycklarna har aldrig säkerhetskopierats"
        case .rotated(let id):
            "Allt är nu förseglat under \(id). Härnäst: keys retire med den gamla nyckelns id, förstör sedan den nyckeln."
        case .onlyKey(let id):
            "Huvudnyckeln är densamma som förut: \(id) är den enda som budkavled.yaml nämner. keys rotate --help säger vad som"
                + " ska stå där först."
        case .retired: "Inget är förseglat under den. Ta bort den ur budkavled.yaml och förstör filen och alla kopior."
        case .erased(let notifications, let slots): "Raderat: \(notifications) meddelanden, \(slots) nyckelplatser."
        case .nothingErased: "Det är redan raderat: det finns inget kvar att radera."
        case .erasedFromDisk(let rewritten, let dropped):
            "\(rewritten) nyckelblock skrivna på nytt, \(dropped) borttagna. Det som väntade på leverans är återkallat."
        case .oldKeyFiles(let ids):
            "Äldre nyckelfiler på slitna diskblock eller i säkerhetskopior öppnar det tills huvudnyckel"
                + " \(ids.joined(separator: ", ")) är utbytt, indragen och förstörd."
        case .oldKeyBackups(let time):
            "Även kopior av nycklarna till och med \(time) måste bort: först då är det raderat."
        case .noOldKeyBackup: "Nycklarna hade inte säkerhetskopierats tidigare."
        case .journalBackup(let path): "journalen, utan nycklar: \(path)"
        case .keyBackup(let path): "nycklarna, under huvudnyckeln: \(path)"
        case .backupSize(let lastRecord, let files, let bytes): "till post \(lastRecord), \(files) filer, \(bytes) byte"
        case .keepApart: "Förvara dem åtskilda, och nycklarna i högst 35 dagar."
        case .restored(let path): "återställt till \(path)"
        case .restoredUpTo(let lastRecord, let deletions, let slots):
            "till post \(lastRecord); \(deletions) raderingar utförda, \(slots) nyckelplatser raderade igen"
        case .restoredNeedsOverride:
            "En återställd journal kan veta mindre än vad klienter har fått besked om. Före första starten:"
                + " journal salvage --accept --reason … --by …"
        case .nothingToSalvage: "Inget hindrar tjänsten från att starta eller svara."
        case .accepted: "Godtaget. Nästa start fortsätter med det och skriver skäl och namn i granskningsloggen."
        case .acceptHint: "Inget skrevs. För att fortsätta ändå: journal salvage --accept --reason … --by …"
        case .quarantined(let path): "lagt åt sidan: \(path)"
        case .sound: "HEL"
        case .notSound: "INTE HEL"
        case .needsOverride: "Tjänsten startar inte med detta: budkavled journal salvage säger vad som kan göras."
        case .verified(let segments, let batches, let records, let texts, let erased):
            "\(segments) segment, \(batches) satser, \(records) poster, \(texts) texter öppnade, \(erased) raderade"
        case .head(let lastRecord, let hash): "huvud efter post \(lastRecord): \(hash)"
        case .starts(let count, let keyFile): "startad \(count) gånger, nyckelfil \(keyFile)"
        case .segmentTitles: "segment  poster  satser  texter  använt av byte  skapat"
        case .totals(let bytes, let lastRecord): "sammanlagt \(bytes) byte, sista post \(lastRecord)"
        case .slabs(let count, let slots, let erased, let snapshots):
            "\(count) nyckelblock med \(slots) nyckelplatser, \(erased) raderade; \(snapshots) ögonblicksbilder"
        case .auditSound(let records, let batches, let heads):
            "STYRKT  \(records) poster i \(batches) satser under \(heads) signerade huvuden"
        case .auditBroken: "BRUTEN"
        case .auditHeld(let held, let all): "Loggen fortsätter \(held) av \(all) kontrollpunkter."
        case .noDeadLetters: "Inget är lagt åt sidan."
        case .protectedDelivery: "(skyddad)"
        case .more: "Det finns fler som inte visas."
        case .requeued(let count): "\(count) leveranser går till mottagarsystemen igen."
        }
    }
}
