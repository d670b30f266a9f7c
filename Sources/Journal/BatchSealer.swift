/// Seals requests to one batch. One per writer; its buffers are used again for the next batch.
struct BatchSealer {
    /// Where the batch goes in the journal.
    struct Place {
        var segment: UInt64
        var offset: UInt64
        var batch: UInt64
        var firstRecord: UInt64
        var chain: [UInt8]
        /// Every slot that a text so far names is below it; see `SlotPool.mark`.
        var slotMark: UInt64
    }

    struct Sealed {
        var texts: [CommittedText]
        var recordCount: Int
        var chain: [UInt8]
        var signedHead: SignedHead
    }

    /// What the trailer says besides the chain head, which is known when the frames are sealed.
    struct Signing {
        var frontier: MerkleFrontier
        var wallMilliseconds: Int64
        var key: SigningKey
    }

    private let keys: KeyStore
    private let random: any RandomSource
    private var shared: [UInt8] = []
    /// The sealed batch is in front; what is behind it belongs to an earlier one.
    private(set) var output: [UInt8] = []
    /// Length of the sealed batch in `output`.
    private(set) var length = 0

    init(keys: KeyStore, random: any RandomSource) {
        self.keys = keys
        self.random = random
    }

    /// Seals into `output`.
    ///
    /// - Throws: `.textErased`, `.io`, `.keysDamaged` when a slot that a request names cannot be had.
    mutating func seal(
        _ requests: ArraySlice<Pending>, at place: Place, segmentKey: Cipher.Key, signing: Signing
    ) throws(JournalError) -> Sealed {
        let recordCount = fillShared(requests)
        var textBytes = 0
        var textFrames = 0
        for pending in requests {
            for text in pending.request.texts {
                textBytes += TextFormat.diskBytes(text.bytes.count)
                textFrames += 1 + BatchFormat.frames(for: text.bytes.count)
            }
        }
        let trailerBytes = BatchTrailer.bytes(peaks: signing.frontier.peaks.count)
        let total = padShared(
            besides: BatchFormat.headBytes + BatchFormat.directoryFrameBytes + textBytes + trailerBytes)
        let frameCount = 1 + BatchFormat.frames(for: shared.count) + textFrames
        let salts = SaltSource(segmentKey: segmentKey, random: random)
        let texts = textHeads(requests, salts, at: place, frameCount: UInt32(frameCount))
        let directory = directory(place, textCount: texts.count)
        var clear = ByteWriter(bytes: directory)
        clear.put(signing.wallMilliseconds)
        clear.put(signing.key.serial)
        let head = BatchHead(
            totalBytes: total, frameCount: frameCount, batch: place.batch, firstRecord: place.firstRecord,
            recordCount: recordCount, trailerBytes: trailerBytes,
            salt: salts.salt(of: shared, heads: texts.map(\.head), clear: clear.bytes, at: place)
        ).encoded
        var context = BatchContext(
            head: head, batch: place.batch, frameCount: UInt32(frameCount), segment: place.segment,
            segmentKey: segmentKey, journal: keys.journal)
        if output.count < total { output = [UInt8](repeating: 0, count: total) }

        var digest = Cipher.Digest()
        digest.add(place.chain)
        digest.add(head)
        var cursor = Cursor(output: output, digest: digest)
        output = []
        cursor.copy(head)
        cursor.seal(directory, in: 0..<directory.count, key: context.key, &context)
        cursor.sealFrames(shared, key: context.key, &context)
        var committed: [CommittedText] = []
        for (text, head) in texts { committed.append(try seal(text, head, at: place, &cursor, &context)) }
        let chain = cursor.digest.value()
        let signed = SignedHead(
            signing: SignedHead.Statement(
                journal: keys.journal, batch: place.batch, size: signing.frontier.size,
                wallMilliseconds: signing.wallMilliseconds, chain: chain, root: signing.frontier.root),
            with: signing.key)
        let trailer = BatchTrailer(signed, frontier: signing.frontier)
        cursor.copy(trailer.sealed(&context, frameCount: UInt32(frameCount)))
        precondition(cursor.offset == total && cursor.frame == UInt32(frameCount))
        output = cursor.output
        length = total
        return Sealed(texts: committed, recordCount: recordCount, chain: chain, signedHead: signed)
    }

    /// The plaintext of frame 0.
    private func directory(_ place: Place, textCount: Int) -> [UInt8] {
        var directory = ByteWriter()
        directory.put(place.chain)
        directory.put(UInt32(shared.count))
        directory.put(UInt32(textCount))
        directory.put(place.slotMark)
        directory.pad(to: BatchFormat.directoryBytes)
        return directory.bytes
    }

    private func textHeads(
        _ requests: ArraySlice<Pending>, _ salts: SaltSource, at place: Place, frameCount: UInt32
    ) -> [(text: SealedText, head: TextFormat)] {
        var frame = UInt32(1 + BatchFormat.frames(for: shared.count))
        return requests.flatMap(\.request.texts).map { text in
            defer { frame += 1 + UInt32(BatchFormat.frames(for: text.bytes.count)) }
            let salt = salts.salt(of: text, at: place, frame: frame, of: frameCount)
            return (
                text, TextFormat(id: text.id, salt: salt, slots: text.slots, byteCount: UInt32(text.bytes.count))
            )
        }
    }

    private func seal(
        _ text: SealedText, _ head: TextFormat, at place: Place, _ cursor: inout Cursor,
        _ context: inout BatchContext
    ) throws(JournalError) -> CommittedText {
        let key = try keys.textKey(text.id, slots: text.slots, salt: head.salt)
        let location = TextLocation(
            segment: place.segment, batchOffset: place.offset, textOffset: UInt32(cursor.offset), frame: cursor.frame,
            byteCount: head.byteCount)
        cursor.seal(head.encoded, in: 0..<TextFormat.headBytes, key: context.key, &context)
        cursor.sealFrames(text.bytes, key: key, &context)
        return CommittedText(id: text.id, location: location)
    }

    /// The small things of all requests, one behind the other; returns how many records there are.
    private mutating func fillShared(_ requests: ArraySlice<Pending>) -> Int {
        shared.removeAll(keepingCapacity: true)
        var count = 0
        for pending in requests {
            for text in pending.request.texts {
                appendItemHead(.text, ItemFormat.textPayloadBytes)
                append(text.id.high.bigEndian)
                append(text.id.low.bigEndian)
                append(UInt32(text.bytes.count))
                append(UInt32(0))
            }
            for record in pending.request.records {
                appendItemHead(.record, record.count)
                shared.append(contentsOf: record)
            }
            count += pending.request.records.count
        }
        return count
    }

    private mutating func appendItemHead(_ kind: ItemFormat.Kind, _ length: Int) {
        append(UInt32(kind.rawValue))
        append(UInt32(length))
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { shared.append(contentsOf: $0) }
    }

    /// Adds zeros inside the seal until the batch is a whole number of blocks; returns the batch's length.
    private mutating func padShared(besides others: Int) -> Int {
        while true {
            let total = others + shared.count + BatchFormat.frames(for: shared.count) * Cipher.tagBytes
            let missing = -total & (BatchFormat.blockBytes - 1)
            if missing == 0 { return total }
            // Zeros may begin a frame, whose tag then needs room too: one byte at a time there, at most 16 times.
            let room = BatchFormat.frames(for: shared.count) * BatchFormat.frameBytes - shared.count
            let step = missing <= room ? missing : room > 0 ? room : missing > Cipher.tagBytes ? missing - 16 : 1
            shared.append(contentsOf: repeatElement(0, count: step))
        }
    }
}

extension BatchSealer {
    /// Writes frames one behind the other and keeps the digest over their tags.
    fileprivate struct Cursor {
        var output: [UInt8]
        var digest: Cipher.Digest
        var offset = 0
        var frame: UInt32 = 0

        init(output: consuming [UInt8], digest: Cipher.Digest) {
            self.output = output
            self.digest = digest
        }

        mutating func copy(_ bytes: [UInt8]) {
            output.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            offset += bytes.count
        }

        mutating func sealFrames(_ bytes: [UInt8], key: Cipher.Key, _ context: inout BatchContext) {
            var start = 0
            while start < bytes.count {
                let end = min(start + BatchFormat.frameBytes, bytes.count)
                seal(bytes, in: start..<end, key: key, &context)
                start = end
            }
        }

        mutating func seal(_ bytes: [UInt8], in range: Range<Int>, key: Cipher.Key, _ context: inout BatchContext) {
            let additional = context.additional(frame)
            let sealed = offset..<(offset + range.count + Cipher.tagBytes)
            output.withUnsafeMutableBytes { whole in
                let target = UnsafeMutableRawBufferPointer(rebasing: whole[sealed])
                bytes.withUnsafeBytes { plain in
                    Cipher.seal(
                        UnsafeRawBufferPointer(rebasing: plain[range]), key: key, number: frame,
                        additional: additional, to: target)
                }
                digest.add(UnsafeRawBufferPointer(rebasing: target[range.count...]))
            }
            offset = sealed.upperBound
            frame += 1
        }
    }
}
