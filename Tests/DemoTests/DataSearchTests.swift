import Foundation
import Testing

@testable import Demo

struct DataSearchTests {
    let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        let url = URL(filePath: scratch.path).appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    @Test func `a word is found at the beginning, in the middle and at the end of a file`() throws {
        try write(Array("Testman rest".utf8), "a")
        try write(Array("x Testman y".utf8), "b/c")
        try write([0, 0, 0xFF] + Array("Testman".utf8), "d")
        try write(Array("Testma".utf8), "e")
        let result = try DataSearch(["Testman", "nothing"]).search(directory: scratch.path)
        #expect(result == DataSearch.Result(files: 4, bytes: 39, hits: ["a: Testman", "b/c: Testman", "d: Testman"]))
    }

    @Test func `a file's name is searched too`() throws {
        try write([], "soc-1880/x")
        #expect(try DataSearch(["soc-1880"]).search(directory: scratch.path).hits == ["soc-1880/x: soc-1880"])
    }

    @Test func `words that begin alike and overlap are all found`() {
        let search = DataSearch(["aab", "aa", "ab", "Örebro"])
        #expect(search.count(in: Array("aaab".utf8)) == 3)
        #expect(search.count(in: Array("i Örebro".utf8)) == 1)
        #expect(search.count(in: []) == 0)
        #expect(search.count(in: [0x61]) == 0)
    }

    @Test func `a word across the middle of many zeros is found`() {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        bytes.replaceSubrange(524_284..<524_292, with: Array("soc-1880".utf8))
        #expect(DataSearch(["soc-1880"]).count(in: bytes) == 1)
    }
}
