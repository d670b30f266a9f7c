import CaseNotifications
import TLSStreams
import Testing

@testable import BudkavleClient

@Suite struct ValueTests {
    @Test(arguments: [
        ("relay.example:61614", RelayEndpoint.tls(host: "relay.example", port: 61_614)),
        ("[::1]:1", .tls(host: "::1", port: 1)),
        ("unix:/run/budkavle/admin.sock", .unix(path: "/run/budkavle/admin.sock")),
    ])
    func `an endpoint is read and written alike`(text: String, endpoint: RelayEndpoint) {
        #expect(RelayEndpoint(text) == endpoint)
        #expect(endpoint.description == text)
    }

    @Test(arguments: ["", "relay.example", ":1", "a:0", "a:65536", "a:x", "unix:", "unix:relative"])
    func `what is no endpoint is refused`(text: String) {
        #expect(RelayEndpoint(text) == nil)
    }

    @Test func `a socket path is taken at its limit and refused one past it`() {
        let path = "/" + String(repeating: "a", count: RelayEndpoint.socketPathLimitBytes - 1)
        #expect(RelayEndpoint("unix:" + path) == .unix(path: path))
        #expect(RelayEndpoint("unix:" + path + "a") == nil)
    }

    @Test(arguments: RelayError.Code.allCases)
    func `each error has its exit status`(code: RelayError.Code) {
        let wanted: [RelayError.Code: Int32] = [
            .configuration: 78, .unreachable: 69, .certificateRefused: 77, .relayNotTrusted: 77, .forbidden: 77,
            .unknown: 1,
            .refused: 77, .notConfirmed: 75, .protocolFault: 76, .overflow: 75, .closed: 70,
        ]
        #expect(RelayError(code, "x").exitStatus == wanted[code])
    }

    @Test func `a relay that we cannot trust is not told as one that refuses us, and its cause is told once`() {
        let problem = CertificateProblem(
            owner: .server, subject: "relay", issuer: "CA", serial: "1", depth: 0,
            reason: .wrongName(expected: "127.0.0.1"))
        let ours = RelayError(TLSError.peerCertificate(problem))
        #expect(ours.code == .relayNotTrusted)
        #expect(ours.description == "\(problem.description) [relay-not-trusted]")
        #expect(RelayError(TLSError.refusedByPeer(alert: 44)).code == .certificateRefused)
        let caused = RelayError(.unreachable, "no", cause: TLSError.notOpen)
        #expect(caused.description == "no [unreachable]: the stream is not open")
    }

    @Test(arguments: RefusalCode.allCases)
    func `each refusal has its exit status`(code: RefusalCode) {
        let input: Set<RefusalCode> = [.schema, .tooOld, .tooLarge, .conflict]
        let later: Set<RefusalCode> = [.unavailable, .quota]
        let wanted: Int32 = input.contains(code) ? 65 : later.contains(code) ? 75 : 77
        #expect(RelayRefusal(code: code.rawValue).exitStatus == wanted)
    }

    @Test func `an acknowledgement holds what was said and no more`() {
        var acknowledgement = Acknowledgement(notification: "01K", outcome: .handedOver)
        #expect(text(acknowledgement) == #"{"notification":"01K","outcome":"handed-over"}"#)
        acknowledgement.taker = "soc-1880"
        acknowledgement.note = "å \"ä\"\n"
        #expect(
            text(acknowledgement)
                == #"{"notification":"01K","outcome":"handed-over","to":"soc-1880","note":"å \"ä\"\n"}"#)
    }

    @Test func `the outcomes are those of the relay`() {
        #expect(Acknowledgement.Outcome.allCases.map(\.rawValue) == Outcome.allCases.map(\.text))
    }

    @Test func `a destination has its path`() {
        #expect(RelayDestination.inbox(desk: nil).path == "/inbox")
        #expect(RelayDestination.inbox(desk: "d").path == "/inbox/d")
        #expect(RelayDestination.ownReceipts.path == "/receipts/mine")
        #expect(RelayDestination.watch(desk: "d").wantsAcknowledgement == false)
    }

    private func text(_ acknowledgement: Acknowledgement) -> String {
        String(decoding: acknowledgement.json, as: UTF8.self)
    }
}
