/// A small file beside the journal that nobody but the journal's owner can make: its bytes, and a code over them under a key
/// that follows from the journal's own keys. Those lie sealed under the master key, and a rotation of that changes nothing here.
///
/// It lies in `audit`, so backups and restores carry it. Layout: "BKCOMP01", the bytes, HMAC-SHA256 over both.
package struct CompanionFile: Sendable {
    /// The most bytes of one file.
    package static let mostBytes = 1 << 20
    private static let magic = Array("BKCOMP01".utf8)
    private static let codeBytes = 32

    private let paths: JournalPaths
    private let name: String
    private let key: Cipher.Key
    private let disk: any Disk

    /// What a look at the file found.
    package enum Contents: Sendable, Equatable {
        /// There is no such file.
        case missing
        /// It is cut, altered, too long, or of another journal.
        case forged
        /// These bytes, as they were written.
        case bytes([UInt8])
    }

    /// The file `name` of the journal in `directory`, `<data>/<collaboration>`. Reads the journal's keys; nothing is written.
    ///
    /// - Parameter name: a-z, 0-9 and '-': it is a part of the key, so one file never passes for another.
    /// - Throws: as `KeyReport.read`: a wrong master key, damaged keys, no journal yet.
    package init(
        _ name: String, directory: String, keys ring: KeyRing, disk: any Disk = PosixDisk()
    ) throws(JournalError) {
        paths = JournalPaths(root: directory)
        let names = try JournalPaths.names(in: paths.keys, disk)
        guard let table = try KeyFile(directory: paths.keys, disk: disk).load(names: names, with: ring) else {
            throw .keysMissing(path: paths.keys)
        }
        let signing = table.entries.filter { $0.key.kind == .signing }.min { $0.key.number < $1.key.number }
        guard let secret = signing?.value.key else { throw .keysMissing(path: paths.keys) }
        key = Cipher.derive(secret, salt: [], info: Array("budkavle/companion/1 \(name)".utf8))
        self.name = name
        self.disk = disk
    }

    /// Where it lies, for messages.
    package var path: String { paths.audit + "/" + name }

    /// Reads it. Blocks.
    package func read() throws(JournalError) -> Contents {
        let file: [UInt8]
        do throws(DiskError) {
            file = try disk.readWhole(path, limit: Self.mostBytes + 1)
        } catch {
            if error.isMissing { return .missing }
            throw JournalError(error)
        }
        let head = Self.magic.count
        guard file.count <= Self.mostBytes, file.count >= head + Self.codeBytes, Array(file[..<head]) == Self.magic
        else { return .forged }
        let end = file.count - Self.codeBytes
        guard Cipher.isAuthentic(file[end...], for: file[..<end], key: key) else { return .forged }
        return .bytes(Array(file[head..<end]))
    }

    /// Replaces it; on disk when this returns, whole or not at all. Blocks.
    ///
    /// - Throws: `.limit` for more bytes than a file may have; `.io` and the like.
    package func write(_ bytes: [UInt8]) throws(JournalError) {
        let whole = Self.magic + bytes
        let count = whole.count + Self.codeBytes
        guard count <= Self.mostBytes else {
            throw .limit(name: "bytes of \(name)", value: count, limit: Self.mostBytes)
        }
        let temporary = path + ".new"
        try JournalError.wrapping { () throws(DiskError) in
            try? disk.remove(temporary)
            try disk.writeNew(temporary, whole + Cipher.authenticate(whole, key: key))
            try disk.rename(temporary, to: path)
            try disk.syncDirectory(paths.audit)
        }
    }
}
