import CaseNotifications
import Testing

/// Sentences as people write them. Numbers of people are published test numbers or have a wrong check digit.
private enum Sentences {
    static let harmless = [
        "Mannen lämnade lägenheten kl. 23:10 innan patrullen kom.",
        "Händelsen inträffade mellan 08.00 och 16.30 den 11 december.",
        "Mottagningen är öppen 08:00-16:30, jouren övrig tid.",
        "Bemannat 0800-1630 vardagar.",
        "Anmälan 5000-K123456-26 är upprättad.",
        "Se även K1234567-26 och ärende BK-18-2026-7QK2ZD9F.",
        "Åklagaren har diarienummer AM-123456-26.",
        "Målet har nummer B 1234-26 vid tingsrätten.",
        "Diarienummer SN 2026-000123 hos nämnden.",
        "Beslutet gäller från 2026-12-11 till 2027-12-11.",
        "Förhöret hölls 2026-12-11 23:10 och varade 45 minuter.",
        "Nästa möte är 11/12 2026 kl 13.15.",
        "Han är född på 1990-talet och har två barn, 4 och 7 år.",
        "Hon har polisanmält honom 3 gånger sedan 2024.",
        "Skadan är cirka 12 x 5 cm på vänster arm.",
        "Ring 112 vid akut fara, annars 114 14.",
        "Polisen har 114 14 för det som inte brådskar.",
        "Kvinnofridslinjen 020-50 50 50 har lämnats till henne.",
        "Brott enligt 4 kap. 4 a § brottsbalken.",
        "Sekretess enligt 26 kap. 1 § OSL har prövats.",
        "Lag (2025:170) och förordning (1988:691) har beaktats.",
        "Patrull 18-2310 var först på plats.",
        "Fordonet ABC 123 stod på gården.",
        "Han hade 2,1 promille vid gripandet.",
        "Skadeståndet är 125 000 kronor.",
        "Hyresskulden uppgår till 23 450 kr.",
        "Kontaktförbudet gäller 6 månader, nivå B enligt version 2026.1.",
        "Risken bedöms som hög enligt SARA-SV, 14 av 20 punkter.",
        "De har haft en hemlig relation i två år.",
        "Samtalet var konfidentiellt och hon vill inte anmäla.",
        "Barnet går i årskurs 3 och har varit frånvarande 12 dagar.",
        "Han sågs på vägen 3 gånger under kvällen.",
        "Uppföljning om 14 dagar, därefter var 30:e dag.",
        "Vittnet var cirka 35-40 år och 180 cm lång.",
        "Flyttade 2019 och separerade i mars 2025.",
        "Larmet kom 22.47, patrull på plats 22.58, avslutat 00.15.",
        "Position saknas; fotbojan tappade kontakt 03:12:45.",
        "Ersätter notis 01ARZ3NDEKTSV4RRFFQ69G5FAV.",
        "Organisationsnummer 202100-2403 för länsstyrelsen.",
        // With a fitting check digit, as one time in ten.
        "Ringde 261211 2322 och igen 261211 2330.",
        "Larm 20261211 2330, avslutat.",
        "Logg 202612112348 uppdaterad.",
        "Logg 200101 0004, 20200101 0004 och 202001010004.",
        "Gäller till 351231 0008, 20351231 0008 och 203512310008.",
        "Hon är född i mars och polisen kom 20261211 2330.",
        "Version 1.0.2 av kriterierna, punkt 3.1.4, sidan 112 i pärmen.",
        // Days and times, some of them with a fitting check digit; the rest of the last century's are with a sign.
        "Larm 2026-12-11 2330 och 26-12-11 2330, avslutat.",
        "Larm 2026-12-11 2310 och 2026 12 11 2314.",
        "Första anmälan 2018-04-12 2310, nästa 18-04-12 2311.",
        "Branden var 1990-06-02 23:10, han var sju år.",
        "Straffet avtjänades 1990-06-02 - 1995-03-04.",
        "Dömdes 1990-06-02, 2310 dagar därefter ansökte hon om skilsmässa.",
    ]

    static let refused: [(String, TextScan.Finding)] = [
        ("Målsäganden är 19910717-2380.", .personalNumber),
        ("Målsäganden är 910717-2380.", .personalNumber),
        ("Personnummer 199107172380 enligt registret.", .personalNumber),
        ("Personnummer 9107172380 enligt registret.", .personalNumber),
        ("Hans nummer är 19900602 2397.", .personalNumber),
        ("Hans nummer är 900602\u{2013}2397.", .personalNumber),
        ("Hans nummer är 900602 - 2397.", .personalNumber),
        ("Född 1990-06-02-2397 i Örebro.", .personalNumber),
        ("Född 90 06 02 2397.", .personalNumber),
        ("Samordningsnummer 20260161-2381.", .personalNumber),
        ("Hon fyllde hundra: 000101+9801.", .personalNumber),
        ("Felskrivet 19910717-2389 ska ändå inte stå här.", .personalNumber),
        ("pnr910717-2380", .personalNumber),
        ("Nummer １９９１０７１７－２３８０ i bred skrift.", .personalNumber),
        ("Hennes pnr 271211 2321.", .personalNumber),
        ("Personnummer: 20271211 2321", .personalNumber),
        ("Barnet föddes nyss, född den 202712112321.", .personalNumber),
        ("Kom 271211-2321 till stationen.", .personalNumber),
        ("Kom 20271211-2321 till stationen.", .personalNumber),
        ("Kom 271211+2321 till stationen.", .personalNumber),
        ("Kom 20240229 2383 till stationen.", .personalNumber),
        ("Kom 900602 2397 till stationen.", .personalNumber),
        ("Kom 199006022397 till stationen.", .personalNumber),
        ("Kom 191231 0008 till stationen.", .personalNumber),
        ("Kom 20191231 0008 till stationen.", .personalNumber),
        ("Kom 201912310008 till stationen.", .personalNumber),
        ("Kom 360101 0006 till stationen.", .personalNumber),
        ("Kom 203601010006 till stationen.", .personalNumber),
        // With separators in the day and a clock's digits behind a space.
        ("Kom 1990-06-02 2314 till stationen.", .personalNumber),
        ("Kom 90-06-02 2314 till stationen.", .personalNumber),
        ("Kom 90 06 02 2314 till stationen.", .personalNumber),
        ("Kom 2019-12-31 0008 till stationen.", .personalNumber),
        ("Hennes pnr 2027-12-11 2321.", .personalNumber),
        // Misspelt or not: nobody writes the minute of something so long ago without a sign.
        ("Kom 1990-06-02 2310 till stationen.", .personalNumber),
        ("Kom 1990/06/02 2310 till stationen.", .personalNumber),
        ("Kom 19900602 2310 till stationen.", .personalNumber),
        ("Kom 19900602-2310 till stationen.", .personalNumber),
        ("Kom 199006022310 till stationen.", .personalNumber),
        ("Kom 1999-12-31 2310 till stationen.", .personalNumber),
        ("Nås på 070-123 45 67 efter arbetstid.", .telephone),
        ("Nås på 0701234567.", .telephone),
        ("Nås på 070 123 45 67.", .telephone),
        ("Nås på 073-123-45-67.", .telephone),
        ("Mobil +46 70 123 45 67.", .telephone),
        ("Mobil +46 (0)70-123 45 67.", .telephone),
        ("Mobil 0046701234567.", .telephone),
        ("Mamman har 019-12 34 56.", .telephone),
        ("Mamman har 019123456.", .telephone),
        ("Kontoret 08-123 45 67.", .telephone),
        ("Kontoret 0581-123 45.", .telephone),
        ("Ring 46701234567.", .telephone),
        ("Hon bor på 702 10 Örebro.", .postalCode),
        ("Adress: 702\u{A0}10 ÖREBRO", .postalCode),
        ("Postnummer 70210.", .postalCode),
        ("Hon finns nu i 653 40.", .postalCode),
        ("Skickas till SE-702 10.", .postalCode),
        ("Boendet ligger vid torget, 65340 Karlstad.", .postalCode),
        ("Mejla till anna.fiktivsson@example.se i stället.", .emailAddress),
        ("Uppgiften är HEMLIG.", .classification),
        ("KVALIFICERAT HEMLIG", .classification),
        ("Innehållet är kvalificerat hemligt enligt beslut.", .classification),
        ("Märkt begränsat hemlig av Försvarsmakten.", .classification),
        ("Märkt BEGRA\u{308}NSAT HEMLIG.", .classification),
        ("Uppgiften är säkerhetsskyddsklassificerad.", .classification),
        ("Handlingen är hemligstämplad.", .classification),
        ("KONFIDENTIELL", .classification),
        ("NATO RESTRICTED", .classification),
        ("Målsäganden har sekretessmarkering.", .protection),
        ("Målsäganden är sekretessmarkerad.", .protection),
        ("Hon har skyddad folkbokföring.", .protection),
        ("Hon har skyddade personuppgifter.", .protection),
        ("Hon lever med fingerade personuppgifter.", .fictiveIdentity),
        ("Hon har fått en fingerad identitet.", .fictiveIdentity),
    ]

    static let addresses = [
        "Hon bor på Storgatan 12.", "Han väntade vid Drottninggatan 5B.", "Boendet på Norra Skogsvägen 3 är fullt.",
        "Bor Kyrktorget 114 tr 2.",
    ]
}

@Suite struct TextScanTests {
    @Test func `there are at least forty sentences of either kind`() {
        #expect(Sentences.harmless.count >= 40 && Sentences.refused.count >= 40)
        #expect(Set(Sentences.refused.map(\.1)).count == TextScan.Finding.allCases.count - 1)
    }

    @Test(arguments: Sentences.harmless)
    func `harmless sentences pass, whatever the envelope says of protection`(sentence: String) {
        for protection in [TextScan.Protection.none, .unknown, .protected] {
            #expect(TextScan.finding(in: sentence.utf8, protection) == nil)
        }
    }

    @Test(arguments: Sentences.refused)
    func `what must not travel in a text is found by its kind`(sentence: String, finding: TextScan.Finding) {
        #expect(TextScan.finding(in: sentence.utf8, .none) == finding)
        // Between other sentences and in capitals it is the same.
        let inside = "Kort bakgrund: klart kl 14:05.\n\(sentence)\nHandlagt av jouren."
        #expect(TextScan.finding(in: inside.utf8, .none) == finding)
        let refusal = finding.refusal(at: "/data/note")
        #expect(refusal.pointer == "/data/note")
        #expect(!refusal.message.contains { $0 == ":" || $0 == "\\" || $0.isNumber })
    }

    @Test func `a word announces a number that ends within twenty characters behind it`() {
        func finding(_ distance: Int) -> TextScan.Finding? {
            let gap = String(repeating: " ", count: TextScan.announcedWithin + distance)
            return TextScan.finding(in: "pnr\(gap)20271211 2321".utf8, .none)
        }
        #expect(finding(0) == .personalNumber)
        #expect(finding(1) == nil)
    }

    @Test func `a date of the last century is a person's up to its last day`() {
        #expect(TextScan.finding(in: "Kom 1999-12-31 2310.".utf8, .none) == .personalNumber)
        #expect(TextScan.finding(in: "Kom 2000-01-01 2310.".utf8, .none) == nil)
    }

    @Test(arguments: ["HEMLIG", "Hemlig", "hEMLIG", "\u{FF28}\u{FF25}\u{FF2D}\u{FF2C}\u{FF29}\u{FF27}", "HEMLI\u{AD}G"])
    func `a marking is one in capitals, however they are written`(word: String) {
        let isMarking = !word.contains { $0.isLowercase }
        #expect((TextScan.finding(in: "Uppgiften är \(word).".utf8, .none) == .classification) == isMarking)
    }

    @Test(arguments: ["ÖREBRO", "Örebro", "O\u{308}rebro", "örebro"])
    func `letters with accents are letters, and their case counts`(name: String) {
        let isName = name.unicodeScalars.first?.properties.isUppercase ?? false
        #expect((TextScan.finding(in: "Boendet vid torget, 70210 \(name).".utf8, .none) == .postalCode) == isName)
    }

    @Test(arguments: Sentences.addresses)
    func `a street with a number is refused while identity is protected or unknown`(sentence: String) {
        #expect(TextScan.finding(in: sentence.utf8, .none) == nil)
        #expect(TextScan.finding(in: sentence.utf8, .unknown) == .streetAddress)
        #expect(TextScan.finding(in: sentence.utf8, .protected) == .streetAddress)
    }

    @Test func `protection that the envelope states may be spoken of`() {
        let text = "Hon har skyddade personuppgifter.".utf8
        #expect(TextScan.finding(in: text, .protected) == nil)
        #expect(TextScan.finding(in: text, .none) == .protection)
    }

    @Test(arguments: [
        ("Målsäganden är 910717-2380.", RefusalCode.schema), ("HEMLIG", .classified),
        ("Hon har fingerade personuppgifter.", .protected), ("Nås på 070-123 45 67.", .schema),
    ])
    func `a notification is refused with the code and the place, never with the text`(
        note: String, code: RefusalCode
    ) {
        var report = Sample.report()
        var data = report["data"]?.object ?? JSONObject()
        data["note"] = .string(note)
        report["data"] = .object(data)
        do throws(Refusal) {
            _ = try Sample.decoder().decode(JSONValue.object(report).bytes)
            Issue.record("accepted")
        } catch {
            #expect(error.code == code && error.pointer == "/data/note")
            for word in note.split(separator: " ") where word.count > 5 { #expect(!error.message.contains(word)) }
        }
    }

    @Test func `fictive identity as a circumstance is refused whatever the catalogue has`() {
        let body = Sample.body(["circumstances": .some(.string("child-present fictive-identity"))])
        do throws(Refusal) {
            _ = try Sample.decoder().decode(body)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .protected && error.pointer == "/circumstances")
        }
    }

    @Test func `a note to an acknowledgement is read in the same way`() {
        let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        func refusal(_ note: String) -> Refusal? {
            do throws(Refusal) {
                _ = try AcknowledgementRequest(
                    json: Array(#"{"notification":"\#(id)","outcome":"taken","note":"\#(note)"}"#.utf8))
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal("Vi tar det, åker 23:20.") == nil)
        #expect(refusal("Nås på 070-123 45 67")?.pointer == "/note")
        #expect(refusal("HEMLIG")?.code == .classified)
    }

    @Test(arguments: [
        "1 ", "12 345 ", "a1 ", "070-", "Xgatan 1 gånger ", "@a.", "\u{308}", "hemlig ",
        "20261211 2330 ", "fingerad ", "1", "å", "Xgatan 1 ",
    ])
    func `the longest text takes its time once`(unit: String) {
        let long = String(repeating: unit, count: 65_536 / unit.utf8.count)
        let clock = ContinuousClock()
        let small = clock.measure { _ = TextScan.finding(in: long.utf8.prefix(8_192), .protected) }
        let large = clock.measure { _ = TextScan.finding(in: long.utf8, .protected) }
        // Eight times the text; a square would be sixty-four times the time.
        #expect(large < max(small * 40, .milliseconds(200)))
    }
}
