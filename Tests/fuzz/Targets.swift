import CaseNotifications
import Glibc
import TestSupport

// Decoders of foreign bytes under fuzzing. Built by `run` beside this file, in a package of its own.
@testable import Journal
@testable import Relay
@testable import STOMP

/// What was promised and does not hold: the process ends, which a fuzzer notices; it knows neither errors nor recorded issues.
private func demand(_ holds: Bool, _ what: StaticString) {
    guard !holds else { return }
    let line = Array("ERROR: \(what)\n".utf8)
    write(STDERR_FILENO, line, line.count)
    abort()
}

/// Keys and names that all targets share.
private struct Known: @unchecked Sendable {
    // SAFETY: filled once and only read.
    let journal = JournalID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
    let key = [UInt8](repeating: 7, count: 32).withUnsafeBytes { Cipher.key($0) }
    let segment: UInt64 = 3
    let store: KeyStore
    let opener: BatchOpener

    init() {
        var table = KeyTable(journal: journal)
        table.entries[KeyName(kind: .segment, number: segment)] = KeyTable.Entry(generation: 0, key: key)
        // Copies of audit records are sealed under what follows from it.
        table.entries[KeyName(kind: .signing, number: 1)] = KeyTable.Entry(generation: 0, key: key)
        store = KeyStore(table: table, directory: "/none", disk: MemoryDisk(seed: 1))
        opener = BatchOpener(journal: journal, segment: segment, key: key)
    }
}

private let known = Known()

/// Takes numbers from the front of the input, so that the fuzzer steers what is sealed.
private struct Steering {
    var rest: ArraySlice<UInt8>

    mutating func byte() -> Int { rest.popFirst().map { Int($0) } ?? 0 }
    mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken + [UInt8](repeating: 0, count: count - taken.count)
    }
}

private func seal(_ plain: [UInt8], _ key: Cipher.Key, _ number: UInt32, _ additional: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: plain.count + Cipher.tagBytes)
    output.withUnsafeMutableBytes { output in
        plain.withUnsafeBytes { Cipher.seal($0, key: key, number: number, additional: additional, to: output) }
    }
    return output
}

/// A batch that opens: directory and shared bytes are the fuzzer's, the seals are right.
private func sealedBatch(_ input: [UInt8]) -> [UInt8] {
    var steering = Steering(rest: input[...])
    let texts = steering.byte() % 20
    let records = steering.byte()
    let frames = steering.byte()
    let trailerBytes = steering.byte() % 4 == 0 ? steering.byte() * 6 : 0
    let first = steering.byte() % 2 == 0 ? UInt64(1) : .max - 300
    var shared = Array(steering.rest)
    var total = 0
    while true {
        total =
            BatchFormat.headBytes + BatchFormat.directoryFrameBytes + shared.count
            + BatchFormat.frames(for: shared.count) * Cipher.tagBytes + trailerBytes
        if total % BatchFormat.blockBytes == 0 { break }
        shared.append(0)
    }
    let own = 1 + BatchFormat.frames(for: shared.count)
    let batchHead = BatchHead(
        totalBytes: total, frameCount: frames % 3 == 0 ? own + frames / 3 : own, batch: 5, firstRecord: first,
        recordCount: records, trailerBytes: trailerBytes, salt: [UInt8](repeating: 9, count: 32))
    let head = batchHead.encoded
    var context = known.opener.context(batchHead, head[...])
    var directory = ByteWriter()
    directory.put([UInt8](repeating: 1, count: 32))
    directory.put(UInt32(shared.count))
    directory.put(UInt32(texts))
    directory.pad(to: BatchFormat.directoryBytes)
    var bytes = head + seal(directory.bytes, context.key, 0, context.additional(0))
    var start = 0
    var frame: UInt32 = 1
    while start < shared.count {
        let end = min(start + BatchFormat.frameBytes, shared.count)
        bytes += seal(Array(shared[start..<end]), context.key, frame, context.additional(frame))
        start = end
        frame += 1
    }
    return bytes + [UInt8](repeating: 3, count: trailerBytes)
}

private func open(_ bytes: [UInt8]) {
    _ = known.opener.isBatch(bytes[...])
    guard let batch = known.opener.open(bytes[...], at: 4_096) else { return }
    var records = 0
    for item in batch.items {
        switch item {
        case .record(let range):
            records += 1
            demand(range.upperBound <= batch.shared.count, "a record ends behind the shared bytes")
        case .text(let text):
            demand(Int(text.location.textOffset) < bytes.count, "a text begins behind the batch")
            demand(Int(text.location.byteCount) <= JournalLimits.maxTextBytes, "a text is past its limit")
        }
    }
    demand(records == Int(batch.head.recordCount), "the records are not as many as the head says")
    _ = known.opener.opensTexts(batch, bytes[...], keys: known.store)
    _ = batch.signedHead(journal: known.journal)
}

private func trailer(_ input: [UInt8]) {
    var steering = Steering(rest: input[...])
    let records = steering.byte()
    let clear = Array(steering.rest.prefix(1_400))
    let head = BatchHead(
        totalBytes: 8_192, frameCount: 2, batch: 1, firstRecord: UInt64(steering.byte()) << 3, recordCount: records,
        trailerBytes: clear.count + Cipher.tagBytes, salt: [UInt8](repeating: 9, count: 32))
    var context = known.opener.context(head, head.encoded[...])
    let bytes = clear + seal([], context.key, 2, context.additional(2) + clear)
    guard let trailer = BatchTrailer(opening: bytes[...], of: head, &context) else { return }
    demand(trailer.sealed(&context, frameCount: 2) == bytes, "a trailer that opens is not written so")
}

private func keyFile(_ input: [UInt8]) {
    let random = SeededRandom(seed: 3)
    var empty = KeyTable(journal: known.journal)
    guard let ring = Ring.value else { return }
    var file = empty.sealed(with: ring, random: random)
    _ = try? KeyTable(opening: input, path: "", with: ring)
    // The fuzzer's body under the right keys: header with its length and digest, and the right seal.
    guard let master = ring.key(ring.active) else { return }
    var header = Array(file[..<KeyTable.headerBytes])
    withUnsafeBytes(of: UInt32(input.count + Cipher.tagBytes).littleEndian) {
        header.replaceSubrange(40..<44, with: $0)
    }
    header.replaceSubrange(144..<160, with: Cipher.digest(Array(header[..<144]))[..<16])
    let key = Cipher.derive(
        master, salt: Array(header[112..<144]), info: Array("budkavle/journal/1/key file".utf8) + header)
    file = header + seal(input, key, 0, header)
    guard let table = try? KeyTable(opening: file, path: "", with: ring) else { return }
    demand(table.entries.count <= JournalLimits.maxKeys, "more keys than the limit")
    empty = table
    let again = try? KeyTable(opening: empty.sealed(with: ring, random: random), path: "", with: ring)
    demand(again?.entries.keys == table.entries.keys, "a key file is read otherwise when it is written again")
}

/// A master key without a file's help is not to be had: `KeyRing` reads files only.
private enum Ring {
    static let value: KeyRing? = {
        let path = "/tmp/budkavle-fuzz-\(UInt64.random(in: 0 ... .max)).key"
        defer { try? PosixDisk().remove(path) }
        do {
            try KeyRing.generate(at: path, random: SeededRandom(seed: 7))
            return try KeyRing.load([KeyFileReference(id: "v1", path: path)], active: "v1")
        } catch {
            print("fuzzer: no master key in /tmp: \(error)")
            exit(EXIT_FAILURE)
        }
    }()
}

private func segmentHeader(_ input: [UInt8]) {
    _ = try? SegmentHeader(opening: input, key: known.key, path: "")
    guard input.count >= 16 else { return }
    var block = Array((input + [UInt8](repeating: 0, count: SegmentHeader.bytes)).prefix(SegmentHeader.codeOffset))
    block.replaceSubrange(0..<8, with: SegmentHeader.magic)
    let key = Cipher.derive(known.key, salt: [], info: Array("budkavle/journal/1/header".utf8))
    block += Cipher.authenticate(block, key: key)
    _ = try? SegmentHeader(opening: block, key: known.key, path: "")
}

private func watermark(_ input: [UInt8]) {
    var slot = Array((input + [UInt8](repeating: 0, count: Watermark.slotBytes)).prefix(Watermark.slotBytes))
    _ = try? WatermarkSlot(opening: slot, keys: known.store, path: "")
    slot.replaceSubrange(0..<8, with: Watermark.magic)
    slot.replaceSubrange(8..<10, with: [UInt8(Watermark.version), 0])
    slot.replaceSubrange(
        Watermark.digestOffset..<Watermark.codeOffset, with: Cipher.digest(Array(slot[..<Watermark.digestOffset])))
    _ = try? WatermarkSlot(opening: slot, keys: known.store, path: "")
    guard let mark = Watermark(decoding: slot, journal: known.journal) else { return }
    let again = Watermark(decoding: mark.sealed(key: known.key, journal: known.journal), journal: known.journal)
    demand(again == mark, "a watermark is read otherwise when it is written again")
}

private func slab(_ input: [UInt8]) {
    let header = SlabFile.header(9, generation: 1, journal: known.journal)
    _ = SlabFile.open(input, header: header, key: known.key)
    _ = SlabFile.open(header + input, header: header, key: known.key)
    var plain = input
    plain.append(contentsOf: repeatElement(0, count: max(0, SlabSecrets.plaintextBytes - plain.count)))
    // Of the right length, one short and one long.
    for count in [SlabSecrets.plaintextBytes, SlabSecrets.plaintextBytes - 1] {
        let file = header + seal(Array(plain.prefix(count)), known.key, 0, header)
        guard let secrets = SlabFile.open(file, header: header, key: known.key) else { continue }
        for index in [-1, 0, 7, 2_047, 2_048, Int(input.first ?? 0) * 9] { _ = secrets.secret(index) }
    }
}

private func snapshot(_ input: [UInt8]) {
    if let point = SnapshotPoint(decoding: input, segment: 4) {
        demand(point.encoded == input, "a snapshot's point that is read is not written so")
    }
    let header = SnapshotFormat.header(
        journal: known.journal, segment: 4, madeMilliseconds: 1, salt: [UInt8](repeating: 2, count: 32), key: known.key)
    let key = SnapshotFormat.frameKey(known.key, header: header)
    var steering = Steering(rest: input[...])
    var sealed = header
    for frame in 0..<UInt32(steering.byte() % 5 + 1) {
        let (section, flags, count) = (steering.byte(), steering.byte(), steering.byte())
        let body = steering.bytes(frame == 0 ? min(count * 3, steering.rest.count) : count)
        let head = SnapshotFormat.frameHead(
            length: flags & 8 == 0 ? body.count : body.count + flags, section: UInt8(section % 4),
            isLast: flags & 1 == 1)
        let place = SnapshotFormat.additional(journal: known.journal, segment: 4, frame: frame, head: head)
        sealed += head + seal(body, key, frame, place)
    }
    for file in [input, header + input, sealed, sealed + input.suffix(3)] {
        let disk = MemoryDisk(seed: 1)
        disk.overwrite("/s", with: file)
        guard
            var reader = try? SnapshotReader(
                journal: known.journal, segment: 4, key: known.key, path: "/s", disk: disk)
        else { continue }
        while let piece = try? reader.next() {
            demand(piece.bytes.count <= SnapshotLimits.pieceBytes, "a piece is past its limit")
        }
    }
}

/// A copy of audit records: raw, behind a right header, and with frames of the fuzzer's under right seals.
private func copy(_ input: [UInt8]) {
    guard let root = known.store.copies else { return demand(false, "there is no key of the copies") }
    var steering = Steering(rest: input[...])
    let first = steering.byte() % 2 == 0 ? UInt64(1) : .max - 300
    let header = AuditCopyFormat.header(
        journal: known.journal, segment: known.segment, firstRecord: first, madeMilliseconds: 1,
        salt: [UInt8](repeating: 2, count: AuditCopyFormat.saltBytes), key: root)
    let key = AuditCopyFormat.frameKey(root, header: header)
    var sealed = header
    for frame in 0..<UInt32(steering.byte() % 6 + 1) {
        let (step, kind, flags, count) = (steering.byte(), steering.byte() % 3, steering.byte(), steering.byte())
        let body = kind == 0 && flags & 1 == 0 ? [] : steering.bytes(count)
        var head = AuditCopyFormat.frameHead(
            record: first &+ UInt64(frame) &+ UInt64(step) &- 2, length: body.count, kind: UInt8(kind))
        if flags & 2 != 0 { head[steering.byte() % head.count] ^= UInt8(steering.byte()) }
        let place = AuditCopyFormat.additional(
            journal: known.journal, segment: known.segment, frame: frame, head: head)
        sealed += head + seal(body, key, frame, place)
    }
    let disk = MemoryDisk(seed: 1)
    let shelf = AuditCopyShelf(paths: JournalPaths(root: "/c"), disk: disk, keys: known.store)
    for file in [input, header + input, sealed, sealed + input.suffix(3)] {
        disk.overwrite(shelf.path(known.segment), with: file)
        var last: UInt64 = 0
        let state = try? shelf.read(known.segment) { record in
            demand(record.number > last && record.kind > 0, "records of a copy do not rise")
            demand((1...AuditCopyLimits.recordBytes).contains(record.bytes.count), "a copied record is past its limit")
            last = record.number
            return true
        }
        if case .whole(let records) = state {
            demand(last < records.upperBound && records.lowerBound > 0, "a copy's records end behind its end")
        }
    }
}

private func texts(_ input: [UInt8]) {
    if let text = TextFormat(decoding: input) {
        demand(TextFormat(decoding: text.encoded)?.id == text.id, "a text's head is read otherwise")
    }
    if let frontier = MerkleFrontier(decoding: input) {
        demand(frontier.encoded == input, "a frontier that is read is not written so")
        _ = frontier.root
    }
    if let finding = Finding(decoding: input) { _ = finding.description }
    _ = Finding.findings(decoding: input)
    if let manifest = BackupManifest(decoding: input) {
        demand(manifest.bytes == input, "a manifest that is read is not written so")
    }
    _ = try? DeletionList(input, path: "", keys: [])
    if let record = DeletionRecord(decoding: String(decoding: input, as: UTF8.self)) { _ = record.line }
}

private func event(_ input: [UInt8]) {
    guard let event = try? EventCodec.decode(input) else { return }
    let bytes = EventCodec.encode(event)
    let again = try? EventCodec.decode(bytes)
    demand(again != nil, "an event that was read cannot be read again")
    demand(again.map { EventCodec.encode($0) } == bytes, "an event is written otherwise the second time")
}

/// Records one behind the other, each with its length in front.
private func replay(_ input: [UInt8]) {
    guard let collaboration = CollaborationID("fuzz") else { return }
    var relay = Relay(collaboration: collaboration)
    var changes: [Change] = []
    var steering = Steering(rest: input[...])
    while !steering.rest.isEmpty {
        let count = steering.byte()
        if count == 255 {
            relay.skip(records: UInt64(steering.byte()))
            continue
        }
        let record = Array(steering.rest.prefix(count))
        steering.rest = steering.rest.dropFirst(count)
        let before = relay.sequence
        let isTaken = (try? relay.replay(record, into: &changes)) != nil
        demand(relay.sequence == before + (isTaken ? 1 : 0), "a record that does not fit changed the state")
        changes.removeAll()
    }
}

private func stomp(_ input: [UInt8]) {
    func frames(_ parts: [ArraySlice<UInt8>], _ role: FrameDecoder.Role) -> (frames: [Frame], isBroken: Bool) {
        var decoder = FrameDecoder(role: role)
        var found: [Frame] = []
        do {
            for part in parts {
                decoder.append(part)
                while let next = try decoder.next() { if case .frame(let frame) = next { found.append(frame) } }
            }
        } catch {
            return (found, true)
        }
        return (found, false)
    }
    for role in [FrameDecoder.Role.server, .client] {
        let whole = frames([input[...]], role)
        let cut = Int(input.first ?? 0) % max(1, input.count)
        let split = frames([input[..<cut], input[cut...]], role)
        demand(whole.frames == split.frames && whole.isBroken == split.isBroken, "a split changes what is read")
        for frame in whole.frames where !frame.command.isUnescaped {
            var bytes: [UInt8] = []
            FrameEncoder.encode(frame, version: .v1_2, into: &bytes)
            let again = frames([bytes[...]], role)
            demand(again.frames.count == 1 && again.frames[0].body == frame.body, "a frame is read otherwise again")
        }
    }
}

/// All targets by name.
let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "batch": { open($0) }, "items": { open(sealedBatch($0)) }, "trailer": trailer, "keyfile": keyFile,
    "segment": segmentHeader, "watermark": watermark, "slab": slab, "snapshot": snapshot, "copy": copy,
    "texts": texts, "event": event, "replay": replay, "stomp": stomp,
]
