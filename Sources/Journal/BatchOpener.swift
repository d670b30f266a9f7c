/// What a batch holds, opened and checked as far as the segment's key goes.
struct OpenedBatch {
    enum Item {
        /// The record's bytes as a range of `shared`.
        case record(Range<Int>)
        case text(CommittedText)
    }

    var head: BatchHead
    /// The chain head that the batch continues.
    var previous: [UInt8]
    /// The chain head after it.
    var chain: [UInt8]
    var shared: [UInt8]
    var items: [Item]
    var trailer = TrailerFound.none
    /// Every slot that a text so far names is below it; 0 in format version 1, and when nobody knows.
    var slotMark: UInt64 = 0
}

/// Opens batches that were read from a segment. Foreign bytes: whatever is wrong gives nil.
struct BatchOpener {
    let journal: JournalID
    let segment: UInt64
    let key: Cipher.Key

    /// Opens the directory frame only: enough to know that somebody with the key wrote a batch here.
    func isBatch(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= BatchFormat.headBytes + BatchFormat.directoryFrameBytes,
            let head = BatchHead(decoding: bytes.prefix(BatchFormat.headBytes))
        else { return false }
        var context = context(head, bytes)
        return openFrame(
            bytes, at: BatchFormat.headBytes, BatchFormat.directoryBytes, frame: 0, key: context.key, &context) != nil
    }

    /// Opens everything but the texts, whose tags go into the chain unopened.
    ///
    /// - Parameter bytes: exactly the batch. `offset` is where it lies in the segment.
    func open(_ bytes: ArraySlice<UInt8>, at offset: UInt64) -> OpenedBatch? {
        guard let head = BatchHead(decoding: bytes.prefix(BatchFormat.headBytes)), bytes.count == head.totalBytes else {
            return nil
        }
        var context = context(head, bytes)
        var position = BatchFormat.headBytes
        guard
            let directory = openFrame(
                bytes, at: position, BatchFormat.directoryBytes, frame: 0, key: context.key, &context)
        else { return nil }
        var reader = ByteReader(directory)
        guard let previous = reader.take(Chain.headBytes), let sharedBytes = reader.number(UInt32.self),
            let textCount = reader.number(UInt32.self), let slotMark = reader.number(UInt64.self)
        else { return nil }
        var digest = Cipher.Digest()
        digest.add(previous)
        digest.add(Array(bytes.prefix(BatchFormat.headBytes)))
        add(bytes, tagEndingAt: position + BatchFormat.directoryFrameBytes, to: &digest)
        position += BatchFormat.directoryFrameBytes

        guard Int(sharedBytes) <= bytes.count - position else { return nil }
        var shared: [UInt8] = []
        shared.reserveCapacity(Int(sharedBytes))
        var frame: UInt32 = 1
        while shared.count < Int(sharedBytes) {
            let length = min(BatchFormat.frameBytes, Int(sharedBytes) - shared.count)
            guard let opened = openFrame(bytes, at: position, length, frame: frame, key: context.key, &context) else {
                return nil
            }
            shared.append(contentsOf: opened)
            position += length + Cipher.tagBytes
            add(bytes, tagEndingAt: position, to: &digest)
            frame += 1
        }
        guard var items = parse(shared, head: head, textCount: textCount) else { return nil }
        guard walkTexts(&items, bytes, head: head, offset: offset, position: position, frame: frame, &digest) else {
            return nil
        }
        var batch = OpenedBatch(head: head, previous: previous, chain: digest.value(), shared: shared, items: items)
        batch.slotMark = slotMark
        if head.trailerBytes > 0 {
            let trailer = BatchTrailer(opening: bytes.suffix(Int(head.trailerBytes)), of: head, &context)
            batch.trailer = trailer.map { .sound($0) } ?? .damaged
        }
        return batch
    }

    /// Whether every text of the batch opens. A text whose slot was erased counts as opened once its head frame is.
    func opensTexts(_ batch: OpenedBatch, _ bytes: ArraySlice<UInt8>, keys: KeyStore) -> Bool {
        var context = context(batch.head, bytes)
        for case .text(let text) in batch.items {
            let start = Int(text.location.textOffset)
            guard let head = textHead(bytes, at: start, frame: text.location.frame, &context), head.id == text.id,
                head.byteCount == text.location.byteCount
            else { return false }
            let key: Cipher.Key
            do throws(JournalError) {
                key = try keys.textKey(head.id, slots: head.slots, salt: head.salt)
            } catch {
                // What the disk says about a slab is no statement about this batch.
                continue
            }
            guard openText(bytes, at: start, text.location, key: key, &context) != nil else { return false }
        }
        return true
    }

    /// The first text, from 1, that does not open or whose key nobody has any more.
    func suspectText(_ batch: OpenedBatch, _ bytes: ArraySlice<UInt8>, keys: KeyStore) -> Int? {
        var context = context(batch.head, bytes)
        var number = 0
        for case .text(let text) in batch.items {
            number += 1
            let start = Int(text.location.textOffset)
            guard let head = textHead(bytes, at: start, frame: text.location.frame, &context), head.id == text.id,
                let key = try? keys.textKey(head.id, slots: head.slots, salt: head.salt),
                openText(bytes, at: start, text.location, key: key, &context) != nil
            else { return number }
        }
        return nil
    }

    func textHead(_ bytes: ArraySlice<UInt8>, at start: Int, frame: UInt32, _ context: inout BatchContext)
        -> TextFormat?
    {
        openFrame(bytes, at: start, TextFormat.headBytes, frame: frame, key: context.key, &context)
            .flatMap { TextFormat(decoding: $0) }
    }

    func openText(
        _ bytes: ArraySlice<UInt8>, at start: Int, _ location: TextLocation, key: Cipher.Key,
        _ context: inout BatchContext
    ) -> [UInt8]? {
        var text: [UInt8] = []
        text.reserveCapacity(Int(location.byteCount))
        var position = start + TextFormat.headFrameBytes
        var frame = location.frame + 1
        while text.count < Int(location.byteCount) {
            let length = min(BatchFormat.frameBytes, Int(location.byteCount) - text.count)
            guard let opened = openFrame(bytes, at: position, length, frame: frame, key: key, &context) else {
                return nil
            }
            text.append(contentsOf: opened)
            position += length + Cipher.tagBytes
            frame += 1
        }
        return text
    }

    func context(_ head: BatchHead, _ bytes: ArraySlice<UInt8>) -> BatchContext {
        BatchContext(
            head: Array(bytes.prefix(BatchFormat.headBytes)), batch: head.batch, frameCount: head.frameCount,
            segment: segment, segmentKey: key, journal: journal)
    }

    /// Opens a frame of `length` plaintext bytes at `position`, counted from the first of `bytes`.
    private func openFrame(
        _ bytes: ArraySlice<UInt8>, at position: Int, _ length: Int, frame: UInt32, key: Cipher.Key,
        _ context: inout BatchContext
    ) -> [UInt8]? {
        let end = position + length + Cipher.tagBytes
        guard end <= bytes.count else { return nil }
        let additional = context.additional(frame)
        return bytes.withUnsafeBytes {
            Cipher.open(
                UnsafeRawBufferPointer(rebasing: $0[position..<end]), key: key, number: frame, additional: additional)
        }
    }

    private func add(_ bytes: ArraySlice<UInt8>, tagEndingAt end: Int, to digest: inout Cipher.Digest) {
        bytes.withUnsafeBytes {
            digest.add(UnsafeRawBufferPointer(rebasing: $0[(end - Cipher.tagBytes)..<end]))
        }
    }

    /// Splits the shared bytes into items; texts get their places in `walkTexts`.
    private func parse(_ shared: [UInt8], head: BatchHead, textCount: UInt32) -> [OpenedBatch.Item]? {
        var reader = ByteReader(shared)
        var items: [OpenedBatch.Item] = []
        var records: UInt32 = 0
        var texts: UInt32 = 0
        while reader.remaining > 0, shared[reader.offset] != ItemFormat.Kind.padding.rawValue {
            guard let rawKind = reader.number(UInt32.self), let length = reader.number(UInt32.self),
                rawKind <= UInt32(UInt8.max)
            else { return nil }
            let start = reader.offset
            switch ItemFormat.Kind(rawValue: UInt8(rawKind)) {
            case .record:
                guard (1...JournalLimits.maxRecordBytes).contains(Int(length)), reader.take(Int(length)) != nil else {
                    return nil
                }
                items.append(.record(start..<(start + Int(length))))
                records += 1
            case .text:
                guard length == ItemFormat.textPayloadBytes, let id = reader.text(),
                    let byteCount = reader.number(UInt32.self), reader.number(UInt32.self) != nil,
                    (1...JournalLimits.maxTextBytes).contains(Int(byteCount))
                else { return nil }
                let unplaced = TextLocation(
                    segment: segment, batchOffset: 0, textOffset: 0, frame: 0, byteCount: byteCount)
                items.append(.text(CommittedText(id: id, location: unplaced)))
                texts += 1
            case .padding, nil:
                guard ItemFormat.ignorable.contains(UInt8(rawKind)), reader.take(Int(length)) != nil else { return nil }
            }
        }
        guard records == head.recordCount, texts == textCount,
            shared[reader.offset...].allSatisfy({ $0 == 0 })
        else { return nil }
        return items
    }

    private func walkTexts(
        _ items: inout [OpenedBatch.Item], _ bytes: ArraySlice<UInt8>, head: BatchHead, offset: UInt64, position: Int,
        frame: UInt32, _ digest: inout Cipher.Digest
    ) -> Bool {
        var position = position
        var frame = frame
        for index in items.indices {
            guard case .text(let text) = items[index] else { continue }
            let byteCount = Int(text.location.byteCount)
            guard position + TextFormat.diskBytes(byteCount) <= bytes.count else { return false }
            let location = TextLocation(
                segment: segment, batchOffset: offset, textOffset: UInt32(position), frame: frame,
                byteCount: text.location.byteCount)
            items[index] = .text(CommittedText(id: text.id, location: location))
            position += TextFormat.headFrameBytes
            add(bytes, tagEndingAt: position, to: &digest)
            var rest = byteCount
            while rest > 0 {
                let length = min(BatchFormat.frameBytes, rest)
                position += length + Cipher.tagBytes
                add(bytes, tagEndingAt: position, to: &digest)
                rest -= length
            }
            frame += 1 + UInt32(BatchFormat.frames(for: byteCount))
        }
        return frame == head.frameCount && position + Int(head.trailerBytes) == bytes.count
    }
}
