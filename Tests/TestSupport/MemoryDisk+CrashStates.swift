/// What a power cut may leave, built from the log of a `ProbedDisk`.
///
/// The cut comes behind some call. What was synced before it is there. Of each change that was not synced, the state has
/// all, nothing, the first 1, 512 or 4,096 bytes, some of its sectors, or zeros of its length; changes of names are there
/// or not. No order among them is kept.
package struct CrashStates {
    /// Which syncs count: all of them, or, to see that the judge notices, not all.
    package enum Syncing: Sendable {
        case honest
        /// Syncs of files do nothing.
        case ignoresFiles
        /// Syncs of directories do nothing.
        case ignoresDirectories
    }

    /// Which states are made at each place.
    package enum Choosing: Sendable {
        /// All subsets up to `exhaustiveLimit` changes, and each change torn in every way.
        case everything
        /// So many by chance.
        case random(Int)
    }

    /// One disk after a cut.
    package struct Remains {
        /// How many logged changes had been made.
        package let point: Int
        /// By path.
        package let files: [String: [UInt8]]
        /// All that were made up to there.
        package let directories: Set<String>
        /// What was chosen, data first, names behind.
        fileprivate let chosen: [Choice]

        /// What was chosen, for a failing test to print.
        package var choices: String { "at \(point): \(chosen)" }

        /// The disk, ready to be opened.
        package func mounted(seed: UInt64) -> MemoryDisk {
            let disk = MemoryDisk(seed: seed)
            for directory in directories { try? disk.makeDirectory(directory) }
            for (path, bytes) in files { disk.overwrite(path, with: bytes) }
            return disk
        }

        /// Tells states apart within one process.
        package let fingerprint: Int
    }

    fileprivate enum Choice {
        case kept
        case dropped
        case torn(Int)
        case zeros
        /// The sectors that these bits name, over and over.
        case sectors(UInt64)
    }

    /// What the last call added to what is not durable.
    private enum Newest {
        case data
        case name
        case nothing
    }

    private struct NameChange {
        var directory: String
        var link: (path: String, file: Int)?
        var unlink: String?
    }

    /// Changes at one place up to which all subsets are made.
    package static let exhaustiveLimit = 10
    private static let tears = [1, 512, 4_096]

    private let log: [DiskOperation]
    private let syncing: Syncing
    private let choosing: Choosing
    private var generator: SeededGenerator
    private var point = 0
    private var directories: Set<String>
    /// What is durable: contents by file, files by path.
    private var contents: [Int: [UInt8]] = [:]
    private var hashes: [Int: Int] = [:]
    private var names: [String: Int] = [:]
    /// What programs see.
    private var linked: [String: Int] = [:]
    private var pendingData: [(file: Int, operation: DiskOperation)] = []
    private var pendingNames: [NameChange] = []

    /// - Parameter seed: decides what is made by chance.
    package init(of disk: ProbedDisk, syncing: Syncing = .honest, choosing: Choosing, seed: UInt64) {
        log = disk.log
        self.syncing = syncing
        self.choosing = choosing
        generator = SeededGenerator(seed: seed)
        directories = ["/data"]
        for (number, path) in disk.base.keys.sorted().enumerated() {
            contents[number] = disk.base[path]
            hashes[number] = Self.hash(disk.base[path] ?? [])
            names[path] = number
            // Whatever the base holds, its directories are there.
            var directory = MemoryDisk.directory(of: path)
            while !directory.isEmpty {
                directories.insert(directory)
                directory = MemoryDisk.directory(of: directory)
            }
        }
        linked = names
    }

    /// Calls `body` with every state, from the first call to the last, until it says no.
    ///
    /// - Parameter share: of `share.of` callers each gets the states behind other calls.
    package mutating func forEach(share: (number: Int, of: Int) = (0, 1), _ body: (Remains) throws -> Bool) rethrows {
        while point < log.count {
            let open = (pendingData.count, pendingNames.count)
            take(log[point])
            point += 1
            // States without the newest change were made at the call before.
            let newest: Newest =
                pendingData.count > open.0 ? .data : pendingNames.count > open.1 ? .name : .nothing
            guard point % share.of == share.number || point == log.count else { continue }
            guard try states(newest, body) else { return }
        }
    }

    private mutating func take(_ operation: DiskOperation) {
        switch operation {
        case .makeDirectory(let path): directories.insert(path)
        case .create(let path, let file):
            contents[file] = contents[file] ?? []
            hashes[file] = hashes[file] ?? Self.hash([])
            linked[path] = file
            pendingNames.append(NameChange(directory: MemoryDisk.directory(of: path), link: (path, file)))
        case .rename(let source, let target):
            guard let file = linked.removeValue(forKey: source) else { return }
            linked[target] = file
            pendingNames.append(
                NameChange(directory: MemoryDisk.directory(of: target), link: (target, file), unlink: source))
        case .remove(let path):
            linked[path] = nil
            pendingNames.append(NameChange(directory: MemoryDisk.directory(of: path), unlink: path))
        case .write(let file, _, _), .grow(let file, _), .truncate(let file, _): pendingData.append((file, operation))
        case .sync(let file):
            guard syncing != .ignoresFiles else { return }
            for change in pendingData where change.file == file { apply(change.operation, .kept, file, &contents) }
            pendingData.removeAll { $0.file == file }
            hashes[file] = Self.hash(contents[file] ?? [])
        case .syncDirectory(let path):
            guard syncing != .ignoresDirectories else { return }
            for change in pendingNames where change.directory == path { Self.apply(change, &names) }
            pendingNames.removeAll { $0.directory == path }
        }
        forgetUnreachable()
    }

    /// Changes of files that no state can name any more make no difference.
    private mutating func forgetUnreachable() {
        guard !pendingData.isEmpty else { return }
        var reachable = Set(names.values)
        for change in pendingNames { if let link = change.link { reachable.insert(link.file) } }
        pendingData.removeAll { !reachable.contains($0.file) }
    }

    private static func apply(_ change: NameChange, _ names: inout [String: Int]) {
        if let source = change.unlink { names[source] = nil }
        if let link = change.link { names[link.path] = link.file }
    }

    private func apply(
        _ operation: DiskOperation, _ choice: Choice, _ file: Int, _ contents: inout [Int: [UInt8]]
    ) {
        if case .dropped = choice { return }
        guard var bytes = contents.removeValue(forKey: file) else { return }
        defer { contents[file] = bytes }
        switch operation {
        case .grow(_, let length): Self.extend(&bytes, to: length)
        case .truncate(_, let length): if bytes.count > length { bytes.removeLast(bytes.count - length) }
        case .write(_, let offset, let new):
            switch choice {
            case .dropped: break
            case .kept: Self.put(new[...], at: offset, &bytes)
            case .torn(let count): Self.put(new.prefix(count), at: offset, &bytes)
            case .zeros: Self.extend(&bytes, to: offset + new.count)
            case .sectors(let mask):
                Self.extend(&bytes, to: offset + new.count)
                var start = 0
                while start < new.count {
                    let end = min(new.count, (offset + start) / 512 * 512 + 512 - offset)
                    if mask >> UInt64(((offset + start) / 512) % 61) & 1 == 1 {
                        Self.put(new[start..<end], at: offset + start, &bytes)
                    }
                    start = end
                }
            }
        default: break
        }
    }

    private static func hash(_ bytes: [UInt8]) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    private static func extend(_ bytes: inout [UInt8], to count: Int) {
        if bytes.count < count { bytes.append(contentsOf: [UInt8](repeating: 0, count: count - bytes.count)) }
    }

    private static func put(_ new: ArraySlice<UInt8>, at offset: Int, _ bytes: inout [UInt8]) {
        extend(&bytes, to: offset + new.count)
        bytes.replaceSubrange(offset..<(offset + new.count), with: new)
    }
}

extension CrashStates {
    private mutating func states(_ newest: Newest, _ body: (Remains) throws -> Bool) rethrows -> Bool {
        let count = pendingData.count + pendingNames.count
        let kept: Int? =
            switch newest {
            case .data: pendingData.count - 1
            case .name: count - 1
            case .nothing: nil
            }
        switch choosing {
        case .random(let tries):
            // Without data of several sectors there are few states, and `everything` makes them.
            let isRich = pendingData.contains {
                if case .write(_, _, let bytes) = $0.operation { bytes.count > 1_024 } else { false }
            }
            for _ in 0..<(isRich ? tries : 0) {
                let choices = (0..<count).map { _ in randomChoice() }
                guard try body(remains(choices)) else { return false }
            }
        case .everything:
            if count <= Self.exhaustiveLimit {
                for subset in 0..<(1 << count) where kept.map({ subset >> $0 & 1 == 1 }) ?? true {
                    let choices = (0..<count).map { subset >> $0 & 1 == 1 ? Choice.kept : .dropped }
                    guard try body(remains(choices)) else { return false }
                }
            }
            for index in pendingData.indices where kept.map({ $0 == index }) ?? true {
                for tear in Self.tears.map(Choice.torn) + [.zeros] {
                    for others in [Choice.kept, .dropped] {
                        var choices = [Choice](repeating: others, count: count)
                        choices[index] = tear
                        guard try body(remains(choices)) else { return false }
                    }
                }
            }
        }
        return true
    }

    private mutating func randomChoice() -> Choice {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<7: .kept
        case 7..<12: .dropped
        case 12..<15: .torn(Self.tears[Int.random(in: 0..<Self.tears.count, using: &generator)])
        case 15: .zeros
        default: .sectors(generator.next())
        }
    }

    /// Data first, names behind, as `choices` counts them. A change of names is there unless it was dropped.
    private func remains(_ choices: [Choice]) -> Remains {
        var contents = contents
        var hashes = hashes
        for (index, change) in pendingData.enumerated() {
            if case .dropped = choices[index] { continue }
            apply(change.operation, choices[index], change.file, &contents)
            hashes[change.file] = nil
        }
        var names = names
        for (index, change) in pendingNames.enumerated() {
            if case .dropped = choices[pendingData.count + index] { continue }
            Self.apply(change, &names)
        }
        var hasher = Hasher()
        for (path, file) in names.sorted(by: { $0.key < $1.key }) {
            hasher.combine(path)
            hasher.combine(hashes[file] ?? Self.hash(contents[file] ?? []))
        }
        return Remains(
            point: point, files: names.compactMapValues { contents[$0] }, directories: directories,
            chosen: choices, fingerprint: hasher.finalize())
    }
}
