import CaseNotifications
import Testing

@Suite struct PersonalNumberTests {
    /// `reference/domain.md` 4.1, all of it.
    static let published = [
        "19900101-2385", "20000229-2399", "20240229-2383", "18900101-9802", "19000101-9801", "20260161-2381",
        "20220161-2393", "19900602-2397", "19910717-2380", "19961020-2385", "19931216-2390", "19931217-2381",
        "19950424-2398", "19870521-2382", "19880811-2380", "19900721-2393", "19971018-2396", "19991228-2382",
        "20000103-2382",
    ]

    private func decode(_ number: String, _ mode: Mode) -> Refusal? {
        let data: JSONValue = ["reportRef": "x-1", "violenceForm": [], "suspect": .string(number)]
        do throws(Refusal) { _ = try Sample.decoder(mode).decode(Sample.body(["data": data])) } catch { return error }
        return nil
    }

    @Test(arguments: published)
    func `a published test number passes in an exercise and is refused in production`(text: String) throws {
        let number = try #require(PersonalNumber(text, writtenIn: 2026))
        #expect(number.isTestNumber && number.isAllowed(in: .exercise) && !number.isAllowed(in: .production))
        #expect(decode(text, .exercise) == nil)
        #expect(
            decode(text, .production)
                == Refusal(code: .schema, pointer: "/data/suspect", message: "production refuses test numbers"))
    }

    @Test func `a real number passes in production and is refused in an exercise`() throws {
        let number = try #require(PersonalNumber("640823-3234", writtenIn: 2026))
        #expect(number.twelveDigits == 1964_08_23_3234 && !number.isCoordinationNumber && !number.isTestNumber)
        #expect(decode("640823-3234", .production) == nil)
        #expect(
            decode("640823-3234", .exercise)
                == Refusal(
                    code: .schema, pointer: "/data/suspect", message: "exercises accept only published test numbers"))
    }

    @Test(arguments: [
        ("000101+9801", 2026, 1900_01_01_9801), ("900101+9802", 2026, 1890_01_01_9802),
        ("900101-2385", 2026, 1990_01_01_2385), ("000229-2399", 2026, 2000_02_29_2399),
        ("240229-2383", 2026, 2024_02_29_2383), ("260161-2381", 2026, 2026_01_61_2381),
        ("640823-3234", 2063, 1964_08_23_3234), ("640823-3234", 2064, 2064_08_23_3234),
        ("640823+3234", 2064, 1964_08_23_3234), ("199001012385", 2026, 1990_01_01_2385),
    ])
    func `separator and year give the century`(text: String, year: Int, want: UInt64) {
        #expect(PersonalNumber(text, writtenIn: year)?.twelveDigits == want)
    }

    @Test func `a samordningsnummer has its day raised by 60`() throws {
        #expect(try #require(PersonalNumber("20260161-2381", writtenIn: 2026)).isCoordinationNumber)
    }

    @Test(arguments: [
        "", "9001012385", "19900101+2385", "19900101 2385", "19900101--2385", "1990-01-01-2385", "19900101-238",
        "19900101-23855", "19900101-2384", "19901301-2383", "19900100-2386", "19900160-2388", "19900192-2385",
        "19900132-2388", "20010229-2398", "19000229-2391", "17900101-2387", "21900101-2380", "90010a-2385",
        "-900101-2385",
    ])
    func `anything else is no personnummer`(text: String) {
        #expect(PersonalNumber(text, writtenIn: 2026) == nil)
    }

    @Test func `every wrong check digit is refused`() {
        let right = (0...9).filter { PersonalNumber("19640823-323\($0)", writtenIn: 2026) != nil }
        #expect(right == [4])
    }
}
