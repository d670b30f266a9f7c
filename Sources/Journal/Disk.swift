/// An open file of a `Disk`. The number means something to the disk that handed it out only.
package struct DiskFile: Hashable, Sendable {
    /// The disk's number for it.
    package let number: Int32

    /// Made by disks.
    package init(number: Int32) { self.number = number }
}

/// A failed file operation.
package struct DiskError: Error, Equatable, Sendable {
    /// The call, as a person would look it up: "fdatasync".
    package let operation: String
    /// The file or directory.
    package let path: String
    /// The system's error number.
    package let errno: Int32

    /// Names the call, the file and the error number.
    package init(operation: String, path: String, errno: Int32) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }
}

/// How much a file system holds.
package struct DiskRoom: Equatable, Sendable {
    /// Its size.
    package let totalBytes: Int
    /// What this process may still take; quotas are not looked at.
    package let freeBytes: Int

    /// Takes both in bytes.
    package init(totalBytes: Int, freeBytes: Int) {
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
    }
}

/// What a file system does when written bytes are written again.
package enum Overwriting: Equatable, Sendable {
    /// They stay where they are: a full disk cannot strike.
    case inPlace
    /// It takes new blocks for them, so that even a granted write can meet a full disk.
    case allocates
}

/// How a file is opened.
package enum DiskAccess: Sendable {
    /// It must be there; only read.
    case read
    /// It must be there; read and written.
    case update
    /// It must not be there yet; mode 0600.
    case create
}

/// All that the journal does to a disk, so that every fault can be played in a test.
///
/// A call does not retry anything but EINTR. `read` and `write` may do less than they were asked to.
package protocol Disk: Sendable {
    /// Opens a file; symbolic links are not followed.
    func open(_ path: String, _ access: DiskAccess) throws(DiskError) -> DiskFile
    /// Closes it. Errors have no consequence, since everything that counts was synced before.
    func close(_ file: DiskFile)
    /// The file's length in bytes.
    func size(_ file: DiskFile) throws(DiskError) -> UInt64
    /// Reads at an offset; 0 at the end.
    func read(_ file: DiskFile, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int
    /// Writes at an offset.
    func write(_ file: DiskFile, at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(DiskError) -> Int
    /// Gives the range blocks on disk, where the file system can; ENOSPC shows here first.
    func allocate(_ file: DiskFile, at offset: UInt64, count: Int) throws(DiskError)
    /// Makes the data and the length durable (`fdatasync`).
    func sync(_ file: DiskFile) throws(DiskError)
    /// Drops what the system keeps of the file in memory: what is read next comes from the disk.
    func forget(_ file: DiskFile)
    /// Cuts the file.
    func truncate(_ file: DiskFile, to length: UInt64) throws(DiskError)
    /// Names in a directory, in no particular order, without "." and "..".
    func list(_ directory: String) throws(DiskError) -> [String]
    /// Makes a directory with mode 0700; one that is there already is no error.
    func makeDirectory(_ path: String) throws(DiskError)
    /// Replaces `target`.
    func rename(_ source: String, to target: String) throws(DiskError)
    /// Removes a file.
    func remove(_ path: String) throws(DiskError)
    /// Makes creations, renames and removals in a directory durable.
    func syncDirectory(_ path: String) throws(DiskError)
    /// The size of the file system that holds `path`; nil when nobody knows.
    func room(at path: String) throws(DiskError) -> DiskRoom?
    /// Asks for overwriting in place in files that are made in `directory` from now on, and says what came of it.
    func overwriting(in directory: String) throws(DiskError) -> Overwriting
}

extension Disk {
    /// Nobody knows.
    package func room(at path: String) throws(DiskError) -> DiskRoom? { nil }
    /// Nothing is kept.
    package func forget(_ file: DiskFile) {}
    /// As most file systems do.
    package func overwriting(in directory: String) throws(DiskError) -> Overwriting { .inPlace }
}

extension Disk {
    func writeAll(_ file: DiskFile, at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(DiskError) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
            let count = try write(file, at: offset + UInt64(done), from: rest)
            guard count > 0 else { throw DiskError(operation: "pwrite", path: "", errno: 5) }
            done += count
        }
    }

    func writeAll(_ file: DiskFile, at offset: UInt64, _ bytes: [UInt8]) throws(DiskError) {
        // `withUnsafeBytes` passes typed errors of its closure on only when both sides say so.
        let result: Result<Void, DiskError> = bytes.withUnsafeBytes { buffer in
            do throws(DiskError) {
                return .success(try writeAll(file, at: offset, from: buffer))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Reads up to `count` bytes, fewer only at the end of the file.
    func readUpTo(_ count: Int, _ file: DiskFile, at offset: UInt64) throws(DiskError) -> [UInt8] {
        var failure: DiskError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            do throws(DiskError) {
                while done < count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: raw[done...])
                    let step = try read(file, at: offset + UInt64(done), into: rest)
                    if step == 0 { break }
                    done += step
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads a whole file, at most `limit` bytes of it.
    func readWhole(_ path: String, limit: Int) throws(DiskError) -> [UInt8] {
        let file = try open(path, .read)
        defer { close(file) }
        let length = try size(file)
        return try readUpTo(Int(min(length, UInt64(limit))), file, at: 0)
    }

    /// Writes a new file and syncs it; the directory is the caller's.
    func writeNew(_ path: String, _ bytes: [UInt8]) throws(DiskError) {
        let file = try open(path, .create)
        defer { close(file) }
        try writeAll(file, at: 0, bytes)
        try sync(file)
    }
}
