import CaseNotifications
import Testing

@testable import Console

/// Snapshots: what a person sees, line by line.
@Suite struct RendererTests {
    static let type = "se.budkavle.custody.released.v1"

    @Test func `the inbox in Swedish at 80 columns`() throws {
        let answer = try InboxAnswer(Samples.inbox)
        expect(
            InboxRenderer(Samples.terminal(.swedish)).lines(answer),
            [
                "soc-1880 · jour-18-norr · 3 att kvittera · 1 FÖRSENAD           lör 12 dec 02:10",
                "",
                "     TID KVAR      VAD                           KOMMUN  FRÅN      ÅLDER  ID",
                "U1     -00:12  !!  Frigiven ur häkte             1880    krim-18…  00:27  7QK2ZD",
                "U2      01:31      Ny anmälan, barn på…          -       pol-18-…  00:06  3M9XAH",
                "U4  mån 17:00      Ny anmälan            ÖVNING  1880    frv-18-…  09:11  P8SN1W",
                "",
                "budkavle show 7QK2ZD öppnar (avsändaren ser 'öppnad').  budkavle ack 7QK2ZD kvitterar.",
            ])
    }

    @Test func `an empty inbox says so to a person and nothing to a pipe`() throws {
        let answer = try InboxAnswer(
            Samples.json(
                #"{"schema":"budkavle.inbox/1","now":"2026-12-12T01:10:00.000Z","party":"soc-1880","desks":["d"],"items":[]}"#
            ))
        #expect(InboxRenderer(Samples.terminal(.english)).lines(answer).last == "Nothing to acknowledge.")
        #expect(InboxRenderer(Samples.piped).lines(answer) == [])
    }

    @Test func `the inbox in a pipe is full values between tabs`() throws {
        let lines = InboxRenderer(Samples.piped).lines(try InboxAnswer(Samples.inbox))
        expect(
            [lines[0]],
            [
                "U1\t2026-12-12T00:58:00.000Z\toverdue\tse.budkavle.custody.released.v1\t1880\tkrim-18-hakte\t2026-12-12T00:43:00.000Z\tjour-18-norr\topened\t\t01KC8Z3J5N0000000000 7QK2ZD"
                    .replacing(" ", with: "")
            ])
    }

    @Test func `what was erased stands in the inbox as such, and is not proposed to be opened`() throws {
        func items(_ states: (String, String)...) throws -> InboxAnswer {
            let items = states.map { id, state in
                Samples.item(id: id, received: "2026-12-12T01:04:00.000Z", state: state)
            }
            return try InboxAnswer(Samples.inbox(items: items.joined(separator: ",")))
        }
        let mixed = try items(("7QK2ZD", "erased"), ("3M9XAH", "waiting"))
        let lines = InboxRenderer(Samples.terminal(.swedish)).lines(mixed)
        #expect(lines[3].contains("raderad, Frigiven") && !lines[4].contains("raderad"), "\(lines)")
        #expect(lines.last?.contains("3M9XAH") == true && lines.last?.contains("7QK2ZD") == false)
        let gone = InboxRenderer(Samples.terminal(.english)).lines(try items(("7QK2ZD", "erased")))
        #expect(gone.count == 4 && gone[3].contains("erased, Released"), "no hint: \(gone)")
        #expect(InboxRenderer(Samples.piped).lines(mixed)[0].contains("\terased\t"))
        for language in [Language.swedish, .english] {
            for code in ["erased", "unreadable"] { #expect(Message.refusalReason(code).text(language) != code) }
        }
    }

    @Test func `foreign text in a list cannot steer the terminal`() throws {
        let item = Samples.item(id: "3M9XAH", source: "pol\u{1B}[2J\u{202E}", received: "2026-12-12T01:04:00.000Z")
        let answer = try InboxAnswer(Samples.inbox(items: item))
        for presentation in [Samples.terminal(.swedish), Samples.piped] {
            for line in InboxRenderer(presentation).lines(answer) {
                #expect(
                    !line.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" }, "\(line.debugDescription)")
            }
        }
        #expect(InboxRenderer(Samples.piped).lines(answer)[0].contains("pol<U+001B>[2J<U+202E>"))
    }

    @Test func `colour repeats what words say`() throws {
        let answer = try InboxAnswer(Samples.inbox)
        let plain = InboxRenderer(Samples.terminal(.english)).lines(answer)
        let coloured = InboxRenderer(Samples.terminal(.english, isColoured: true)).lines(answer)
        #expect(coloured != plain)
        #expect(coloured.map(Samples.withoutColour) == plain)
    }

    @Test func `ids resolve by their end within the inbox only`() throws {
        let answer = try InboxAnswer(Samples.inbox)
        #expect(answer.resolve("7qk2zd") == .one(answer.items[0]))
        #expect(answer.resolve("ZZZZZZ") == .none)
        #expect(answer.resolve("") == .none)
        let twins = try InboxAnswer(
            Samples.inbox(
                items: Samples.item(id: "AAAAAA", received: "2026-12-12T01:04:00.000Z") + ","
                    + Samples.item(id: "BAAAAA", received: "2026-12-12T01:04:00.000Z")))
        #expect(twins.resolve("AAAAA") == .several(2))
        #expect(ShortIDs(["01AAAAAAAA", "02AAAAAAAA"]).short("01AAAAAAAA") == "1AAAAAAAA")
    }

    @Test func `watch appends a line for each change`() throws {
        var renderer = WatchRenderer(Samples.terminal(.english))
        var lines: [String] = []
        let item = Samples.item(
            id: "3M9XAH", type: "se.budkavle.police.report.registered.v1", source: "pol-18-rlc", municipality: "1880",
            received: "2026-12-12T01:04:31.000Z", acknowledgeBy: "2026-12-12T01:19:31.000Z")
        for change in [
            #"{"schema":"budkavle.watch/1","now":"2026-12-12T01:04:00.000Z","event":"list","desk":"jour-1880","items":[]}"#,
            #"{"schema":"budkavle.watch/1","now":"2026-12-12T01:04:31.000Z","event":"new","desk":"jour-1880","notification":"\#(Samples.id("3M9XAH"))","urgency":"U1","item":\#(item)}"#,
            #"{"schema":"budkavle.watch/1","now":"2026-12-12T01:11:04.000Z","event":"acknowledged","desk":"jour-1880","notification":"\#(Samples.id("3M9XAH"))","urgency":"U1","outcome":"taken","role":"jour-A"}"#,
            #"{"schema":"budkavle.watch/1","now":"2026-12-12T01:12:00.000Z","event":"escalated","desk":"jour-1880","notification":"\#(Samples.id("7QK2ZD"))","step":"2"}"#,
        ] { lines += renderer.lines(try WatchAnswer(Samples.json(change))) }
        expect(
            lines,
            [
                "02:04:00  jour-1880: 0 to acknowledge",
                "02:04:31  U1  new  3M9XAH  police.report.registered  1880  pol-18-rlc  ack by 02:19",
                "02:11:04  U1  ACKNOWLEDGED  3M9XAH  taken  jour-A",
                "02:12:00      escalated  7QK2ZD  step 2",
            ])
        #expect(renderer.openCount == 0)
    }

    @Test func `show has the content and nothing that steers`() throws {
        let item = Samples.item(
            id: "3M9XAH", source: "pol-18-rlc", received: "2026-12-12T01:04:00.000Z",
            acknowledgeBy: "2026-12-12T01:19:00.000Z")
        let answer = try NotificationAnswer(
            Samples.json(
                #"{"schema":"budkavle.notification/1","now":"2026-12-12T01:10:00.000Z","opened":"2026-12-12T01:10:00.000Z","item":\#(item),"labels":{"\#(Self.type)":{"sv":"Frigiven ur häkte","en":"Released"}},"fieldlabels":{"childrenPresent":{"sv":"barn på plats"}},"codelabels":{"needs/home":{"sv":"bostad"},"municipality/1880":{"sv":"Örebro"}},"event":{"specversion":"1.0","id":"x","source":"urn:budkavle:pol-18-rlc","type":"\#(Self.type)","subject":"BK-18-2026-7QK2ZD9F","marking":"OSL 18:1","municipality":"1880","data":{"childrenPresent":true,"needs":["home","school"],"endedAt":"2026-12-12T01:00:00Z","note":"rad ett\nrad\u001btvå"}}}"#
            ))
        expect(
            ShowRenderer(Samples.terminal(.swedish)).lines(answer),
            [
                "U1  Frigiven ur häkte  från pol-18-rlc",
                "ärende BK-18-2026-7QK2ZD9F  mottagen lör 12 dec 02:04  kvitteras före 02:19",
                "Sekretess: OSL 18:1",
                "",
                "  kommun         Örebro",
                "  barn på plats  ja",
                "  needs          bostad, school",
                "  endedAt        lör 12 dec 02:00",
                "  note           rad ett",
                "                 rad<U+001B>två",
                "",
                "Öppnad av dig: avsändaren ser 'öppnad'.",
            ])
    }

    @Test func `the status ladder of the sender`() throws {
        let answer = try StatusAnswer(Samples.status)
        expect(
            StatusRenderer(Samples.terminal(.english)).lines(answer),
            [
                "Released  sent Fri 11 Dec 23:10  U1",
                "  soc-1880       accepted 23:10 > delivered 23:10 > opened 23:14 (jour-A) >",
                "                 ACKNOWLEDGED 23:16 taken (jour-A)",
                "  pol-18-lpo     accepted 23:10",
                "                 OVERDUE since 23:25: ring",
                "  frv-18-orebro  not sent: never allowed for this type [never-rule]",
                "1 recipient has not acknowledged.",
            ])
        #expect(StatusRenderer(Samples.piped).lines(answer).count == 6)
    }

    @Test func `status says what a party was called then, and that a delivery is held, in plain words`() throws {
        let old = #""name":{"sv":"Nämnden väster","en":"Board West"}"#
        let new = #""name":{"sv":"Socialnämnden Örebro","en":"Social board"}"#
        let answer = try StatusAnswer(
            Samples.json(
                #"{"schema":"budkavle.status/1","now":"2026-12-11T22:40:00.000Z","notification":"\#(Samples.id("3M9XAH"))","type":"t","urgency":"U1","accepted":"2026-12-11T22:10:02.000Z","drill":false,"deliveries":[{"party":"soc-1880",\#(old),"desk":"jour-1880","state":"held","steps":[{"event":"escalated","at":"2026-12-11T22:11:00.000Z","party":"soc-1880","step":"right-ended"},{"event":"delivered","at":"2026-12-12T22:12:00.000Z","party":"soc-1880",\#(new)}]}],"refused":[{"party":"soc-1864",\#(old),"code":"no-rule","at":"2026-12-11T22:10:02.000Z"}],"complete":false,"labels":{}}"#
            ))
        expect(
            StatusRenderer(Samples.terminal(.english)).lines(answer),
            [
                "t  sent Fri 11 Dec 23:10  U1",
                "  soc-1880  Board West",
                "            escalated 23:11 held, no rule in force allows it any more >",
                "            delivered Sat 12 Dec 23:12 [Social board]",
                "  soc-1864  Board West  not sent: no rule allows it [no-rule]",
                "1 recipient has not acknowledged.",
            ])
    }

    @Test func `the dry run as the nurse reads it`() throws {
        let answer = try PlanAnswer(
            Samples.json(
                #"{"schema":"budkavle.plan/1","now":"2026-12-12T01:10:00.000Z","policy":"9f","decision":"refused","code":"consent-missing","urgency":"U2","type":"t","recipients":[],"refused":[{"party":"soc-1880","code":"consent-missing"},{"party":"pol-18-rlc","code":"affirmation-missing","missing":["serious-violence","needed"]},{"party":"frv-18-orebro","code":"never-rule"}]}"#
            ))
        expect(
            PlanRenderer(Samples.terminal(.english)).lines(answer),
            [
                "Nothing was sent. If you sent this now:",
                "  soc-1880       NO   consent is missing   add: consent with its reference",
                "  pol-18-rlc     NO   a confirmation is missing   affirm: serious-violence, needed",
                "  frv-18-orebro  NO   never allowed for this type",
                "",
                "Nobody would get it.",
                "",
                "Acute danger: ring 112.  Your text has not been stored.",
            ])
    }

    @Test func `the dry run names who would get which fields`() throws {
        let answer = try PlanAnswer(
            Samples.json(
                #"{"schema":"budkavle.plan/1","now":"2026-12-12T01:10:00.000Z","policy":"9f","decision":"accepted","urgency":"U1","type":"t","recipients":[{"party":"soc-1880","desk":"jour-1880","rule":"r","effect":"duty","basis":"polislagen 6 §","marking":"","acknowledgeby":"2026-12-12T01:25:00.000Z","attributes":[],"fields":["endedAt","needs"]}],"refused":[]}"#
            ))
        expect(
            PlanRenderer(Samples.terminal(.swedish)).lines(answer),
            [
                "Inget skickades. Om du skickade detta nu:",
                "  soc-1880  JA   U1  jour-1880  kvitteras före 02:25  polislagen 6 §",
                "                 får se: endedAt needs",
                "",
                "Akut fara: ring 112.  Din text har inte sparats.",
            ])
    }

    @Test func `a reload says why it was refused, and what it took although the policy is the same`() throws {
        func answer(_ members: String) throws -> ReloadAnswer {
            try ReloadAnswer(
                Samples.json(
                    #"{"schema":"budkavle.reload/1","policies":[],"diagnostics":[],"failedexamples":[],\#(members)}"#))
        }
        let refused = try answer(
            #""activated":false,"changed":false,"reasons":["pki/crl.pem: No such file or directory"]"#)
        expect(
            AdminRenderer(Samples.terminal(.english)).lines(refused),
            [
                "pki/crl.pem: No such file or directory",
                "Nothing was taken over: policy, certificates and revocation lists are those from before.",
            ])
        let same = try answer(#""activated":true,"changed":false,"cut":1"#)
        expect(
            AdminRenderer(Samples.terminal(.english)).lines(same),
            [
                "Certificates and revocation lists were read again; the policy is the one in force already.",
                "1 session was cut",
            ])
        expect(
            AdminRenderer(Samples.terminal(.swedish)).lines(same),
            [
                "Certifikat och spärrlistor är inlästa på nytt; regelverket är det som redan gäller.",
                "1 förbindelse bröts",
            ])
    }

    @Test func `queues and sessions for the administrator`() throws {
        let queues = try QueuesAnswer(
            Samples.json(
                #"{"schema":"budkavle.queues/1","now":"2026-12-12T01:10:00.000Z","queues":[{"party":"soc-1880","desk":"jour-1880","ready":3,"inflight":1,"custody":0,"setaside":0,"overdue":1,"oldest":"2026-12-12T01:00:00.000Z"}],"total":{"ready":4,"inflight":1,"custody":0,"setaside":0,"overdue":1}}"#
            ))
        expect(
            AdminRenderer(Samples.terminal(.english)).lines(queues),
            [
                "PARTY     DESK      READY  IN FLIGHT  CUSTODY  SET ASIDE  OVERDUE  OLDEST",
                "soc-1880  jour-18…      3          1        0          0        1  Sat 12 Dec 02:00",
                "total                   4          1        0          0        1",
            ])
        let sessions = try SessionsAnswer(
            Samples.json(
                #"{"schema":"budkavle.sessions/1","now":"2026-12-12T01:10:00.000Z","sessions":[{"session":"ab12","party":"soc-1880","client":"klient-1","stomp":"1.2","transport":"TLSv1.3","since":"2026-12-12T01:00:00.000Z","subscriptions":1,"unacknowledged":2}]}"#
            ))
        expect(
            AdminRenderer(Samples.piped).lines(sessions),
            ["soc-1880\tklient-1\tSTOMP 1.2 TLSv1.3\t2026-12-12T01:00:00.000Z\t2\tab12"])
    }

    @Test func `what is held and agreements that end are told in plain words below the queues`() throws {
        let answer = try QueuesAnswer(
            Samples.json(
                #"{"schema":"budkavle.queues/1","now":"2027-02-22T00:00:00.000Z","queues":[],"total":{"ready":0,"inflight":0,"custody":0,"setaside":0,"overdue":0,"held":2},"agreements":[{"agreement":"lokal-1864","ends":"2027-02-19T23:00:00.000Z","days":0},{"agreement":"lokal-1880","ends":"2027-02-28T23:00:00.000Z","days":7,"parties":["frv-18","reg-18"]}]}"#
            ))
        expect(
            AdminRenderer(Samples.terminal(.english)).lines(answer),
            [
                "Nothing is queued.",
                "2 deliveries are held: no rule in force allows them any more. Their senders have been told.",
                "Agreement lokal-1864 has ended, its last day was Fri 19 Feb 2027: what it alone allowed stops, duties go on.",
                "Agreement lokal-1880 holds for frv-18, reg-18 through Sun 28 Feb 2027: what it alone allows stops then.",
            ])
        expect(
            AdminRenderer(Samples.terminal(.swedish)).lines(answer),
            [
                "Inget ligger kvar.",
                "2 leveranser hålls kvar: ingen regel som gäller tillåter dem längre. Avsändarna vet om det.",
                "Överenskommelsen lokal-1864 har upphört, sista dagen var fre 19 feb 2027: det som bara den tillät har "
                    + "upphört, skyldigheter gäller ändå.",
                "Överenskommelsen lokal-1880 gäller för frv-18, reg-18 till och med sön 28 feb 2027: det som bara den "
                    + "tillåter upphör då.",
            ])
        // For programs the table alone; an older relay has neither.
        #expect(AdminRenderer(Samples.piped).lines(answer) == ["total\t\t0\t0\t0\t0\t0\t"])
    }

    @Test func `a refused reload lists its faults in GNU form`() throws {
        let answer = try ReloadAnswer(
            Samples.json(
                #"{"schema":"budkavle.reload/1","now":"2026-12-12T01:10:00.000Z","activated":false,"changed":false,"policies":[],"diagnostics":[{"code":"BK2104","severity":"error","file":"config/orebro/rules.yaml","line":14,"column":9,"message":"unknown party 'jour-1808'","hint":"did you mean 'jour-1880'?"}],"failedexamples":["S1"]}"#
            ))
        expect(
            AdminRenderer(Samples.terminal(.english)).lines(answer),
            [
                "config/orebro/rules.yaml:14:9: error: unknown party 'jour-1808'; did you mean 'jour-1880'?  [BK2104]",
                "example 'S1' failed",
                "The policy was refused, the old one holds: 1 errors, 1 failed examples",
            ])
    }

    private func expect(_ got: [String], _ wanted: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            got == wanted, "got:\n\(got.joined(separator: "\n"))\nwanted:\n\(wanted.joined(separator: "\n"))",
            sourceLocation: sourceLocation)
    }
}
