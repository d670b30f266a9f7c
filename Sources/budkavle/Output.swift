import Console
import Foundation

/// The two streams of the command line: data on stdout, talk on stderr.
enum Output {
    /// Writes one line of data.
    ///
    /// - Throws: `CommandFailure` with 74 when stdout takes no more.
    static func put(_ line: String) throws(CommandFailure) { try write(line, to: STDOUT_FILENO) }

    /// Writes lines of data.
    static func put(_ lines: [String]) throws(CommandFailure) {
        if !lines.isEmpty { try put(lines.joined(separator: "\n")) }
    }

    /// Says something to the person; if nobody listens, so be it.
    static func tell(_ line: String) { try? write(line, to: STDERR_FILENO) }

    /// Takes the place of standard streams that are closed, so that no socket that is opened later gets their numbers: what is
    /// printed would go there.
    static func holdStreams() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDWR)]
        where fcntl(descriptor, F_GETFD) < 0 { _ = open("/dev/null", mode) }
    }

    private static func write(_ line: String, to descriptor: Int32) throws(CommandFailure) {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = Interruption.repeating {
                rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            }
            guard count > 0 else { throw CommandFailure(.inputOutput) }
            rest = rest.dropFirst(count)
        }
    }

    /// Columns of the terminal behind stdout: `COLUMNS`, then the terminal's own word, then 80.
    static var width: Int {
        if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text), columns > 0 {
            return min(columns, 1_000)
        }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}

/// A system call that a caught signal interrupts before it has done anything.
enum Interruption {
    /// How often one call is repeated; then `EINTR` is an error like any other. No signal of ours comes so often.
    static let most = 1_000

    /// What `call` returns when it is not interrupted; -1 with `errno` for an error.
    static func repeating(_ call: () -> Int) -> Int {
        for _ in 0..<most {
            let count = call()
            if count >= 0 || errno != EINTR { return count }
        }
        return call()
    }
}

/// What a command reads.
enum Input {
    /// The most that is read: a notification's limit and one byte, so that a longer one is told apart.
    static let limitBytes = 256 * 1024

    /// The bytes of a file, or of stdin for `-`.
    ///
    /// - Throws: 64 for stdin on a terminal, 65 when it is too long, 66 when it cannot be read.
    static func bytes(
        of name: String, _ console: Surroundings, limit: Int = limitBytes
    ) throws(CommandFailure) -> [UInt8] {
        let descriptor: Int32
        if name == "-" {
            if isatty(STDIN_FILENO) == 1 {
                throw CommandFailure(
                    .usage, "budkavle: - reads stdin, which is a terminal here; name a file or pipe one in")
            }
            descriptor = STDIN_FILENO
        } else {
            descriptor = open(name, O_RDONLY | O_CLOEXEC)
            if descriptor < 0 { throw unreadable(name, console) }
        }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while result.count <= limit {
            let count = Interruption.repeating {
                buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            }
            if count == 0 { return result }
            guard count > 0 else { throw unreadable(name, console) }
            result += buffer[..<count]
        }
        throw CommandFailure(.inputInvalid, console.text(.sentRefused(code: "too-large", path: "")))
    }

    private static func unreadable(_ name: String, _ console: Surroundings) -> CommandFailure {
        let reason = String(cString: strerror(errno))
        return CommandFailure(.inputMissing, "\(console.text(.inputMissing(Sanitizer.line(name)))): \(reason)")
    }
}
