import CaseNotifications
import Testing

@testable import BudkavleServer

@Suite struct DestinationTests {
    @Test(arguments: [
        ("/notifications", Destination.notifications), ("/openings", .openings),
        ("/acknowledgements", .acknowledgements), ("/inbox", .inbox(nil)),
        ("/inbox/jour-1880", .inbox(DeskID("jour-1880"))), ("/receipts", .receipts(onlyOwn: false)),
        ("/receipts/mine", .receipts(onlyOwn: true)), ("/queries/plan", .question(.plan)),
        ("/admin/reload", .administration(.reload)), ("/replies/a1", .replies(token: "a1")),
    ])
    func `a destination of the protocol is understood`(text: String, wanted: Destination) {
        #expect(Destination(text) == wanted)
    }

    @Test(arguments: [
        "", "/", "notifications", "/notifications/", "/Notifications", "//notifications", "/inbox/", "/inbox/a/b",
        "/inbox/../x", "/inbox/JOUR", "/inbox/a%2e", "/queries", "/queries/", "/queries/sql", "/admin/shell",
        "/receipts/all", "/watch", "/claims", "/recalls", "/consents", "/wake/jour-1880", " /notifications",
    ])
    func `anything else is no destination`(text: String) {
        #expect(Destination(text) == nil)
    }
}
