import CaseNotifications

/// What the store's commands answer, read from JSON: the same from a daemon, from `budkavled` alone and over TLS.
enum StoreAnswer: Equatable, Sendable {
    case keys(Keys)
    case erasure(Erasure)
    case backup(Backup)
    case restore(Restore)
    case salvage(Salvage)
    case verification(Verification)
    case stats(Stats)
    case audit(Audit)
    case deadLetters(DeadLetters)
    case requeued(Int)

    struct Keys: Equatable, Sendable {
        let action: String
        let active: String
        let atHand: [String]
        let sealedBy: [Seal]
        let segments: Int
        let slabs: Int
        let snapshots: Int
        let signing: [SigningKey]
        let lastKeyBackup: Timestamp?
    }

    struct Seal: Equatable, Sendable {
        let generation: Int
        let master: String
    }

    struct SigningKey: Equatable, Sendable {
        let serial: Int
        let key: String
    }

    struct Erasure: Equatable, Sendable {
        let notifications: Int
        let slots: Int
        let slabsRewritten: Int
        let slabsDropped: Int
        let masterKeys: [String]
        let erasedAt: Timestamp
        let lastKeyBackup: Timestamp?
    }

    struct Backup: Equatable, Sendable {
        let journal: String?
        let keys: String?
        let lastRecord: Int
        let files: Int
        let bytes: Int
    }

    struct Restore: Equatable, Sendable {
        let directory: String
        let lastRecord: Int
        let erasedSlots: Int
        let deletions: Int
    }

    struct Finding: Equatable, Sendable {
        let consequence: String
        let text: String
    }

    struct Salvage: Equatable, Sendable {
        let isAccepted: Bool
        let findings: [Finding]
        let quarantined: [String]
    }

    struct Verification: Equatable, Sendable {
        let isSound: Bool
        let startNeedsOverride: Bool
        let findings: [Finding]
        let segments: Int
        let batches: Int
        let records: Int
        let lastRecord: Int
        let texts: Int
        let erasedTexts: Int
        let slabs: Int
        let head: String
    }

    struct Segment: Equatable, Sendable {
        let number: Int
        let bytes: Int
        let usedBytes: Int
        /// Nil while there is none in it.
        let firstRecord: Int?
        let lastRecord: Int?
        let batches: Int
        let texts: Int
        let made: Timestamp?
    }

    struct Stats: Equatable, Sendable {
        let starts: Int
        let keyFile: Int
        let segments: [Segment]
        let slabs: Int
        let slots: Int
        let erasedSlots: Int
        let snapshots: Int
        let lastRecord: Int
        let bytes: Int
    }

    struct Audit: Equatable, Sendable {
        let isSound: Bool
        let records: Int
        let batches: Int
        let heads: Int
        let finding: String?
        /// Checkpoints that were held against the log; nil for none.
        var checkpoints: Int?
        /// How many of them it continues.
        var held: Int?
    }

    struct DeadLetter: Equatable, Sendable {
        let delivery: String
        /// Nil for a protected one.
        let desk: String?
        let urgency: String?
        let since: Timestamp?
    }

    struct DeadLetters: Equatable, Sendable {
        let deliveries: [DeadLetter]
        let hasMore: Bool
    }
}

extension StoreAnswer {
    /// Reads any of these answers by its schema; members that are not known are ignored.
    init(_ bytes: [UInt8]) throws(AnswerFault) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch { throw AnswerFault(pointer: "") }
        let reader = try AnswerReader(value, pointer: "")
        switch try reader.text("schema") {
        case "budkavle.keys/1": self = .keys(try Self.keys(reader))
        case "budkavle.erase/1": self = .erasure(try Self.erasure(reader))
        case "budkavle.backup/1":
            self = .backup(
                Backup(
                    journal: try reader.optionalText("journal"), keys: try reader.optionalText("keys"),
                    lastRecord: try reader.integer("lastrecord"), files: try reader.integer("files"),
                    bytes: try reader.integer("bytes")))
        case "budkavle.restore/1":
            self = .restore(
                Restore(
                    directory: try reader.text("directory"), lastRecord: try reader.integer("lastrecord"),
                    erasedSlots: try reader.integer("erasedslots"), deletions: try reader.integer("deletions")))
        case "budkavle.salvage/1":
            self = .salvage(
                Salvage(
                    isAccepted: try reader.flag("accepted"), findings: try Self.findings(reader),
                    quarantined: try reader.texts("quarantined")))
        case "budkavle.journal-verify/1": self = .verification(try Self.verification(reader))
        case "budkavle.journal-stats/1": self = .stats(try Self.stats(reader))
        case "budkavle.audit-verify/1":
            self = .audit(
                Audit(
                    isSound: try reader.flag("sound"), records: try reader.integer("records"),
                    batches: try reader.integer("batches"), heads: try reader.integer("heads"),
                    finding: try reader.optionalText("finding"),
                    checkpoints: try reader.optionalInteger("checkpoints"),
                    held: try reader.optionalInteger("held")))
        case "budkavle.dead-letters/1": self = .deadLetters(try Self.deadLetters(reader))
        case "budkavle.requeue/1": self = .requeued(try reader.integer("requeued"))
        default: throw reader.fault("schema")
        }
    }

    private static func keys(_ reader: AnswerReader) throws(AnswerFault) -> Keys {
        Keys(
            action: try reader.text("action"), active: try reader.text("active"), atHand: try reader.texts("masters"),
            sealedBy: try reader.objects("sealedby") { (seal) throws(AnswerFault) in
                Seal(generation: try seal.integer("generation"), master: try seal.text("master"))
            },
            segments: try reader.integer("segments"), slabs: try reader.integer("slabs"),
            snapshots: try reader.integer("snapshots"),
            signing: try reader.objects("signing") { (key) throws(AnswerFault) in
                SigningKey(serial: try key.integer("serial"), key: try key.text("key"))
            }, lastKeyBackup: try reader.optionalTime("lastkeybackup"))
    }

    private static func erasure(_ reader: AnswerReader) throws(AnswerFault) -> Erasure {
        Erasure(
            notifications: try reader.integer("notifications"), slots: try reader.integer("slots"),
            slabsRewritten: try reader.integer("slabsrewritten"), slabsDropped: try reader.integer("slabsdropped"),
            masterKeys: try reader.texts("masterkeys"), erasedAt: try reader.time("erasedat"),
            lastKeyBackup: try reader.optionalTime("lastkeybackup"))
    }

    private static func findings(_ reader: AnswerReader) throws(AnswerFault) -> [Finding] {
        try reader.objects("findings") { (finding) throws(AnswerFault) in
            Finding(consequence: try finding.text("consequence"), text: try finding.text("text"))
        }
    }

    private static func verification(_ reader: AnswerReader) throws(AnswerFault) -> Verification {
        Verification(
            isSound: try reader.flag("sound"), startNeedsOverride: try reader.flag("startneedsoverride"),
            findings: try findings(reader), segments: try reader.integer("segments"),
            batches: try reader.integer("batches"), records: try reader.integer("records"),
            lastRecord: try reader.integer("lastrecord"), texts: try reader.integer("texts"),
            erasedTexts: try reader.integer("erasedtexts"), slabs: try reader.integer("slabs"),
            head: try reader.text("head"))
    }

    private static func stats(_ reader: AnswerReader) throws(AnswerFault) -> Stats {
        Stats(
            starts: try reader.integer("starts"), keyFile: try reader.integer("keyfile"),
            segments: try reader.objects("segments") { (segment) throws(AnswerFault) in
                Segment(
                    number: try segment.integer("number"), bytes: try segment.integer("bytes"),
                    usedBytes: try segment.integer("usedbytes"),
                    firstRecord: try segment.optionalInteger("firstrecord"),
                    lastRecord: try segment.optionalInteger("lastrecord"), batches: try segment.integer("batches"),
                    texts: try segment.integer("texts"), made: try segment.optionalTime("made"))
            },
            slabs: try reader.integer("slabs"), slots: try reader.integer("slots"),
            erasedSlots: try reader.integer("erasedslots"), snapshots: try reader.integer("snapshots"),
            lastRecord: try reader.integer("lastrecord"), bytes: try reader.integer("bytes"))
    }

    private static func deadLetters(_ reader: AnswerReader) throws(AnswerFault) -> DeadLetters {
        DeadLetters(
            deliveries: try reader.objects("deliveries") { (delivery) throws(AnswerFault) in
                DeadLetter(
                    delivery: try delivery.text("delivery"), desk: try delivery.optionalText("desk"),
                    urgency: try delivery.optionalText("urgency"), since: try delivery.optionalTime("since"))
            }, hasMore: try reader.optionalFlag("more"))
    }
}
