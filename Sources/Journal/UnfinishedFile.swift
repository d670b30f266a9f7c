/// A file that nobody reads before it is whole: written under a temporary name, synced, renamed, its directory synced.
///
/// Whatever goes wrong, what had the final name before still has it; the temporary file is removed by `cancel`, at the next
/// attempt or at the next start. One owner.
struct UnfinishedFile {
    private let disk: any Disk
    private let directory: String
    private let temporary: String
    private let file: DiskFile
    private var position: UInt64 = 0
    private(set) var isOpen = true

    /// Makes the temporary file; one that an earlier attempt left goes first.
    init(directory: String, temporaryName: String, disk: any Disk) throws(JournalError) {
        self.disk = disk
        self.directory = directory
        temporary = directory + "/" + temporaryName
        let path = temporary
        try? disk.remove(path)
        file = try JournalError.wrapping { () throws(DiskError) in try disk.open(path, .create) }
    }

    /// Writes behind what was written before.
    mutating func append(_ bytes: [UInt8]) throws(JournalError) {
        precondition(isOpen, "this file is finished")
        let (disk, file, offset) = (disk, file, position)
        try JournalError.wrapping { () throws(DiskError) in try disk.writeAll(file, at: offset, bytes) }
        position += UInt64(bytes.count)
    }

    /// Makes it durable under its name.
    mutating func finish(as name: String) throws(JournalError) {
        precondition(isOpen, "this file is finished")
        let (disk, file, directory) = (disk, file, directory)
        let (source, target) = (temporary, directory + "/" + name)
        try JournalError.wrapping { () throws(DiskError) in
            try disk.sync(file)
            try disk.rename(source, to: target)
            try disk.syncDirectory(directory)
        }
        isOpen = false
        disk.close(file)
    }

    /// Gives up: the temporary file goes. Does nothing after `finish`.
    mutating func cancel() {
        guard isOpen else { return }
        isOpen = false
        disk.close(file)
        try? disk.remove(temporary)
    }
}
