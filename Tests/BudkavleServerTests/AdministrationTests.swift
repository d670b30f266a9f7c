import CaseNotifications
import Foundation
import Relay
import STOMP
import Testing

@testable import BudkavleServer

extension CoreClient {
    /// The answer to an administrator's order.
    func order(_ verb: String, _ body: String) throws -> JSONValue {
        say(Frame(.subscribe, ["id": "q", "destination": "/replies/q"]))
        send(body, to: "/admin/\(verb)", replyTo: "/replies/q")
        let message = try hear(.message)
        _ = try hear(.receipt)
        say(Frame(.unsubscribe, ["id": "q"]))
        return try JSONValue(parsing: message.body)
    }
}

/// Orders of an administrator that come to nothing, and say so.
@Suite(.timeLimit(.minutes(10))) struct AdministrationTests {
    let scratch: StoreScratch
    let relay: CoreRelay

    init() throws {
        scratch = try StoreScratch()
        relay = try CoreRelay(scratch, log: LogLines().log)
    }

    private func refused(_ verb: String, _ body: String) throws -> Headers {
        let administrator = try relay.connect("drift-18", "konsol")
        do {
            let answer = try administrator.order(verb, body)
            Issue.record("\(verb) \(body) was carried out: \(answer.text)")
            return [:]
        } catch CoreClient.Fault.refused(let frame) {
            return frame.headers
        }
    }

    @Test func `dead letters of a desk that there is not are no success, and of one without any they are none`() throws
    {
        let unknown = try refused("requeue", #"{"desk":"jour-1808"}"#)
        #expect(unknown["code"] == "unknown" && unknown["path"] == "/desk", "\(unknown)")
        #expect(unknown["message"] == "there is no desk jour-1808", "\(unknown)")
        let administrator = try relay.connect("drift-18", "konsol")
        #expect(try administrator.order("requeue", #"{"desk":"jour-1880"}"#)["requeued"]?.integer == 0)
        let police = try relay.connect("pol-18-rlc", "station")
        let id = try #require(NotificationID(text: try police.report("a", case: 1)))
        try relay.onLoop { core in _ = core.perform(.unreadable(id), answers: { _ in [] }) }
        #expect(try administrator.order("requeue", #"{"desk":"jour-1880"}"#)["requeued"]?.integer == 1)
        try relay.stop()
    }

    @Test func `erasing twice finds nothing left the second time`() throws {
        let police = try relay.connect("pol-18-rlc", "station")
        for name in ["a", "b"] { _ = try police.report(name, case: 1) }
        let administrator = try relay.connect("drift-18", "konsol")
        let order = #"{"case":"BK-18-2026-00000001","reason":"sent by mistake"}"#
        let first = try administrator.order("erase", order)
        #expect(first["notifications"]?.integer == 2 && first["slots"]?.integer == 3, "\(first.text)")
        let second = try administrator.order("erase", order)
        #expect(second["notifications"]?.integer == 2 && second["slots"]?.integer == 0, "\(second.text)")
        try relay.stop()
    }

    @Test func `a backup into the data directory is refused, also by way of a link, and makes nothing there`() throws {
        let files = FileManager.default
        let data = scratch.path + "/data"
        try files.createSymbolicLink(atPath: scratch.path + "/link", withDestinationPath: data + "/orebro")
        for target in [data, data + "/x", data + "/x/y", data + "/orebro/x", scratch.path + "/link/x"] {
            for name in ["journal", "keys"] {
                let headers = try refused("backup", #"{"\#(name)":"\#(target)"}"#)
                #expect(headers["code"] == "directory", "\(target): \(headers)")
                #expect(headers["message"]?.contains("lies in the data directory") == true, "\(headers)")
            }
        }
        for made in [data + "/x", data + "/orebro/x"] { #expect(!files.fileExists(atPath: made), "\(made)") }
        // One whose name only begins alike lies beside it.
        let administrator = try relay.connect("drift-18", "konsol")
        let made = try administrator.order("backup", #"{"journal":"\#(data)-backup/orebro"}"#)
        #expect(made["journal"]?.string == data + "-backup/orebro", "\(made.text)")
        try relay.stop()
    }
}
