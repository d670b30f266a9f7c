import Foundation
import Glibc
import Testing

/// A child process whose output a test reads as it comes. It is killed by its process id when nobody holds it any more.
final class Child: Sendable {
    private let process: Process
    private let input: FileHandle
    private let ends: AsyncStream<Int32>
    /// Standard output; one reader.
    let output: AsyncStream<[UInt8]>
    /// Standard error; one reader.
    let errors: AsyncStream<[UInt8]>

    /// Starts `executable`; `environment` is added to this process's own.
    init(_ executable: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (standardInput, standardOutput, standardError) = (Pipe(), Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = standardError
        let (ends, ended) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            ended.yield(process.terminationStatus + (process.terminationReason == .exit ? 0 : 128))
            ended.finish()
        }
        try process.run()
        self.process = process
        self.ends = ends
        input = standardInput.fileHandleForWriting
        output = Self.read(standardOutput.fileHandleForReading)
        errors = Self.read(standardError.fileHandleForReading)
    }

    deinit { kill(process.processIdentifier, SIGKILL) }

    /// What a thread reads from `handle` until its end.
    private static func read(_ handle: FileHandle) -> AsyncStream<[UInt8]> {
        let (chunks, continuation) = AsyncStream<[UInt8]>.makeStream()
        Thread.detachNewThread {
            // FileHandle.read(upToCount:) would wait until the buffer is full.
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = Glibc.read(handle.fileDescriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                continuation.yield(Array(buffer[..<count]))
            }
            continuation.finish()
        }
        return chunks
    }

    /// Writes to standard input.
    func write(_ bytes: [UInt8]) throws { try input.write(contentsOf: Data(bytes)) }

    /// Ends standard input.
    func closeInput() throws { try input.close() }

    func send(signal number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the end: the exit status, or 128 + signal. Once.
    func end() async throws -> Int32 {
        for await status in ends { return status }
        throw Cancelled(what: "waiting for the end of \(process.executableURL?.lastPathComponent ?? "")")
    }

    /// Everything that a finished child has said.
    struct Outcome: Sendable, CustomStringConvertible {
        let status: Int32
        let output: String
        let errors: String
        var lines: [Substring] { output.split(separator: "\n") }
        var description: String { "status \(status)\n\(output)\(errors)" }
    }

    /// Runs a program to its end.
    static func run(
        _ executable: String, _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) async throws -> Outcome {
        let child = try Child(executable, arguments, environment: environment)
        async let output = text(of: child.output)
        async let errors = text(of: child.errors)
        // A program that ends without reading its input is no error here: its status tells.
        try? child.write(Array(input.utf8))
        try child.closeInput()
        let status = try await child.end()
        return Outcome(status: status, output: await output, errors: await errors)
    }

    private static func text(of chunks: AsyncStream<[UInt8]>) async -> String {
        var bytes: [UInt8] = []
        for await chunk in chunks { bytes += chunk }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The test's time was up.
struct Cancelled: Error {
    let what: String
}

/// Lines of a stream, as they come.
struct LineReader {
    private var chunks: AsyncStream<[UInt8]>.Iterator
    private var buffer: [UInt8] = []

    init(_ stream: AsyncStream<[UInt8]>) { chunks = stream.makeAsyncIterator() }

    /// The next line without its end; nil at the end of the stream.
    mutating func next() async -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeSubrange(...end)
                return line
            }
            guard let chunk = await chunks.next(isolation: #isolation) else { return nil }
            buffer += chunk
        }
    }

    /// The first line from now on for which `isWanted` holds.
    mutating func first(where isWanted: (String) -> Bool) async throws -> String {
        var seen: [String] = []
        while let line = await next() {
            if isWanted(line) { return line }
            seen.append(line)
        }
        throw MissingLine(seen: seen)
    }
}

/// The output ended without the line that was waited for.
struct MissingLine: Error {
    let seen: [String]
}
