import CLinux
import Glibc

/// The real disk. Its calls block, so they are made on the journal's own threads only.
package struct PosixDisk: Disk {
    /// There is nothing to set.
    package init() {}

    private func failure(_ operation: String, _ path: String) -> DiskError {
        DiskError(operation: operation, path: path, errno: errno)
    }

    /// A call that is interrupted so often in a row is not tried again: no signal of ours does that.
    static let mostInterruptions = 1_000

    private func retrying(_ body: () -> Int) -> Int {
        var left = Self.mostInterruptions
        while true {
            let result = body()
            left -= 1
            if result >= 0 || errno != EINTR || left == 0 { return result }
        }
    }

    private func path(of file: DiskFile) -> String {
        var name = [UInt8](repeating: 0, count: 4_096)
        let count = name.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map {
                readlink("/proc/self/fd/\(file.number)", $0.assumingMemoryBound(to: CChar.self), buffer.count)
            } ?? 0
        }
        return count > 0 ? String(decoding: name[..<count], as: UTF8.self) : "descriptor \(file.number)"
    }

    package func open(_ path: String, _ access: DiskAccess) throws(DiskError) -> DiskFile {
        let flags =
            switch access {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        let number = retrying { Int(Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)) }
        guard number >= 0 else { throw failure("open", path) }
        return DiskFile(number: Int32(number))
    }

    package func close(_ file: DiskFile) { _ = Glibc.close(file.number) }

    package func size(_ file: DiskFile) throws(DiskError) -> UInt64 {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw failure("fstat", path(of: file)) }
        return UInt64(status.st_size)
    }

    package func read(
        _ file: DiskFile, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(DiskError) -> Int {
        let count = retrying { pread(file.number, buffer.baseAddress, buffer.count, Int(offset)) }
        guard count >= 0 else { throw failure("pread", path(of: file)) }
        return count
    }

    package func write(
        _ file: DiskFile, at offset: UInt64, from buffer: UnsafeRawBufferPointer
    ) throws(DiskError) -> Int {
        let count = retrying { pwrite(file.number, buffer.baseAddress, buffer.count, Int(offset)) }
        guard count >= 0 else { throw failure("pwrite", path(of: file)) }
        return count
    }

    package func allocate(_ file: DiskFile, at offset: UInt64, count: Int) throws(DiskError) {
        let result = retrying { Int(CLinux_fallocate(file.number, 0, Int(offset), Int(count))) }
        // A file system without fallocate shows a full disk at the write of the zeros.
        guard result == 0 || errno == EOPNOTSUPP || errno == ENOSYS else {
            throw failure("fallocate", path(of: file))
        }
    }

    package func sync(_ file: DiskFile) throws(DiskError) {
        // Not retried, not even after EINTR: what a failed sync left behind is not known.
        guard fdatasync(file.number) == 0 else { throw failure("fdatasync", path(of: file)) }
    }

    package func forget(_ file: DiskFile) {
        // Advice: where the system does not take it, it goes on as before.
        _ = posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED)
    }

    package func truncate(_ file: DiskFile, to length: UInt64) throws(DiskError) {
        guard retrying({ Int(ftruncate(file.number, Int(length))) }) == 0 else {
            throw failure("ftruncate", path(of: file))
        }
    }

    package func list(_ directory: String) throws(DiskError) -> [String] {
        guard let stream = opendir(directory) else { throw failure("opendir", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw failure("readdir", directory) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    package func makeDirectory(_ path: String) throws(DiskError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("mkdir", path) }
    }

    package func rename(_ source: String, to target: String) throws(DiskError) {
        guard Glibc.rename(source, target) == 0 else { throw failure("rename", target) }
    }

    package func remove(_ path: String) throws(DiskError) {
        guard unlink(path) == 0 else { throw failure("unlink", path) }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        let number = retrying { Int(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) }
        guard number >= 0 else { throw failure("open", path) }
        defer { _ = Glibc.close(Int32(number)) }
        guard fsync(Int32(number)) == 0 else { throw failure("fsync", path) }
    }

    package func room(at path: String) throws(DiskError) -> DiskRoom? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw failure("statvfs", path) }
        let block = UInt64(status.f_frsize)
        func bytes(_ blocks: UInt64) -> Int {
            let (product, overflow) = blocks.multipliedReportingOverflow(by: block)
            return overflow ? .max : Int(clamping: product)
        }
        return DiskRoom(totalBytes: bytes(UInt64(status.f_blocks)), freeBytes: bytes(UInt64(status.f_bavail)))
    }

    package func overwriting(in directory: String) throws(DiskError) -> Overwriting {
        var magic: UInt32 = 0
        guard CLinux_file_system(directory, &magic) == 0 else { throw failure("statfs", directory) }
        switch magic {
        case Self.btrfs:
            let number = retrying { Int(Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) }
            guard number >= 0 else { throw failure("open", directory) }
            defer { _ = Glibc.close(Int32(number)) }
            return CLinux_set_no_copy_on_write(Int32(number)) == 0 ? .inPlace : .allocates
        case Self.zfs, Self.bcachefs: return .allocates
        default: return .inPlace
        }
    }

    /// `statfs(2)`, f_type.
    private static let btrfs: UInt32 = 0x9123_683E
    private static let zfs: UInt32 = 0x2FC1_2FC1
    private static let bcachefs: UInt32 = 0xCA45_1A4E
}

extension JournalError {
    /// A failed call as the journal's error.
    init(_ error: DiskError) {
        switch error.errno {
        case EROFS, EACCES, EPERM: self = .readOnly(path: error.path)
        default: self = .io(operation: error.operation, path: error.path, errno: error.errno)
        }
    }
}

extension JournalError {
    /// Runs file operations and throws what goes wrong as the journal's error.
    static func wrapping<Value: ~Copyable>(
        _ body: () throws(DiskError) -> Value
    ) throws(JournalError) -> Value {
        do throws(DiskError) {
            return try body()
        } catch {
            throw JournalError(error)
        }
    }
}

extension DiskError {
    /// Whether more space would make the call succeed.
    var isFull: Bool { errno == ENOSPC || errno == EDQUOT }

    /// Whether the same call may succeed later without anybody looking at the disk: no space, no descriptor, no memory.
    /// Never for a sync: what a failed one left behind is not known.
    var isPassing: Bool {
        guard !isSync else { return false }
        return isFull || errno == EMFILE || errno == ENFILE || errno == ENOMEM
    }

    /// Whether a sync failed, which is final.
    var isSync: Bool { operation == "fdatasync" || operation == "fsync" }

    /// Whether something lies there already.
    var isExisting: Bool { errno == EEXIST }
}
