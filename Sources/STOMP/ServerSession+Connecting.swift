/// CONNECT and CONNECTED.
extension ServerSession {
    mutating func handleConnect(_ frame: Frame, at now: SessionInstant, _ effects: inout [SessionEffect]) {
        guard let beat = HeartBeatOffer(header: frame.headers["heart-beat"] ?? "0,0") else {
            let refusal = SessionRefusal(
                message: "heart-beat is not two numbers",
                details:
                    "heart-beat must be two whole numbers of milliseconds with a comma between, such as 10000,10000.")
            return fail(refusal, reason: .session, receipt: nil, at: now, &effects)
        }
        let request = ConnectRequest(
            host: frame.headers["host"], offers: Self.offers(frame.headers["accept-version"]), heartBeat: beat,
            rejections: frame.headers["rejections"] == "receipt" ? .receipt : .error,
            checkpoint: frame.headers["checkpoint"])
        if request.host == nil, request.offers.contains(where: { $0 > .v1_0 }) { missingHost += 1 }
        phase = .deciding(request)
        effects.append(.connect(request))
    }

    /// Known versions, oldest first, whatever the order, spaces, repeats and strangers in the header. None: 1.0.
    private static func offers(_ header: String?) -> [Version] {
        guard let header else { return [.v1_0] }
        let texts = header.split(separator: ",").map { $0.drop { $0 == " " } }
        let trimmed = texts.map { text in text.prefix { $0 != " " } }
        return Version.allCases.filter { version in trimmed.contains { $0 == version.text } }
    }

    /// Lets the client in: CONNECTED, and then the frames that came with CONNECT. Without a common version: ERROR.
    ///
    /// - Parameters:
    ///   - party, client: written into CONNECTED; `[0-9A-Za-z._-]`.
    ///   - oldest: `.v1_0` where the party's file allows it for this client.
    package mutating func accept(
        party: String, client: String, oldest: Version = .v1_1, at now: SessionInstant
    ) -> [SessionEffect] {
        guard case .deciding(let request) = phase else { return [] }
        var effects: [SessionEffect] = []
        guard let version = request.offers.last(where: { $0 >= oldest }) else {
            refuseVersion(oldest: oldest, at: now, &effects)
            return effects
        }
        let own =
            version == .v1_0
            ? HeartBeatOffer.none
            : HeartBeatOffer(
                sendsMilliseconds: limits.heartBeatMilliseconds, wantsMilliseconds: limits.heartBeatMilliseconds)
        let agreed = HeartBeats(own: own, other: request.heartBeat)
        self.version = version
        rejections = request.rejections
        decoder.version = version
        decoder.expectsConnect = false
        beats.agree(agreed, graceMilliseconds: limits.heartBeatGraceMilliseconds, at: now)
        phase = .connected
        FrameEncoder.encode(
            Frame(
                .connected,
                [
                    "version": version.text, "session": sessionID, "server": server, "heart-beat": own.header,
                    "party": party, "client": client,
                ]), version: version, into: &output)
        effects.append(.connected(version: version, heartBeats: agreed))
        return effects + decodeFrames(at: now)
    }

    /// Keeps the client out: ERROR, then `.close`.
    package mutating func refuseConnection(
        _ refusal: SessionRefusal, at now: SessionInstant
    ) -> [SessionEffect] {
        guard case .deciding = phase else { return [] }
        var effects: [SessionEffect] = []
        fail(refusal, reason: .refused, receipt: nil, at: now, &effects)
        return effects
    }

    private mutating func refuseVersion(
        oldest: Version, at now: SessionInstant, _ effects: inout [SessionEffect]
    ) {
        let served = Version.allCases.filter { $0 >= oldest }.map(\.text)
        let refusal = SessionRefusal(
            message: "no common version",
            details: """
                This server speaks STOMP \(served.joined(separator: ", ")). Send accept-version with one of them; without \
                the header it is 1.0.
                stomp.py: stomp.Connection12(...)
                Net::Stomp: connect({'accept-version' => '1.2', host => '...'})
                ruby-stomp: :connect_headers => {'accept-version' => '1.2', 'host' => '...'}
                PHP: new Stomp($uri, null, null, ['accept-version' => '1.2'])
                STOMP 1.0 can be allowed for a client in its party's file.
                """)
        fail(
            refusal, reason: .version, receipt: nil, versions: served.joined(separator: ","), at: now, &effects)
    }
}
