import Testing

@testable import Demo

struct CertificateHolderTests {
    @Test func `a client and a person have the URIs of the design`() throws {
        #expect(try CertificateHolder("pol-18-rlc/station").uri == "urn:budkavle:pol-18-rlc:station")
        #expect(try CertificateHolder("soc-1880/person:staff-17").uri == "urn:budkavle:soc-1880:person:staff-17")
    }

    @Test(arguments: [
        "", "/", "a/", "/b", "a", "a/b/c", "A/b", "a/B", "a/person:", "a/person", "a/person:B", "å/b", "a/b_c", "-a/b",
        "a/.b",
        "a/../b", "a/b:c", "a/person:b:c", "a/b\n",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: PKIError.self) { try CertificateHolder(text) }
    }

    @Test func `a URI is read back`() throws {
        for text in ["urn:budkavle:pol-18-rlc:station", "urn:budkavle:soc-1880:person:staff-17"] {
            #expect(try CertificateHolder(uri: text).uri == text)
        }
        for text in [
            "urn:budkavle:a", "urn:other:a:b", "budkavle:a:b:c", "urn:budkavle:a:b:c", "urn:budkavle:a:person", "",
        ] {
            #expect(throws: PKIError.self) { try CertificateHolder(uri: text) }
        }
    }

    @Test func `an id has at most 64 characters`() throws {
        let longest = String(repeating: "a", count: 64)
        #expect(try CertificateHolder("\(longest)/\(longest)").name == longest)
        #expect(throws: PKIError.invalidIdentity("\(longest)a/b")) { try CertificateHolder("\(longest)a/b") }
        #expect(throws: PKIError.invalidIdentity("b/\(longest)a")) { try CertificateHolder("b/\(longest)a") }
    }

    @Test func `serial numbers are read with colons, in either case and without leading zeros`() {
        #expect(CertificateState.bytes(ofSerial: "0A:ff:1") == [0x00, 0xAF, 0xF1])
        #expect(CertificateState.bytes(ofSerial: "0aff") == [0x0A, 0xFF])
        #expect(CertificateState.text(ofSerial: [0, 0x0A, 0xFF]) == "0aff")
        #expect(CertificateState.bytes(ofSerial: "") == nil)
        #expect(CertificateState.bytes(ofSerial: "xy") == nil)
        #expect(CertificateState.bytes(ofSerial: "+1") == nil)
        #expect(CertificateState.bytes(ofSerial: String(repeating: "f", count: 40))?.count == 20)
        #expect(CertificateState.bytes(ofSerial: String(repeating: "f", count: 42)) == nil)
    }

    @Test func `an error's sentence cannot steer a terminal`() {
        let text = PKIError.invalidIdentity("a\u{1B}[2Jb").description
        #expect(!text.unicodeScalars.contains("\u{1B}"))
    }
}
