package import CaseNotifications

/// The answer to `/queries/sessions`.
package struct SessionsAnswer: Equatable, Sendable {
    static let schema = "budkavle.sessions/1"

    struct Session: Equatable, Sendable {
        let session: String
        let party: String
        let client: String
        let stomp: String
        let transport: String
        let since: Timestamp
        let subscriptions: Int
        let unacknowledged: Int
    }

    let now: Timestamp
    let sessions: [Session]

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        sessions = try reader.objects("sessions") { (session) throws(AnswerFault) in
            Session(
                session: try session.text("session"), party: try session.text("party"),
                client: try session.text("client"), stomp: try session.text("stomp"),
                transport: try session.text("transport"), since: try session.time("since"),
                subscriptions: try session.integer("subscriptions"),
                unacknowledged: try session.integer("unacknowledged"))
        }
    }
}

/// The answer to `/queries/queues`.
package struct QueuesAnswer: Equatable, Sendable {
    static let schema = "budkavle.queues/1"

    struct Counts: Equatable, Sendable {
        let ready: Int
        let inFlight: Int
        let custody: Int
        let setAside: Int
        let overdue: Int

        init(_ reader: AnswerReader) throws(AnswerFault) {
            ready = try reader.integer("ready")
            inFlight = try reader.integer("inflight")
            custody = try reader.integer("custody")
            setAside = try reader.integer("setaside")
            overdue = try reader.integer("overdue")
        }
    }

    struct Queue: Equatable, Sendable {
        let party: String
        let desk: String
        let counts: Counts
        let oldest: Timestamp?
    }

    let now: Timestamp
    /// An agreement that ends soon, or has ended.
    struct Agreement: Equatable, Sendable {
        let id: String
        /// The first instant at which it does not hold.
        let end: Timestamp
        /// Those that leave it then; empty for all.
        let parties: [String]
    }

    let queues: [Queue]
    let total: Counts
    /// Deliveries whose right has ended: on no desk's list.
    let held: Int
    let agreements: [Agreement]

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        queues = try reader.objects("queues") { (queue) throws(AnswerFault) in
            Queue(
                party: try queue.text("party"), desk: try queue.text("desk"), counts: try Counts(queue),
                oldest: try queue.optionalTime("oldest"))
        }
        let sum = try reader.object("total")
        total = try Counts(sum)
        held = try sum.optionalInteger("held") ?? 0
        agreements = try reader.optionalObjects("agreements") { (agreement) throws(AnswerFault) in
            Agreement(
                id: try agreement.text("agreement"), end: try agreement.time("ends"),
                parties: try agreement.texts("parties"))
        }
    }
}

/// The answer to `/admin/reload`.
package struct ReloadAnswer: Equatable, Sendable {
    static let schema = "budkavle.reload/1"

    struct Fault: Equatable, Sendable {
        let code: String
        let severity: String
        let file: String
        let line: Int
        let column: Int
        let message: String
        let hint: String?
    }

    /// Whether the new policy is in force; otherwise the old one goes on.
    package let isActivated: Bool
    let isChanged: Bool
    let digests: [String]
    let faults: [Fault]
    let failedExamples: [String]
    /// Why it was refused for another cause than mistakes in policies.
    let reasons: [String]
    /// Sessions that had lost their right.
    let sessionsCut: Int

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        isActivated = try reader.flag("activated")
        isChanged = try reader.flag("changed")
        digests = try reader.objects("policies") { (policy) throws(AnswerFault) in
            "\(try policy.text("collaboration")) \(try policy.text("digest"))"
        }
        faults = try reader.objects("diagnostics") { (fault) throws(AnswerFault) in
            Fault(
                code: try fault.text("code"), severity: try fault.text("severity"), file: try fault.text("file"),
                line: try fault.integer("line"), column: try fault.integer("column"),
                message: try fault.text("message"), hint: try fault.optionalText("hint"))
        }
        failedExamples = try reader.texts("failedexamples")
        reasons = try reader.texts("reasons")
        sessionsCut = try reader.optionalInteger("cut") ?? 0
    }
}

/// The answer to `/admin/drain` and `/admin/undrain`.
package struct DrainAnswer: Equatable, Sendable {
    static let schema = "budkavle.drain/1"

    let isDraining: Bool
    let sessions: Int
    let unacknowledged: Int

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        isDraining = try reader.flag("draining")
        sessions = try reader.optionalInteger("sessions") ?? 0
        unacknowledged = try reader.optionalInteger("unacknowledged") ?? 0
    }
}

/// The answer to `/admin/clock`.
package struct ClockAnswer: Equatable, Sendable {
    static let schema = "budkavle.clock/1"

    let now: Timestamp
    let isSimulated: Bool

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        now = try reader.time("now")
        isSimulated = try reader.flag("simulated")
    }
}

/// The answer to `/admin/disconnect`.
package struct DisconnectAnswer: Equatable, Sendable {
    static let schema = "budkavle.disconnect/1"

    /// How many sessions were cut.
    package let count: Int

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        count = try AnswerReader(bytes, schema: Self.schema).integer("disconnected")
    }
}

/// What the CLI needs of the answer to `/queries/schema`: names to suggest from.
package struct SchemaAnswer: Equatable, Sendable {
    static let schema = "budkavle.schema/1"

    let types: [String]
    /// Ids of all parties of the collaboration.
    package let parties: [String]

    /// Reads the answer; members that are not known are ignored.
    package init(_ bytes: [UInt8]) throws(AnswerFault) {
        let reader = try AnswerReader(bytes, schema: Self.schema)
        types = try reader.objects("types") { (type) throws(AnswerFault) in try type.text("type") }
        parties = try reader.texts("parties")
    }
}

/// The answers of the relay as `--json` prints them.
package enum JSONText {
    /// One line of compact JSON: what a terminal or an editor would obey or hide is escaped as `\uXXXX`.
    ///
    /// - Throws: when the bytes are no JSON.
    package static func line(_ bytes: [UInt8]) throws(AnswerFault) -> String {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch { throw AnswerFault(pointer: "") }
        return line(value)
    }

    /// One line of compact JSON of a value of ours.
    package static func line(_ value: JSONValue) -> String {
        // Outside its strings compact JSON is printable ASCII, so every unsafe scalar stands in a string.
        var result = String.UnicodeScalarView()
        for scalar in value.text.unicodeScalars {
            if Sanitizer.isSafe(scalar) {
                result.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    let padding = String(repeating: "0", count: 4 - digits.count)
                    result.append(contentsOf: "\\u\(padding)\(digits)".unicodeScalars)
                }
            }
        }
        return String(result)
    }
}
