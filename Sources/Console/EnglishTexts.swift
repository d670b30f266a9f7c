extension Message {
    /// The English text.
    var english: String {
        switch self {
        case .toAcknowledge(let count): "\(count) to acknowledge"
        case .overdue(let count): "\(count) OVERDUE"
        case .overdueMark: "OVERDUE"
        case .columnTimeLeft: "TIME LEFT"
        case .columnWhat: "WHAT"
        case .columnMunicipality: "PLACE"
        case .columnFrom: "FROM"
        case .columnAge: "AGE"
        case .columnID: "ID"
        case .drillMark: "EXERCISE"
        case .nothingOpen: "Nothing to acknowledge."
        case .moreNotShown: "There are more that are not shown."
        case .inboxHint(let show, let acknowledge):
            "budkavle show \(show) opens it (the sender sees 'opened').  budkavle ack \(acknowledge) acknowledges."
        case .circumstance(let code): Self.englishCircumstance(code)
        case .setAsideMark: "not fetched by your system"
        case .erasedMark: "erased"
        case .handedTo(let taker): "handed over to \(taker)"
        case .watchNew: "new"
        case .watchListed: "open"
        case .watchOpen(let count, let desk): "\(desk): \(count) to acknowledge"
        case .acknowledgeBy(let time): "ack by \(time)"
        case .event(let name): Self.englishEvent(name)
        case .outcome(let name): Self.englishOutcome(name)
        case .step(let step): Self.englishStep(step)
        case .linkLost: "link lost, trying again"
        case .linkRestored(let seconds): "link restored after \(seconds) s"
        case .openedRecorded: "Opened by you: the sender sees 'opened'."
        case .from(let source): "from \(source)"
        case .caseID(let id): "case \(id)"
        case .received(let time): "received \(time)"
        case .yes: "yes"
        case .no: "no"
        case .marking(let text): "Secrecy: \(text)"
        case .attribute(let name): name
        case .contentNeedsTerminal:
            "Content is shown on a terminal only. --unsafe-plain writes it anyway; guard the file. Nothing was opened."
        case .acknowledgedNow(let id, let outcome): "acknowledged  \(id)  \(Self.englishOutcome(outcome))"
        case .alreadyAcknowledged(let id): "\(id) was acknowledged so before; nothing changed"
        case .outcomePrompt: "[t]aken  already [k]nown  [n]ot ours  [r]ecused  [q]uit  > "
        case .accepted(let notification): "Accepted by the relay: \(notification)"
        case .acceptedBefore(let notification): "The relay had it already: \(notification)"
        case .nothingWasSent: "Nothing was sent. If you sent this now:"
        case .wouldGetFields(let fields): "sees: \(fields.joined(separator: " "))"
        case .wouldGetNoFields: "sees that it happened, no particulars"
        case .refusalReason(let code): Self.englishRefusal(code)
        case .addConsent: "add: consent with its reference"
        case .addAffirmations(let names): "affirm: \(names.joined(separator: ", "))"
        case .nobodyWouldGetIt: "Nobody would get it."
        case .acuteDanger: "Acute danger: ring 112."
        case .textNotStored: "Your text has not been stored."
        case .notConfirmed(let id): "Not confirmed. Safe to send again with the same id: \(id)"
        case .sentRefused(let code, let path):
            path.isEmpty
                ? "Refused: \(Self.englishRefusal(code)) [\(code)]"
                : "Refused: \(Self.englishRefusal(code)) [\(code)] at \(path)"
        case .retrying(let seconds): "trying again in \(seconds) s"
        case .sentAt(let time): "sent \(time)"
        case .rule(let rule): "rule \(rule)"
        case .allAcknowledged: "All recipients acknowledged."
        case .notAllAcknowledged(let count):
            count == 1 ? "1 recipient has not acknowledged." : "\(count) recipients have not acknowledged."
        case .refusedParty(let party, let code): "\(party)  not sent: \(Self.englishRefusal(code)) [\(code)]"
        case .noReceipts: "No new receipts."
        case .overdueSince(let time): "OVERDUE since \(time): ring"
        case .columnParty: "PARTY"
        case .columnClient: "CLIENT"
        case .columnSince: "SINCE"
        case .columnTransport: "TRANSPORT"
        case .columnUnacknowledged: "UNACKED"
        case .columnDesk: "DESK"
        case .columnReady: "READY"
        case .columnInFlight: "IN FLIGHT"
        case .columnCustody: "CUSTODY"
        case .columnSetAside: "SET ASIDE"
        case .columnOldest: "OLDEST"
        case .total: "total"
        case .heldDeliveries(let count):
            count == 1
                ? "1 delivery is held: no rule in force allows it any more. Its sender has been told."
                : "\(count) deliveries are held: no rule in force allows them any more. Their senders have been told."
        case .agreementEnds(let agreement, let parties, let day):
            "Agreement \(agreement) holds\(Self.englishFor(parties)) through \(day): what it alone allows stops then."
        case .agreementEnded(let agreement, let parties, let day):
            "Agreement \(agreement) has ended\(Self.englishFor(parties)), its last day was \(day): what it alone allowed "
                + "stops, duties go on."
        case .noSessions: "No sessions."
        case .noQueues: "Nothing is queued."
        case .reloaded: "The policy is loaded and in force."
        case .reloadUnchanged:
            "Certificates and revocation lists were read again; the policy is the one in force already."
        case .reloadRefused(let errors, let failed):
            "The policy was refused, the old one holds: \(errors) errors, \(failed) failed examples"
        case .reloadFailed: "Nothing was taken over: policy, certificates and revocation lists are those from before."
        case .failedExample(let name): "example '\(name)' failed"
        case .draining(let sessions, let unacknowledged):
            "The relay drains: \(sessions) sessions, \(unacknowledged) unacknowledged"
        case .notDraining: "The relay takes notifications."
        case .clockReads(let time): "The relay's clock: \(time)"
        case .clockSimulated: "simulated"
        case .clockReal: "real"
        case .disconnected(let count): count == 1 ? "1 session was cut" : "\(count) sessions were cut"
        case .unknownCommand(let word): "Unknown command '\(word)'"
        case .unknownID(let id): "Nothing in the inbox ends in \(id)."
        case .ambiguousID(let id, let count): "\(count) in the inbox end in \(id); type more of it."
        case .unknownParty(let id): "Unknown party '\(id)'"
        case .didYouMean(let word): "did you mean '\(word)'?"
        case .relayUnreachable(let address): "The relay at \(address) cannot be reached"
        case .refusedCertificate: "The relay does not accept the certificate"
        case .relayNotTrusted:
            "What answers cannot show that it is your relay: go no further, tell your administrator"
        case .forbidden: "Your certificate may not do this"
        case .unknownThing: "There is no such thing, or it is not yours to see"
        case .timedOut(let seconds): "No answer within \(seconds) s"
        case .interrupted: "Interrupted"
        case .inputMissing(let name): "Cannot read \(name)"
        case .inputInvalid(let place): "The input is wrong at \(place)"
        }
    }

    private static func englishFor(_ parties: [String]) -> String {
        parties.isEmpty ? "" : " for " + parties.joined(separator: ", ")
    }

    private static func englishCircumstance(_ code: String) -> String {
        switch code {
        case "child-present": "child on scene"
        case "under-18": "under 18"
        case "under-21": "under 21"
        case "honour": "honour"
        case "imminent": "imminent danger"
        default: code
        }
    }

    private static func englishEvent(_ name: String) -> String {
        switch name {
        case "acknowledged": "ACKNOWLEDGED"
        case "set-aside": "set aside"
        case "held": "held, no rule in force allows it any more"
        case "moved": "moved to another desk"
        default: name
        }
    }

    private static func englishStep(_ step: String) -> String {
        switch step {
        case "no-station": "no station"
        case "set-aside": "set aside"
        case "right-ended": "held, no rule in force allows it any more"
        case "before-custody": "before it was fetched"
        case "after-custody-unopened": "fetched, not opened"
        case "after-opening": "after it was opened"
        default: "step \(step)"
        }
    }

    private static func englishOutcome(_ name: String) -> String {
        switch name {
        case "already-known": "already known"
        case "handed-over": "handed over"
        case "not-ours": "not ours"
        default: name
        }
    }

    private static func englishRefusal(_ code: String) -> String {
        switch code {
        case "schema": "the form is wrong"
        case "no-rule": "no rule allows it"
        case "never-rule": "never allowed for this type"
        case "no-agreement": "there is no agreement"
        case "agreement-expired": "the agreement has expired"
        case "affirmation-missing": "a confirmation is missing"
        case "consent-missing": "consent is missing"
        case "protected": "protected identity forbids it"
        case "classified": "secrecy forbids it"
        case "wrong-source": "the source is not the certificate's party"
        case "conflict": "the same id with other content"
        case "too-old": "too old"
        case "too-large": "too large"
        case "quota": "too many just now"
        case "unavailable": "the relay cannot take it just now"
        case "forbidden": "the certificate may not do this"
        case "unknown": "no such thing, or not yours to see"
        case "erased": "its content was erased, there is nothing to open or take"
        case "unreadable": "its content cannot be read any more"
        default: code
        }
    }
}
