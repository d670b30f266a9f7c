import Glibc
package import Journal
import Synchronization

/// A disk in memory that keeps apart what was synced and what a power cut may take, and that fails on demand.
///
/// Directory operations become durable at `syncDirectory`; at a crash some prefix of the others survives. Of unsynced
/// writes each 512-byte sector survives or not, as the seed says.
package final class MemoryDisk: Disk {
    /// The calls that can be made to fail.
    package enum Call: Hashable, Sendable, CaseIterable {
        case open, read, write, allocate, sync, truncate, list, rename, remove, syncDirectory
    }

    final class Inode {
        var bytes: [UInt8] = []
        /// What a power cut leaves for certain.
        var durable: [UInt8] = []
        /// Sectors written since the last sync, as they came.
        var dirty: [Range<Int>] = []

        /// Cuts what is durable, or adds zeros, to the length that programs see.
        func matchDurableLength() {
            if durable.count > bytes.count { durable.removeLast(durable.count - bytes.count) }
            if durable.count < bytes.count {
                durable.append(contentsOf: [UInt8](repeating: 0, count: bytes.count - durable.count))
            }
        }
    }

    struct State {
        var generator: SeededGenerator
        var names: [String: Inode] = [:]
        var durableNames: [String: Inode] = [:]
        /// Directory operations since the last sync of their directory, in order.
        var pendingNames: [(directory: String, change: NameChange)] = []
        var directories: Set<String> = []
        var open: [Int32: Inode] = [:]
        var nextNumber: Int32 = 3
        var capacity: Int?
        var failures: [Call: (after: Int, errno: Int32, forever: Bool)] = [:]
        var counts: [Call: Int] = [:]
        var hasShortWrites = false
        /// Says of every sync that it was done, and does nothing.
        var isLying = false
    }

    enum NameChange {
        case link(String, Inode)
        case unlink(String)
    }

    /// SAFETY: `Inode` objects are reached through `state` only, under its lock.
    struct Box: @unchecked Sendable { var state: State }

    let box: Mutex<Box>

    /// - Parameter seed: decides what a crash takes and how short a write is.
    package init(seed: UInt64) {
        box = Mutex(Box(state: State(generator: SeededGenerator(seed: seed))))
    }

    func withState<Value>(_ call: Call?, _ path: String, _ body: (inout State) throws -> Value) throws(DiskError)
        -> Value
    {
        do {
            return try box.withLock { box in
                if let call, let number = box.state.failure(call) {
                    throw DiskError(operation: Self.name(call), path: path, errno: number)
                }
                return try body(&box.state)
            }
        } catch let error as DiskError {
            throw error
        } catch {
            throw DiskError(operation: "memory", path: path, errno: EIO)
        }
    }

    private static func name(_ call: Call) -> String {
        switch call {
        case .open: "open"
        case .read: "pread"
        case .write: "pwrite"
        case .allocate: "fallocate"
        case .sync: "fdatasync"
        case .truncate: "ftruncate"
        case .list: "opendir"
        case .rename: "rename"
        case .remove: "unlink"
        case .syncDirectory: "fsync"
        }
    }

    static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    package func open(_ path: String, _ access: DiskAccess) throws(DiskError) -> DiskFile {
        try withState(.open, path) { state in
            let inode: Inode
            if case .create = access {
                guard state.names[path] == nil else { throw DiskError(operation: "open", path: path, errno: EEXIST) }
                guard state.directories.contains(Self.directory(of: path)) else {
                    throw DiskError(operation: "open", path: path, errno: ENOENT)
                }
                inode = Inode()
                state.change(Self.directory(of: path), .link(path, inode))
            } else {
                guard let known = state.names[path] else {
                    throw DiskError(operation: "open", path: path, errno: ENOENT)
                }
                inode = known
            }
            defer { state.nextNumber += 1 }
            state.open[state.nextNumber] = inode
            return DiskFile(number: state.nextNumber)
        }
    }

    package func close(_ file: DiskFile) {
        box.withLock { $0.state.open[file.number] = nil }
    }

    package func size(_ file: DiskFile) throws(DiskError) -> UInt64 {
        try withState(nil, "") { UInt64(try $0.inode(file).bytes.count) }
    }

    package func read(
        _ file: DiskFile, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(DiskError) -> Int {
        try withState(.read, "") { state in
            let bytes = try state.inode(file).bytes
            guard offset < bytes.count else { return 0 }
            let count = min(buffer.count, bytes.count - Int(offset))
            bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[Int(offset)..<(Int(offset) + count)])) }
            return count
        }
    }

    package func write(
        _ file: DiskFile, at offset: UInt64, from buffer: UnsafeRawBufferPointer
    ) throws(DiskError) -> Int {
        try withState(.write, "") { state in
            let inode = try state.inode(file)
            var count = buffer.count
            if state.hasShortWrites, count > 1 { count = Int.random(in: 1...count, using: &state.generator) }
            try state.extend(inode, to: Int(offset) + count, operation: "pwrite")
            let start = Int(offset)
            inode.bytes.withUnsafeMutableBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + count)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            if count > 0 { inode.dirty.append((start / 512)..<((start + count + 511) / 512)) }
            return count
        }
    }

    package func allocate(_ file: DiskFile, at offset: UInt64, count: Int) throws(DiskError) {
        try withState(.allocate, "") { state in
            try state.extend(try state.inode(file), to: Int(offset) + count, operation: "fallocate")
        }
    }

    package func sync(_ file: DiskFile) throws(DiskError) {
        do throws(DiskError) { try syncWhole(file) } catch {
            forgetUnsynced(file)
            throw error
        }
    }

    private func syncWhole(_ file: DiskFile) throws(DiskError) {
        try withState(.sync, "") { state in
            let inode = try state.inode(file)
            guard !state.isLying else { return }
            // Only what changed is copied: the simulation syncs large files often.
            inode.matchDurableLength()
            for sectors in inode.dirty where sectors.lowerBound * 512 < inode.bytes.count {
                let range = (sectors.lowerBound * 512)..<min(sectors.upperBound * 512, inode.bytes.count)
                inode.durable.replaceSubrange(range, with: inode.bytes[range])
            }
            inode.dirty = []
        }
    }

    package func truncate(_ file: DiskFile, to length: UInt64) throws(DiskError) {
        try withState(.truncate, "") { state in
            let inode = try state.inode(file)
            if inode.bytes.count > Int(length) { inode.bytes.removeLast(inode.bytes.count - Int(length)) }
            // Behind a cut that is not durable yet lies what was there before: growing again must write over it.
            if inode.durable.count > Int(length) {
                inode.dirty.append((Int(length) / 512)..<((inode.durable.count + 511) / 512))
            }
        }
    }

    package func list(_ directory: String) throws(DiskError) -> [String] {
        try withState(.list, directory) { state in
            guard state.directories.contains(directory) else {
                throw DiskError(operation: "opendir", path: directory, errno: ENOENT)
            }
            let prefix = directory + "/"
            return state.names.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
                .filter { !$0.contains("/") }
        }
    }

    package func makeDirectory(_ path: String) throws(DiskError) {
        // Directories are durable at once: nothing in the journal depends on their being lost.
        try withState(nil, path) { _ = $0.directories.insert(path) }
    }

    package func rename(_ source: String, to target: String) throws(DiskError) {
        try withState(.rename, target) { state in
            guard let inode = state.names[source] else {
                throw DiskError(operation: "rename", path: source, errno: ENOENT)
            }
            state.change(Self.directory(of: target), .link(target, inode))
            state.change(Self.directory(of: source), .unlink(source))
        }
    }

    package func remove(_ path: String) throws(DiskError) {
        try withState(.remove, path) { state in
            guard state.names[path] != nil else { throw DiskError(operation: "unlink", path: path, errno: ENOENT) }
            state.change(Self.directory(of: path), .unlink(path))
        }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        try withState(.syncDirectory, path) { state in
            for (directory, change) in state.pendingNames where directory == path {
                State.apply(change, to: &state.durableNames)
            }
            state.pendingNames.removeAll { $0.directory == path }
        }
    }
}
