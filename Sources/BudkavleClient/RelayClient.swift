import CaseNotifications
package import EventLoop
import Foundation
import STOMP
import Synchronization
import TLSStreams

/// A lasting relation with one relay: sends, asks, subscribes, and comes back after every loss of the link.
///
/// Made once and used from any task. It connects at the first call, sends again unchanged what was not answered, and
/// subscribes again; a notification's (source, id) never changes between attempts, so nothing is delivered twice
/// because of them. All clients of a process share one thread, which does no blocking work.
///
///     let client = try RelayClient(configuration)
///     let answer = try await client.send(event)
///     await client.close()
public actor RelayClient {
    private let loop: EpollLoop
    private let configuration: RelayConfiguration
    private var link: Link
    private var transport: (number: UInt64, transport: any Transport)?
    private var answers: [OperationNumber: CheckedContinuation<Result<LinkAnswer, RelayError>, Never>] = [:]
    private var readers: [SubscriptionNumber: AsyncThrowingStream<RelayMessage, any Error>.Continuation] = [:]
    private var confirmations: [SubscriptionNumber: CheckedContinuation<Result<Headers, RelayError>, Never>] = [:]
    private var goodbyes: [CheckedContinuation<Void, Never>] = []
    private var timer: (token: TimerToken, at: SessionInstant)?
    private var hasEnded = false

    /// The loop's thread runs this actor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Makes a client; nothing is connected before the first call.
    ///
    /// - Throws: `.configuration` when TLS is wanted without credentials, or there are no descriptors left.
    public init(_ configuration: RelayConfiguration) throws(RelayError) {
        try self.init(configuration, seed: UInt64.random(in: .min ... .max), loop: try Self.sharedLoop())
    }

    /// The same with a loop of the caller's, which must run longer than the client, and with repeatable pauses.
    package init(_ configuration: RelayConfiguration, seed: UInt64, loop: EpollLoop) throws(RelayError) {
        if case .tls = configuration.endpoint, configuration.credentials == nil {
            throw RelayError(.configuration, "a TLS connection needs a certificate, a key and an authority")
        }
        self.configuration = configuration
        self.loop = loop
        var options = ClientOptions(host: configuration.collaboration)
        options.checkpoint = configuration.checkpoint.flatMap { Checkpoint($0)?.text }
        link = Link(options: options, policy: configuration.reconnect, seed: seed)
    }

    // MARK: Sending

    /// Sends one notification: a CloudEvents JSON object, at most 256 KiB.
    ///
    /// - Returns: what the relay said. `.accepted` and `.duplicate` mean that it is on the relay's disk.
    /// - Throws: `.notConfirmed` when no answer came in time, and the relay may have it: send the same bytes again.
    public func send(_ notification: [UInt8], within limit: Duration? = nil) async throws(RelayError) -> SendAnswer {
        let work = LinkRequest.Work.send(
            destination: "/notifications", contentType: "application/cloudevents+json", body: notification)
        return try Self.sendAnswer(try await perform(work, .always, within: limit))
    }

    /// Sends one command of protocol.md, "Work": a JSON object.
    ///
    /// The relay answers a repeated command as it answered the first, so it is sent again when the link was lost.
    public func command(
        _ command: RelayCommand, _ body: [UInt8], within limit: Duration? = nil
    ) async throws(RelayError) -> SendAnswer {
        let work = LinkRequest.Work.send(
            destination: "/\(command.rawValue)", contentType: "application/json", body: body)
        return try Self.sendAnswer(try await perform(work, .always, within: limit))
    }

    /// Says what a person did with a delivery.
    public func acknowledge(
        _ acknowledgement: Acknowledgement, within limit: Duration? = nil
    ) async throws(RelayError) -> SendAnswer {
        try await command(.acknowledgements, acknowledgement.json, within: limit)
    }

    // MARK: Asking

    /// Asks one question of protocol.md, "Questions".
    ///
    /// - Returns: the answer, a JSON object.
    /// - Throws: `.forbidden`, `.unknown` or `.refused` when the relay does not answer it.
    public func ask(
        _ name: String, _ body: [UInt8] = Array("{}".utf8), contentType: String = "application/json",
        within limit: Duration? = nil
    ) async throws(RelayError) -> [UInt8] {
        let work = LinkRequest.Work.question(destination: "/queries/\(name)", contentType: contentType, body: body)
        return try Self.reply(try await perform(work, .always, within: limit))
    }

    /// Gives one order of protocol.md, "Administration". It is not repeated when the link is lost before its answer.
    public func administer(
        _ verb: String, _ body: [UInt8] = Array("{}".utf8), within limit: Duration? = nil
    ) async throws(RelayError) -> [UInt8] {
        let work = LinkRequest.Work.question(
            destination: "/admin/\(verb)", contentType: "application/json", body: body)
        return try Self.reply(try await perform(work, .never, within: limit))
    }

    // MARK: Receiving

    /// Subscribes, now and after every reconnection.
    ///
    /// - Parameter prefetch: how many unacknowledged messages may be on their way, 1 to 1,000; the relay's default is 64.
    /// - Throws: `.unknown` when there is no such destination for this client; `.unreachable` when nobody answers.
    public func subscribe(
        to destination: RelayDestination, prefetch: Int? = nil, within limit: Duration? = nil
    ) async throws(RelayError) -> RelaySubscription {
        let now = Self.now()
        let (number, effects) = link.subscribe(
            to: destination, prefetch: prefetch, deadline: deadline(limit, from: now), at: now)
        let (messages, continuation) = AsyncThrowingStream<RelayMessage, any Error>.makeStream(
            bufferingPolicy: .bufferingOldest(RelaySubscription.waitingLimit))
        readers[number] = continuation
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            // SAFETY: `execute` runs it on the loop's thread, which is this actor's executor.
            self.loop.execute { self.assumeIsolated { $0.forgetReader(number) } }
        }
        let confirmation = await withCheckedContinuation { waiting in
            confirmations[number] = waiting
            carryOut(effects)
        }
        switch confirmation {
        case .success(let headers):
            return RelaySubscription(
                destination: destination, pendingCount: headers["pending"].flatMap { Int($0) }, number: number,
                messages: messages)
        case .failure(let error): throw error
        }
    }

    /// Ends a subscription; unacknowledged messages go to others, or come again.
    public func unsubscribe(_ subscription: RelaySubscription) {
        readers[subscription.number]?.finish()
        forgetReader(subscription.number)
    }

    /// ACK: custody is ours, or the receipt is read. After a reconnection it does nothing, the message comes again.
    public func accept(_ message: RelayMessage) {
        link.settle(message.ticket, as: .taken)
        flush()
    }

    /// NACK: the relay delivers it again later.
    public func reject(_ message: RelayMessage) {
        link.settle(message.ticket, as: .returned)
        flush()
    }

    // MARK: The relay's log

    /// The newest signed head of the relay's log that any answer carried: `<head>.<signature>`. Nothing secret.
    ///
    /// Keep it and give it back in ``RelayConfiguration/checkpoint``: a relay whose log was cut or rolled back behind it shows itself.
    public var checkpoint: String? { link.options.checkpoint }

    /// Asks the relay to prove that its log of now begins with the log of `checkpoint`.
    ///
    /// - Returns: the relay's newest checkpoint, whose log was proved to continue the other. Its signature is not verified here:
    ///   ``ReceiptVerifier`` does that.
    /// - Throws: `.protocolFault` when the proof does not hold, or the relay shows another journal; `.unknown` when it knows fewer
    ///   records than the checkpoint.
    public func proveLog(since checkpoint: String, within limit: Duration? = nil) async throws(RelayError) -> String {
        guard let old = Checkpoint(checkpoint) else {
            throw RelayError(.configuration, "the checkpoint has not the form <head>.<signature>")
        }
        let answer = try await ask("proof", Array("{\"since\":\(old.size)}".utf8), within: limit)
        return try LogProof.newest(in: answer, since: old)
    }

    // MARK: Ending

    /// Disconnects in good order: everything sent before is answered or has failed when this returns, 2 s later at most.
    public func close() async {
        if hasEnded { return }
        await withCheckedContinuation { waiting in
            goodbyes.append(waiting)
            carryOut(link.leave(at: Self.now()))
        }
    }

    // MARK: The link's wishes

    private func perform(
        _ work: LinkRequest.Work, _ repetition: LinkRequest.Repetition, within limit: Duration?
    ) async throws(RelayError) -> LinkAnswer {
        let now = Self.now()
        let request = LinkRequest(work: work, repetition: repetition, deadline: deadline(limit, from: now))
        let (number, effects) = link.submit(request, at: now)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                answers[number] = waiting
                carryOut(effects)
                if Task.isCancelled { withdraw(number) }
            }
        } onCancel: {
            // SAFETY: `execute` runs it on the loop's thread, which is this actor's executor.
            loop.execute { self.assumeIsolated { $0.withdraw(number) } }
        }
        return try result.get()
    }

    private func withdraw(_ number: OperationNumber) {
        guard let waiting = answers.removeValue(forKey: number) else { return }
        carryOut(link.withdraw(number))
        waiting.resume(returning: .failure(RelayError(.closed, "the task was cancelled")))
    }

    private func forgetReader(_ number: SubscriptionNumber) {
        guard readers.removeValue(forKey: number) != nil else { return }
        link.unsubscribe(number)
        flush()
    }

    private func deadline(_ limit: Duration?, from now: SessionInstant) -> SessionInstant {
        now.advanced(byMilliseconds: (limit ?? configuration.answerLimit).wholeMilliseconds)
    }

    private func carryOut(_ effects: [LinkEffect]) {
        for effect in effects {
            switch effect {
            case .open(let number): open(number)
            case .close(let number):
                flush()
                if let transport, transport.number == number {
                    self.transport = nil
                    transport.transport.close()
                }
            case .answered(let number, let result): answers.removeValue(forKey: number)?.resume(returning: result)
            case .message(let number, let message): pass(message, to: number)
            case .subscribed(let number, let headers):
                confirmations.removeValue(forKey: number)?.resume(returning: .success(headers))
            case .finished(let number, let error):
                if let waiting = confirmations.removeValue(forKey: number) {
                    waiting.resume(returning: .failure(Link.closed(error)))
                }
                readers.removeValue(forKey: number)?.finish(throwing: error)
            case .state(let state):
                configuration.onLinkChange?(state)
                if case .ended = state { farewell() }
            }
        }
        flush()
        setTimer()
    }

    private func pass(_ message: RelayMessage, to number: SubscriptionNumber) {
        guard let reader = readers[number] else { return }
        if case .dropped = reader.yield(message) {
            let limit = RelaySubscription.waitingLimit
            reader.finish(throwing: RelayError(.overflow, "\(limit) messages wait to be read; read faster"))
            forgetReader(number)
        }
    }

    private func farewell() {
        hasEnded = true
        let waiting = goodbyes
        goodbyes = []
        for goodbye in waiting { goodbye.resume() }
    }

    // MARK: The link's senses

    private func open(_ number: UInt64) {
        switch configuration.endpoint {
        case .unix(let path): attach(UnixTransport(path: path, loop: loop), number)
        case .tls(let host, let port):
            guard let credentials = configuration.credentials else { return }
            // Looking up names and reading files block, so they get a thread of their own; one attempt at a time.
            Thread.detachNewThread { [self] in
                let prepared = Self.prepare(host: host, port: port, credentials)
                // SAFETY: `execute` runs it on the loop's thread, which is this actor's executor.
                loop.execute { self.assumeIsolated { $0.connect(number, prepared) } }
            }
        }
    }

    private static func prepare(
        host: String, port: Int, _ credentials: RelayCredentials
    ) -> Result<(ResolvedHost, TLSContext), TLSError> {
        do throws(TLSError) {
            let options = TLSOptions(
                certificateFile: credentials.certificateFile, keyFile: credentials.keyFile,
                caFiles: credentials.authorityFiles, crlFiles: credentials.revocationFiles,
                serverName: credentials.serverName)
            let context = try TLSContext(client: options)
            return .success((try ResolvedHost(name: host, port: port), context))
        } catch {
            return .failure(error)
        }
    }

    private func connect(_ number: UInt64, _ prepared: Result<(ResolvedHost, TLSContext), TLSError>) {
        do throws(TLSError) {
            let (host, context) = try prepared.get()
            attach(try TLSTransport(to: host, context: context, loop: loop), number)
        } catch {
            carryOut(link.failed(number, with: RelayError(error), at: Self.now()))
        }
    }

    private func attach(_ transport: any Transport, _ number: UInt64) {
        guard number == link.connection, !hasEnded else { return }
        self.transport = (number, transport)
        // SAFETY: transports report on the loop's thread, which is this actor's executor.
        transport.open { [weak self] event in self?.assumeIsolated { $0.happened(event, on: number) } }
    }

    private func happened(_ event: TransportEvent, on number: UInt64) {
        let now = Self.now()
        switch event {
        case .opened: carryOut(link.opened(number, at: now))
        case .received(let bytes): carryOut(link.received(bytes, on: number, at: now))
        case .ended: carryOut(link.inputEnded(on: number, at: now))
        case .failed(let error): carryOut(link.failed(number, with: error, at: now))
        }
    }

    private func flush() {
        guard let transport, link.hasOutput else { return }
        var bytes: [UInt8] = []
        link.drainOutput(into: &bytes, at: Self.now())
        if !bytes.isEmpty { transport.transport.write(bytes) }
    }

    private func setTimer() {
        let wanted = link.nextDeadline
        if wanted == timer?.at { return }
        if let timer { loop.cancel(timer.token) }
        timer = nil
        guard let wanted else { return }
        let pause = Duration.milliseconds(max(0, wanted.milliseconds - Self.now().milliseconds))
        // SAFETY: timers fire on the loop's thread, which is this actor's executor.
        let token = loop.schedule(after: pause) { [weak self] in self?.assumeIsolated { $0.timePassed() } }
        timer = (token, wanted)
    }

    private func timePassed() {
        timer = nil
        carryOut(link.tick(at: Self.now()))
    }

    private static func now() -> SessionInstant {
        SessionInstant(milliseconds: EpollLoop.monotonicNow().wholeMilliseconds)
    }

    private static func sendAnswer(_ answer: LinkAnswer) throws(RelayError) -> SendAnswer {
        switch answer {
        case .refused(let refusal): return .refused(refusal)
        case .reply: throw RelayError(.protocolFault, "a reply came where a receipt belongs")
        case .receipt(let headers):
            let acceptance = Acceptance(notification: headers["notification"], position: headers["position"])
            return headers["status"] == "duplicate" ? .duplicate(acceptance) : .accepted(acceptance)
        }
    }

    private static func reply(_ answer: LinkAnswer) throws(RelayError) -> [UInt8] {
        switch answer {
        case .reply(let bytes): return bytes
        case .refused(let refusal): throw refusal.asError
        case .receipt: throw RelayError(.protocolFault, "a receipt came where a reply belongs")
        }
    }
}

extension RelayClient {
    private static let shared = Mutex<EpollLoop?>(nil)

    /// The one loop of the process's clients; it runs until the process ends.
    private static func sharedLoop() throws(RelayError) -> EpollLoop {
        let result: Result<EpollLoop, EventLoopError> = shared.withLock { shared in
            if let shared { return .success(shared) }
            do throws(EventLoopError) {
                let loop = try EpollLoop(name: "budkavle-client")
                try loop.start()
                shared = loop
                return .success(loop)
            } catch {
                return .failure(error)
            }
        }
        do { return try result.get() } catch {
            throw RelayError(.configuration, "no event loop can be started", cause: error)
        }
    }
}
