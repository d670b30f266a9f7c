import CaseNotifications
import Journal
import Testing

@testable import BudkavleServer

@Suite struct ContentStoreTests {
    private static func content(_ bytes: Int) throws -> StoredContent {
        let text = #"{"id":""# + String(repeating: "a", count: bytes - 9) + #""}"#
        return try StoredContent(Array(text.utf8))
    }

    @Test func `content is kept up to the limit and the oldest goes one past it`() throws {
        var store = ContentStore()
        let piece = 256 * 1024
        let count = ContentStore.cacheLimitBytes / piece
        let content = try Self.content(piece)
        for number in 0..<count { store.keep(content, as: NotificationID(high: 1, low: UInt64(number))) }
        #expect(store.cached(NotificationID(high: 1, low: 0)) != nil)
        store.keep(content, as: NotificationID(high: 1, low: UInt64(count)))
        #expect(store.cached(NotificationID(high: 1, low: 0)) == nil)
        #expect(store.cached(NotificationID(high: 1, low: 1)) != nil)
    }

    @Test func `a note's id is never a notification's`() {
        #expect(TextID(noteSlot: 7).notification == nil)
        let id = NotificationID(high: 5, low: 6)
        #expect(TextID(id).notification == id)
    }
}
