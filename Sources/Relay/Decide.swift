package import CaseNotifications
package import Routing

extension Relay {
    /// Decides one command on this state. The events have to be applied in their order before anything else is decided.
    package func decide(
        _ command: Command, at now: Timestamp, random: inout some RandomNumberGenerator
    ) -> Verdict {
        var draft = Draft(self, at: now)
        var answer: Answer
        switch command {
        case .submit(let submission):
            answer = submit(submission, as: freshID(at: now, random: &random), &draft)
        case .refuse(let refused):
            answer = .done(sequence: refuse(refused, &draft))
        case .availability(let availability):
            answer =
                isAvailable == (availability == .available)
                ? .nothing : .done(sequence: draft.add(.availability(availability)))
        case .custody(let delivery, let actor): answer = custody(delivery, actor, &draft)
        case .giveBack(let delivery, let actor): answer = giveBack(delivery, actor, &draft)
        case .requeue(let delivery, let actor): answer = requeue(delivery, actor, &draft)
        case .open(let opening): answer = open(opening, &draft)
        case .acknowledge(let acknowledgement): answer = acknowledge(acknowledgement, &draft)
        case .readReceipts(let reader, let through): answer = read(reader, through, &draft)
        case .activate(let activation): answer = activate(activation, &draft)
        case .clock(let change): answer = clock(change, &draft)
        case .audit(let note): answer = audit(note, &draft)
        case .maintain(let note): answer = maintain(note, &draft)
        case .unreadable(let notification): answer = unreadable(notification, &draft)
        case .hold(let delivery, let code): answer = hold(delivery, code, &draft)
        case .release(let delivery): answer = release(delivery, &draft)
        case .move(let delivery, let target): answer = move(delivery, to: target, &draft)
        case .trim: answer = due(at: now).isEmpty ? .nothing : .done(sequence: draft.add(.trimmed))
        }
        if draft.isFull {
            answer = .refused(.namesFull)
            return Verdict(answer: answer, events: [])
        }
        let events = draft.bodies.map { Event(at: now, leaf: LeafRandom(&random), body: $0) }
        return Verdict(answer: answer, events: events)
    }

    /// Decides commands that happen all or not at all: their events are one request to the journal.
    ///
    /// One refusal refuses the whole; then the events are the audit of that refusal alone.
    package func decide(
        transaction commands: [Command], at now: Timestamp, random: inout some RandomNumberGenerator
    ) -> TransactionVerdict {
        var state = self
        var answers: [Answer] = []
        var events: [Event] = []
        var changes: [Change] = []
        for (place, command) in commands.enumerated() {
            var verdict = state.decide(command, at: now, random: &random)
            if case .refused = verdict.answer {
            } else if events.count + verdict.events.count > Self.transactionEventLimit {
                verdict = Verdict(answer: .refused(.transactionTooLarge), events: [])
            }
            if case .refused(let refusal) = verdict.answer {
                let audit = auditRefusal(of: command, refusal, at: now, random: &random)
                return TransactionVerdict(answers: [verdict.answer], refusedIndex: place, events: audit)
            }
            for event in verdict.events { state.apply(event, into: &changes) }
            changes.removeAll(keepingCapacity: true)
            answers.append(verdict.answer)
            events += verdict.events
        }
        return TransactionVerdict(answers: answers, refusedIndex: nil, events: events)
    }

    private func auditRefusal(
        of command: Command, _ refusal: Refusal, at now: Timestamp, random: inout some RandomNumberGenerator
    ) -> [Event] {
        guard case .submit(let submission) = command, refusal.code != .unavailable else { return [] }
        let refused = RefusedSubmission(
            party: submission.party, client: submission.client, code: refusal.code, digest: submission.digest)
        return decide(.refuse(refused), at: now, random: &random).events
    }

    private func freshID(at now: Timestamp, random: inout some RandomNumberGenerator) -> NotificationID {
        var id = NotificationID(at: now, random: &random)
        while index[id] != nil { id = NotificationID(at: now, random: &random) }
        return id
    }

    private func refuse(_ refused: RefusedSubmission, _ draft: inout Draft) -> UInt64 {
        let party = draft.number(.party(refused.party))
        let client = draft.number(.client(refused.client))
        return draft.add(.refused(party: party, client: client, code: refused.code, digest: refused.digest))
    }

    // MARK: Submissions

    private func submit(_ submission: Submission, as id: NotificationID, _ draft: inout Draft) -> Answer {
        let notification = submission.notification
        var refusal: Refusal?
        if notification.source != submission.party {
            refusal = .wrongSource
        } else {
            switch known(source: notification.source, id: notification.id, digest: submission.digest) {
            case .same(let id, let sequence): return .duplicate(id, sequence: sequence)
            case .other: refusal = .conflict
            case nil: refusal = refusalOfNew(submission, at: draft.now)
            }
        }
        if let refusal {
            _ = refuse(
                RefusedSubmission(
                    party: submission.party, client: submission.client, code: refusal.code, digest: submission.digest),
                &draft)
            return .refused(refusal)
        }
        let accepted = accepted(submission, as: id, &draft)
        return .accepted(id, sequence: draft.add(.accepted(accepted)))
    }

    private func refusalOfNew(_ submission: Submission, at now: Timestamp) -> Refusal? {
        let notification = submission.notification
        if notification.time.advanced(bySeconds: Self.duplicateSeconds) < now { return .tooOld }
        if notification.time > now.advanced(bySeconds: Self.clockToleranceSeconds) { return .ahead }
        if let refusal = submission.decision.refusal { return refusal }
        if submission.decision.grants.isEmpty { return .nobody }
        if submission.decision.grants.count > Self.partyLimit { return .tooManyParties }
        if let supersedes = notification.supersedes {
            guard let old = named(supersedes, by: submission)?.facts, old.caseID == notification.subject,
                old.source == notification.source
            else { return .supersedesUnknown }
        }
        if let causation = notification.causationid {
            let cause = NotificationID(text: causation).flatMap { named($0, by: submission) }
            return Self.refusal(
                of: notification, grants: submission.decision.grants, isAnswer: submission.isAnswer, causedBy: cause)
        }
        return nil
    }

    private func named(_ id: NotificationID, by submission: Submission) -> NamedNotification? {
        named(id) ?? submission.recalled[id]
    }

    /// What another notification would name; nil for one that is not in memory.
    package func named(_ id: NotificationID) -> NamedNotification? {
        notification(id).map { NamedNotification(facts: $0, parties: Set(deliveries(of: id).map(\.party))) }
    }

    /// Why a notification may not name this as its cause.
    ///
    /// - Parameter cause: what its `causationid` names; nil when that is nothing.
    package static func refusal(
        of notification: CaseNotification, grants: [Grant], isAnswer: Bool, causedBy cause: NamedNotification?
    ) -> Refusal? {
        guard let cause, cause.facts.caseID == notification.subject,
            cause.facts.source == notification.source || cause.parties.contains(notification.source)
        else { return .causeUnknown }
        return isAnswer && grants.contains { $0.party != cause.facts.source } ? .answerToOther : nil
    }

    private func accepted(_ submission: Submission, as id: NotificationID, _ draft: inout Draft) -> Accepted {
        let notification = submission.notification
        let grants = submission.decision.grants.map { grant in
            Granted(
                party: draft.number(.party(grant.party)), desk: draft.number(.desk(grant.desk)),
                agent: grant.agent.map { draft.number(.party($0)) } ?? .none,
                shape: draft.number(.shape(GrantShape(grant))), urgency: grant.urgency,
                acknowledgeBy: grant.acknowledgeBy, notBefore: grant.notBefore)
        }
        let refusals = submission.decision.refusals.filter(\.isReported).prefix(Self.partyLimit).map {
            Denied(party: draft.number(.party($0.party)), code: $0.code)
        }
        let oldSlot = submission.isCaseSlotGone ? nil : caseSlot(of: notification.subject)
        return Accepted(
            notification: id, sourceID: notification.id, source: draft.number(.party(notification.source)),
            client: draft.number(.client(submission.client)), type: draft.number(.type(notification.type)),
            policy: draft.number(.policy(submission.policy)),
            municipality: draft.number(text: notification.municipality), subject: notification.subject,
            digest: submission.digest, caseSlot: oldSlot ?? submission.freshCaseSlot, isNewCase: oldSlot == nil,
            notificationSlot: submission.notificationSlot, urgency: submission.decision.urgency,
            isDrill: notification.isDrill, isProtected: notification.isProtected ?? true,
            supersedes: notification.supersedes, grants: grants, refusals: refusals)
    }

    // MARK: Stations

    /// The row of a delivery that a station of its desk may return now.
    private func waitingRow(_ delivery: DeliveryID, for actor: Actor) -> UInt32? {
        guard let row = row(of: delivery), deliveries[row].transport == .waiting, isAtDesk(actor, of: row) else {
            return nil
        }
        return row
    }

    /// Whether a station may say that it has this delivery.
    ///
    /// Also when it was set aside because its content can no longer be read, withdrawn because its content was erased, or is
    /// held because the right to it ended: the station may have got it before.
    func takesCustody(_ delivery: DeliveryRow) -> Bool {
        switch delivery.transport {
        case .waiting, .held: true
        case .setAside: notifications[delivery.notification].traits.content == .unreadable
        case .withdrawn: notifications[delivery.notification].traits.content == .erased
        case .custody: false
        }
    }

    /// Whether this station may say so: it stands at the delivery's desk, and the delivery is in memory.
    package func takesCustody(_ delivery: DeliveryID, by actor: Actor) -> Bool {
        row(of: delivery).map { takesCustody(deliveries[$0]) && isAtDesk(actor, of: $0) } == true
    }

    private func custody(_ delivery: DeliveryID, _ actor: Actor, _ draft: inout Draft) -> Answer {
        guard takesCustody(delivery, by: actor) else { return .nothing }
        let client = draft.number(.client(actor.client))
        return .done(sequence: draft.add(.custody(delivery, client: client)))
    }

    private func giveBack(_ delivery: DeliveryID, _ actor: Actor, _ draft: inout Draft) -> Answer {
        guard let row = waitingRow(delivery, for: actor) else { return .nothing }
        let client = draft.number(.client(actor.client))
        let returns = Int(deliveries[row].returns) + 1
        if returns >= settings.attempts { return .done(sequence: draft.add(.setAside(delivery, client: client))) }
        let readyAt = draft.now.advanced(bySeconds: settings.backoffSeconds(returns: returns))
        return .done(sequence: draft.add(.returned(delivery, client: client, readyAt: readyAt)))
    }

    private func requeue(_ delivery: DeliveryID, _ actor: Actor, _ draft: inout Draft) -> Answer {
        guard let row = row(of: delivery), deliveries[row].transport == .setAside else { return .nothing }
        let party = draft.number(.party(actor.party))
        let client = draft.number(.client(actor.client))
        return .done(sequence: draft.add(.requeued(delivery, party: party, client: client)))
    }

    // MARK: Readers, policy, clock, audit

    private func read(_ reader: ReceiptReader, _ through: UInt64, _ draft: inout Draft) -> Answer {
        guard let party = names.number(of: .party(reader.party)), let box = boxes[party],
            through <= box.lastNumber, let place = place(of: through, in: box), place.number > cursor(of: reader)
        else { return .nothing }
        var client = NameNumber.none
        if case .client(_, let id) = reader { client = draft.number(.client(id)) }
        return .done(sequence: draft.add(.receiptsConfirmed(party: party, client: client, through: place)))
    }

    private func activate(_ activation: PolicyActivation, _ draft: inout Draft) -> Answer {
        guard activation.part < activation.parts, activation.text.count <= PolicyActivation.partLimitBytes else {
            return .refused(.policyPart)
        }
        let part = PolicyPart(
            policy: draft.number(.policy(activation.digest)), part: activation.part, parts: activation.parts,
            party: activation.actor.map { draft.number(.party($0.party)) } ?? .none,
            client: activation.actor.map { draft.number(.client($0.client)) } ?? .none, text: activation.text)
        return .done(sequence: draft.add(.policy(part)))
    }

    private func clock(_ change: ClockChange, _ draft: inout Draft) -> Answer {
        switch change {
        case .reached(let time):
            if let simulatedNow, time <= simulatedNow { return .nothing }
            return .done(sequence: draft.add(.clock(.reached, to: time, party: .none, client: .none)))
        case .advanced(let time, let actor):
            if let simulatedNow, time < simulatedNow { return .refused(.clockBack) }
            let party = draft.number(.party(actor.party))
            let client = draft.number(.client(actor.client))
            return .done(sequence: draft.add(.clock(.advanced, to: time, party: party, client: client)))
        }
    }

    private func audit(_ note: AuditNote, _ draft: inout Draft) -> Answer {
        guard note.verb.utf8.count <= AuditNote.textLimitBytes,
            (note.subject ?? "").utf8.count <= AuditNote.textLimitBytes
        else { return .refused(.auditTooLong) }
        let audited = Audited(
            party: draft.number(.party(note.actor.party)), client: draft.number(.client(note.actor.client)),
            person: note.actor.member.map { draft.number($0) } ?? .none, verb: draft.number(.text(note.verb)),
            isAllowed: note.isAllowed, code: note.code, subject: note.subject)
        return .done(sequence: draft.add(.audited(audited)))
    }
}

extension GrantShape {
    init(_ grant: Grant) {
        self.init(
            rule: grant.rule, effect: grant.effect.rawValue, basis: grant.basis, marking: grant.marking,
            attributes: grant.attributes, fields: grant.fields, isStrict: grant.isStrict)
    }
}

extension Refusal {
    static let namesFull = Refusal(
        code: .quota, pointer: "", message: "the relay's table of names is full; tell its administrator")
    static let transactionTooLarge = Refusal(
        code: .tooLarge, pointer: "", message: "the transaction makes more than 1024 records; send it in parts")
    static let wrongSource = Refusal(
        code: .wrongSource, pointer: "/source", message: "source is not the party of this connection")
    static let conflict = Refusal(
        code: .conflict, pointer: "/id", message: "another body was accepted under this id; use a new id")
    static let tooOld = Refusal(code: .tooOld, pointer: "/time", message: "time is more than 30 days ago")
    static let ahead = Refusal(
        code: .schema, pointer: "/time", message: "time is more than an hour ahead of the relay's clock")
    static let nobody = Refusal(code: .noRule, pointer: "", message: "no rule in force gives this to anybody")
    static let tooManyParties = Refusal(
        code: .quota, pointer: "/audience", message: "it would go to more than 256 parties")
    static let supersedesUnknown = Refusal(
        code: .schema, pointer: "/supersedes", message: "not a notification of this source and case")
    static let causeUnknown = Refusal(
        code: .schema, pointer: "/causationid",
        message: "not a notification of this case that its source sent or got")
    static let answerToOther = Refusal(
        code: .schema, pointer: "/causationid",
        message: "an answer goes to the party that asked; name no other in the audience")
    static let policyPart = Refusal(
        code: .tooLarge, pointer: "", message: "a part of a policy is at most 1000000 bytes, and one of its parts")
    static let clockBack = Refusal(code: .conflict, pointer: "", message: "the clock only goes forward")
    static let auditTooLong = Refusal(
        code: .tooLarge, pointer: "", message: "verb and subject have at most 128 bytes each")
}
