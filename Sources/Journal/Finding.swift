/// Something in a journal that is not as it was left there.
///
/// Equal values are the same finding: an override names exactly what it accepts.
package struct Finding: Hashable, Sendable {
    /// What a start does about it.
    package enum Consequence: Comparable, Sendable {
        /// A crash explains it and nothing was lost: put in order and reported.
        case note
        /// Set aside, alarmed; the rest is served.
        case damage
        /// No start without an override.
        case refusal
    }

    /// The class. The numbers stand in overrides and segment headers.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// An end that a crash left half written.
        case tornTail = 1
        /// A segment whose beginning a crash left half written.
        case tornHeader = 2
        /// One of the watermark's two slots; the other counts.
        case watermarkSlot = 3

        /// Batches that cannot be read.
        case batch = 16
        /// What stands in clear behind a batch's frames: signature and tree. Its records are whole.
        case trailer = 17
        /// A batch that belongs to another segment of this journal.
        case splice = 18
        /// Bytes where nothing was ever written.
        case unusedSpace = 19
        /// Neither slot of the watermark can be read.
        case watermark = 20
        /// The newest key file; the one before was used.
        case keyFile = 21
        /// Key slots: the texts under them cannot be read.
        case slab = 22
        /// One text; its records are whole.
        case text = 23
        /// A snapshot; an older one or the whole journal was read instead.
        case snapshot = 24
        /// The deletion list does not end with the line that the key file names: cut, altered or put back.
        case deletionList = 25
        /// `audit/` goes on behind the journal's end: the journal was cut or rolled back. What is beyond is copied aside.
        case archive = 26
        /// The copy of a segment's audit records.
        case copy = 27
        /// Segments went, and there is no copy of their audit records.
        case copyMissing = 28

        /// A segment that must be there is not.
        case segmentMissing = 32
        /// A segment's header does not verify.
        case segmentHeader = 33
        /// A segment's file holds another segment.
        case segmentMisplaced = 34
        /// A segment whose key is not in the key file.
        case segmentKey = 35
        /// What verifies does not continue what is before it: removed, moved, doubled or put back.
        case chain = 36
        /// The journal ends before what is known to have been on disk: cut off, or an older copy.
        case behindWatermark = 37
        /// The journal has another history than the one that is known to have been on disk.
        case besideWatermark = 38
        /// Somebody asked that a person looks before the next start.
        case held = 39

        /// What a start does about it.
        package var consequence: Consequence {
            switch self {
            case .tornTail, .tornHeader, .watermarkSlot: .note
            case .batch, .trailer, .splice, .unusedSpace, .watermark, .keyFile, .slab, .text, .snapshot,
                .deletionList, .archive, .copy, .copyMissing:
                .damage
            case .segmentMissing, .segmentHeader, .segmentMisplaced, .segmentKey, .chain, .behindWatermark,
                .besideWatermark, .held:
                .refusal
            }
        }
    }

    /// The class.
    package let kind: Kind
    /// The segment; the number of the slab, snapshot or key file; 0 when it is about none.
    package let segment: UInt64
    /// The first byte that it is about.
    package let offset: UInt64
    /// How many bytes.
    package let bytes: UInt64
    /// Records that are lost; empty when none is.
    package let records: Range<UInt64>
    /// A number of the kind's own: a batch, the segment something came from, a text's number in its batch.
    package let detail: UInt64

    init(
        _ kind: Kind, segment: UInt64 = 0, offset: UInt64 = 0, bytes: UInt64 = 0, records: Range<UInt64> = 0..<0,
        detail: UInt64 = 0
    ) {
        self.kind = kind
        self.segment = segment
        self.offset = offset
        self.bytes = bytes
        self.records = records.isEmpty ? 0..<0 : records
        self.detail = detail
    }

    /// What a start does about it.
    package var consequence: Consequence { kind.consequence }

    /// The error with which a start refuses it.
    var error: JournalError {
        switch kind {
        case .segmentMissing: .segmentMissing(segment)
        case .segmentHeader, .segmentMisplaced: .segmentHeader(segment)
        case .segmentKey: .segmentKey(segment)
        case .chain: .chain(segment: segment, offset: offset)
        case .behindWatermark: .behindWatermark(segment: segment, records: records)
        case .besideWatermark: .besideWatermark(segment: segment)
        case .held: .held(Hold(number: offset) ?? .restored)
        case .tornTail, .tornHeader, .watermarkSlot, .batch, .trailer, .splice, .unusedSpace, .watermark, .keyFile,
            .slab, .text, .snapshot, .deletionList, .archive, .copy, .copyMissing:
            .damaged(segment: segment, offset: offset, records: records)
        }
    }
}

extension Finding {
    /// Bytes of a finding in overrides and segment headers.
    static let encodedBytes = 64

    func put(to writer: inout ByteWriter) {
        let start = writer.bytes.count
        writer.put(UInt32(kind.rawValue))
        writer.put(UInt32(0))
        writer.put(segment)
        writer.put(offset)
        writer.put(bytes)
        writer.put(records.lowerBound)
        writer.put(records.upperBound)
        writer.put(detail)
        writer.pad(to: start + Self.encodedBytes)
    }

    /// Foreign bytes: nil for what is no finding.
    init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let rawKind = reader.number(UInt32.self), reader.number(UInt32.self) == 0,
            let kind = UInt8(exactly: rawKind).flatMap(Kind.init), let segment = reader.number(UInt64.self),
            let offset = reader.number(UInt64.self), let count = reader.number(UInt64.self),
            let lower = reader.number(UInt64.self), let upper = reader.number(UInt64.self), lower <= upper,
            let detail = reader.number(UInt64.self)
        else { return nil }
        self.init(kind, segment: segment, offset: offset, bytes: count, records: lower..<upper, detail: detail)
    }

    /// Findings with their number in front, in a field of fixed size.
    static func put(_ findings: [Finding], to writer: inout ByteWriter) {
        let start = writer.bytes.count
        precondition(findings.count <= JournalLimits.maxAcceptedFindings)
        writer.put(UInt32(findings.count))
        writer.put(UInt32(0))
        for finding in findings { finding.put(to: &writer) }
        writer.pad(to: start + fieldBytes)
    }

    /// Bytes of the field that `put` fills.
    static let fieldBytes = 8 + JournalLimits.maxAcceptedFindings * encodedBytes

    /// Reads the field; nil when it holds anything else.
    static func findings(decoding field: [UInt8]) -> [Finding]? {
        var reader = ByteReader(field)
        guard let count = reader.number(UInt32.self), Int(count) <= JournalLimits.maxAcceptedFindings,
            reader.number(UInt32.self) == 0
        else { return nil }
        var findings: [Finding] = []
        for _ in 0..<count {
            guard let finding = reader.take(encodedBytes).flatMap({ Finding(decoding: $0) }) else { return nil }
            findings.append(finding)
        }
        return findings
    }
}

extension Finding: CustomStringConvertible {
    /// One sentence: where, what, and which records are lost.
    package var description: String {
        let lost =
            // Not `count`: foreign bytes may name more than an `Int` holds.
            switch records.upperBound - records.lowerBound {
            case 0: "no record is lost"
            case 1: "record \(records.lowerBound) is lost"
            default: "records \(records.lowerBound) to \(records.upperBound - 1) are lost"
            }
        let place = "segment \(segment), byte \(offset)"
        return switch kind {
        case .tornTail: "\(place): \(bytes) bytes that a crash left half written; nobody was answered for them"
        case .tornHeader: "segment \(segment): its beginning was left half written by a crash and holds nothing"
        case .watermarkSlot: "watermark: slot \(offset) cannot be read; the other one counts"
        case .batch: "\(place): \(bytes) bytes cannot be read; \(lost)"
        case .trailer: "\(place): the signature of batch \(detail) cannot be read; no record is lost"
        case .splice: "\(place): a batch of segment \(detail) was put here; \(lost)"
        case .unusedSpace: "\(place): \(bytes) bytes where nothing was written; no record is lost"
        case .watermark: "watermark: neither slot can be read"
        case .keyFile: "key file \(segment) cannot be opened; the one before it was used"
        case .slab: "slab \(segment) cannot be opened: the texts under its slots cannot be read"
        case .text: "\(place): text \(detail) of the batch cannot be read; no record is lost"
        case .deletionList:
            "audit/deletions was cut, altered or put back; put the newest copy of it back, a restore needs it whole"
        case .archive:
            "audit/ knows \(detail) records, the journal ends with \(offset): cut off, or an older copy; what proves it"
                + " is in quarantine/audit-*"
        case .copy:
            "audit/records-\(String.hex(segment)), byte \(offset): the copy of the segment's audit records cannot be read"
                + " from there on; take it from a backup"
        case .copyMissing where detail > segment:
            "segments \(segment) to \(detail) went, and audit/ has no copies of their audit records; take them from a backup"
        case .copyMissing:
            "segment \(segment) went, and audit/ has no copy of its audit records; take it from a backup"
        case .snapshot: "snapshot \(segment) cannot be read; an older one or the whole journal was read instead"
        case .segmentMissing where detail > segment: "segments \(segment) to \(detail) are missing; \(lost)"
        case .segmentMissing: "segment \(segment) is missing; \(lost)"
        case .segmentHeader: "segment \(segment): the header does not verify"
        case .segmentMisplaced: "segment \(segment): its file holds segment \(detail)"
        case .segmentKey: "segment \(segment): its key is not in the key file"
        case .chain: "\(place): batch \(detail) does not continue what is before it; \(lost)"
        case .behindWatermark:
            "the journal ends before batch \(detail) of segment \(segment), which was on disk: cut off, or an older"
                + " copy; \(lost)"
        case .besideWatermark: "segment \(segment): batch \(detail) is not the one that was on disk: another history"
        case .held: "held: \(Hold(number: offset)?.rawValue ?? "by a newer version")"
        }
    }
}
