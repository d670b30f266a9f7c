import CaseNotifications
import Foundation
import Glibc
import Routing
import STOMP
import TLSStreams

/// Why a certificate or a local user gets no session: the reason for the log, and what the wire tells.
struct AdmissionRefusal: Error {
    let reason: String
    var wire: SessionRefusal {
        SessionRefusal(
            code: "unauthorized", message: "the certificate is not registered for any party",
            details: "Ask the administrator to list it in the party's file. The relay's log has the reason.")
    }
}

extension RelayCore {
    /// What the policy lets this identity do, with the reason for no.
    func judge(_ identity: ChannelIdentity, adminGroup: UInt32?) -> Result<Peer, AdmissionRefusal> {
        switch identity {
        case .certificate(let certificate, let version):
            if certificate.notAfter <= Date() {
                return .failure(AdmissionRefusal(reason: "it ran out \(certificate.notAfter)"))
            }
            switch policy.authorize(uris: certificate.uris, fingerprint: certificate.sha256Fingerprint) {
            case .granted(let grant):
                return .success(Peer(identity: grant, transport: version, openedAt: clock.now))
            case .denied(let fault): return .failure(AdmissionRefusal(reason: fault.sentence))
            }
        case .local(let user, let groups):
            let isAdministrator = user == 0 || user == geteuid() || adminGroup.map { groups.contains($0) } == true
            guard isAdministrator else {
                return .failure(AdmissionRefusal(reason: "local user \(user) is not in the administrators' group"))
            }
            return .success(Peer(identity: .local(user: user), transport: "unix", openedAt: clock.now))
        }
    }

    /// Ends sessions whose certificate has run out or whose right has gone; the others get their rights of now.
    /// - Parameter isTrusted: whether a certificate is believed by the authorities and revocation lists of now.
    ///
    /// - Returns: how many were cut.
    @discardableResult func reviewSessions(isTrusted: (PeerCertificate) -> Bool) -> Int {
        var cut = 0
        for id in clients.keys.sorted() {
            guard let client = clients[id], client.peer.transport != "unix" else { continue }
            // SAFETY: connections of this core live on its loop.
            guard let identity = client.connection.assumeIsolated({ $0.identity }) else { continue }
            var isRight = false
            if case .success(let peer) = judge(identity, adminGroup: nil) {
                isRight = peer.identity == client.peer.identity
            }
            if case .certificate(let certificate, _) = identity, !isTrusted(certificate) { isRight = false }
            if isRight { continue }
            let refusal = SessionRefusal(
                code: "revoked", message: "the rights of this session have changed",
                details: "Connect again. If that is refused, ask the administrator of your party.")
            // SAFETY: as above.
            client.connection.assumeIsolated { $0.end(refusal) }
            cut += 1
        }
        return cut
    }
}

extension ClientGrant {
    /// Who it is in the log: a system by its name, a person only as one. Who did what stays in the party's own audit.
    var logName: String { person == nil ? client.text : "person" }

    /// Who administers from the machine itself: a role of its own, no party's desk, no content.
    static func local(user: UInt32) -> ClientGrant {
        ClientGrant(
            party: PartyID(unchecked: "local"), client: ClientID(unchecked: "uid-\(user)"), person: nil, function: nil,
            roles: [.administrator], desks: [], stations: [], allows10: false, speaksForPeople: false)
    }
}

extension AuthorizationFault {
    /// One sentence for the log: what does not fit and what to do.
    var sentence: String {
        switch self {
        case .unknownCertificate(let uris):
            uris.isEmpty
                ? "it names no urn:budkavle identity and its fingerprint is in no party's file"
                : "none of its \(uris.count) URIs is a urn:budkavle identity, and its fingerprint is in no party's file"
        case .unknownParty(let uri):
            "no party file is for \(uri); add parties/<party>.yaml or issue another certificate"
        case .unknownClient(let uri, let party):
            "\(uri) is not among the clients and people of parties/\(party.text).yaml; list it there"
        case .otherCertificatePinned(let uri, let party):
            "parties/\(party.text).yaml pins another certificate for \(uri) by its fingerprint"
        case .ambiguous(let names): "it fits \(names.count) clients; exactly one must be meant"
        }
    }
}
