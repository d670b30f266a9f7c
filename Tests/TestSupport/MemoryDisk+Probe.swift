import Glibc
package import Journal
import Synchronization

/// A call that changed a disk. Files have numbers of their own, which stay when they are renamed.
package enum DiskOperation: Sendable {
    /// Durable at once, as in `MemoryDisk`.
    case makeDirectory(String)
    case create(path: String, file: Int)
    case rename(source: String, target: String)
    case remove(String)
    case write(file: Int, offset: Int, bytes: [UInt8])
    /// The file has this length at least; new bytes are zero.
    case grow(file: Int, to: Int)
    case truncate(file: Int, to: Int)
    case sync(file: Int)
    case syncDirectory(String)
}

/// A `MemoryDisk` that numbers all calls, writes down those that change something, and lets one of them fail.
package final class ProbedDisk: Disk {
    /// What happens at the chosen call.
    package enum Fault: Sendable, Equatable {
        /// It fails and does nothing.
        case error(Int32)
        /// A write does its first half and fails then; any other call as `error`.
        case halfway(Int32)
        /// A read or write does one byte of what it was asked to, and says so; when it is sticky, later ones do half.
        case short
    }

    struct State {
        var log: [DiskOperation] = []
        var calls: [String] = []
        var numbers: [String: Int] = [:]
        var open: [Int32: Int] = [:]
        var nextFile = 0
        var fault: (call: Int, fault: Fault, isSticky: Bool)?
        var hits: [String] = []
        var hasFailedSync = false
        var keepsLog = true
    }

    /// The disk behind it.
    package let disk: MemoryDisk
    /// What was on it at the beginning. These files have the first numbers, in the order of their paths.
    package let base: [String: [UInt8]]
    private let state: Mutex<State>

    /// - Parameter keepsLog: whether changing calls are written down, with their bytes.
    package init(_ disk: MemoryDisk, keepsLog: Bool) {
        self.disk = disk
        base = keepsLog ? disk.files : [:]
        var state = State(keepsLog: keepsLog)
        for path in base.keys.sorted() {
            state.numbers[path] = state.nextFile
            state.nextFile += 1
        }
        self.state = Mutex(state)
    }

    /// Everything that changed something, in order.
    package var log: [DiskOperation] { state.withLock { $0.log } }
    /// How many changing calls there were.
    package var logCount: Int { state.withLock { $0.log.count } }
    /// The names of all calls, in order; closing is none.
    package var calls: [String] { state.withLock { $0.calls } }
    /// The calls that the fault met.
    package var hits: [String] { state.withLock { $0.hits } }
    /// Whether a sync was among the calls that failed.
    package var hasFailedSync: Bool { state.withLock { $0.hasFailedSync } }

    /// Call number `call`, from 0, fails; when it is sticky, every call of its name from there on.
    package func plan(_ fault: Fault, at call: Int, isSticky: Bool) {
        state.withLock { $0.fault = (call, fault, isSticky) }
    }

    /// Counts a call; returns the fault that meets it.
    private func enter(_ name: String) -> Fault? {
        state.withLock { state in
            defer { state.calls.append(name) }
            guard let planned = state.fault else { return nil }
            if planned.fault == .short, name != "pread", name != "pwrite" { return nil }
            let isChosen = state.calls.count == planned.call
            let isLater = planned.isSticky && state.calls.count > planned.call && name == (state.hits.first ?? name)
            guard isChosen || isLater else { return nil }
            state.hits.append(name)
            if name == "fdatasync" || name == "fsync" { state.hasFailedSync = true }
            return planned.fault
        }
    }

    /// How much of `count` bytes a short call does.
    private func short(_ count: Int) -> Int {
        state.withLock { $0.hits.count > 1 ? (count + 1) / 2 : min(1, count) }
    }

    private func check(_ name: String, _ path: String) throws(DiskError) {
        switch enter(name) {
        case .error(let number), .halfway(let number): throw DiskError(operation: name, path: path, errno: number)
        case .short, nil: return
        }
    }

    private func note(_ make: (inout State) -> DiskOperation?) {
        state.withLock { state in
            guard state.keepsLog, let operation = make(&state) else { return }
            state.log.append(operation)
        }
    }

    package func open(_ path: String, _ access: DiskAccess) throws(DiskError) -> DiskFile {
        try check("open", path)
        let file = try disk.open(path, access)
        var isNew = false
        if case .create = access { isNew = true }
        note { state in
            if isNew {
                state.numbers[path] = state.nextFile
                state.nextFile += 1
            }
            state.open[file.number] = state.numbers[path]
            return isNew ? state.numbers[path].map { .create(path: path, file: $0) } : nil
        }
        return file
    }

    package func close(_ file: DiskFile) {
        disk.close(file)
        note { state in
            state.open[file.number] = nil
            return nil
        }
    }

    package func size(_ file: DiskFile) throws(DiskError) -> UInt64 {
        try check("fstat", "")
        return try disk.size(file)
    }

    package func read(
        _ file: DiskFile, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(DiskError) -> Int {
        switch enter("pread") {
        case .error(let number), .halfway(let number): throw DiskError(operation: "pread", path: "", errno: number)
        case .short:
            return try disk.read(file, at: offset, into: .init(rebasing: buffer[..<short(buffer.count)]))
        case nil: return try disk.read(file, at: offset, into: buffer)
        }
    }

    package func write(
        _ file: DiskFile, at offset: UInt64, from buffer: UnsafeRawBufferPointer
    ) throws(DiskError) -> Int {
        switch enter("pwrite") {
        case .error(let number): throw DiskError(operation: "pwrite", path: "", errno: number)
        case .halfway(let number):
            if buffer.count > 1 { _ = try put(file, offset, .init(rebasing: buffer[..<(buffer.count / 2)])) }
            throw DiskError(operation: "pwrite", path: "", errno: number)
        case .short: return try put(file, offset, .init(rebasing: buffer[..<short(buffer.count)]))
        case nil: return try put(file, offset, buffer)
        }
    }

    private func put(_ file: DiskFile, _ offset: UInt64, _ buffer: UnsafeRawBufferPointer) throws(DiskError) -> Int {
        let count = try disk.write(file, at: offset, from: buffer)
        note { state in
            state.open[file.number].map {
                .write(file: $0, offset: Int(offset), bytes: Array(buffer[..<count]))
            }
        }
        return count
    }

    package func allocate(_ file: DiskFile, at offset: UInt64, count: Int) throws(DiskError) {
        try check("fallocate", "")
        try disk.allocate(file, at: offset, count: count)
        note { state in state.open[file.number].map { .grow(file: $0, to: Int(offset) + count) } }
    }

    package func sync(_ file: DiskFile) throws(DiskError) {
        do throws(DiskError) {
            try check("fdatasync", "")
        } catch {
            // What a failed sync did not write counts as clean afterwards: a second sync does not bring it back.
            disk.forgetUnsynced(file)
            throw error
        }
        try disk.sync(file)
        note { state in state.open[file.number].map { .sync(file: $0) } }
    }

    package func forget(_ file: DiskFile) { disk.forget(file) }

    package func truncate(_ file: DiskFile, to length: UInt64) throws(DiskError) {
        try check("ftruncate", "")
        try disk.truncate(file, to: length)
        note { state in state.open[file.number].map { .truncate(file: $0, to: Int(length)) } }
    }

    package func list(_ directory: String) throws(DiskError) -> [String] {
        try check("opendir", directory)
        return try disk.list(directory)
    }

    package func makeDirectory(_ path: String) throws(DiskError) {
        try check("mkdir", path)
        try disk.makeDirectory(path)
        note { _ in .makeDirectory(path) }
    }

    package func rename(_ source: String, to target: String) throws(DiskError) {
        try check("rename", target)
        try disk.rename(source, to: target)
        note { state in
            state.numbers[target] = state.numbers.removeValue(forKey: source)
            return .rename(source: source, target: target)
        }
    }

    package func remove(_ path: String) throws(DiskError) {
        try check("unlink", path)
        try disk.remove(path)
        note { state in
            state.numbers[path] = nil
            return .remove(path)
        }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        try check("fsync", path)
        try disk.syncDirectory(path)
        note { _ in .syncDirectory(path) }
    }
}
