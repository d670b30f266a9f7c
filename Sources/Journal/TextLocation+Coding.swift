extension TextLocation {
    /// Bytes of `encoded`.
    package static let encodedBytes = 28

    /// The place as a caller may keep it in a snapshot. Layout: Journal.docc/FileFormat.md, "Snapshot".
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.put(segment)
        writer.put(batchOffset)
        writer.put(textOffset)
        writer.put(frame)
        writer.put(byteCount)
        return writer.bytes
    }

    /// Reads `encoded`. Foreign bytes: what cannot be a place gives nil.
    package init?(decoding bytes: some Collection<UInt8>) {
        var reader = ByteReader(Array(bytes))
        guard bytes.count == Self.encodedBytes, let segment = reader.number(UInt64.self),
            let batchOffset = reader.number(UInt64.self), let textOffset = reader.number(UInt32.self),
            let frame = reader.number(UInt32.self), let byteCount = reader.number(UInt32.self), segment > 0,
            batchOffset >= UInt64(SegmentHeader.bytes), batchOffset < UInt64(JournalLimits.segmentBytes.upperBound),
            Int(textOffset) < JournalLimits.maxBatchBytes, (1...JournalLimits.maxTextBytes).contains(Int(byteCount))
        else { return nil }
        self.init(
            segment: segment, batchOffset: batchOffset, textOffset: textOffset, frame: frame, byteCount: byteCount)
    }
}
