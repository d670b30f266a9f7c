extension Recovery {
    /// What the first block of a segment's file is.
    enum HeaderState {
        /// Zeros: prepared and not begun.
        case blank
        case sound(SegmentHeader)
        /// Anything else; `origin` is the segment that the block verifies for.
        case bad(origin: UInt64?)
        /// There is no key to verify it with.
        case noKey

        var header: SegmentHeader? { if case .sound(let header) = self { header } else { nil } }
    }

    func state(of number: UInt64) throws(JournalError) -> HeaderState {
        let path = paths.segment(number)
        let block = try JournalError.wrapping { () throws(DiskError) in
            try disk.readWhole(path, limit: SegmentHeader.bytes)
        }
        if block.allSatisfy({ $0 == 0 }) { return .blank }
        guard let key = keys.segment(number) else { return .noKey }
        if let header = try SegmentHeader(opening: block, key: key, path: path), header.number == number,
            header.journal == keys.journal
        {
            return .sound(header)
        }
        if let claimed = SegmentHeader.claimedNumber(block), claimed != number, let key = keys.segment(claimed),
            let other = try SegmentHeader(opening: block, key: key, path: path), other.journal == keys.journal
        {
            return .bad(origin: claimed)
        }
        return .bad(origin: nil)
    }

    /// How many of the segments hold something; what is behind them is sorted into spares and torn headers.
    ///
    /// A header is synced before anything follows it, so a crash leaves a torn one only in an empty segment, and only in one
    /// that the watermark does not know.
    mutating func countUsed(_ numbers: [UInt64], _ states: [HeaderState]) throws(JournalError) -> Int {
        let sound = (states.lastIndex { $0.header != nil } ?? -1) + 1
        var used = sound
        for index in sound..<numbers.count {
            let number = numbers[index]
            let isKnown = mark.map { $0.segment >= number } ?? false
            switch states[index] {
            case .sound: break
            case .noKey: used = index + 1
            case .blank:
                let content = try content(of: number)
                if isKnown || content == .batch { used = index + 1 }
            case .bad:
                let content = try content(of: number)
                if isKnown || content != .nothing { used = index + 1 }
            }
        }
        for index in used..<numbers.count {
            if case .bad = states[index] {
                tornHeaders.append(numbers[index])
                try issue(Finding(.tornHeader, segment: numbers[index], bytes: UInt64(SegmentHeader.bytes)))
            } else {
                spares.append(numbers[index])
            }
        }
        return used
    }

    private enum Content {
        case nothing
        /// Bytes that are not zero, and no batch.
        case bytes
        case batch
    }

    private func content(of number: UInt64) throws(JournalError) -> Content {
        guard let key = keys.segment(number) else { return .nothing }
        let opener = BatchOpener(journal: keys.journal, segment: number, key: key)
        return try JournalError.wrapping { () throws(DiskError) in
            var window = try SegmentWindow(disk: disk, path: paths.segment(number))
            defer { window.close() }
            let first = UInt64(SegmentHeader.bytes)
            let rest = try window.survey(from: first) { opener.isBatch($0) }
            if rest.batch != nil { return .batch }
            return rest.end > first ? .bytes : .nothing
        }
    }

    /// Reads one segment that counts.
    mutating func scan(
        _ number: UInt64, _ state: HeaderState, isLast: Bool, _ sink: Sink
    ) throws(JournalError) {
        switch state {
        case .sound(let header): try enter(header, sink)
        case .bad(let origin?):
            try issue(
                Finding(
                    .segmentMisplaced, segment: number, bytes: UInt64(SegmentHeader.bytes), detail: origin))
            open(Gap(segment: number, isNamed: true))
        case .bad(nil), .blank:
            try issue(Finding(.segmentHeader, segment: number, bytes: UInt64(SegmentHeader.bytes)))
            open(Gap(segment: number, isNamed: true))
        case .noKey:
            try issue(Finding(.segmentKey, segment: number))
            open(Gap(segment: number, isNamed: true))
        }
        lastSegment = number
        guard let key = keys.segment(number) else { return }
        let path = paths.segment(number)
        let opener = BatchOpener(journal: keys.journal, segment: number, key: key)
        var window = try JournalError.wrapping { () throws(DiskError) in try SegmentWindow(disk: disk, path: path) }
        defer { window.close() }
        try scanBatches(&window, opener, isLast: isLast, sink)
    }

    /// Reads the next closed segment for somebody who goes on where the start judged already: nothing refuses.
    ///
    /// When it returns, what is behind a damaged end is known from the next segment's header, unless one is missing between.
    ///
    /// - Parameter next: the header that closes it.
    mutating func fold(_ number: UInt64, closedBy next: SegmentHeader, _ sink: Sink) throws(JournalError) {
        precondition(number > lastSegment)
        let header = try state(of: number)
        if number > lastSegment + 1 { try miss((lastSegment + 1)..<number, before: [header]) }
        try scan(number, header, isLast: false, sink)
        guard next.number == number + 1 else { return }
        if gap != nil {
            try enter(next, sink)
        } else if next.firstRecord == nextRecord, next.firstBatch == nextBatch {
            // A text of the last batch may have rotted, or behind lost records what told the tree: a snapshot must name the
            // chain and the tree that the next header does.
            try reconcile(next.previousHead)
            if let told = next.frontier { tree.place(told) }
        }
    }

    /// Checks that a segment continues what is before it, and goes on with what its header says.
    mutating func enter(_ header: SegmentHeader, _ sink: Sink) throws(JournalError) {
        version = header.version
        owners.append((header.number, header.firstBatch))
        if header.firstRecord == nextRecord, header.firstBatch == nextBatch { try reconcile(header.previousHead) }
        let lost = nextRecord..<max(nextRecord, header.firstRecord)
        let isLater = header.firstRecord >= nextRecord && header.firstBatch > nextBatch
        if header.firstRecord == nextRecord, header.firstBatch == nextBatch, header.previousHead == chain {
            if let gap { close(gap, lostBefore: nextRecord, sink) }
        } else if let gap, isLater {
            close(gap, lostBefore: header.firstRecord, sink)
        } else if gap == nil, let known = header.accepted.first(where: { $0.isEnd(thatLost: lost) }) {
            // The end was cut off, and somebody accepted that, or more, when this segment was made.
            findings.append(
                Finding(
                    .behindWatermark, segment: known.segment, offset: known.offset, records: lost,
                    detail: known.detail))
            if !lost.isEmpty { sink(.lost(lost, segment: known.segment)) }
        } else {
            try issue(Finding(.chain, segment: header.number, records: lost, detail: header.firstBatch))
            gap = nil
            guard isLater else {
                open(Gap(segment: header.number, isNamed: true))
                return
            }
            if !lost.isEmpty { sink(.lost(lost, segment: header.number)) }
        }
        nextRecord = header.firstRecord
        nextBatch = header.firstBatch
        chain = header.previousHead
        if !tree.follow(header) {
            try issue(Finding(.chain, segment: header.number, detail: header.firstBatch))
        }
    }
}

extension Finding {
    /// Whether somebody accepted with this that the journal ended before these records.
    fileprivate func isEnd(thatLost lost: Range<UInt64>) -> Bool {
        kind == .behindWatermark && !lost.isEmpty && records.upperBound == lost.upperBound
            && records.lowerBound <= lost.lowerBound
    }
}
