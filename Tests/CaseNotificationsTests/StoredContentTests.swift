import Testing

@testable import CaseNotifications

@Suite struct StoredContentTests {
    private static let body = Array(
        #"{"specversion":"1.0","id":"a","consent":null,"level":"A","data":{"one":1,"två":[true]}}"#.utf8)

    @Test func `content read back without a catalogue has the members and their bytes`() throws {
        let content = try StoredContent(Self.body)
        #expect(content.attributes.map(\.name) == ["specversion", "id", "level"])
        #expect(content.fields.map(\.name) == ["one", "två"])
        #expect(content.fields.map { String(decoding: Self.body[$0.value], as: UTF8.self) } == ["1", "[true]"])
    }

    @Test func `damaged content is a fault and no copy`() {
        #expect(throws: JSONFault.self) { try StoredContent(Array(Self.body.dropLast())) }
    }
}
