import Demo
import Foundation
import Testing

/// The programs that the tests run. What is missing is an error that says what to install.
enum Tools {
    static let openssl = "/usr/bin/openssl"
    static let perl = "/usr/bin/perl"

    /// Python with stomp.py and stompman, in an environment of its own.
    static func python() async throws -> String {
        let named = ProcessInfo.processInfo.environment["BUDKAVLE_INTEROP_PYTHON"]
        let package = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let python = named ?? package.appending(path: ".build-interop/bin/python").path
        let remedy: Comment = """
            run Tests/run without --quick once, or:
            python3 -m venv .build-interop && .build-interop/bin/pip install stomp.py==8.2.0 stompman==3.16.0
            """
        try #require(access(python, X_OK) == 0, remedy)
        let versions = try await Child.run(
            python,
            ["-c", "from importlib.metadata import version as v; print(v('stomp.py'), v('stompman'))"])
        try #require(versions.output == "8.2.0 3.16.0\n", remedy)
        return python
    }

    /// Perl with Net::Stomp.
    static func netStomp() async throws -> String {
        let check = try await Child.run(perl, ["-MNet::Stomp", "-MIO::Socket::SSL", "-e", "1"])
        try #require(check.status == 0, "sudo apt-get install libnet-stomp-perl libio-socket-ssl-perl")
        return perl
    }

    /// `budkavle` beside this test.
    static func budkavle() throws -> String {
        let path = URL(filePath: try RelayProcess.daemonExecutable()).deletingLastPathComponent()
            .appending(path: "budkavle").path
        try #require(access(path, X_OK) == 0, "swift build --build-tests makes \(path)")
        return path
    }

    /// A file of Scripts/.
    static func script(_ name: String) throws -> String {
        let path = Bundle.module.bundlePath + "/Scripts/" + name
        try #require(access(path, R_OK) == 0)
        return path
    }
}

/// Notifications as the tests send them: police tell a municipality's social services of a concern about a child.
enum SampleEvent {
    static let note = "Åker gärna till sin mormor på Ängön."

    /// Urgency U2; on a Friday night it goes to the on-call desk of the municipality.
    static func concern(
        _ id: String, municipality: String, source: String = "pol-18-rlc", case caseID: String = "BK-18-2026-7QK2ZD9F",
        note: String = note, circumstances: String = "under-18", audience: String = ""
    ) -> String {
        let named = audience.isEmpty ? "" : "\"audience\":\"\(audience)\","
        return """
            {"specversion":"1.0","id":"\(id)","source":"urn:budkavle:\(source)",\
            "type":"se.budkavle.child.concern.reported.v1","time":"2026-12-11T22:58:00+01:00","subject":"\(caseID)",\
            "county":"18","municipality":"\(municipality)","protected":false,\(named)"circumstances":"\(circumstances)",\
            "data":{"childRef":"barn-1","reporterRole":"vakthavande befäl","concern":["witnessed-violence"],\
            "acute":false,"note":"\(note)"}}
            """
    }
}
