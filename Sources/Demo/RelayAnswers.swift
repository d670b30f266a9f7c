import Foundation

/// The relay's answers, as far as the demonstration reads them (protocol.md, "Questions").
enum RelayAnswers {
    struct Clock: Decodable {
        let now: String
    }

    struct Inbox: Decodable {
        struct Item: Decodable {
            let notification: String
            let type: String
            let urgency: String
            let state: String
        }
        let items: [Item]
    }

    struct Shown: Decodable {
        let event: View
        let opened: String
    }

    /// A recipient's copy of a CloudEvent.
    struct View: Decodable {
        let type: String
        let subject: String
        let source: String
        let rule: String
        let effect: String
        let acknowledgeby: String?
        let municipality: String?
        let data: [String: CloudEventText.Value]?
    }

    struct Status: Decodable {
        struct Delivery: Decodable {
            let party: String
            let desk: String
            let state: String
            let outcome: String?
        }
        let urgency: String
        let deliveries: [Delivery]
        let complete: Bool
    }

    struct Plan: Decodable {
        struct Recipient: Decodable {
            let party: String
            let desk: String
            let fields: [String]
        }
        struct Refused: Decodable {
            let party: String
            let code: String
        }
        let decision: String
        let code: String?
        let urgency: String?
        let recipients: [Recipient]
        let refused: [Refused]
    }

    struct Queues: Decodable {
        struct Count: Decodable, Equatable {
            let ready: Int
            let inflight: Int
        }
        let total: Count
    }

    /// A receipt, as its CloudEvent's `data` has it.
    struct Receipt: Decodable {
        struct Content: Decodable {
            let notification: String
            let event: String
            let party: String?
            let desk: String?
            let role: String?
            let outcome: String?
            let reason: String?
            let at: String
        }
        let data: Content
    }

    static func read<Answer: Decodable>(_ type: Answer.Type, _ bytes: [UInt8]) throws -> Answer {
        try JSONDecoder().decode(type, from: Data(bytes))
    }

    /// The names of all members of a JSON object, sorted.
    static func members(_ bytes: [UInt8]) throws -> [String] {
        let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        return (object ?? [:]).keys.sorted()
    }
}
