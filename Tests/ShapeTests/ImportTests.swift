import Foundation
import Testing

/// The arrows between the modules, checked where SwiftPM does not: it lets imports slip through that are reachable through a
/// dependency.
struct ImportTests {
    /// Our own modules that each may import.
    static let arrows: [String: Set<String>] = [
        "CLinux": [],
        "COpenSSL": [],
        "EventLoop": ["CLinux"],
        "TLSStreams": ["EventLoop", "COpenSSL"],
        "STOMP": [],
        "CaseNotifications": [],
        "Settings": [],
        "Routing": ["CaseNotifications", "Settings"],
        "Journal": ["CLinux"],
        "Relay": ["CaseNotifications", "Routing"],
        "BudkavleServer": [
            "CLinux", "COpenSSL", "EventLoop", "TLSStreams", "STOMP", "CaseNotifications", "Settings", "Routing",
            "Journal",
            "Relay",
        ],
        "BudkavleClient": ["TLSStreams", "EventLoop", "STOMP", "CaseNotifications"],
        "Console": ["CaseNotifications", "Routing"],
        "Demo": ["BudkavleClient", "Console", "Settings", "Routing"],
        "budkavled": ["BudkavleServer", "BudkavleClient", "Console", "Settings", "Routing"],
        "budkavle": ["Demo", "BudkavleClient", "Console", "Settings", "Routing"],
        "budkavle-bench": [
            "CLinux", "COpenSSL", "EventLoop", "TLSStreams", "STOMP", "CaseNotifications", "Settings", "Routing",
            "Journal",
            "Relay", "BudkavleServer", "BudkavleClient", "Console", "Demo",
        ],
    ]

    /// Packages of others, where they are needed. swift-collections may go anywhere.
    static let external: [String: Set<String>] = [
        "CaseNotifications": ["Crypto"],
        "Settings": ["Yams"],
        "Journal": ["Crypto"],
        "BudkavleServer": ["Crypto", "Logging"],
        "BudkavleClient": ["Crypto"],
        "Demo": ["Crypto", "X509", "SwiftASN1"],
        "budkavled": ["ArgumentParser", "Logging"],
        "budkavle": ["ArgumentParser"],
        "budkavle-bench": ["ArgumentParser", "Histogram"],
    ]

    static let collections: Set<String> = [
        "Collections", "DequeModule", "OrderedCollections", "HeapModule", "BitCollections", "HashTreeCollections",
        "BasicContainers",
    ]

    /// What comes with the toolchain and the system.
    static let system: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Dispatch",
    ]

    /// Modules without I/O, clock, randomness or logger.
    static let pure: Set<String> = ["STOMP", "CaseNotifications", "Routing", "Relay", "Console"]

    static let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func `every import is an arrow of the layout`() throws {
        var wrong: [String] = []
        for module in try Self.modules() {
            let system = Self.pure.contains(module) ? ["Swift", "FoundationEssentials"] : Self.system
            let allowed = try #require(Self.arrows[module], "\(module) is not in the layout")
                .union(Self.external[module] ?? []).union(Self.collections).union(system)
            for (file, imported) in try Self.imports(below: "Sources/\(module)") where !allowed.contains(imported) {
                wrong.append("\(file) imports \(imported), and \(module) has no such arrow")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test func `the tests' own support module keeps to its arrows`() throws {
        let allowed: Set<String> = Self.system.union(["EventLoop", "TLSStreams", "Journal"])
        for (file, imported) in try Self.imports(below: "Tests/TestSupport") {
            #expect(allowed.contains(imported), "\(file) imports \(imported)")
        }
    }

    @Test func `no arrow points back up`() {
        // A module that can reach itself through arrows would be a circle.
        for module in Self.arrows.keys {
            var seen: Set<String> = []
            var open = Array(Self.arrows[module] ?? [])
            while let next = open.popLast() {
                guard seen.insert(next).inserted else { continue }
                open += Self.arrows[next] ?? []
            }
            #expect(!seen.contains(module), "\(module) reaches itself")
        }
    }

    @Test func `every module of the layout has its directory`() throws {
        #expect(try Set(Self.modules()) == Set(Self.arrows.keys))
    }

    @Test func `the scanner finds imports in every form`() {
        let source = """
            import Foundation
            package import CLinux  // with a comment
            @testable import Relay
            public import struct STOMP.Frame
            @_spi(Tests) internal import Journal; import Settings
            """
        #expect(
            ImportScanner.modules(in: source)
                == ["Foundation", "CLinux", "Relay", "STOMP", "Journal", "Settings"])
    }

    @Test func `the scanner leaves comments and literals alone`() {
        let source = #"""
            // import One
            /* import Two
               /* nested */ import Three */
            let text = """
                import Four
                """
            let important = 1
            import Five
            """#
        #expect(ImportScanner.modules(in: source) == ["Five"])
    }

    /// The directories below Sources, sorted.
    static func modules() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path).sorted()
    }

    /// Every import of every Swift file below `directory`, which is relative to the package.
    static func imports(below directory: String) throws -> [(file: String, module: String)] {
        let base = root.appending(path: directory).path
        return try FileManager.default.subpathsOfDirectory(atPath: base).filter { $0.hasSuffix(".swift") }.sorted()
            .flatMap { name in
                let text = try String(contentsOfFile: "\(base)/\(name)", encoding: .utf8)
                return ImportScanner.modules(in: text).map { (file: "\(directory)/\(name)", module: $0) }
            }
    }
}
