import CaseNotifications
import Relay
import Routing

/// The rules of the simulated county: who gets what depends on the municipality alone.
///
/// Small on purpose: the simulation asks whether the relay keeps its promises, not whether the policy is a good one.
enum SimulatedPolicy {
    static let type = EventType("se.budkavle.simulated.thing.happened.v1")!
    static let digest = Digest(sha256Of: "the simulated policy")
    static let municipalities = ["1880", "1881", "1882", "1883"]
    static let desks = ["soc-1880", "soc-1881", "pol-18"].map { DeskID($0)! }
    static let senders = ["agency-a", "agency-b"].map { PartyID($0)! }

    static let decoder = NotificationDecoder(
        catalogue: EventCatalogue(
            types: [
                type: EventTypeDefinition(
                    type: type, labels: [:], family: "test", area: "information", urgency: .u4, raise: [],
                    requiredAttributes: ["county", "municipality"],
                    fields: [
                        FieldDefinition(name: "shown", kind: .integer, isRequired: true, sensitivity: "low"),
                        FieldDefinition(name: "hidden", kind: .integer, isRequired: true, sensitivity: "high"),
                    ])
            ], circumstances: [], codeLists: [:], programmes: [], levels: []), mode: .exercise)

    /// The desks that get what happened in a municipality, sorted. Each belongs to the party of the same name.
    static func recipients(of municipality: String) -> [String] {
        switch municipality {
        case "1880": ["soc-1880"]
        case "1881": ["pol-18", "soc-1881"]
        case "1882": ["pol-18", "soc-1880", "soc-1881"]
        default: []
        }
    }

    /// - Parameter mustBeAcknowledged: whether people have to, within a quarter of an hour.
    static func decide(_ notification: CaseNotification, at now: Timestamp, mustBeAcknowledged: Bool) -> Decision {
        let urgency = notification.urgency ?? .u4
        let grants = recipients(of: notification.municipality ?? "").map { name in
            Grant(
                party: PartyID(name)!, desk: DeskID(name)!, rule: RuleID("r-" + name)!, effect: .may, basis: "b",
                marking: "OSL 26:1", urgency: urgency, attributes: [], fields: ["shown"], isStrict: false,
                deadline: mustBeAcknowledged ? .after(seconds: 900) : .none,
                acknowledgeBy: mustBeAcknowledged ? now.advanced(bySeconds: 900) : nil)
        }
        let refusal = Refusal(code: .noRule, pointer: "", message: "no rule gives this to anybody")
        return Decision(
            at: now, urgency: urgency, grants: grants, refusals: [], until: .distantFuture,
            refusal: grants.isEmpty ? refusal : nil)
    }
}
