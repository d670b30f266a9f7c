import Glibc

/// Where one master key lies.
package struct KeyFileReference: Sendable {
    let id: String
    let path: String
    let isCredential: Bool

    /// An ordinary file of mode 0600 or 0400 that belongs to the daemon's user or to root.
    package init(id: String, path: String) {
        self.id = id
        self.path = path
        isCredential = false
    }

    private init(credential id: String, path: String) {
        self.id = id
        self.path = path
        isCredential = true
    }

    /// A systemd credential: `directory` is `$CREDENTIALS_DIRECTORY`.
    ///
    /// systemd grants the service's user access by an access list, whose mask stands where a group's rights would: mode
    /// 0440 is accepted there, and nothing for others.
    package static func credential(id: String, name: String, directory: String) -> KeyFileReference {
        KeyFileReference(credential: id, path: directory + "/" + name)
    }
}

/// The master keys, by id. The active one wraps what is written from now on; all of them open what was written before.
package struct KeyRing: Sendable {
    /// The id of the key that wraps.
    package let active: String
    private let keys: [String: Cipher.Key]

    /// The ids, sorted.
    package var ids: [String] { keys.keys.sorted() }

    /// The same without one key.
    ///
    /// - Precondition: it is not the active one.
    func without(_ id: String) -> KeyRing {
        precondition(id != active, "the active master key cannot go")
        return KeyRing(active: active, keys: keys.filter { $0.key != id })
    }

    /// The key under an id.
    func key(_ id: String) -> Cipher.Key? { keys[id] }

    /// Reads the key files. Nothing is written.
    ///
    /// - Throws: `.keyFile` for the first file that is a link, has rights for others, belongs to somebody else, is not 32
    ///   bytes long or holds no key, and for an id that is not usable.
    package static func load(_ files: [KeyFileReference], active: String) throws(JournalError) -> KeyRing {
        var keys: [String: Cipher.Key] = [:]
        for file in files {
            guard isUsable(file.id), keys[file.id] == nil else {
                throw .keyFile(path: file.path, problem: .id(file.id))
            }
            keys[file.id] = try read(file)
        }
        guard keys[active] != nil else {
            throw .keyFile(path: files.first?.path ?? "", problem: .id(active))
        }
        return KeyRing(active: active, keys: keys)
    }

    /// Writes a new random key to a new file of mode 0600 and syncs it and its directory.
    ///
    /// - Throws: `.keyFile(.exists)` when something lies there already; it is left alone.
    package static func generate(at path: String, random: any RandomSource = SystemRandom()) throws(JournalError) {
        let disk = PosixDisk()
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        do throws(DiskError) {
            try disk.writeNew(path, random.bytes(Cipher.keyBytes))
            try disk.syncDirectory(directory.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : directory)
        } catch {
            if error.errno == EEXIST { throw .keyFile(path: path, problem: .exists) }
            throw JournalError(error)
        }
    }

    private static func isUsable(_ id: String) -> Bool {
        (1...32).contains(id.utf8.count)
            && id.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    }

    private static func read(_ file: KeyFileReference) throws(JournalError) -> Cipher.Key {
        func refuse(_ problem: KeyFileProblem) -> JournalError { .keyFile(path: file.path, problem: problem) }
        let descriptor = Glibc.open(file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw refuse(errno == ELOOP ? .notRegular : .unreadable(errno: errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refuse(.unreadable(errno: errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw refuse(.notRegular) }
        let mode = status.st_mode & 0o7777
        guard mode & (file.isCredential ? 0o137 : 0o177) == 0 else { throw refuse(.mode(mode)) }
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw refuse(.owner(status.st_uid)) }
        guard status.st_size == Cipher.keyBytes else { throw refuse(.length(Int(status.st_size))) }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Cipher.keyBytes, alignment: 8)
        defer {
            bytes.baseAddress.map { explicit_bzero($0, bytes.count) }
            bytes.deallocate()
        }
        let count = pread(descriptor, bytes.baseAddress, bytes.count, 0)
        guard count == Cipher.keyBytes else { throw refuse(.length(max(count, 0))) }
        guard bytes.contains(where: { $0 != bytes[0] }) else { throw refuse(.notRandom) }
        return Cipher.key(UnsafeRawBufferPointer(bytes))
    }
}
