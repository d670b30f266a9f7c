package import CaseNotifications
package import Routing

/// An explanation as text for people, and as JSON.
package struct ExplanationText {
    private let policy: Policy
    private let explanation: Explanation
    private let at: Timestamp
    private let trace: TraceText?
    private let party: PartyID?

    /// The text of `explanation` by `policy` for the instant `at`.
    ///
    /// - Parameters:
    ///   - trace: what every matcher of the rules said, shown too.
    ///   - party: only what concerns this one; `trace` then says why each rule does or does not give it to that party.
    package init(
        policy: Policy, explanation: Explanation, at: Timestamp, trace: [RuleSteps]? = nil, party: PartyID? = nil
    ) {
        self.policy = policy
        self.explanation = explanation
        self.at = at
        self.trace = trace.map { TraceText($0) }
        self.party = party
    }

    private var decision: Decision { explanation.decision }
    /// A party's own, or the one that its fallback gets in its stead.
    private var grants: [Grant] {
        guard let party else { return decision.grants }
        return decision.grants.filter { grant in
            grant.party == party || grant.reasons.contains { $0.kind == .fallback(for: party) }
        }
    }
    private var refusals: [PartyRefusal] { decision.refusals.filter { party == nil || $0.party == party } }

    /// For people, a line each.
    package var lines: [String] {
        var lines = ["Policy \(policy.collaboration.text)  sha256:\(policy.digest.hex.prefix(12))…  \(local(at))", ""]
        if let refusal = decision.refusal {
            lines.append("The whole would be refused: \(refusal.code.rawValue) (\(refusal.message)).")
        }
        for grant in grants {
            lines.append(
                "sent to      \(grant.party.text) at desk \(grant.desk.text)"
                    + (grant.agent.map { " of \($0.text)" } ?? ""))
            lines.append(
                "  rule       \(grant.rule.text) (\(grant.effect.rawValue), \(grant.basis))  \(grant.urgency.text)")
            if let deadline = grant.acknowledgeBy { lines.append("  acknowledge by \(local(deadline))") }
            lines.append(
                "  gets       \((grant.attributes + grant.fields).joined(separator: " "))"
                    + (grant.isStrict ? "  (strict view)" : ""))
            lines += grant.reasons.map { "  because    " + sentence($0) }
        }
        for refusal in refusals {
            lines.append(
                "not sent to  \(refusal.party.text): \(refusal.code.rawValue)"
                    + (refusal.isReported ? "" : " (not told to the sender)"))
            lines += refusal.reasons.map { "  because    " + sentence($0) }
        }
        if grants.isEmpty, refusals.isEmpty {
            let nobody = party.map { $0.text } ?? "anybody"
            lines.append("No rule sends it to \(nobody) (denied by default).")
        }
        if let trace {
            lines.append("")
            lines += party.map { trace.lines(about: $0) } ?? trace.lines
        }
        lines.append("")
        lines.append("Holds until \(local(decision.until)). Nothing was sent.")
        return lines
    }

    /// For machines: one object, `budkavle.explanation/1`.
    package var json: String {
        var object = JSONObject()
        object["schema"] = "budkavle.explanation/1"
        object["policy"] = .string(policy.digest.hex)
        object["at"] = .string(at.rfc3339)
        object["until"] = .string(decision.until.rfc3339)
        object["urgency"] = .string(decision.urgency.text)
        if let refusal = decision.refusal { object["refusal"] = .string(refusal.code.rawValue) }
        object["recipients"] = .array(
            grants.map { grant in
                var recipient = JSONObject()
                recipient["party"] = .string(grant.party.text)
                if let origin = grant.insteadOf { recipient["insteadof"] = .string(origin.text) }
                recipient["desk"] = .string(grant.desk.text)
                if let agent = grant.agent { recipient["agent"] = .string(agent.text) }
                recipient["rule"] = .string(grant.rule.text)
                recipient["effect"] = .string(grant.effect.rawValue)
                recipient["basis"] = .string(grant.basis)
                recipient["urgency"] = .string(grant.urgency.text)
                if let deadline = grant.acknowledgeBy { recipient["acknowledgeby"] = .string(deadline.rfc3339) }
                recipient["attributes"] = .array(grant.attributes.map { .string($0) })
                recipient["fields"] = .array(grant.fields.map { .string($0) })
                recipient["strict"] = .bool(grant.isStrict)
                recipient["reasons"] = .array(grant.reasons.map { .string(sentence($0)) })
                return .object(recipient)
            })
        object["refused"] = .array(
            refusals.map { refusal in
                var refused = JSONObject()
                refused["party"] = .string(refusal.party.text)
                refused["code"] = .string(refusal.code.rawValue)
                if let rule = refusal.rule { refused["rule"] = .string(rule.text) }
                refused["reported"] = .bool(refusal.isReported)
                refused["reasons"] = .array(refusal.reasons.map { .string(sentence($0)) })
                return .object(refused)
            })
        if let trace { object["trace"] = trace.json }
        return JSONValue.object(object).text
    }

    /// For machines, of an event that could not be decided: one object, `budkavle.explanation/1` with its refusal.
    package static func json(of refusal: Refusal) -> String {
        let object: JSONValue = [
            "schema": "budkavle.explanation/1", "refusal": .string(refusal.code.rawValue),
            "path": .string(refusal.pointer), "message": .string(refusal.message),
        ]
        return object.text
    }

    private func local(_ time: Timestamp) -> String {
        guard time != .distantFuture else { return "the policy changes" }
        let local = policy.civilTime(time)
        let (year, month, day) = local.date
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(day)) \(two(local.secondOfDay / 3600)):\(two(local.secondOfDay / 60 % 60))"
    }

    private func sentence(_ reason: Reason) -> String {
        let rule = reason.rule.map { "rule \($0.text): " } ?? ""
        let place = reason.location.map { "  (\($0))" } ?? ""
        return rule + Self.words(reason.kind) + place
    }

    static func words(_ kind: Reason.Kind) -> String {
        switch kind {
        case .delivers(let effect, let basis): "delivers as \(effect.rawValue) on \(basis)"
        case .deniedByDefault: "no rule names this party for this type"
        case .unknownInAudience: "the policy knows no such party or group"
        case .merged(let former): "the audience names \(former.text), which has become part of it"
        case .notInAudience: "the sender's audience leaves it out"
        case .never: "a never rule stops it"
        case .redacted(let fields):
            "a never rule takes out \(fields.isEmpty ? "all fields" : fields.joined(separator: " "))"
        case .notApproved(let parties):
            "it is inactive, \(parties.map(\.text).joined(separator: ", ")) has not approved it"
        case .notInForce: "it is not in force at that time"
        case .basisNotInForce(let basis): "\(basis) is not in force at that time"
        case .basisDoesNotCover(let basis): "\(basis) is not for this sender, recipient or type"
        case .secrecyExcluded(let basis, let secrecy): "\(basis) does not lift secrecy under \(secrecy)"
        case .affirmationsMissing(let names): "the sender must affirm \(names.joined(separator: ", "))"
        case .consentMissing(let givers): "consent is needed of \(givers.joined(separator: " or "))"
        case .noAgreement: "no agreement covers sender, recipient and municipality"
        case .agreementNotInForce(let agreement): "agreement \(agreement) is not in force"
        case .agreementEnded(let agreement): "agreement \(agreement) has ended"
        case .agreement(let agreement): "agreement \(agreement) covers it"
        case .protectedIdentity:
            "identity is protected or unknown, and another county is reached only by a duty to a named party"
        case .deskOpen(let desk): "desk \(desk.text) is open"
        case .onCall(let desk, let agent): "own desks are closed, \(agent.text) acts for it at \(desk.text)"
        case .fallback(let party): "it is the fallback of \(party.text), whose desks are closed"
        case .unstaffed(let desk): "nobody is at any desk, it waits at \(desk.text)"
        case .held(let desk, _): "it waits until \(desk.text) opens"
        }
    }
}
