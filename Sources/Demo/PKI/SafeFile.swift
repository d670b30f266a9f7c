import Foundation

/// Whole files, read and replaced so that a crash leaves the old or the new one, never half of one.
enum SafeFile {
    /// Longest file that is read: a revocation state of 100,000 lines fits.
    static let readLimitBytes = 16 * 1024 * 1024

    /// Writes `text` beside `path`, syncs it, renames it into place and syncs the directory.
    static func write(_ text: String, to path: String, mode: mode_t) throws(PKIError) {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    /// The same with bytes that are no text.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(PKIError) {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .file(temporary, code: errno) }
        do throws(PKIError) {
            defer { close(descriptor) }
            try writeAll(bytes, to: descriptor, named: temporary)
            // `open` obeys the umask; a certificate is to be readable and a key is not, whatever the umask says.
            guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw .file(temporary, code: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw .file(path, code: code)
        }
        try syncDirectory(of: path)
    }

    /// The text of a file of at most `readLimitBytes`.
    static func read(_ path: String) throws(PKIError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path, code: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(path, code: errno) }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= readLimitBytes else {
                throw .malformed(file: path, what: "longer than \(readLimitBytes) bytes")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(file: path, what: "not UTF-8 text")
        }
        return text
    }

    /// Reads a private key after a look at who else can: no symbolic link, a plain file, nothing for group and others.
    static func readKey(_ path: String) throws(PKIError) -> String {
        // Does not follow links. (`stat` itself is not to be had beside Foundation with MemberImportVisibility.)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            throw .file(path, code: ENOENT)
        }
        let mode = (attributes[.posixPermissions] as? NSNumber)?.uint32Value ?? 0o777
        guard attributes[.type] as? FileAttributeType == .typeRegular, mode & 0o077 == 0 else {
            throw .exposedKey(file: path, mode: mode)
        }
        return try read(path)
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Makes `path` and what is missing above it.
    static func makeDirectory(_ path: String, mode: mode_t) throws(PKIError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .file(path, code: errno)
        }
        try makeDirectory(String(path[..<slash]), mode: mode)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw .file(path, code: errno) }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32, named path: String) throws(PKIError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file(path, code: errno) }
            done += count
        }
    }

    private static func syncDirectory(of path: String) throws(PKIError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(parent, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .file(parent, code: errno) }
    }
}
