/// How a text in a settings file becomes a value.
package struct Scalar<Value> {
    /// What a message says is wanted: `a duration such as 15m`.
    package let wanted: String
    /// The value, or why not.
    package let read: (ScalarText) -> Result<Value, ScalarFault>

    /// A type of scalar.
    package init(_ wanted: String, read: @escaping (ScalarText) -> Result<Value, ScalarFault>) {
        self.wanted = wanted
        self.read = read
    }

    /// A type of scalar that has a value or has none.
    package init(_ wanted: String, orNil read: @escaping (String) -> Value?) {
        self.init(wanted) { scalar in
            if let value = read(scalar.text) { .success(value) } else { .failure(ScalarFault()) }
        }
    }
}

/// A scalar as it stands in the file.
package struct ScalarText: Sendable {
    /// Its text.
    package let text: String
    /// Whether it is quoted.
    package let isQuoted: Bool
}

/// Why a text is no value of its type.
package struct ScalarFault: Error {
    /// The code to report.
    package let code: DiagnosticCode
    /// A message instead of `'x' is not <wanted>`.
    package let message: String?
    /// What to do.
    package let hint: String?

    /// A fault.
    package init(_ code: DiagnosticCode = .invalidValue, message: String? = nil, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}

extension Scalar where Value == String {
    /// The longest text, in bytes.
    package static var longestTextBytes: Int { 4_096 }

    /// Any text but an empty one.
    package static var text: Scalar {
        Scalar("a text") { scalar in
            guard !scalar.text.isEmpty else { return .failure(ScalarFault(message: "the text is empty")) }
            guard scalar.text.utf8.count <= longestTextBytes else {
                return .failure(ScalarFault(.outOfRange, message: "the text is longer than \(longestTextBytes) bytes"))
            }
            return .success(scalar.text)
        }
    }

    /// A path of the file system, absolute or relative to what the schema says.
    package static var path: Scalar {
        Scalar("a path") { scalar in
            guard !scalar.text.isEmpty, scalar.text.utf8.count <= longestTextBytes else {
                return .failure(ScalarFault(message: "the path is empty or too long"))
            }
            return .success(scalar.text)
        }
    }

    /// A code of so many digits in quotes: without them `0184` would be a number to other programs.
    package static func quotedCode(digits: Int) -> Scalar {
        Scalar("a code of \(digits) digits in quotes") { scalar in
            guard scalar.text.utf8.count == digits, scalar.text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return .failure(ScalarFault())
            }
            guard scalar.isQuoted else {
                return .failure(
                    ScalarFault(
                        .unquotedCode, message: "the code \(scalar.text) needs quotes",
                        hint: "write \"\(scalar.text)\""))
            }
            return .success(scalar.text)
        }
    }

    /// One of a few words.
    package static func oneOf(_ words: [String]) -> Scalar {
        Scalar("one of " + words.joined(separator: ", ")) { scalar in
            guard words.contains(scalar.text) else {
                return .failure(ScalarFault(hint: Suggestion.hint(for: scalar.text, among: words)))
            }
            return .success(scalar.text)
        }
    }
}

extension Scalar where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the cases of an enumeration, by raw value.
    ///
    /// - Parameter name: what the enumeration is called in messages: `party kind`.
    package static func oneOf(_ type: Value.Type, named name: String) -> Scalar {
        let words = type.allCases.map(\.rawValue)
        return Scalar(name) { scalar in
            guard let value = Value(rawValue: scalar.text) else {
                return .failure(
                    ScalarFault(
                        message: "unknown \(name) \(Diagnostic.quote(scalar.text))",
                        hint: Suggestion.hint(for: scalar.text, among: words)))
            }
            return .success(value)
        }
    }
}

extension Scalar where Value == Bool {
    /// `yes`, `no`, `true` or `false`.
    package static var flag: Scalar {
        Scalar("yes or no") { scalar in
            switch scalar.text {
            case "yes", "true": .success(true)
            case "no", "false": .success(false)
            default: .failure(ScalarFault())
            }
        }
    }
}

extension Scalar where Value == Int {
    /// A whole number in decimal digits.
    package static func integer(in range: ClosedRange<Int>) -> Scalar {
        Scalar("a whole number from \(range.lowerBound) to \(range.upperBound)") { scalar in
            guard let value = decimal(scalar.text) else { return .failure(ScalarFault()) }
            guard range.contains(value) else {
                return .failure(
                    ScalarFault(
                        .outOfRange, message: "\(value) is outside \(range.lowerBound) to \(range.upperBound)"))
            }
            return .success(value)
        }
    }

    /// A size in bytes: digits, and `KiB`, `MiB`, `GiB` or `TiB`, with or without a space; digits alone are bytes.
    package static func byteSize(in range: ClosedRange<Int> = 0...Int.max) -> Scalar {
        Scalar("a size such as 256KiB") { scalar in
            let digits = scalar.text.prefix { $0.isASCII && $0.isNumber }
            let unit = scalar.text.dropFirst(digits.count).drop { $0 == " " }
            let factors = ["": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40]
            guard let number = decimal(String(digits)), let factor = factors[String(unit)] else {
                return .failure(ScalarFault(hint: "units are B, KiB, MiB, GiB and TiB"))
            }
            let (size, isOverflow) = number.multipliedReportingOverflow(by: factor)
            guard !isOverflow, range.contains(size) else {
                return .failure(ScalarFault(.outOfRange, message: "the size \(scalar.text) is outside its range"))
            }
            return .success(size)
        }
    }

    /// Digits with an optional minus; no plus, no leading zero, no underscore.
    private static func decimal(_ text: String) -> Int? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits == "0" || !digits.hasPrefix("0")
        else { return nil }
        return Int(text)
    }
}

extension Scalar where Value == Double {
    /// A number with an optional fraction.
    package static func number(in range: ClosedRange<Double>) -> Scalar {
        Scalar("a number from \(range.lowerBound) to \(range.upperBound)") { scalar in
            let isPlain = scalar.text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }
            guard isPlain, let value = Double(scalar.text) else { return .failure(ScalarFault()) }
            guard range.contains(value) else {
                return .failure(ScalarFault(.outOfRange, message: "\(scalar.text) is outside its range"))
            }
            return .success(value)
        }
    }
}

extension Scalar where Value == Duration {
    /// The longest duration: 100 years.
    package static var longestSeconds: Int64 { 3_155_760_000 }

    /// Digits and a unit: `250ms`, `10s`, `15m`, `2h`, `7d`; a unit may follow a greater one, as in `1h30m`.
    package static func duration(in range: ClosedRange<Duration> = .zero...(.seconds(longestSeconds))) -> Scalar {
        Scalar("a duration such as 10s, 15m, 2h or 7d") { scalar in
            guard let milliseconds = milliseconds(scalar.text) else { return .failure(ScalarFault()) }
            guard range.contains(.milliseconds(milliseconds)) else {
                return .failure(
                    ScalarFault(.outOfRange, message: "the duration \(scalar.text) is outside its range"))
            }
            return .success(.milliseconds(milliseconds))
        }
    }

    /// A duration of any length up to `longestSeconds`.
    package static var duration: Scalar { duration() }

    private static func milliseconds(_ text: String) -> Int64? {
        let units: [(String, Int64)] = [
            ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
        ]
        var rest = text[...]
        var total: Int64 = 0
        var next = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard (1...12).contains(digits.utf8.count), let number = Int64(digits),
                let unit = units[next...].firstIndex(where: { $0.0 == letters })
            else { return nil }
            let (part, isProductOverflow) = number.multipliedReportingOverflow(by: units[unit].1)
            let (sum, isSumOverflow) = total.addingReportingOverflow(part)
            guard !isProductOverflow, !isSumOverflow else { return nil }
            total = sum
            next = unit + 1
        }
        return next == 0 ? nil : total
    }
}
