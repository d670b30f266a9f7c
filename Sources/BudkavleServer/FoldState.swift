import CaseNotifications
import Journal
import Relay

/// When the events of a closed segment happened, by the relay's own clock: where to look for a notification.
struct SegmentTimes: Sendable, Equatable {
    static let encodedBytes = 32

    var segment: UInt64
    var firstRecord: UInt64
    var earliest: Timestamp
    var latest: Timestamp
}

/// A collaboration's state at the end of a closed segment: what a snapshot holds, in sections.
///
/// Relay pieces are the relay's own; the other sections are lists of entries of one length, little-endian numbers.
struct FoldState: Sendable {
    private enum Section: UInt8 {
        case relay = 1
        /// Where the content of open notifications lies: id (two words), `TextLocation.encoded`.
        case contents = 2
        /// `SegmentTimes`: four words each.
        case times = 3
    }

    static let locationBytes = 16 + TextLocation.encodedBytes
    /// Segments whose times are kept; of older ones nobody asks but by scanning.
    static let timesLimit = 1 << 16

    var relay: Relay
    var lastEventAt = Timestamp.distantPast
    var contents = ContentStore()
    var times: [SegmentTimes] = []

    /// The last segment that lies wholly before a record; 0 when that is not known.
    func segment(before record: UInt64) -> UInt64 {
        (times.last { $0.firstRecord <= record }?.segment ?? 1) - 1
    }

    /// The state before the first record.
    init(collaboration: CollaborationID) { relay = Relay(collaboration: collaboration) }

    /// Takes a snapshot whole. Nil when anything in it is not as this program writes it.
    init?(from reader: inout SnapshotReader, collaboration: CollaborationID) {
        self.init(collaboration: collaboration)
        var relayReader = RelaySnapshotReader(collaboration: collaboration, settings: .standard)
        do {
            while let piece = try reader.next() {
                switch Section(rawValue: piece.section) {
                case .relay: try relayReader.add(piece.bytes)
                case .contents: guard readContents(piece.bytes) else { return nil }
                case .times: guard readTimes(piece.bytes) else { return nil }
                case nil: return nil
                }
            }
            relay = try relayReader.finish()
        } catch { return nil }
        guard relay.sequence == reader.point.nextRecord - 1, Self.bytes(of: relay.stateDigest) == reader.point.state
        else { return nil }
        lastEventAt = Timestamp(milliseconds: reader.point.foldedMilliseconds)
    }

    /// Writes every section, piece by piece.
    ///
    /// - Parameter goesOn: asked before each piece.
    /// - Returns: false when it was told to stop.
    func write(to writer: inout SnapshotWriter, while goesOn: () -> Bool) throws(JournalError) -> Bool {
        var pieces = RelaySnapshotWriter(relay)
        while let piece = pieces.next() {
            guard goesOn() else { return false }
            try writer.append(piece, section: Section.relay.rawValue)
        }
        var piece: [UInt8] = []
        for (id, location) in contents.known {
            if piece.count + Self.locationBytes > SnapshotLimits.pieceBytes {
                guard goesOn() else { return false }
                try writer.append(piece, section: Section.contents.rawValue)
                piece.removeAll(keepingCapacity: true)
            }
            Self.put(id.high, into: &piece)
            Self.put(id.low, into: &piece)
            piece.append(contentsOf: location.encoded)
        }
        if !piece.isEmpty { try writer.append(piece, section: Section.contents.rawValue) }
        piece = []
        for entry in times.suffix(SnapshotLimits.pieceBytes / SegmentTimes.encodedBytes) {
            Self.put(entry.segment, into: &piece)
            Self.put(entry.firstRecord, into: &piece)
            Self.put(UInt64(bitPattern: entry.earliest.milliseconds), into: &piece)
            Self.put(UInt64(bitPattern: entry.latest.milliseconds), into: &piece)
        }
        if !piece.isEmpty { try writer.append(piece, section: Section.times.rawValue) }
        return goesOn()
    }

    /// The digest as a snapshot's head holds it: 16 bytes.
    static func bytes(of digest: StateDigest) -> [UInt8] {
        var bytes: [UInt8] = []
        put(digest.high, into: &bytes)
        put(digest.low, into: &bytes)
        return bytes
    }

    private mutating func readContents(_ bytes: [UInt8]) -> Bool {
        guard bytes.count % Self.locationBytes == 0 else { return false }
        for start in stride(from: 0, to: bytes.count, by: Self.locationBytes) {
            let id = NotificationID(high: Self.word(bytes, start), low: Self.word(bytes, start + 8))
            guard let location = TextLocation(decoding: bytes[(start + 16)..<(start + Self.locationBytes)]) else {
                return false
            }
            contents.stored(id, at: location)
        }
        return true
    }

    private mutating func readTimes(_ bytes: [UInt8]) -> Bool {
        guard bytes.count % SegmentTimes.encodedBytes == 0 else { return false }
        for start in stride(from: 0, to: bytes.count, by: SegmentTimes.encodedBytes) {
            let entry = SegmentTimes(
                segment: Self.word(bytes, start), firstRecord: Self.word(bytes, start + 8),
                earliest: Timestamp(milliseconds: Int64(bitPattern: Self.word(bytes, start + 16))),
                latest: Timestamp(milliseconds: Int64(bitPattern: Self.word(bytes, start + 24))))
            guard entry.segment > times.last?.segment ?? 0 else { return false }
            times.append(entry)
        }
        return true
    }

    private static func put(_ word: UInt64, into bytes: inout [UInt8]) {
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// - Precondition: there are eight bytes at `start`.
    private static func word(_ bytes: [UInt8], _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        for place in (0..<8).reversed() { word = word << 8 | UInt64(bytes[start + place]) }
        return word
    }
}

extension Recovered {
    /// The state that a snapshot holds. Nil when it cannot be used.
    static func restore(from reader: inout SnapshotReader, collaboration: CollaborationID) -> Recovered? {
        guard let state = FoldState(from: &reader, collaboration: collaboration) else { return nil }
        return Recovered(relay: state.relay, lastEventAt: state.lastEventAt, contents: state.contents)
    }
}
