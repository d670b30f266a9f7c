extension Message {
    /// The Swedish text.
    var swedish: String {
        switch self {
        case .toAcknowledge(let count): "\(count) att kvittera"
        case .overdue(let count): count == 1 ? "1 FÖRSENAD" : "\(count) FÖRSENADE"
        case .overdueMark: "FÖRSENAD"
        case .columnTimeLeft: "TID KVAR"
        case .columnWhat: "VAD"
        case .columnMunicipality: "KOMMUN"
        case .columnFrom: "FRÅN"
        case .columnAge: "ÅLDER"
        case .columnID: "ID"
        case .drillMark: "ÖVNING"
        case .nothingOpen: "Inget att kvittera."
        case .moreNotShown: "Fler finns som inte visas."
        case .inboxHint(let show, let acknowledge):
            "budkavle show \(show) öppnar (avsändaren ser 'öppnad').  budkavle ack \(acknowledge) kvitterar."
        case .circumstance(let code): Self.swedishCircumstance(code)
        case .setAsideMark: "inte hämtad av ert system"
        case .erasedMark: "raderad"
        case .handedTo(let taker): "överlämnad till \(taker)"
        case .watchNew: "ny"
        case .watchListed: "öppen"
        case .watchOpen(let count, let desk): "\(desk): \(count) att kvittera"
        case .acknowledgeBy(let time): "kvitteras före \(time)"
        case .event(let name): Self.swedishEvent(name)
        case .outcome(let name): Self.swedishOutcome(name)
        case .step(let step): Self.swedishStep(step)
        case .linkLost: "förbindelsen bröts, försöker igen"
        case .linkRestored(let seconds): "förbindelsen åter efter \(seconds) s"
        case .openedRecorded: "Öppnad av dig: avsändaren ser 'öppnad'."
        case .from(let source): "från \(source)"
        case .caseID(let id): "ärende \(id)"
        case .received(let time): "mottagen \(time)"
        case .yes: "ja"
        case .no: "nej"
        case .marking(let text): "Sekretess: \(text)"
        case .attribute(let name): Self.swedishAttribute(name)
        case .contentNeedsTerminal:
            "Innehåll visas bara på en terminal. Med --unsafe-plain skrivs det ändå; skydda då filen. Inget öppnades."
        case .acknowledgedNow(let id, let outcome): "kvitterad  \(id)  \(Self.swedishOutcome(outcome))"
        case .alreadyAcknowledged(let id): "\(id) var redan kvitterad så; inget ändrades"
        case .outcomePrompt: "[t] tagen  [k] känd redan  [n] inte vår  [j] jäv  [q] avbryt  > "
        case .accepted(let notification): "Mottaget av reläet: \(notification)"
        case .acceptedBefore(let notification): "Reläet hade det redan: \(notification)"
        case .nothingWasSent: "Inget skickades. Om du skickade detta nu:"
        case .wouldGetFields(let fields): "får se: \(fields.joined(separator: " "))"
        case .wouldGetNoFields: "får se att det hänt, inga uppgifter"
        case .refusalReason(let code): Self.swedishRefusal(code)
        case .addConsent: "lägg till: consent med samtyckets referens"
        case .addAffirmations(let names): "intyga: \(names.joined(separator: ", "))"
        case .nobodyWouldGetIt: "Ingen skulle få det."
        case .acuteDanger: "Akut fara: ring 112."
        case .textNotStored: "Din text har inte sparats."
        case .notConfirmed(let id): "Inte bekräftat. Skicka om med samma id: \(id)"
        case .sentRefused(let code, let path):
            path.isEmpty
                ? "Avvisat: \(Self.swedishRefusal(code)) [\(code)]"
                : "Avvisat: \(Self.swedishRefusal(code)) [\(code)] vid \(path)"
        case .retrying(let seconds): "försöker igen om \(seconds) s"
        case .sentAt(let time): "skickad \(time)"
        case .rule(let rule): "regel \(rule)"
        case .allAcknowledged: "Alla mottagare har kvitterat."
        case .notAllAcknowledged(let count):
            count == 1 ? "1 mottagare har inte kvitterat." : "\(count) mottagare har inte kvitterat."
        case .refusedParty(let party, let code): "\(party)  inte skickat: \(Self.swedishRefusal(code)) [\(code)]"
        case .noReceipts: "Inga nya kvitton."
        case .overdueSince(let time): "FÖRSENAD sedan \(time): ring"
        case .columnParty: "PART"
        case .columnClient: "KLIENT"
        case .columnSince: "SEDAN"
        case .columnTransport: "FÖRBINDELSE"
        case .columnUnacknowledged: "OBEKRÄFTADE"
        case .columnDesk: "PLATS"
        case .columnReady: "KLARA"
        case .columnInFlight: "PÅ VÄG"
        case .columnCustody: "HÄMTADE"
        case .columnSetAside: "UNDANLAGDA"
        case .columnOldest: "ÄLDST"
        case .total: "summa"
        case .heldDeliveries(let count):
            count == 1
                ? "1 leverans hålls kvar: ingen regel som gäller tillåter den längre. Avsändaren vet om det."
                : "\(count) leveranser hålls kvar: ingen regel som gäller tillåter dem längre. Avsändarna vet om det."
        case .agreementEnds(let agreement, let parties, let day):
            "Överenskommelsen \(agreement) gäller\(Self.swedishFor(parties)) till och med \(day): det som bara den tillåter "
                + "upphör då."
        case .agreementEnded(let agreement, let parties, let day):
            "Överenskommelsen \(agreement) har upphört\(Self.swedishFor(parties)), sista dagen var \(day): det som bara den "
                + "tillät har upphört, skyldigheter gäller ändå."
        case .noSessions: "Inga förbindelser."
        case .noQueues: "Inget ligger kvar."
        case .reloaded: "Regelverket är inläst och gäller."
        case .reloadUnchanged:
            "Certifikat och spärrlistor är inlästa på nytt; regelverket är det som redan gäller."
        case .reloadRefused(let errors, let failed):
            "Regelverket avvisades, det gamla gäller: \(errors) fel, \(failed) exempel som inte stämmer"
        case .reloadFailed: "Inget togs över: regelverk, certifikat och spärrlistor är de som gällde förut."
        case .failedExample(let name): "exemplet '\(name)' stämmer inte"
        case .draining(let sessions, let unacknowledged):
            "Reläet töms: \(sessions) förbindelser, \(unacknowledged) obekräftade"
        case .notDraining: "Reläet tar emot."
        case .clockReads(let time): "Reläets klocka: \(time)"
        case .clockSimulated: "simulerad"
        case .clockReal: "verklig"
        case .disconnected(let count): count == 1 ? "1 förbindelse bröts" : "\(count) förbindelser bröts"
        case .unknownCommand(let word): "Okänt kommando '\(word)'"
        case .unknownID(let id): "Inget i inkorgen slutar på \(id)."
        case .ambiguousID(let id, let count): "\(count) i inkorgen slutar på \(id); skriv fler tecken."
        case .unknownParty(let id): "Okänd part '\(id)'"
        case .didYouMean(let word): "menade du '\(word)'?"
        case .relayUnreachable(let address): "Reläet på \(address) går inte att nå"
        case .refusedCertificate: "Reläet godtar inte certifikatet"
        case .relayNotTrusted:
            "Det som svarar kan inte visa att det är ert relä: gå inte vidare, säg till er administratör"
        case .forbidden: "Ditt certifikat får inte göra detta"
        case .unknownThing: "Finns inte, eller är inte din att se"
        case .timedOut(let seconds): "Inget svar inom \(seconds) s"
        case .interrupted: "Avbrutet"
        case .inputMissing(let name): "Filen \(name) går inte att läsa"
        case .inputInvalid(let place): "Underlaget är fel vid \(place)"
        }
    }

    private static func swedishFor(_ parties: [String]) -> String {
        parties.isEmpty ? "" : " för " + parties.joined(separator: ", ")
    }

    private static func swedishAttribute(_ name: String) -> String {
        switch name {
        case "county": "län"
        case "municipality": "kommun"
        case "circumstances": "omständigheter"
        case "protected": "skyddade uppgifter"
        case "programme": "program"
        case "level": "nivå"
        case "secrecy": "sekretess hos avsändaren"
        case "audience": "mottagare"
        case "affirmations": "intygat"
        case "consent": "samtycke"
        case "consentof": "samtycke av"
        case "supersedes": "ersätter"
        case "expirytime": "gäller till"
        case "causationid": "svar på"
        case "correlationid": "hör ihop med"
        default: name
        }
    }

    private static func swedishCircumstance(_ code: String) -> String {
        switch code {
        case "child-present": "barn på plats"
        case "under-18": "under 18"
        case "under-21": "under 21"
        case "honour": "heder"
        case "imminent": "omedelbar fara"
        default: code
        }
    }

    private static func swedishEvent(_ name: String) -> String {
        switch name {
        case "accepted": "mottagen"
        case "refused": "avvisad"
        case "delivered": "levererad"
        case "returned": "återlämnad"
        case "set-aside": "undanlagd"
        case "held": "hålls kvar, ingen regel som gäller tillåter det längre"
        case "moved": "flyttad till en annan plats"
        case "opened": "öppnad"
        case "acknowledged": "KVITTERAD"
        case "actioned": "åtgärdad"
        case "escalated": "eskalerad"
        case "expired": "utgången"
        case "recalled": "återkallad"
        default: name
        }
    }

    private static func swedishStep(_ step: String) -> String {
        switch step {
        case "no-station": "ingen mottagande station"
        case "set-aside": "undanlagd"
        case "right-ended": "hålls kvar, ingen regel som gäller tillåter det längre"
        case "before-custody": "innan den hämtades"
        case "after-custody-unopened": "hämtad, inte öppnad"
        case "after-opening": "efter att den öppnats"
        default: "steg \(step)"
        }
    }

    private static func swedishOutcome(_ name: String) -> String {
        switch name {
        case "taken": "tagen"
        case "already-known": "redan känd"
        case "handed-over": "överlämnad"
        case "not-ours": "inte vår"
        case "recused": "jäv"
        default: name
        }
    }

    private static func swedishRefusal(_ code: String) -> String {
        switch code {
        case "schema": "formen är fel"
        case "no-rule": "ingen regel tillåter det"
        case "never-rule": "aldrig tillåtet för den sorten"
        case "no-agreement": "överenskommelse saknas"
        case "agreement-expired": "överenskommelsen har löpt ut"
        case "affirmation-missing": "intygande saknas"
        case "consent-missing": "samtycke saknas"
        case "protected": "skyddade uppgifter hindrar det"
        case "classified": "sekretessen hindrar det"
        case "wrong-source": "avsändaren stämmer inte med certifikatet"
        case "conflict": "samma id med annat innehåll"
        case "too-old": "för gammalt"
        case "too-large": "för stort"
        case "quota": "för många just nu"
        case "unavailable": "reläet kan inte ta emot just nu"
        case "forbidden": "certifikatet får inte det"
        case "unknown": "finns inte, eller är inte din att se"
        case "erased": "innehållet är raderat, det finns inget att öppna eller ta"
        case "unreadable": "innehållet går inte att läsa längre"
        default: code
        }
    }
}
