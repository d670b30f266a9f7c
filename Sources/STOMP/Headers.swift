/// A frame's headers in their order. Where a name is repeated the first one counts (STOMP 1.2, Repeated Header
/// Entries). All names and values lie in one array, so a frame costs two allocations and not two per header.
package struct Headers: Equatable, Sendable {
    /// Names and values one after the other, without gaps, unescaped UTF-8.
    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    private struct Entry: Equatable {
        var start: Int32
        var nameEnd: Int32
        var end: Int32
    }

    /// No headers.
    package init() {}

    /// How many there are, repeated ones included.
    package var count: Int { entries.count }

    /// Whether there are none.
    package var isEmpty: Bool { entries.isEmpty }

    /// Adds a header behind the others.
    package mutating func append(_ name: String, _ value: String) {
        let start = beginEntry()
        appendBytes(name.utf8)
        let nameEnd = endName()
        appendBytes(value.utf8)
        finishEntry(start: start, nameEnd: nameEnd)
    }

    /// The value of the first header of that name.
    package subscript(_ name: String) -> String? {
        guard let index = firstIndex(of: name) else { return nil }
        return String(decoding: valueBytes(at: index), as: UTF8.self)
    }

    /// Whether there is a header of that name.
    package func contains(_ name: String) -> Bool { firstIndex(of: name) != nil }

    func firstIndex(of name: String) -> Int? {
        let wanted = name.utf8
        let length = wanted.count
        for index in entries.indices {
            let entry = entries[index]
            guard Int(entry.nameEnd - entry.start) == length else { continue }
            if bytes[Int(entry.start)..<Int(entry.nameEnd)].elementsEqual(wanted) { return index }
        }
        return nil
    }

    func nameBytes(at index: Int) -> ArraySlice<UInt8> {
        bytes[Int(entries[index].start)..<Int(entries[index].nameEnd)]
    }

    func valueBytes(at index: Int) -> ArraySlice<UInt8> {
        bytes[Int(entries[index].nameEnd)..<Int(entries[index].end)]
    }

    // MARK: Building in place, for the decoder

    mutating func beginEntry() -> Int { bytes.count }

    mutating func appendByte(_ byte: UInt8) { bytes.append(byte) }

    mutating func appendBytes(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }

    func endName() -> Int { bytes.count }

    mutating func finishEntry(start: Int, nameEnd: Int) {
        entries.append(Entry(start: Int32(start), nameEnd: Int32(nameEnd), end: Int32(bytes.count)))
    }

    /// Drops what was built since `start`.
    mutating func abandonEntry(start: Int) { bytes.removeSubrange(start...) }

    /// Whether what was built since `start` is `name`.
    func isName(from start: Int, _ name: String) -> Bool {
        bytes.count - start == name.utf8.count && bytes[start...].elementsEqual(name.utf8)
    }
}

extension Headers: Sequence {
    /// Name and value, in order.
    package func makeIterator() -> AnyIterator<(name: String, value: String)> {
        var index = 0
        return AnyIterator {
            guard index < entries.count else { return nil }
            defer { index += 1 }
            return (
                String(decoding: nameBytes(at: index), as: UTF8.self),
                String(decoding: valueBytes(at: index), as: UTF8.self)
            )
        }
    }
}

extension Headers: ExpressibleByDictionaryLiteral {
    /// Headers in the order in which they are written.
    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }
}

extension Headers: CustomStringConvertible {
    /// For failed tests; never logged.
    package var description: String { map { "\($0.name):\($0.value)" }.joined(separator: " | ") }
}
