package import CaseNotifications

/// Explains many events, a line of JSON each: `{"event": {…}, "at": "2026-12-11T23:10:00+01:00", "collaboration": "orebro"}`.
///
/// `at` and `collaboration` may be left out, as in `explain`. An answer per line, in the lines' order; empty lines have none.
package struct ExplanationBatch: Sendable {
    /// The longest line, in bytes without its line feed; a longer one is refused as `too-large` and skipped.
    package static let longestLineBytes = JSONScanner.largestBytes

    /// What became of one line.
    package enum Answer: Sendable {
        /// The event was decided.
        case explained(EventExplanation)
        /// It could not be decided; the pointer is that of the line's object.
        case refused(Refusal)
    }

    private let policies: ExplainedPolicies
    private var line: [UInt8] = []
    private var isTooLong = false

    /// A batch by these policies.
    package init(_ policies: ExplainedPolicies) { self.policies = policies }

    /// Takes more of the input and answers the lines that it ends.
    package mutating func take(_ bytes: some Sequence<UInt8>, answer: (Answer) throws -> Void) rethrows {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                try endLine(answer)
            } else if line.count < Self.longestLineBytes {
                line.append(byte)
            } else {
                isTooLong = true
            }
        }
    }

    /// Ends the input: a last line may lack its line feed.
    package mutating func finish(answer: (Answer) throws -> Void) rethrows { try endLine(answer) }

    private mutating func endLine(_ answer: (Answer) throws -> Void) rethrows {
        defer {
            line.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        guard !isTooLong else {
            let message = "the line is longer than \(Self.longestLineBytes) bytes"
            return try answer(.refused(Refusal(code: .tooLarge, pointer: "", message: message)))
        }
        guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return }
        let outcome: Answer
        do throws(Refusal) {
            outcome = .explained(try explain(line))
        } catch {
            outcome = .refused(error)
        }
        try answer(outcome)
    }

    private func explain(_ line: [UInt8]) throws(Refusal) -> EventExplanation {
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONValue(parsing: line, knownNames: ["event", "at", "collaboration"])
        } catch {
            throw error.refusal
        }
        guard let object = value.object else { throw Self.refusal("", "a line is one JSON object") }
        for name in object.names where !["event", "at", "collaboration"].contains(name) {
            throw Self.refusal("", "a line has the members event, at and collaboration, and no others")
        }
        guard let event = object["event"], event.object != nil else {
            throw Self.refusal("/event", "the CloudEvents object is missing")
        }
        var name: String?
        if let collaboration = object["collaboration"] {
            guard let text = collaboration.string else {
                throw Self.refusal("/collaboration", "the collaboration's id must be a string")
            }
            name = text
        }
        guard let policy = policies.explainer(name) else {
            throw Self.refusal("/collaboration", "there is no such collaboration")
        }
        var instant = policy.defaultInstant
        if let at = object["at"] {
            guard let time = at.string.flatMap({ Timestamp(rfc3339: $0) }) else {
                throw Self.refusal("/at", "the time must be RFC 3339 with a zone")
            }
            instant = time
        }
        do throws(Refusal) {
            return try policy.explain(event.bytes, at: instant)
        } catch {
            throw Refusal(code: error.code, pointer: "/event" + error.pointer, message: error.message)
        }
    }

    private static func refusal(_ pointer: String, _ message: String) -> Refusal {
        Refusal(code: .schema, pointer: pointer, message: message)
    }
}
