/// The published test numbers of Skatteverket that exercises use, as twelve digits. Production refuses them.
enum TestNumbers {
    /// Every number, `YYYYMMDDNNNC`.
    static let all: Set<UInt64> = [
        // Personnummer and samordningsnummer published as test data.
        1990_01_01_2385, 2000_02_29_2399, 2024_02_29_2383, 1890_01_01_9802, 1900_01_01_9801,
        2026_01_61_2381, 2022_01_61_2393,
        // Test persons.
        1990_06_02_2397, 1991_07_17_2380, 1996_10_20_2385, 1993_12_16_2390, 1993_12_17_2381, 1995_04_24_2398,
        1987_05_21_2382, 1988_08_11_2380, 1990_07_21_2393, 1997_10_18_2396, 1999_12_28_2382, 2000_01_03_2382,
    ]
}
