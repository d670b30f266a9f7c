package import Routing

/// What `budkavled approve` says to an approver. Both languages are exhaustive switches, as in `Message`.
package enum ApprovalText: Equatable, Sendable {
    case approved(on: String)
    case changed(since: String)
    case new
    case notThere
    case lacksOthers([String])
    case total(parts: Int, pending: Int)
    case underKey(String)
    case nothing
    case stays(parts: Int, signed: String)
    case notTheLast(signed: String, last: String)
    case takenBack(String)
    case handsOver(party: String, key: String)
    case asks(approve: Int, takeBack: Int, party: String, collaboration: String)
    case noTerminal
    case notSigned
    case done(path: String, approved: Int, takenBack: Int)

    /// What an approver types to agree.
    package static func agreement(_ language: Language) -> String { language == .swedish ? "ja" : "yes" }

    /// The text.
    package func text(_ language: Language) -> String { language == .swedish ? swedish : english }

    private var english: String {
        switch self {
        case .approved(let day): "approved on \(day)"
        case .changed(let day): "changed since it was approved on \(day)"
        case .new: "not approved"
        case .notThere: "approved, and not there any more"
        case .lacksOthers(let parties): "Also missing: the approval of \(parties.joined(separator: ", "))."
        case .total(let parts, let pending): "\(parts) parts, \(pending) not approved"
        case .underKey(let key): "they count under the key \(key)"
        case .nothing: "nothing to approve"
        case .stays(let parts, let signed): "\(parts) parts stay approved as they are; last signed at \(signed)."
        case .notTheLast(let signed, let last):
            "This file was signed at \(signed), and this key signed another at \(last). What was taken back since"
                + " must not come"
                + " back unseen, so nothing of it is kept: everything is to be approved anew."
        case .takenBack(let part): "\(part)  approval taken back: what it opens is closed again from the next reload on"
        case .handsOver(let party, let key): "From now on the approvals of \(party) count under the key \(key)."
        case .asks(let approve, let takeBack, let party, let collaboration):
            "\(Self.both(approve, "Approve", takeBack, "take back", "and")) for \(party) in \(collaboration)?"
                + " Type \(Self.agreement(.english)): "
        case .noTerminal: "there is no terminal to ask on, so nothing was signed; --yes signs without asking"
        case .notSigned: "nothing was signed"
        case .done(let path, let approved, let takenBack):
            "\(path): \(approved) parts approved, \(takenBack) taken back; they count from the next reload on"
        }
    }

    private var swedish: String {
        switch self {
        case .approved(let day): "godkänd \(day)"
        case .changed(let day): "ändrad sedan den godkändes \(day)"
        case .new: "inte godkänd"
        case .notThere: "godkänd, och finns inte längre"
        case .lacksOthers(let parties): "Saknas också: godkännande av \(parties.joined(separator: ", "))."
        case .total(let parts, let pending): "\(parts) delar, \(pending) inte godkända"
        case .underKey(let key): "de gäller under nyckeln \(key)"
        case .nothing: "inget att godkänna"
        case .stays(let parts, let signed): "\(parts) delar förblir godkända som de är; senast undertecknat \(signed)."
        case .notTheLast(let signed, let last):
            "Den här filen undertecknades \(signed), och den här nyckeln har undertecknat en annan \(last). Det som"
                + " har tagits"
                + " tillbaka sedan dess får inte komma tillbaka osett, så inget ur den behålls: allt ska godkännas"
                + " på nytt."
        case .takenBack(let part):
            "\(part)  godkännandet tas tillbaka: det som den öppnar stängs igen vid nästa omläsning"
        case .handsOver(let party, let key): "Från och med nu gäller godkännanden av \(party) under nyckeln \(key)."
        case .asks(let approve, let takeBack, let party, let collaboration):
            "\(Self.both(approve, "Godkänna", takeBack, "ta tillbaka", "och")) för \(party) i \(collaboration)?"
                + " Skriv \(Self.agreement(.swedish)): "
        case .noTerminal:
            "det finns ingen terminal att fråga på, så inget undertecknades; --yes undertecknar utan fråga"
        case .notSigned: "inget undertecknades"
        case .done(let path, let approved, let takenBack):
            "\(path): \(approved) delar godkända, \(takenBack) tagna tillbaka; det gäller från nästa omläsning"
        }
    }

    private static func both(_ first: Int, _ doing: String, _ second: Int, _ undoing: String, _ and: String) -> String {
        second == 0 ? "\(doing) \(first)" : "\(doing) \(first) \(and) \(undoing) \(second)"
    }
}

extension Labels {
    /// In a language.
    package func text(_ language: Language) -> String { language == .swedish ? sv : en }
}
