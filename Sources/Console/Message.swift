/// Everything that Budkavle says to people, as values; the texts stand in `SwedishTexts` and `EnglishTexts`.
///
/// Both are exhaustive switches: a text that is missing in one language does not compile.
package enum Message: Equatable, Sendable {
    // Lists
    case toAcknowledge(Int)
    case overdue(Int)
    case overdueMark
    case columnTimeLeft
    case columnWhat
    case columnMunicipality
    case columnFrom
    case columnAge
    case columnID
    case drillMark
    case nothingOpen
    case moreNotShown
    case inboxHint(show: String, acknowledge: String)
    case circumstance(String)
    case setAsideMark
    case erasedMark
    case handedTo(String)

    // Watch
    case watchNew
    case watchListed
    case watchOpen(Int, desk: String)
    case acknowledgeBy(String)
    case event(String)
    case outcome(String)
    case step(String)
    case linkLost
    case linkRestored(seconds: Int)

    // Show
    case openedRecorded
    case from(String)
    case caseID(String)
    case received(String)
    case yes
    case no
    case marking(String)
    /// What an attribute of the envelope is called (protocol.md, extension attributes).
    case attribute(String)
    case contentNeedsTerminal

    // Acknowledge
    case acknowledgedNow(id: String, outcome: String)
    case alreadyAcknowledged(id: String)
    case outcomePrompt

    // Send and plan
    case accepted(notification: String)
    case acceptedBefore(notification: String)
    case nothingWasSent
    case wouldGetFields([String])
    case wouldGetNoFields
    case refusalReason(String)
    case addConsent
    case addAffirmations([String])
    case nobodyWouldGetIt
    case acuteDanger
    case textNotStored
    case notConfirmed(id: String)
    case sentRefused(code: String, path: String)
    case retrying(seconds: Int)

    // Status and receipts
    case sentAt(String)
    case rule(String)
    case allAcknowledged
    case notAllAcknowledged(Int)
    case refusedParty(party: String, code: String)
    case noReceipts
    case overdueSince(String)

    // Administration
    case columnParty
    case columnClient
    case columnSince
    case columnTransport
    case columnUnacknowledged
    case columnDesk
    case columnReady
    case columnInFlight
    case columnCustody
    case columnSetAside
    case columnOldest
    case total
    case heldDeliveries(Int)
    case agreementEnds(agreement: String, parties: [String], lastDay: String)
    case agreementEnded(agreement: String, parties: [String], lastDay: String)
    case noSessions
    case noQueues
    case reloaded
    case reloadUnchanged
    case reloadRefused(errors: Int, failedExamples: Int)
    case reloadFailed
    case failedExample(String)
    case draining(sessions: Int, unacknowledged: Int)
    case notDraining
    case clockReads(String)
    case clockSimulated
    case clockReal
    case disconnected(Int)

    // Trouble
    case unknownCommand(String)
    case unknownID(String)
    case ambiguousID(String, count: Int)
    case unknownParty(String)
    case didYouMean(String)
    case relayUnreachable(String)
    case refusedCertificate
    case relayNotTrusted
    case forbidden
    case unknownThing
    case timedOut(seconds: Int)
    case interrupted
    case inputMissing(String)
    case inputInvalid(String)

    /// The text in one language.
    package func text(_ language: Language) -> String {
        switch language {
        case .swedish: swedish
        case .english: english
        }
    }
}

extension Message {
    /// One value of every case, for the completeness test and the list of texts.
    package static let samples: [Message] = [
        .toAcknowledge(3), .overdue(1), .overdueMark, .columnTimeLeft, .columnWhat, .columnMunicipality, .columnFrom,
        .columnAge, .columnID, .drillMark, .nothingOpen, .moreNotShown,
        .inboxHint(show: "3M9XAH", acknowledge: "7QK2ZD"), .circumstance("child-present"),
        .setAsideMark, .erasedMark, .handedTo("soc-1880"), .watchNew, .watchListed, .watchOpen(2, desk: "jour-1880"),
        .acknowledgeBy("02:19"),
        .event("acknowledged"), .outcome("taken"), .step("2"), .linkLost, .linkRestored(seconds: 38),
        .openedRecorded, .from("pol-18-rlc"), .caseID("BK-18-2026-7QK2ZD9F"), .received("02:11"), .yes, .no,
        .marking("OSL 26:1"), .attribute("circumstances"), .contentNeedsTerminal,
        .acknowledgedNow(id: "3M9XAH", outcome: "taken"), .alreadyAcknowledged(id: "3M9XAH"),
        .outcomePrompt, .accepted(notification: "3M9XAH"), .acceptedBefore(notification: "3M9XAH"), .nothingWasSent,
        .wouldGetFields(["a", "b"]),
        .wouldGetNoFields, .refusalReason("consent-missing"), .addConsent, .addAffirmations(["balance-done"]),
        .nobodyWouldGetIt, .acuteDanger, .textNotStored, .notConfirmed(id: "a-1"),
        .sentRefused(code: "schema", path: "/data"), .retrying(seconds: 2), .sentAt("23:10:02"), .rule("r"),
        .allAcknowledged, .notAllAcknowledged(1), .refusedParty(party: "frv-18", code: "never-rule"), .noReceipts,
        .overdueSince("23:25"), .columnParty, .columnClient, .columnSince, .columnTransport, .columnUnacknowledged,
        .columnDesk, .columnReady, .columnInFlight, .columnCustody, .columnSetAside, .columnOldest, .total,
        .heldDeliveries(2),
        .agreementEnds(agreement: "lokal-1880", parties: [], lastDay: "Sun 28 Feb 2027"),
        .agreementEnded(agreement: "lokal-1880", parties: ["frv-18"], lastDay: "Sun 28 Feb 2027"),
        .noSessions, .noQueues, .reloaded, .reloadUnchanged, .reloadRefused(errors: 2, failedExamples: 1),
        .reloadFailed,
        .failedExample("S1"), .draining(sessions: 3, unacknowledged: 1), .notDraining, .clockReads("23:00"),
        .clockSimulated, .clockReal, .disconnected(1),
        .unknownCommand("inbix"), .unknownID("3M9XAH"),
        .ambiguousID("AH", count: 2), .unknownParty("jour-1808"), .didYouMean("jour-1880"),
        .relayUnreachable("relay.example:61614"), .refusedCertificate, .relayNotTrusted, .forbidden, .unknownThing,
        .timedOut(seconds: 10), .interrupted, .inputMissing("a.json"), .inputInvalid("/type"),

    ]
}
