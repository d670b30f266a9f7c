import CaseNotifications
import Routing

/// What the log has been told of agreements that end.
struct AgreementWatch {
    /// Told since the start: each once, however often the policy is activated anew.
    var told: Set<AgreementNotice> = []
    /// When there is something new to tell; nil if there never is.
    var due: Timestamp? = .distantPast
}

/// Agreements end on a day, and with it every `may` that rests on them: the log says so 60, 30 and 7 days before, and then.
extension RelayCore {
    /// Looks at the agreements of a policy that has just gone into force.
    func watchAgreements() {
        agreements.due = .distantPast
        tellOfAgreements()
    }

    /// Writes what has become due, each threshold once.
    func tellOfAgreements() {
        let now = clock.now
        guard let due = agreements.due, now >= due else { return }
        for notice in policy.agreementNotices(at: now) where agreements.told.insert(notice).inserted {
            log.write(
                .agreementEnding(
                    collaboration: collaboration, agreement: notice.agreement, parties: notice.parties,
                    end: notice.end, days: notice.days))
        }
        let next = policy.nextAgreementNotice(after: now)
        agreements.due = next == .distantFuture ? nil : next
    }

    /// The same for an administrator's answer: what ends within 60 days, or has ended.
    func agreementAnswers() -> JSONValue {
        .array(
            policy.agreementNotices(at: clock.now).map { notice in
                var answer = AnswerObject()
                answer.set("agreement", notice.agreement)
                answer.set("ends", notice.end)
                answer.set("days", notice.days)
                if !notice.parties.isEmpty { answer.set("parties", notice.parties.map(\.text)) }
                return answer.value
            })
    }
}
