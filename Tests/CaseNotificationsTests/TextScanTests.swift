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

    /// What a police report or a note of the social services says, with lines and lists; some of it was refused once.
    static let reports = [
        "Larm 2026-12-11 23:10, patrull 23:22, åter 23:59.", "Bråk 11/12 kl 22.30-23.10 i bostaden.",
        "Larm 2026-08-12 2310, avslutat.", "Händelse 12-08-2026 23:10 och 13-08-2026 08:15.",
        "Händelse 08-12 2026 13.15.", "Ringde 2010-06-15 14:30, 2011-03-02 08:15 och 2012-10-11 10:10.",
        "Samtal 2010-06-15 14.30 och 2009-11-12 13.45, loggat 2012 04 12 23 10.",
        "22:47 larm\n22:58 patrull\n23:10 ambulans\n00:15 åter", "2247 larm\n2258 patrull\n2310 ambulans",
        "Kl 22:47 22:58 23:10 23:15 ringde hon. Öppet 08:00 16:30 vardagar.", "Tider 08:15 09:45 10:30 och 13:00.",
        "Tel.tid 10-12 13-15, tis 9-11.", "Kontakt sedan 1998-03-04\n2019 separerade de.",
        "Född 1990-06-02\n2310 skickade patrullen en fråga.", "Dömd 980304\n2019 var straffet avtjänat.",
        "Larm 20261211\n2330 patrull på plats.", "Larm 2012-03-27\n1851 patrull på plats.",
        "Sågs 20261211\n- 2310 larm\n- 2330 patrull\n- 4500 kr i böter",
        "1. Kontakt 2026-12-01\n2. Möte 2026-12-08\n3. Uppföljning 2026-12-15", "Vi ses kl 08\n12 december är bokat.",
        "Klockan 0830\n12 personer kom.", "Diarienr 0123: 12 345 kronor.", "Prop. 2024/25:1234, bet. 2024/25:JuU12.",
        "Enligt OSL 10:18 c, 26:1 och SFS 2018:585.",
        "Kontaktförbud 2010-08-23 - 2011-11-15, nytt 2011-08-17--2022-09-23.",
        "Avser åren 2010 2011 2012 och 2014-2016.", "Skulden är 1 250 000 kr, boende 14 dygn á 1 450 kr = 20 300 kr.",
        "Ring 112, 113 13 eller 020-120 10 10, annars 0771-11 44 00.", "BVC 2026-03-04: vikt 12 500 g, längd 87 cm.",
        "Puls 120, blodtryck 140/90, temp 38,2, kl. 03:15.", "Yta 12 m², 3 ½ år, version 2¹.",
        "Han väntade på hållplatsen 22.30 och lämnade arbetsplatsen 16.30.", "Greps på flygplatsen 3 mars.",
        "På brottsplatsen 2 patruller och en ambulans.", "I fallen 3 och 4 saknas uppgift.",
        "Han sprang längs vägen 5 minuter, hela vägen 3 mil.", "På gatan 5 personer. Längs vägen 3 bilar.",
        "Olycka på riksvägen 50 vid avfarten.", "På hemvägen 22.30 blev hon följd.", "Cykelvägen 2 km norrut.",
        "Han gick ut på gatan\n2 patruller sökte.", "Tappade mobilen på Storgatan\n2. Vittnet såg det.",
        "Patrull 019\n2026-12-11 kl 23:10", "Enhet 019 2026-12-11", "Rum 012\n2026-12-11", "Rum 012\n12 34 56 kr",
        "Enhet 019 20261211 2330.", "Patrull 019\n20261211", "Rum 012\n1234 56 kr",
        "Kl 08-12 3000 kr", "kl 23\n08-12 3000 kr", "Kl 08 - 24 3000 kr.",
        "Skulder 12 10 12 23 45 kr", "Två larm: 12 12 11 23 10", "Larm 31 01 01 24 60.",
        "Personerna i övningen är fiktiva, fiktiva personer.", "Han lämnade fiktiva uppgifter om sin inkomst.",
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
        ("Hon har ett fingerat personnummer.", .fictiveIdentity),
        ("Hon har en fiktiv identitet.", .fictiveIdentity),
        ("Hon lever med fiktiva personuppgifter.", .fictiveIdentity),
        ("Märkt BEGRÄNSATHEMLIG.", .classification),
        ("Märkt HEM\u{202D}LIG\u{202C}.", .classification),
        // Broken over a line, in groups, with other signs between.
        ("Målsäganden är 900602-\n2397.", .personalNumber),
        ("Målsäganden är 900602\n2397.", .personalNumber),
        ("Målsäganden är 90 06 02 23 97.", .personalNumber),
        ("Målsäganden är 1990 0602 2397.", .personalNumber),
        ("Målsäganden är 19 90 06 02 23 97.", .personalNumber),
        ("Målsäganden är 9 0 0 6 0 2 2 3 9 7.", .personalNumber),
        ("Målsäganden är 900602_2397.", .personalNumber),
        ("Målsäganden är 900602:2397.", .personalNumber),
        ("Barn 1: 90 06 02 23 97.", .personalNumber),
        ("Rum 3\n90 06 02 23 97\n12 mars", .personalNumber),
        ("Hennes pnr 12 10 12 23 45.", .personalNumber),
        ("Kom 32 01 01 24 69.", .personalNumber),
        ("Kontoret 08-25 3000.", .telephone),
        ("Kontoret 08-12 34 56.", .telephone),
        ("Kontoret 08-12 30 000.", .telephone),
        ("Enhet 019 2026-13-11.", .telephone),
        ("Nås på 070\n12345.", .telephone),
        ("Nås på 070-\n123 45 67.", .telephone),
        ("Nås på 070\n1234567.", .telephone),
        ("Nås på 070:1234567.", .telephone),
        ("Nås på 070_123_45_67.", .telephone),
        ("Nås på +46\n70 123 45 67.", .telephone),
        ("Nås på +46\u{202D}701234567.", .telephone),
        ("Nås på 070\u{2066}1234567\u{2069}.", .telephone),
        ("Nås på +46701234567 12345.", .telephone),
        ("Nås på 0581-123 45: 2 barn hemma.", .telephone),
        ("Nås på 0581-123 45\n12:30 åter.", .telephone),
        ("Ring 112\n702 10 Örebro", .postalCode),
        ("Kl 08\n702 10 Örebro", .postalCode),
        // Digits of other looks: keycaps, circles, raised ones.
        ("Nås på 0\u{FE0F}\u{20E3}7\u{FE0F}\u{20E3}0\u{FE0F}\u{20E3}1234567.", .telephone),
        ("Nås på \u{24EA}\u{2466}\u{24EA}1234567.", .telephone),
        ("Nås på \u{2070}\u{2077}\u{2070}1234567.", .telephone),
        ("Nås på \u{1F101}\u{1F108}\u{1F101}1234567.", .telephone),
    ]

    static let addresses = [
        "Hon bor på storgatan 12.", "Hon bor på Stora gatan 5.", "hon bor norra vägen 5.", "Hon bor Kungens gata 5.",
        "Hon bor på Drottninggatan nr 5.", "Hon bor på drottninggatan nr. 5.", "Hon bor på Storgatan\n5.",
        "Hon bor på Storgatan nummer 5.", "Hon bor på Storgatan-5.", "Hon bor på Allén, Kastanjeallén 5.",
        "Hon bor på Storgatan 12.", "Han väntade vid Drottninggatan 5B.", "Boendet på Norra Skogsvägen 3 är fullt.",
        "Bor Kyrktorget 114 tr 2.",
    ]
}

@Suite struct TextScanTests {
    @Test func `there are at least forty sentences of either kind`() {
        #expect(Sentences.harmless.count >= 40 && Sentences.refused.count >= 40)
        #expect(Set(Sentences.refused.map(\.1)).count == TextScan.Finding.allCases.count - 1)
    }

    @Test(arguments: Sentences.harmless + Sentences.reports)
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

    @Test func `nothing that is not seen hides a word or a number`() {
        let unseen: [ClosedRange<UInt32>] = [
            0xAD...0xAD, 0x300...0x36F, 0x61C...0x61C, 0x180B...0x180E, 0x200B...0x200F, 0x202A...0x202E,
            0x2060...0x206F,
            0x20D0...0x20F0, 0x3164...0x3164, 0xFE00...0xFE0F, 0xFEFF...0xFEFF, 0xFFA0...0xFFA0, 0xE0001...0xE0001,
            0xE0020...0xE007F, 0xE0100...0xE01EF,
        ]
        for value in unseen.joined() {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let name = String(value, radix: 16)
            #expect(TextScan.finding(in: "HEM\(scalar)LIG".utf8, .none) == .classification, "\(name)")
            #expect(TextScan.finding(in: "900602-23\(scalar)97".utf8, .none) == .personalNumber, "\(name)")
        }
    }

    @Test(arguments: [
        ("Larm den {} 23:10", 2310), ("Larm den {}\n2310", 2310), ("Larm den {} 0815", 815),
        ("Från {} - 2027-01-15", 0),
        ("Larm {} kl 22.30-23.10", 0), ("{} 08:30-16:30", 0),
    ])
    func `no day of twenty-five years with a time behind it is somebody's number`(form: String, time: Int) {
        var found: [String] = []
        for year in 2002...2027 {
            for month in 1...12 {
                for day in 1...28 {
                    let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
                    let date = "\(year)-\(two(month))-\(two(day))"
                    let text = form.replacing("{}", with: date)
                    // A bare time behind a day long ago may have a check digit that fits.
                    if time > 0, year < TextScan.timeStampYears.lowerBound, !form.contains(":"), !form.contains("\n") {
                        continue
                    }
                    if TextScan.finding(in: text.utf8, .none) != nil { found.append(text) }
                }
            }
        }
        #expect(found.isEmpty, "\(found.prefix(3))")
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
        "20261211 2330 ", "fingerad ", "1", "å", "Xgatan 1 ", "90 06 02 23 9 ", "070\n", "9:", "gatan nr 5 ",
        "\u{20E3}",
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
