import Crypto
import Glibc

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The only file, with Signing.swift, that knows which library does the cryptography.
///
/// AES-256-GCM, HKDF-SHA256, HMAC-SHA256 and SHA-256. Nonces are counters: no key ever seals two different frames under
/// one number, since every key is used for one batch, one text, one slab or one key file only.
enum Cipher {
    static let tagBytes = 16
    static let keyBytes = 32

    /// A key; its bytes are overwritten when the last copy goes.
    typealias Key = SymmetricKey

    static func key(_ bytes: UnsafeRawBufferPointer) -> Key { SymmetricKey(data: bytes) }

    /// The key's bytes: for wrapping it, and for values derived to be shown.
    static func bytes(of key: Key) -> [UInt8] { key.withUnsafeBytes { Array($0) } }

    /// Overwrites bytes that held keys.
    static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { buffer in
            _ = buffer.baseAddress.map { explicit_bzero($0, buffer.count) }
        }
    }

    /// HKDF-SHA256, 32 bytes.
    static func derive(_ key: Key, salt: [UInt8], info: [UInt8]) -> Key {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, salt: salt, info: info, outputByteCount: keyBytes)
    }

    /// Seals `plaintext` to `output`: as many bytes, then the tag.
    ///
    /// - Precondition: `output` is 16 bytes longer than `plaintext`.
    static func seal(
        _ plaintext: UnsafeRawBufferPointer, key: Key, number: UInt32, additional: [UInt8],
        to output: UnsafeMutableRawBufferPointer
    ) {
        precondition(output.count == plaintext.count + tagBytes)
        guard let box = try? AES.GCM.seal(plaintext, using: key, nonce: nonce(number), authenticating: additional)
        else {
            preconditionFailure("AES-256-GCM refused a frame of \(plaintext.count) bytes")
        }
        box.ciphertext.copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: output[..<plaintext.count]))
        box.tag.copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: output[plaintext.count...]))
    }

    /// Seals `plaintext` behind what `output` holds: as many bytes, then the tag.
    static func append(
        _ plaintext: [UInt8], key: Key, number: UInt32, additional: [UInt8], to output: inout [UInt8]
    ) {
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: plaintext.count + tagBytes))
        output.withUnsafeMutableBytes { output in
            plaintext.withUnsafeBytes { plain in
                seal(
                    plain, key: key, number: number, additional: additional,
                    to: UnsafeMutableRawBufferPointer(rebasing: output[start...]))
            }
        }
    }

    /// Opens ciphertext and tag. Returns nil when key, number, additional data or any bit is not what was sealed.
    static func open(_ sealed: UnsafeRawBufferPointer, key: Key, number: UInt32, additional: [UInt8]) -> [UInt8]? {
        guard sealed.count >= tagBytes, let nonce = try? nonce(number) else { return nil }
        let length = sealed.count - tagBytes
        guard
            let box = try? AES.GCM.SealedBox(
                nonce: nonce, ciphertext: sealed[..<length], tag: sealed[length...])
        else { return nil }
        guard let plain = try? AES.GCM.open(box, using: key, authenticating: additional) else { return nil }
        return Array(plain)
    }

    /// 96 bits: eight zero bytes, then the frame's number, big-endian.
    private static func nonce(_ number: UInt32) throws -> AES.GCM.Nonce {
        let big = number.bigEndian
        return try withUnsafeBytes(of: (UInt64(0), big)) { try AES.GCM.Nonce(data: $0[..<12]) }
    }

    static func authenticate(_ bytes: some DataProtocol, key: Key) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }

    /// Compares in constant time.
    static func isAuthentic(_ code: some DataProtocol, for bytes: some DataProtocol, key: Key) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(Data(code), authenticating: Data(bytes), using: key)
    }

    static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// A digest that is fed in pieces.
    struct Digest {
        private var state = SHA256()

        mutating func add(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }
        mutating func add(_ bytes: [UInt8]) { state.update(data: bytes) }
        func value() -> [UInt8] { Array(state.finalize()) }
        func hash() -> MerkleHash { state.finalize().withUnsafeBytes { MerkleHash(loading: $0) } }
    }
}
