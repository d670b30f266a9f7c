import Glibc
package import Journal
import Synchronization

extension MemoryDisk.State {
    mutating func failure(_ call: MemoryDisk.Call) -> Int32? {
        counts[call, default: 0] += 1
        guard let planned = failures[call] else { return nil }
        if planned.after > 0 {
            failures[call]?.after -= 1
            return nil
        }
        if !planned.forever { failures[call] = nil }
        return planned.errno
    }

    func inode(_ file: DiskFile) throws -> MemoryDisk.Inode {
        guard let inode = open[file.number] else { throw DiskError(operation: "use", path: "", errno: EBADF) }
        return inode
    }

    func extend(_ inode: MemoryDisk.Inode, to count: Int, operation: String) throws {
        guard count > inode.bytes.count else { return }
        if let capacity {
            let used = names.values.reduce(0) { $0 + $1.bytes.count }
            guard used + count - inode.bytes.count <= capacity else {
                throw DiskError(operation: operation, path: "", errno: ENOSPC)
            }
        }
        inode.bytes.append(contentsOf: [UInt8](repeating: 0, count: count - inode.bytes.count))
    }

    mutating func change(_ directory: String, _ change: MemoryDisk.NameChange) {
        Self.apply(change, to: &names)
        pendingNames.append((directory, change))
    }

    static func apply(_ change: MemoryDisk.NameChange, to names: inout [String: MemoryDisk.Inode]) {
        switch change {
        case .link(let path, let inode): names[path] = inode
        case .unlink(let path): names[path] = nil
        }
    }
}

extension MemoryDisk {
    /// The power goes. Open files are gone, and of what was not synced the seed decides.
    package func crash() {
        box.withLock { box in
            var state = box.state
            let kept = Int.random(in: 0...state.pendingNames.count, using: &state.generator)
            for (_, change) in state.pendingNames.prefix(kept) { State.apply(change, to: &state.durableNames) }
            state.pendingNames = []
            for path in state.durableNames.keys.sorted() {
                guard let inode = state.durableNames[path] else { continue }
                var bytes = inode.durable
                if inode.bytes.count != bytes.count, Bool.random(using: &state.generator) {
                    let length = inode.bytes.count
                    if length < bytes.count { bytes.removeLast(bytes.count - length) }
                    bytes.append(contentsOf: repeatElement(0, count: length - bytes.count))
                }
                for sector in Set(inode.dirty.joined()).sorted() where Bool.random(using: &state.generator) {
                    let end = min(sector * 512 + 512, inode.bytes.count, bytes.count)
                    guard sector * 512 < end else { continue }
                    bytes.replaceSubrange((sector * 512)..<end, with: inode.bytes[(sector * 512)..<end])
                }
                let survivor = Inode()
                survivor.bytes = bytes
                survivor.durable = bytes
                state.durableNames[path] = survivor
            }
            state.names = state.durableNames
            state.open = [:]
            state.failures = [:]
            box.state = state
        }
    }

    /// Makes a call fail: after so many good ones, once or from then on.
    package func fail(_ call: Call, after count: Int = 0, errno: Int32, forever: Bool = false) {
        box.withLock { $0.state.failures[call] = (count, errno, forever) }
    }

    /// What was not synced counts as clean from now on, though it is not durable: what a failed sync leaves.
    package func forgetUnsynced(_ file: DiskFile) {
        box.withLock { box in
            guard let inode = box.state.open[file.number] else { return }
            inode.matchDurableLength()
            inode.dirty = []
        }
    }

    /// What is clean is read from the platter again.
    package func forget(_ file: DiskFile) {
        box.withLock { box in
            guard let inode = box.state.open[file.number], inode.dirty.isEmpty else { return }
            inode.matchDurableLength()
            if inode.bytes != inode.durable { inode.bytes = inode.durable }
        }
    }

    /// Takes planned failures back.
    package func heal() { box.withLock { $0.state.failures = [:] } }

    /// Bytes that all files together may take; nil for no limit.
    package func limit(to capacity: Int?) { box.withLock { $0.state.capacity = capacity } }

    /// Lets writes do less than they were asked to.
    package func writeShort() { box.withLock { $0.state.hasShortWrites = true } }

    /// From now on syncs of files do nothing and report success.
    package func lie() { box.withLock { $0.state.isLying = true } }

    /// Flips one bit of a file, on the platter and in what programs read.
    package func rot(_ path: String, byte: Int, bit: UInt8) {
        box.withLock { box in
            guard let inode = box.state.names[path], byte < inode.bytes.count else { return }
            inode.bytes[byte] ^= 1 << bit
            if byte < inode.durable.count { inode.durable[byte] ^= 1 << bit }
        }
    }

    /// How often a call was made.
    package func count(_ call: Call) -> Int { box.withLock { $0.state.counts[call] ?? 0 } }

    /// All files with their bytes, as programs see them.
    package var files: [String: [UInt8]] { box.withLock { $0.state.names.mapValues(\.bytes) } }

    /// Bytes that all files take.
    package var used: Int { files.values.reduce(0) { $0 + $1.count } }

    /// Puts bytes into a file behind the journal's back.
    package func overwrite(_ path: String, with bytes: [UInt8]) {
        box.withLock { box in
            let inode = Inode()
            inode.bytes = bytes
            inode.durable = bytes
            box.state.names[path] = inode
            box.state.durableNames[path] = inode
        }
    }

    /// Takes a file away.
    package func delete(_ path: String) {
        box.withLock { box in
            box.state.names[path] = nil
            box.state.durableNames[path] = nil
        }
    }

    /// Another disk with the same files, as a backup or a clone has them.
    package func clone(seed: UInt64) -> MemoryDisk {
        let copy = MemoryDisk(seed: seed)
        let (files, directories) = box.withLock { ($0.state.names.mapValues(\.bytes), $0.state.directories) }
        copy.box.withLock { $0.state.directories = directories }
        for (path, bytes) in files { copy.overwrite(path, with: bytes) }
        return copy
    }
}
