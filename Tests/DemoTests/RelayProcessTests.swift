import Foundation
import Testing

@testable import Demo

/// The keeper of the child process, with shell scripts in the daemon's place.
struct RelayProcessTests {
    let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
    }

    /// A Python program that is called as the daemon is (`run --config DIR`).
    ///
    /// The shell reads it from `BASH_ENV` instead of the kernel executing it: a file that was just written cannot be executed
    /// while another test forks (`ETXTBSY`).
    func program(_ script: String) throws -> RelayProcess {
        let path = scratch.path + "/program"
        try ("import os, socket, sys, time, signal\n" + script).write(toFile: path, atomically: true, encoding: .utf8)
        try "unset BASH_ENV; exec /usr/bin/python3 '\(path)' $0 \"$@\"\n".write(
            toFile: path + ".sh", atomically: true, encoding: .utf8)
        return RelayProcess(
            executable: "/bin/bash", configDirectory: scratch.path, logFile: scratch.path + "/log",
            environment: ["PORT_FILE": scratch.path + "/port", "BASH_ENV": path + ".sh"])
    }

    /// Python that writes the port file and says READY=1 as the daemon does.
    static let ready = """
        open(os.environ["PORT_FILE"], "w").write("4711\\n")
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        def say(text): s.sendto(text.encode(), "\\0" + os.environ["NOTIFY_SOCKET"][1:])
        say("STATUS=starting")
        say("READY=1\\nSTATUS=on")

        """

    func exists(_ processID: Int32) -> Bool {
        kill(processID, 0) == 0
    }

    @Test func `a program that says it is ready gives its port, and is gone after kill`() throws {
        let process = try program("print(sys.argv[1:], flush=True)\n" + Self.ready + "signal.pause()\n")
        #expect(try process.start(portFile: scratch.path + "/port") == 4711)
        let processID = try #require(process.processID)
        #expect(exists(processID))
        process.kill()
        #expect(process.processID == nil)
        #expect(!exists(processID))
        // And a second time, as after a crash.
        #expect(try process.start(portFile: scratch.path + "/port") == 4711)
        #expect(process.stop() == 128 + SIGTERM)
        #expect(process.lastLines().hasSuffix("['run', '--config', '\(scratch.path)']"))
    }

    @Test func `an orderly stop tells the exit status`() throws {
        let process = try program(
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n" + Self.ready + "signal.pause()\n")
        _ = try process.start(portFile: scratch.path + "/port")
        #expect(process.stop() == 3)
    }

    @Test func `one that does not stop in time is killed`() throws {
        let process = try program("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + Self.ready + "signal.pause()\n")
        _ = try process.start(portFile: scratch.path + "/port")
        #expect(process.stop(within: .milliseconds(100)) == 128 + SIGKILL)
    }

    @Test func `a program that ends early is told with its status and last words`() throws {
        let process = try program("print('config/budkavled.yaml:3:1: error')\nsys.exit(78)\n")
        do {
            _ = try process.start(portFile: scratch.path + "/port")
            Issue.record("it started")
        } catch {
            guard case DemoError.daemonEnded(78, "config/budkavled.yaml:3:1: error") = error else {
                Issue.record("\(error)")
                return
            }
            #expect(error.exitCode == EX_UNAVAILABLE)
        }
    }

    @Test func `a program that says nothing is killed at the limit`() throws {
        let process = try program("signal.pause()\n")
        #expect(throws: DemoError.self) {
            try process.start(portFile: scratch.path + "/port", within: .milliseconds(300))
        }
        #expect(process.processID == nil)
    }

    @Test func `ready without a port is an error and leaves nothing running`() throws {
        let process = try program(Self.ready.replacingOccurrences(of: "4711", with: "0") + "signal.pause()\n")
        #expect(throws: DemoError.self) { try process.start(portFile: scratch.path + "/port") }
        #expect(process.processID == nil)
    }

    @Test func `a program that is not there is an error`() throws {
        let process = RelayProcess(
            executable: scratch.path + "/none", configDirectory: scratch.path, logFile: scratch.path + "/log")
        #expect(throws: DemoError.self) { try process.start(portFile: scratch.path + "/port") }
    }

    @Test func `letting go of it ends the child`() throws {
        var process: RelayProcess? = try program(Self.ready + "signal.pause()\n")
        _ = try process?.start(portFile: scratch.path + "/port")
        let processID = try #require(process?.processID)
        process = nil
        #expect(!exists(processID))
    }
}
