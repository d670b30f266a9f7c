extension Recovery {
    mutating func scanBatches(
        _ window: inout SegmentWindow, _ opener: BatchOpener, isLast: Bool, _ sink: Sink
    ) throws(JournalError) {
        var offset = UInt64(SegmentHeader.bytes)
        var nonZeroEnd = offset
        while offset < window.size {
            let batch = try JournalError.wrapping { () throws(DiskError) in
                try open(&window, opener, at: offset, isLast: isLast)
            }
            if let batch {
                try follow(batch, segment: opener.segment, at: offset, sink)
                offset += UInt64(batch.head.totalBytes)
                nonZeroEnd = offset
                continue
            }
            let next = try JournalError.wrapping { () throws(DiskError) in
                try window.survey(from: offset, skippingFirst: true) { opener.isBatch($0) }
            }
            guard let found = next.batch else {
                nonZeroEnd = next.end
                break
            }
            try damaged(&window, opener.segment, offset, found - offset)
            offset = found
        }
        guard isLast else {
            if nonZeroEnd > offset { try damaged(&window, opener.segment, offset, nonZeroEnd - offset) }
            return
        }
        try settleEnd(&window, opener.segment, from: offset, nonZeroEnd: nonZeroEnd, sink)
    }

    /// What the bytes behind the last good batch of all are: damage as far as the watermark knows them, then a torn tail.
    private mutating func settleEnd(
        _ window: inout SegmentWindow, _ segment: UInt64, from offset: UInt64, nonZeroEnd: UInt64, _ sink: Sink
    ) throws(JournalError) {
        var end = offset
        // A torn batch may lie behind damage that ends with what the watermark knows.
        if let mark, mark.segment == segment, mark.lastBatch >= nextBatch, mark.end > offset || gap != nil,
            try reaches(mark.end, &window)
        {
            if mark.end > offset { try damaged(&window, segment, offset, mark.end - offset) }
            if let gap { close(gap, lostBefore: mark.lastRecord + 1, sink) }
            adopt(mark, sink)
            end = max(offset, mark.end)
        } else if gap != nil, nonZeroEnd > offset {
            try damaged(&window, segment, offset, nonZeroEnd - offset)
            end = nonZeroEnd
        }
        if nonZeroEnd > end {
            try issue(Finding(.tornTail, segment: segment, offset: end, bytes: nonZeroEnd - end))
        }
        tail = Tail(segment: segment, end: min(end, window.size), nonZeroEnd: max(nonZeroEnd, min(end, window.size)))
    }

    /// Whether the last batch that ended here is still there to its end: a tag, which is not zero.
    private func reaches(_ end: UInt64, _ window: inout SegmentWindow) throws(JournalError) -> Bool {
        let tag = UInt64(Cipher.tagBytes)
        guard window.size >= end else { return false }
        return try JournalError.wrapping { () throws(DiskError) in
            !SegmentWindow.isZero(try window.bytes(at: end - tag, Cipher.tagBytes))
        }
    }

    /// The batch at this place, when it is whole.
    private mutating func open(
        _ window: inout SegmentWindow, _ opener: BatchOpener, at offset: UInt64, isLast: Bool
    ) throws(DiskError) -> OpenedBatch? {
        let start = try window.bytes(at: offset, BatchFormat.headBytes)
        guard let head = BatchHead(decoding: start) else { return nil }
        let bytes = try window.bytes(at: offset, Int(head.totalBytes))
        guard let batch = opener.open(bytes, at: offset) else { return nil }
        guard isLast else { return batch }
        // Only the last batch of all can be torn, and a tear may have hit a text, which the chain does not show, or what
        // stands behind the frames.
        let behind = offset + UInt64(head.totalBytes)
        if opener.isBatch(try window.bytes(at: behind, BatchFormat.blockBytes)) { return batch }
        let hasTexts = opener.opensTexts(batch, bytes, keys: keys)
        if hasTexts, batch.trailer != .damaged { return batch }
        if mark.map({ $0.lastBatch >= head.batch }) ?? false {
            // It was whole on disk once.
            if !hasTexts {
                let text = opener.suspectText(batch, bytes, keys: keys) ?? 0
                findings.append(
                    Finding(
                        .text, segment: opener.segment, offset: offset, bytes: UInt64(head.totalBytes),
                        detail: UInt64(text)))
            }
            return batch
        }
        return try window.survey(from: behind) { opener.isBatch($0) }.batch == nil ? nil : batch
    }

    /// Checks that a batch continues what is before it, and hands it on.
    private mutating func follow(
        _ batch: OpenedBatch, segment: UInt64, at offset: UInt64, _ sink: Sink
    ) throws(JournalError) {
        let head = batch.head
        if head.batch == nextBatch, head.firstRecord == nextRecord { try reconcile(batch.previous) }
        let isNext = batch.previous == chain && head.batch == nextBatch && head.firstRecord == nextRecord
        let isLater = head.batch > nextBatch && head.firstRecord >= nextRecord
        let bytes = UInt64(head.totalBytes)
        if let gap, isNext || isLater {
            close(gap, lostBefore: head.firstRecord, sink)
        } else if !isNext {
            let lost = nextRecord..<max(nextRecord, head.firstRecord)
            try issue(
                Finding(
                    .chain, segment: segment, offset: offset, bytes: bytes, records: isLater ? lost : 0..<0,
                    detail: head.batch))
            guard isLater else {
                if gap == nil { open(Gap(segment: segment, offset: offset, isNamed: true)) }
                return
            }
            if !lost.isEmpty { sink(.lost(lost, segment: segment)) }
        }
        if case .damaged = batch.trailer {
            let trailer = UInt64(head.trailerBytes)
            try issue(
                Finding(
                    .trailer, segment: segment, offset: offset + bytes - trailer, bytes: trailer, detail: head.batch))
        }
        if !tree.follow(batch, journal: keys.journal) {
            try issue(Finding(.chain, segment: segment, offset: offset, detail: head.batch))
        }
        replayed += UInt64(head.recordCount)
        nextRecord = head.firstRecord + UInt64(head.recordCount)
        nextBatch = head.batch + 1
        chain = batch.chain
        slotMark = max(slotMark, batch.slotMark)
        if version > 1 { hasMarkedBatches = true }
        sink(.batch(batch, segment: segment))
        let hasTexts = batch.items.contains { if case .text = $0 { true } else { false } }
        lastTexts = hasTexts ? (segment, offset, Int(head.totalBytes)) : nil
        guard let mark, mark.lastBatch == head.batch else { return }
        try reconcile(mark.chain)
        if mark.chain != chain {
            try issue(Finding(.besideWatermark, segment: segment, offset: offset, detail: head.batch))
        }
    }
}

extension Recovery {
    /// Puts the chain right when only a rotted text keeps it from what the next batch, header or watermark says.
    ///
    /// The chain goes over the tags of texts, which a start does not open. A text whose slot was destroyed cannot be told from
    /// one that rotted.
    mutating func reconcile(_ told: [UInt8]) throws(JournalError) {
        guard told != chain, let place = lastTexts, let key = keys.segment(place.segment) else { return }
        let bytes = try JournalError.wrapping { () throws(DiskError) in
            let file = try disk.open(paths.segment(place.segment), .read)
            defer { disk.close(file) }
            return try disk.readUpTo(place.bytes, file, at: place.offset)
        }
        let opener = BatchOpener(journal: keys.journal, segment: place.segment, key: key)
        guard let batch = opener.open(bytes[...], at: place.offset),
            let text = opener.suspectText(batch, bytes[...], keys: keys)
        else { return }
        try issue(
            Finding(
                .text, segment: place.segment, offset: place.offset, bytes: UInt64(place.bytes), detail: UInt64(text)))
        chain = told
    }

    /// Opens a gap, or goes on with the one that is open.
    mutating func open(_ new: Gap) {
        guard var known = gap else {
            gap = new
            return
        }
        known.isNamed = known.isNamed || new.isNamed
        gap = known
    }

    /// Bytes that are no whole batch of this place.
    private mutating func damaged(
        _ window: inout SegmentWindow, _ segment: UInt64, _ offset: UInt64, _ bytes: UInt64
    ) throws(JournalError) {
        let origin = try JournalError.wrapping { () throws(DiskError) in
            owner(of: try window.bytes(at: offset, BatchFormat.blockBytes), besides: segment)
        }
        if let known = gap, known.segment == segment, known.bytes > 0 {
            gap?.bytes = offset + bytes - known.offset
            return
        }
        // A gap that is open from an earlier segment, or that a finding speaks of: these bytes are a part of what is lost.
        let isNamed = gap?.isNamed ?? false
        if let gap, !gap.isNamed { findings.append(finding(gap, lost: 0..<0)) }
        gap = Gap(segment: segment, offset: offset, bytes: bytes, origin: origin, isNamed: isNamed)
    }

    /// The segment whose key opens the batch that begins here.
    private func owner(of bytes: ArraySlice<UInt8>, besides segment: UInt64) -> UInt64? {
        guard let head = BatchHead(decoding: bytes.prefix(BatchFormat.headBytes)),
            let owner = owners.last(where: { $0.firstBatch <= head.batch })?.segment, owner != segment,
            let key = keys.segment(owner)
        else { return nil }
        return BatchOpener(journal: keys.journal, segment: owner, key: key).isBatch(bytes) ? owner : nil
    }

    /// Ends a gap: the records up to this one are lost.
    mutating func close(_ gap: Gap, lostBefore record: UInt64, _ sink: Sink) {
        self.gap = nil
        let lost = nextRecord..<max(nextRecord, record)
        if gap.bytes > 0 { findings.append(finding(gap, lost: lost)) }
        if !lost.isEmpty {
            sink(.lost(lost, segment: gap.segment))
            // Until a batch tells it again: what is lost may have used any slot.
            slotMark = 0
        }
        nextRecord = max(nextRecord, record)
    }

    private func finding(_ gap: Gap, lost: Range<UInt64>) -> Finding {
        let kind: Finding.Kind = gap.origin != nil ? .splice : lost.isEmpty ? .unusedSpace : .batch
        return Finding(
            kind, segment: gap.segment, offset: gap.offset, bytes: gap.bytes, records: lost, detail: gap.origin ?? 0)
    }
}
