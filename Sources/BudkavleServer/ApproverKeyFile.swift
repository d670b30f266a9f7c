package import CaseNotifications
import Foundation
import Glibc

/// Files that hold the secret half of an approver's key: one line, mode 0600, never in the configuration.
package enum ApproverKeyFile {
    private static let version = "budkavle-approver-key/1"
    /// More is no key.
    static let longestFileBytes = 256

    /// Makes a key pair and writes its secret half to a new file of mode 0600. An existing file is never overwritten.
    ///
    /// - Returns: the public half.
    package static func generate(at path: String) throws(ToolError) -> ApproverKey {
        let secret = ApproverSecret()
        do throws(DurableFile.Failure) {
            try DurableFile.create(path, Array("\(version) \(secret.secretText)\n".utf8), mode: 0o600)
        } catch {
            throw ToolError("\(path): \(error.reason)", .cannotCreate)
        }
        return secret.publicKey
    }

    /// The public half as files of approvals have it.
    package static func publicText(of secret: ApproverSecret) -> String { "\(secret.publicKey)" }

    /// Reads a secret half.
    ///
    /// - Throws: for a link, a file that somebody else may read or owns, and one that holds no key. What is in it is never told.
    package static func read(_ path: String) throws(ToolError) -> ApproverSecret {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            let isLink = errno == ELOOP
            throw ToolError("\(path): cannot be read\(isLink ? ", it is a symbolic link" : "")", .noInput)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ToolError("\(path): not a regular file", .noInput)
        }
        guard status.st_mode & 0o077 == 0 else {
            throw ToolError("\(path): others than its owner have rights on it; chmod 0600 it", .configuration)
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw ToolError("\(path): belongs to another user", .configuration)
        }
        var bytes = [UInt8](repeating: 0, count: longestFileBytes + 1)
        defer {
            bytes.withUnsafeMutableBytes { buffer in _ = buffer.baseAddress.map { explicit_bzero($0, buffer.count) } }
        }
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard (0...longestFileBytes).contains(count) else { throw ToolError("\(path): holds no approver's key", .data) }
        let parts = bytes[..<count].split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count == 2, parts[0] == version, let secret = ApproverSecret(secretText: parts[1]) else {
            throw ToolError("\(path): holds no approver's key; budkavled approve --new-key FILE makes one", .data)
        }
        return secret
    }
}

/// Files that are on disk, whole, when the call returns.
enum DurableFile {
    /// Why a file was not written.
    struct Failure: Error {
        let errno: Int32
        var reason: String { errno == EEXIST ? "there is such a file already" : String(cString: strerror(errno)) }
    }

    /// Writes a new file and syncs it and its directory.
    ///
    /// - Throws: also when there is such a file.
    static func create(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(Failure) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        var failure = WholeWrite.write(bytes, to: descriptor).map { Failure(errno: $0) }
        if failure == nil, fsync(descriptor) != 0 { failure = Failure(errno: errno) }
        close(descriptor)
        if let failure {
            unlink(path)
            throw failure
        }
        try syncDirectory(of: path)
    }

    /// Replaces a file, or makes it: at every time it is the old one or the new one, whole.
    static func replace(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(Failure) {
        let temporary = "\(path).new"
        unlink(temporary)
        try create(temporary, bytes, mode: mode)
        guard rename(temporary, path) == 0 else {
            let failure = Failure(errno: errno)
            unlink(temporary)
            throw failure
        }
        try syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) throws(Failure) {
        let parent = (path as NSString).deletingLastPathComponent
        let descriptor = Glibc.open(parent.isEmpty ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure(errno: errno) }
    }
}
