import CaseNotifications
import Testing

@testable import BudkavleServer
@testable import Relay

/// What an order to erase takes in while notifications go on coming.
struct ErasureFindsTests {
    private let subject = CaseID(county: 18, year: 2026, number: 1)

    private func accepted(_ number: UInt64, of subject: CaseID, caseSlot: UInt64) -> EventBody {
        .accepted(
            Accepted(
                notification: NotificationID(high: 1, low: number), sourceID: "s-\(number)", source: 1, client: 2,
                type: 3, policy: 4, municipality: 5, subject: subject, digest: Digest(sha256Of: []), caseSlot: caseSlot,
                isNewCase: false, notificationSlot: 100 + number, urgency: .u1, isDrill: false, isProtected: false,
                supersedes: nil, grants: [], refusals: []))
    }

    @Test func `a case takes in all that is under it, and once closed only what shares a slot with that`() {
        var finds = ErasureFinds(.subject(subject))
        finds.look(at: accepted(1, of: subject, caseSlot: 7))
        finds.look(at: accepted(2, of: CaseID(county: 18, year: 2026, number: 2), caseSlot: 8))
        #expect(finds.notifications.map(\.low) == [1] && finds.slots == [7, 101])
        finds.isClosed = true
        finds.look(at: accepted(3, of: subject, caseSlot: 7))
        // The case went on under a fresh slot: an alert that came meanwhile is not part of the order.
        finds.look(at: accepted(4, of: subject, caseSlot: 9))
        #expect(finds.notifications.map(\.low) == [1, 3] && finds.slots == [7, 101, 103])
    }

    @Test func `a notification's order takes neither its case's slot nor another's`() {
        var finds = ErasureFinds(.notification(NotificationID(high: 1, low: 2)))
        for number: UInt64 in 1...3 { finds.look(at: accepted(number, of: subject, caseSlot: 7)) }
        #expect(finds.notifications.map(\.low) == [2] && finds.slots == [102])
    }
}
