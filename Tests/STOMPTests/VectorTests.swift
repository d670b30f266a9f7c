import Foundation
import STOMP
import Testing

/// One file of Vectors/: `#` lines that say what must happen, `---`, then the bytes. `^@` is NUL, `^M` CR, `^` and two
/// hexadecimal digits that byte.
struct Vector: CustomTestStringConvertible {
    enum Expectation: Equatable {
        case error(String)
        case requests(Int)
    }

    var name: String
    var version: Version?
    var expectation: Expectation
    var bytes: [UInt8]
    var testDescription: String { name }

    init(name: String, file: [UInt8]) throws {
        self.name = name
        guard let marker = file.firstRange(of: Array("\n---\n".utf8)) else { throw Missing(what: "--- in \(name)") }
        var session: String?
        var expect: String?
        for line in String(decoding: file[..<marker.lowerBound], as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("# session: ") { session = String(line.dropFirst(11)) }
            if line.hasPrefix("# expect: ") { expect = String(line.dropFirst(10)) }
        }
        guard let session, let expect else { throw Missing(what: "session and expect in \(name)") }
        version = Version(text: session)
        if expect.hasPrefix("error ") {
            expectation = .error(String(expect.dropFirst(6)))
        } else if expect.hasPrefix("requests "), let count = Int(expect.dropFirst(9)) {
            expectation = .requests(count)
        } else {
            throw Missing(what: "a known expectation in \(name)")
        }
        bytes = Self.unquote(file[marker.upperBound...].dropLast())
    }

    private static func unquote(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "^") else {
                bytes.append(byte)
                continue
            }
            let sign = rest.popFirst()
            switch sign {
            case UInt8(ascii: "@"): bytes.append(0)
            case UInt8(ascii: "M"): bytes.append(13)
            default:
                let digits = [sign, rest.popFirst()].compactMap { $0 }
                bytes.append(UInt8(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0)
            }
        }
        return bytes
    }

    static func all() throws -> [Vector] {
        guard let directory = Bundle.module.url(forResource: "Vectors", withExtension: nil) else {
            throw Missing(what: "the directory Vectors")
        }
        return try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "vector" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { try Vector(name: $0.lastPathComponent, file: Array(Data(contentsOf: $0))) }
    }
}

/// What a session did with some bytes.
struct Transcript: Equatable {
    var requests: [Request]
    var failures: [SessionFailure]
    var output: [Frame]
}

/// The three ways to hand bytes over. The result must be the same.
enum Feeding: CaseIterable {
    case whole
    case joined
    case byteByByte

    func transcript(of parts: [[UInt8]], _ version: Version?) throws -> Transcript {
        var harness = try SessionHarness(version)
        switch self {
        case .whole: for part in parts { harness.feed(part) }
        case .joined: harness.feed(parts.flatMap { $0 })
        case .byteByByte: for byte in parts.joined() { harness.feed([byte]) }
        }
        return Transcript(requests: harness.requests, failures: harness.failures, output: harness.frames())
    }
}

struct VectorTests {
    static let before = Array("SEND\ndestination:/before\nreceipt:before\n\nbody\0".utf8)
    static let after = Array("SEND\ndestination:/after\nreceipt:after\n\nbody\0".utf8)

    @Test(arguments: try Vector.all())
    func `every vector does what its first lines say, however it is fed`(_ vector: Vector) throws {
        let neighbours = vector.version == nil ? [] : [Self.before]
        let parts = neighbours + [vector.bytes, Self.after]
        let expected = try Feeding.whole.transcript(of: parts, vector.version)
        for feeding in Feeding.allCases {
            #expect(try feeding.transcript(of: parts, vector.version) == expected, "\(feeding)")
        }
        switch vector.expectation {
        case .error(let message):
            #expect(expected.failures.map(\.refusal.message) == [message])
            let error = try #require(expected.output.last)
            #expect(error.command == .error)
            #expect(error.headers["message"] == message)
            #expect(!error.body.isEmpty)
            let before = neighbours.isEmpty ? [] : ["before"]
            #expect(expected.output.compactMap { $0.command == .receipt ? $0.headers["receipt-id"] : nil } == before)
            #expect(!expected.requests.contains { $0.receipt == "after" }, "nothing behind the frame is handed out")
        case .requests(let count):
            #expect(expected.failures.isEmpty, "\(expected.failures)")
            #expect(expected.requests.count == count + neighbours.count + 1)
            #expect(expected.requests.last?.receipt == "after")
        }
    }

    @Test func `a vector file is read as it is written`() throws {
        let file = "# says\n# session: 1.1\n# expect: error no\n---\nA^@^M^FF\nB\n"
        let vector = try Vector(name: "x", file: Array(file.utf8))
        #expect(vector.version == .v1_1)
        #expect(vector.expectation == .error("no"))
        #expect(vector.bytes == [65, 0, 13, 255, 10, 66])
    }

    @Test func `no message of ours holds a colon or a backslash`() throws {
        for vector in try Vector.all() {
            let transcript = try Feeding.whole.transcript(of: [vector.bytes], vector.version)
            for failure in transcript.failures {
                #expect(!failure.refusal.message.contains { ":\\".contains($0) }, "\(failure.refusal.message)")
                #expect(failure.refusal.message.utf8.count <= 80)
            }
        }
    }
}
