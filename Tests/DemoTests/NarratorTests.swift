import Synchronization
import Testing

@testable import Demo

struct NarratorTests {
    /// What a narrator printed.
    final class Page: Sendable {
        let lines = Mutex<[String]>([])
        var text: String { lines.withLock { $0.joined(separator: "\n") } }
    }

    static let heading = Narrator.Heading(en: "Chapter", sv: "Kapitel")

    func narrator(_ language: String? = nil) -> (Narrator, Page) {
        let page = Page()
        return (
            Narrator(language: language, isColoured: false) { line in page.lines.withLock { $0.append(line) } }, page
        )
    }

    @Test func `nothing has held before anything was checked`() {
        let (narrator, _) = narrator()
        #expect(!narrator.allHeld)
        narrator.begin(Self.heading)
        #expect(!narrator.allHeld)
    }

    @Test func `all has held when every chapter has checks and each of them held`() {
        let (narrator, page) = narrator()
        narrator.begin(Self.heading)
        narrator.check("one is one", 1, is: 1)
        #expect(narrator.allHeld)
        narrator.begin(Self.heading)
        #expect(!narrator.allHeld)
        narrator.check("it is so", holds: true)
        #expect(narrator.allHeld)
        #expect(page.text.contains("✓ one is one"))
    }

    @Test func `a failure shows what was got and what was wanted, and is not forgotten`() {
        let (narrator, page) = narrator()
        narrator.begin(Self.heading)
        narrator.check("one is two", 1, is: 2)
        narrator.check("one is one", 1, is: 1)
        #expect(!narrator.allHeld)
        #expect(page.text.contains("✗ one is two\n       got 1, wanted 2"))
        narrator.summarise(seconds: 1.26)
        #expect(page.text.contains("1/2"))
        #expect(page.text.contains("2 checks in 1.3 s: FAILED"))
    }

    @Test func `headings are Swedish when asked for`() {
        let (narrator, page) = narrator("sv")
        narrator.begin(Self.heading)
        #expect(page.text.contains("── 1. Kapitel ──"))
    }
}
