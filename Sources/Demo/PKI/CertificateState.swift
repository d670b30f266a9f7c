import Foundation

/// What the CA must remember between two calls, as two text files beside its key.
///
/// `issued.txt` has one line per certificate, `<serial> <not after> <who>`; `revoked.txt` starts with `number <n>`, the number
/// of the newest revocation list, and then has one line per revoked certificate, `<serial> <revoked at>`.
struct CertificateState {
    /// One line of `issued.txt`.
    struct Issued: Equatable {
        let serial: String
        let notAfter: Date
        /// The SAN URI, or the host names of a server separated by commas.
        let bearer: String
    }

    /// One line of `revoked.txt`.
    struct Revoked: Equatable {
        let serial: String
        let at: Date
    }

    var issued: [Issued] = []
    var revoked: [Revoked] = []
    /// Number of the newest revocation list; 0 before the first.
    var listNumber = 0

    let issuedFile: String
    let revokedFile: String

    init(directory: String) {
        issuedFile = directory + "/issued.txt"
        revokedFile = directory + "/revoked.txt"
    }

    /// Reads both files. A missing one is an empty one; a line that cannot be read is an error, since what is left out of a
    /// revocation list counts as good again.
    static func load(directory: String) throws(PKIError) -> CertificateState {
        var state = CertificateState(directory: directory)
        if SafeFile.exists(state.issuedFile) {
            for (number, line) in lines(try SafeFile.read(state.issuedFile)) {
                let words = line.split(separator: " ")
                guard words.count == 3, let notAfter = PKITime.date(String(words[1])) else {
                    throw .malformed(file: state.issuedFile, what: "line \(number) is not '<serial> <time> <who>'")
                }
                state.issued.append(Issued(serial: String(words[0]), notAfter: notAfter, bearer: String(words[2])))
            }
        }
        if SafeFile.exists(state.revokedFile) {
            var rest = lines(try SafeFile.read(state.revokedFile))
            let head = rest.isEmpty ? [] : rest.removeFirst().1.split(separator: " ")
            guard head.count == 2, head[0] == "number", let number = Int(head[1]), number > 0 else {
                throw .malformed(file: state.revokedFile, what: "the first line is not 'number <n>'")
            }
            state.listNumber = number
            for (number, line) in rest {
                let words = line.split(separator: " ")
                guard words.count == 2, let at = PKITime.date(String(words[1])), bytes(ofSerial: words[0]) != nil else {
                    throw .malformed(file: state.revokedFile, what: "line \(number) is not '<serial> <time>'")
                }
                state.revoked.append(Revoked(serial: String(words[0]), at: at))
            }
        }
        return state
    }

    func saveIssued() throws(PKIError) {
        let text = issued.map { "\($0.serial) \(PKITime.text($0.notAfter)) \($0.bearer)\n" }.joined()
        try SafeFile.write(text, to: issuedFile, mode: 0o600)
    }

    func saveRevoked() throws(PKIError) {
        let text = revoked.map { "\($0.serial) \(PKITime.text($0.at))\n" }.joined()
        try SafeFile.write("number \(listNumber)\n" + text, to: revokedFile, mode: 0o600)
    }

    /// A serial number as it is printed: lower-case hexadecimal, two digits a byte, no leading zero bytes.
    static func text(ofSerial bytes: some Sequence<UInt8>) -> String {
        bytes.drop { $0 == 0 }.map { String(format: "%02x", $0) }.joined()
    }

    /// The bytes of a serial number written in hexadecimal of either case, with or without colons.
    ///
    /// - Returns: nil if it is not 1 to 20 bytes of hexadecimal.
    static func bytes(ofSerial text: some StringProtocol) -> [UInt8]? {
        var digits = String(text.filter { $0 != ":" })
        if digits.count % 2 == 1 { digits = "0" + digits }
        guard (2...40).contains(digits.count) else { return nil }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16), rest.first != "+", rest.first != "-" else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    private static func lines(_ text: String) -> [(Int, Substring)] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .map { ($0.offset + 1, $0.element) }.filter { !$0.1.isEmpty }
    }
}
