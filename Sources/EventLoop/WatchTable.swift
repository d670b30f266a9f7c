/// Who listens to which descriptor, with the generation that tells a reused number from the old one.
struct WatchTable {
    private struct Entry {
        var generation: UInt32 = 0
        var handler: ((Readiness) -> Void)?
    }

    /// By descriptor: the kernel hands out the lowest free number, so the table is as long as the process has files.
    private var entries: [Entry] = []
    private(set) var count = 0

    /// Takes the descriptor in; nil when it has a watch.
    mutating func insert(_ descriptor: Int32, _ handler: @escaping (Readiness) -> Void) -> Watch? {
        let index = Int(descriptor)
        while entries.count <= index { entries.append(Entry()) }
        guard entries[index].handler == nil else { return nil }
        entries[index].generation &+= 1
        entries[index].handler = handler
        count += 1
        return Watch(descriptor: descriptor, generation: entries[index].generation)
    }

    /// The handler of a watch, nil when that watch has ended.
    func handler(of watch: Watch) -> ((Readiness) -> Void)? {
        let index = Int(watch.descriptor)
        guard entries.indices.contains(index), entries[index].generation == watch.generation else { return nil }
        return entries[index].handler
    }

    /// Ends a watch. The handler comes back so that it is let go outside of any access to the table.
    mutating func remove(_ watch: Watch) -> ((Readiness) -> Void)? {
        guard let handler = handler(of: watch) else { return nil }
        entries[Int(watch.descriptor)].handler = nil
        count -= 1
        return handler
    }

    mutating func removeAll() -> [(Readiness) -> Void] {
        defer {
            entries = []
            count = 0
        }
        return entries.compactMap(\.handler)
    }
}
