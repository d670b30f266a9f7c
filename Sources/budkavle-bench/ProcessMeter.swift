import Glibc

/// CPU time and memory of a process, from `/proc`.
enum ProcessMeter {
    /// User and system time of all threads, in seconds; nil if there is no such process.
    static func cpuSeconds(of process: Int32) -> Double? {
        guard let text = text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        // Behind the name: state is field 3, utime 14, stime 15.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident memory in bytes.
    static func residentBytes(of process: Int32) -> Int? {
        guard let text = text("/proc/\(process)/statm"), let pages = text.split(separator: " ").dropFirst().first,
            let count = Int(pages)
        else { return nil }
        return count * sysconf(Int32(_SC_PAGESIZE))
    }

    /// CPU time of this process, in seconds.
    static func ownCPUSeconds() -> Double { Double(Nanoseconds.now(CLOCK_PROCESS_CPUTIME_ID)) / 1_000_000_000 }

    /// Files below /proc are made when they are read: no disk is waited for.
    private static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
