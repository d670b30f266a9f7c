import Crypto
import Foundation
import TestSupport

/// Somebody with files and master keys who opens whatever they open. Written from FileFormat.md alone: it shares no code with
/// the journal, so it also tells whether that page is true.
struct Burglar {
    /// One seal: which key and nonce, and what was made with them.
    struct Seal: Hashable {
        /// SHA-256 over key and nonce.
        let place: [UInt8]
        /// SHA-256 over ciphertext, tag and additional data.
        let content: [UInt8]
    }

    private struct SlabName: Hashable {
        let number: UInt64
        let generation: UInt32
    }

    let masters: [String: SymmetricKey]
    private(set) var segmentKeys: [UInt64: Set<[UInt8]>] = [:]
    private var slabKeys: Set<[UInt8]> = []
    /// Ids of journals, from the headers of key files.
    private var journals: Set<[UInt8]> = []
    /// By slab: slots of every slab file that opened.
    private var slabs: [UInt64: Set<[UInt8]>] = [:]
    private(set) var seals: [Seal] = []
    private(set) var texts: [[UInt8]] = []
    private(set) var records: [[UInt8]] = []
    /// Key files and batches that did not open.
    private(set) var closed = 0
    /// Slabs that did not open: no key file holds their key.
    private(set) var closedSlabs = 0

    init(masters: [String: SymmetricKey]) { self.masters = masters }

    /// Goes through files: key files first, then slabs, then what they open. Several files may bear one name.
    mutating func search(_ files: [(path: String, bytes: [UInt8])]) {
        for file in files where file.bytes.starts(with: Array("BKKEYS01".utf8)) { openKeyFile(file.bytes) }
        for file in files where file.bytes.starts(with: Array("BKSLAB01".utf8)) { openSlab(file.bytes) }
        for file in files {
            guard let number = Self.segment(file.path) else { continue }
            let isWhole = file.bytes.starts(with: Array("BKSEGM01".utf8))
            openBatches(file.bytes, from: isWhole ? 4_096 : 0, segment: number)
        }
    }

    static func segment(_ path: String) -> UInt64? {
        guard let name = path.split(separator: "/").last, name.hasPrefix("segment-") else { return nil }
        return UInt64(name.dropFirst(8).prefix(16), radix: 16)
    }

    private func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> UInt64 {
        (0..<width).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * $1) }
    }

    private func derive(_ key: SymmetricKey, salt: [UInt8], info: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, salt: salt, info: info, outputByteCount: 32)
    }

    /// Opens a frame, and notes the seal when it does.
    private mutating func open(_ sealed: [UInt8], _ key: SymmetricKey, _ frame: UInt32, _ additional: [UInt8])
        -> [UInt8]?
    {
        let nonce = [UInt8](repeating: 0, count: 8) + withUnsafeBytes(of: frame.bigEndian) { Array($0) }
        guard sealed.count >= 16, let value = try? AES.GCM.Nonce(data: nonce),
            let box = try? AES.GCM.SealedBox(nonce: value, ciphertext: sealed.dropLast(16), tag: sealed.suffix(16)),
            let plain = try? AES.GCM.open(box, using: key, authenticating: additional)
        else { return nil }
        let place = key.withUnsafeBytes { SHA256.hash(data: Array($0) + nonce) }
        seals.append(Seal(place: Array(place), content: Array(SHA256.hash(data: sealed + additional))))
        return Array(plain)
    }

    private mutating func openKeyFile(_ file: [UInt8]) {
        let name = String(decoding: file[48..<80].prefix { $0 != 0 }, as: UTF8.self)
        let header = Array(file[..<160])
        journals.insert(Array(file[16..<32]))
        guard let master = masters[name] else {
            closed += 1
            return
        }
        let key = derive(
            master, salt: Array(file[112..<144]), info: Array("budkavle/journal/1/key file".utf8) + header)
        guard let body = open(Array(file[160...]), key, 0, header) else {
            closed += 1
            return
        }
        let count = Int(number(body, 8, 4))
        let start = number(file, 8, 2) == 1 ? 32 : 96
        for index in 0..<count {
            let entry = start + index * 48
            let key = Array(body[(entry + 16)..<(entry + 48)])
            switch number(body, entry, 2) {
            case 1: segmentKeys[number(body, entry + 8, 8), default: []].insert(key)
            case 2: slabKeys.insert(key)
            default: break
            }
        }
    }

    private mutating func openSlab(_ file: [UInt8]) {
        for key in slabKeys {
            guard let plain = open(Array(file[64...]), SymmetricKey(data: key), 0, Array(file[..<64])) else { continue }
            slabs[number(file, 32, 8), default: []].insert(Array(plain[256...]))
            return
        }
        closedSlabs += 1
    }

    private mutating func openBatches(_ file: [UInt8], from first: Int, segment: UInt64) {
        var offset = first
        while offset + 128 <= file.count, file[offset..<(offset + 4)].elementsEqual("BKB1".utf8) {
            let length = Int(number(file, offset + 8, 4))
            guard length >= 512, offset + length <= file.count else { return }
            let batch = Array(file[offset..<(offset + length)])
            let keys = segmentKeys[segment, default: []]
            var isOpen = false
            for journal in journals where !isOpen {
                isOpen = keys.contains { openBatch(batch, SymmetricKey(data: $0), journal, segment) }
            }
            if !isOpen { closed += 1 }
            offset += length
        }
    }

    private mutating func openBatch(
        _ batch: [UInt8], _ segmentKey: SymmetricKey, _ journal: [UInt8], _ segment: UInt64
    ) -> Bool {
        let place = journal + withUnsafeBytes(of: segment.littleEndian) { Array($0) }
        let key = derive(
            segmentKey, salt: Array(batch[40..<72]),
            info: Array("budkavle/journal/1/batch".utf8) + place + batch[..<128])
        let count = batch[12..<16]
        func additional(_ frame: UInt32) -> [UInt8] {
            place + batch[16..<24] + withUnsafeBytes(of: frame.littleEndian) { Array($0) } + count
        }
        guard let directory = open(Array(batch[128..<208]), key, 0, additional(0)) else { return false }
        var shared: [UInt8] = []
        var (offset, frame) = (208, UInt32(1))
        let sharedBytes = Int(number(directory, 32, 4))
        while shared.count < sharedBytes {
            let length = min(16_384, sharedBytes - shared.count)
            guard let plain = open(Array(batch[offset..<(offset + length + 16)]), key, frame, additional(frame)) else {
                return false
            }
            shared += plain
            (offset, frame) = (offset + length + 16, frame + 1)
        }
        for length in takeItems(shared) {
            guard let head = open(Array(batch[offset..<(offset + 112)]), key, frame, additional(frame)) else {
                return false
            }
            (offset, frame) = (offset + 112, frame + 1)
            let frames = (length + 16_383) / 16_384
            openText(head, journal, batch, offset, frame, length, additional)
            (offset, frame) = (offset + length + frames * 16, frame + UInt32(frames))
        }
        let trailer = Int(number(batch, 6, 2))
        if trailer > 0 {
            let clear = Array(batch[(batch.count - trailer)..<(batch.count - 16)])
            return open(Array(batch.suffix(16)), key, frame, additional(frame) + clear) != nil
        }
        return true
    }

    /// Takes the records out of the shared bytes; returns the texts' lengths.
    private mutating func takeItems(_ shared: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        var offset = 0
        while offset < shared.count, shared[offset] != 0 {
            let length = Int(number(shared, offset + 4, 4))
            if shared[offset] == 1 { records.append(Array(shared[(offset + 8)..<(offset + 8 + length)])) }
            if shared[offset] == 2 { lengths.append(Int(number(shared, offset + 24, 4))) }
            offset += 8 + length
        }
        return lengths
    }

    private mutating func openText(
        _ head: [UInt8], _ journal: [UInt8], _ batch: [UInt8], _ start: Int, _ first: UInt32, _ length: Int,
        _ additional: (UInt32) -> [UInt8]
    ) {
        let info = Array("budkavle/journal/1/text".utf8) + journal + head[..<16]
        let slots = (0..<Int(number(head, 52, 4))).map { number(head, 56 + 8 * $0, 8) }
        var materials: [[UInt8]] = [[]]
        for slot in slots {
            let secrets = slabs[slot >> 16, default: []].map { Array($0[(Int(slot & 0xFFFF) * 32)...].prefix(32)) }
            materials = materials.flatMap { front in Set(secrets).map { front + $0 } }
        }
        for material in materials {
            let key = derive(SymmetricKey(data: material), salt: Array(head[16..<48]), info: info)
            var text: [UInt8] = []
            var (offset, frame) = (start, first)
            while text.count < length {
                let count = min(16_384, length - text.count)
                guard let plain = open(Array(batch[offset..<(offset + count + 16)]), key, frame, additional(frame))
                else { break }
                text += plain
                (offset, frame) = (offset + count + 16, frame + 1)
            }
            if text.count == length {
                texts.append(text)
                return
            }
        }
    }

    /// All of a disk.
    static func search(_ files: [String: [UInt8]], masters: [String: SymmetricKey]) -> Burglar {
        var burglar = Burglar(masters: masters)
        burglar.search(files.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        return burglar
    }
}

extension Scratch {
    /// The bytes of the key files that `ring` made, by id.
    func masters(_ ids: [String] = ["v1"], seed: UInt64 = 7) -> [String: SymmetricKey] {
        var keys: [String: SymmetricKey] = [:]
        for id in ids {
            keys[id] = FileManager.default.contents(atPath: "\(path)/\(id)-\(seed).key").map { SymmetricKey(data: $0) }
        }
        return keys
    }
}
