import Foundation

/// Looks for words in every file below a directory, byte by byte.
struct DataSearch {
    /// What one search came to.
    struct Result: Equatable {
        var files = 0
        var bytes = 0
        /// `<file>: <word>`, sorted.
        var hits: [String] = []
    }

    private let words: [[UInt8]]
    /// Words by their first two bytes.
    private let starts: [UInt16: [Int]]
    /// Which first bytes occur at all: most positions end here.
    private let isFirst: [Bool]

    /// - Precondition: each word has at least two bytes.
    init(_ texts: [String]) {
        words = texts.map { Array($0.utf8) }
        precondition(words.allSatisfy { $0.count >= 2 }, "a word of one byte is found everywhere")
        starts = Dictionary(grouping: words.indices) { [words] in UInt16(words[$0][0]) << 8 | UInt16(words[$0][1]) }
        isFirst = (0..<256).map { [words] byte in words.contains { Int($0[0]) == byte } }
    }

    /// How many of the words occur.
    func count(in bytes: [UInt8]) -> Int {
        found(in: bytes).count
    }

    /// Reads every file below `directory`, names included.
    func search(directory: String) throws -> Result {
        var result = Result()
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory).sorted() {
            let path = directory + "/" + name
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue else {
                continue
            }
            let data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
            result.files += 1
            result.bytes += data.count
            for word in found(in: Array(name.utf8)).union(found(in: data)) {
                result.hits.append("\(name): \(String(decoding: words[word], as: UTF8.self))")
            }
        }
        result.hits.sort()
        return result
    }

    private func found(in data: some ContiguousBytes) -> Set<Int> {
        data.withUnsafeBytes { bytes in
            var found: Set<Int> = []
            isFirst.withUnsafeBufferPointer { isFirst in
                var position = 0
                while position + 1 < bytes.count {
                    // Space that is prepared but not used yet is zero: no word starts with it.
                    if isFirst[Int(bytes[position])] {
                        let start = UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
                        for word in starts[start] ?? [] where matches(words[word], bytes[position...]) {
                            found.insert(word)
                        }
                    }
                    position += 1
                }
            }
            return found
        }
    }

    private func matches(_ word: [UInt8], _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        bytes.count >= word.count && zip(word, bytes).allSatisfy { $0 == $1 }
    }
}
