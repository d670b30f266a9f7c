import Crypto
import Foundation
import SwiftASN1
import X509

/// A certificate revocation list, version 2 (RFC 5280, 5). swift-certificates 1.21.1 has no type for it.
struct RevocationList {
    /// One revoked certificate.
    struct Entry: Equatable {
        /// Big-endian, without leading zeros.
        let serial: [UInt8]
        let revokedAt: Date
    }

    let issuer: DistinguishedName
    /// The CA's subject key identifier; it becomes the list's authority key identifier.
    let issuerKeyIdentifier: ArraySlice<UInt8>
    /// Grows with each list (RFC 5280, 5.2.3).
    let number: Int
    let thisUpdate: Date
    let nextUpdate: Date
    let entries: [Entry]

    /// Signs with ECDSA over SHA-256.
    ///
    /// - Returns: the list as PEM (`X509 CRL`).
    func signed(with key: P256.Signing.PrivateKey) throws(PKIError) -> String {
        do {
            var list = DER.Serializer()
            try serializeList(into: &list)
            let signature = try key.signature(for: list.serializedBytes)
            var whole = DER.Serializer()
            try whole.appendConstructedNode(identifier: .sequence) { coder in
                coder.serializeRawBytes(list.serializedBytes)
                try serializeAlgorithm(into: &coder)
                try coder.serialize(ASN1BitString(bytes: Array(signature.derRepresentation)[...]))
            }
            return PEMDocument(type: "X509 CRL", derBytes: whole.serializedBytes).pemString + "\n"
        } catch {
            throw .encoding("revocation list: \(error)")
        }
    }

    /// `TBSCertList`.
    private func serializeList(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(1)  // v2
            try serializeAlgorithm(into: &coder)
            try coder.serialize(issuer)
            try PKITime.serialize(thisUpdate, into: &coder)
            try PKITime.serialize(nextUpdate, into: &coder)
            // An empty SEQUENCE is not allowed here: absent when nothing is revoked.
            if !entries.isEmpty {
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    for entry in entries { try serialize(entry, into: &coder) }
                }
            }
            let extensions = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
            try coder.appendConstructedNode(identifier: extensions) { coder in
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    try serializeExtensions(into: &coder)
                }
            }
        }
    }

    private func serialize(_ entry: Entry, into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(entry.serial[...])
            try PKITime.serialize(entry.revokedAt, into: &coder)
        }
    }

    private func serializeExtensions(into coder: inout DER.Serializer) throws {
        var authorityKey = DER.Serializer()
        authorityKey.appendConstructedNode(identifier: .sequence) { coder in
            let keyIdentifier = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
            coder.appendPrimitiveNode(identifier: keyIdentifier) { $0 += issuerKeyIdentifier }
        }
        var listNumber = DER.Serializer()
        try listNumber.serialize(number)
        for (oid, value) in [
            ([2, 5, 29, 35] as ASN1ObjectIdentifier, authorityKey.serializedBytes),
            ([2, 5, 29, 20] as ASN1ObjectIdentifier, listNumber.serializedBytes),
        ] {
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(oid)
                try coder.serialize(ASN1OctetString(contentBytes: value[...]))
            }
        }
    }

    /// `ecdsa-with-SHA256`, which takes no parameters (RFC 5758, 3.2).
    private func serializeAlgorithm(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize([1, 2, 840, 10045, 4, 3, 2] as ASN1ObjectIdentifier)
        }
    }
}
