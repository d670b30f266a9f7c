import Crypto
import Foundation
import SwiftASN1
import X509

/// The three kinds of certificate that the small CA makes, with the extensions that OpenSSL's strict chain check
/// (`X509_V_FLAG_X509_STRICT`) asks for: key identifiers, critical key usage and basic constraints.
enum CertificateContents {
    /// A certificate is valid from this much before its making, for clocks that go behind.
    static let backdatedBy: TimeInterval = 300

    /// A self-signed root that may sign end certificates only.
    static func authority(key: P256.Signing.PrivateKey, validity: Range<Date>) throws(PKIError) -> Certificate {
        // A random part in the name keeps two CAs apart where both lie in one `client-ca` list.
        let label = CertificateState.text(ofSerial: randomSerial().prefix(4))
        let publicKey = Certificate.PublicKey(key.publicKey)
        return try encoding { () throws -> Certificate in
            let name = try DistinguishedName {
                OrganizationName("Budkavle")
                CommonName("Budkavle small CA \(label)")
            }
            return try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(bytes: randomSerial()), publicKey: publicKey,
                notValidBefore: validity.lowerBound, notValidAfter: validity.upperBound, issuer: name, subject: name,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                    SubjectKeyIdentifier(hash: publicKey)
                }, issuerPrivateKey: Certificate.PrivateKey(key))
        }
    }

    /// What an end certificate is for.
    enum Purpose {
        case client(CertificateHolder)
        case server(hosts: [GeneralName], commonName: String)
    }

    /// A certificate for a client, a person or the relay itself.
    static func end(
        _ purpose: Purpose, key: P256.Signing.PublicKey, validity: Range<Date>, issuer: Certificate,
        issuerKey: P256.Signing.PrivateKey, issuerKeyIdentifier: ArraySlice<UInt8>
    ) throws(PKIError) -> Certificate {
        let publicKey = Certificate.PublicKey(key)
        return try encoding { () throws -> Certificate in
            let subject: DistinguishedName
            let names: [GeneralName]
            let usage: ExtendedKeyUsage
            switch purpose {
            case .client(let identity):
                subject = try DistinguishedName {
                    OrganizationName("Budkavle")
                    OrganizationalUnitName(identity.party)
                    CommonName(identity.name)
                }
                names = [.uniformResourceIdentifier(identity.uri)]
                usage = try ExtendedKeyUsage([.clientAuth])
            case .server(let hosts, let commonName):
                subject = try DistinguishedName {
                    OrganizationName("Budkavle")
                    CommonName(commonName)
                }
                names = hosts
                usage = try ExtendedKeyUsage([.serverAuth])
            }
            return try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(bytes: randomSerial()), publicKey: publicKey,
                notValidBefore: validity.lowerBound, notValidAfter: validity.upperBound, issuer: issuer.subject,
                subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    usage
                    SubjectAlternativeNames(names)
                    SubjectKeyIdentifier(hash: publicKey)
                    AuthorityKeyIdentifier(keyIdentifier: issuerKeyIdentifier)
                }, issuerPrivateKey: Certificate.PrivateKey(issuerKey))
        }
    }

    /// Reads host names and addresses of either family.
    static func generalName(host: String) throws(PKIError) -> GeneralName {
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &four) { Array($0) }[...]))
        }
        var six = in6_addr()
        if inet_pton(AF_INET6, host, &six) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &six) { Array($0) }[...]))
        }
        // RFC 1123, 2.1: labels of letters, digits and hyphens. A name of digits alone would be a mistyped address.
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { $0 == UInt8(ascii: "-") || isalnum(Int32($0)) != 0 }
        }
        guard isName, host.utf8.count <= 253, labels.last?.contains(where: \.isLetter) ?? false else {
            throw .invalidHost(host)
        }
        return .dnsName(host)
    }

    /// 16 random bytes, positive and not zero (RFC 5280, 4.1.2.2 allows 20).
    private static func randomSerial() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        bytes[0] = bytes[0] & 0x3F | 0x40
        return bytes
    }

    private static func encoding(_ body: () throws -> Certificate) throws(PKIError) -> Certificate {
        do {
            return try body()
        } catch {
            throw .encoding("\(error)")
        }
    }
}
