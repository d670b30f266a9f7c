import EventLoop
import Foundation
import Glibc
import Synchronization

/// Use on an event loop: events to the delegates, deadlines, and closing without waiting. Only on the loop's thread.
extension TLSLink {
    /// A connection whose streams are closed but whose peer shall still get our last words.
    struct Lingering {
        var bytesLeft = TLSLimits.lingerBytes
        var timer: TimerToken?
    }

    func schedule(_ half: StreamHalf, on loop: EpollLoop) {
        precondition(loop.isOnLoop, "a stream is scheduled on its loop's thread")
        precondition(self.loop.map { $0 === loop } ?? true, "both streams of a connection are on one loop")
        guard !half.isClosed else { return }
        half.loop = loop
        guard half.isOpened else { return }
        attachToLoop()
        requestTurn()
    }

    func remove(_ half: StreamHalf, from loop: EpollLoop) {
        guard half.loop === loop else { return }
        half.loop = nil
        if self.loop == nil { detach(from: loop) }
    }

    /// Begins to listen to the descriptor and starts the deadline, once.
    func attachToLoop() {
        guard let loop, loop.isOnLoop else { preconditionFailure("scheduled streams are used on their loop") }
        switch phase {
        case .new, .failed, .closed: return
        case .connecting, .handshaking:
            if deadlineTimer == nil {
                deadlineTimer = loop.schedule(after: deadline - loop.now) { [weak self] in self?.deadlinePassed() }
            }
            advanceOnLoop(loop)
        case .open: watchDescriptor(on: loop)
        }
    }

    private func advanceOnLoop(_ loop: EpollLoop) {
        if connector != nil, let watch {
            // The connector may close this descriptor, and the next one may get its number.
            loop.end(watch.watch)
            self.watch = nil
        }
        if case .wouldBlock = advance() {} else { openingIsOver() }
        watchDescriptor(on: loop)
    }

    private func detach(from loop: EpollLoop) {
        if let watch { loop.end(watch.watch) }
        watch = nil
        for timer in [deadlineTimer, stallTimer] {
            if let timer { loop.cancel(timer) }
        }
        deadlineTimer = nil
        stallTimer = nil
    }

    /// Watches the descriptor that is in use now: connecting to the next address brings another.
    private func watchDescriptor(on loop: EpollLoop) {
        let descriptor = connector?.descriptor ?? session.descriptor
        if let watch {
            if watch.watch.descriptor == descriptor { return }
            loop.end(watch.watch)
            self.watch = nil
        }
        guard descriptor >= 0 else { return }
        do {
            let watch = try loop.watch(descriptor, for: [.read, .write, .edgeTriggered]) { [weak self] in
                self?.descriptorIsReady($0)
            }
            self.watch = (loop, watch)
        } catch {
            fail(.loop(reason: error.description))
            requestTurn()
        }
    }

    private func deadlinePassed() {
        deadlineTimer = nil
        fail(openingTimedOut)
        tell()
    }

    private func openingIsOver() {
        if let loop, let timer = deadlineTimer { loop.cancel(timer) }
        deadlineTimer = nil
    }

    private func descriptorIsReady(_ readiness: Readiness) {
        if lingering != nil { return linger() }
        switch phase {
        case .connecting, .handshaking:
            if let loop { advanceOnLoop(loop) }
        case .open:
            if isGoodbyePending, readiness.contains(.write) { sayGoodbye() }
            let isReadable = !readiness.isDisjoint(with: [.read, .hangUp, .error])
            let isWritable = !readiness.isDisjoint(with: [.write, .error])
            if input.waitsFor == .readable ? isReadable : isWritable { input.mayTry = true }
            if output.waitsFor == .writable ? isWritable : isReadable {
                output.mayTry = true
                noteProgress()
            }
        case .new, .failed, .closed: break
        }
        tell()
    }

    // MARK: Events

    func requestTurn() {
        guard !isTurnRequested, !isTelling, let loop else { return }
        isTurnRequested = true
        loop.takeTurn(self)
    }

    func takeTurn() {
        isTurnRequested = false
        tell()
    }

    /// Tells the delegates what they do not know yet. Each call-out may close, read, write or unschedule.
    private func tell() {
        guard !isTelling else { return }
        isTelling = true
        // What the delegate lets go of must not end us in the middle.
        withExtendedLifetime(self) {
            tellOpened(input)
            tellOpened(output)
            tellInput()
            tellOutput()
            tellFailure(input)
            tellFailure(output)
        }
        isTelling = false
        if input.mayTry && wantsEvents(input) || output.mayTry && wantsEvents(output) || isFailureUntold {
            requestTurn()
        }
    }

    private func wantsEvents(_ half: StreamHalf) -> Bool {
        guard half.isActive, half.loop != nil, !half.isSignalled, !half.isEndTold, case .open = phase else {
            return false
        }
        return true
    }

    private var isFailureUntold: Bool {
        guard failure != nil else { return false }
        return [input, output].contains { $0.isActive && $0.loop != nil && !$0.isEndTold }
    }

    private func send(_ event: Stream.Event, to half: StreamHalf) {
        guard let stream = half.stream else { return }
        half.delegate?.stream(stream, handle: event)
    }

    private func tellOpened(_ half: StreamHalf) {
        guard !half.isOpenTold, wantsEvents(half) else { return }
        half.isOpenTold = true
        send(.openCompleted, to: half)
    }

    private func tellInput() {
        guard input.mayTry, wantsEvents(input), input.isOpenTold else { return }
        switch session.peek() {
        case .bytes:
            input.isSignalled = true
            send(.hasBytesAvailable, to: input)
        case .wouldBlock(let wait):
            input.mayTry = false
            input.waitsFor = wait
        case .end:
            input.hasEnded = true
            input.isEndTold = true
            send(.endEncountered, to: input)
        case .failed(let error): fail(error)
        }
    }

    private func tellOutput() {
        guard output.mayTry, wantsEvents(output), output.isOpenTold else { return }
        output.isSignalled = true
        send(.hasSpaceAvailable, to: output)
    }

    private func tellFailure(_ half: StreamHalf) {
        guard failure != nil, half.isActive, half.loop != nil, !half.isEndTold else { return }
        half.isEndTold = true
        send(.errorOccurred, to: half)
    }

    // MARK: Write deadline

    func noteStall() {
        guard stallTimer == nil, let loop = output.loop else { return }
        let limit = session.context.options.writeDeadline
        stallTimer = loop.schedule(after: limit) { [weak self] in
            guard let self else { return }
            stallTimer = nil
            fail(.writeStalled(after: limit))
            tell()
        }
    }

    func noteProgress() {
        guard let timer = stallTimer else { return }
        stallTimer = nil
        loop?.cancel(timer)
    }

    // MARK: Closing

    /// `close` of one stream: the output's says close_notify, and the second one gives the descriptor back.
    func close(_ half: StreamHalf) {
        guard !half.isClosed else { return }
        half.isClosed = true
        let isOpen = if case .open = phase { true } else { false }
        if half === output, isOpen {
            if loop != nil { sayGoodbye() } else { sayGoodbyeWaiting() }
        }
        // Counted only now: the other stream's thread must not close the descriptor before we have said goodbye.
        let isLast = closedHalves.withLock { count in
            count += 1
            return count == 2
        }
        guard isLast else { return }
        guard let loop, loop.isOnLoop, watch != nil, phaseAllowsLingering else { return tearDown() }
        if isGoodbyePending {
            keep(for: TLSLimits.closeDeadline, on: loop)
        } else if failure != nil {
            // Closing with unread bytes would reset the connection and could swallow the alert that explains it.
            shutdown(session.descriptor, Int32(SHUT_WR))
            keep(for: TLSLimits.lingerDeadline, on: loop)
            linger()
        } else {
            tearDown()
        }
    }

    /// Only a server that refused somebody owes him an explanation.
    private var phaseAllowsLingering: Bool {
        if isGoodbyePending { return true }
        guard session.context.role == .server, let failure else { return false }
        return switch failure {
        case .peerCertificate, .noCertificatePresented, .nothingInCommon, .protocolViolation: true
        default: false
        }
    }

    private func sayGoodbye() {
        isGoodbyePending = false
        switch session.sayGoodbye() {
        case .wouldBlock: isGoodbyePending = true
        case .done, .failed: break
        }
    }

    private func keep(for limit: Duration, on loop: EpollLoop) {
        // From here on the timer keeps us alive, no longer the streams.
        lingering = Lingering(timer: loop.schedule(after: limit) { self.tearDown() })
    }

    private func linger() {
        if isGoodbyePending {
            sayGoodbye()
            if !isGoodbyePending { tearDown() }
            return
        }
        let size = 4_096
        withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { buffer in
            while let left = lingering?.bytesLeft {
                let count = recv(session.descriptor, buffer.baseAddress, size, 0)
                if count < 0, errno == EAGAIN { return }
                guard count > 0, left > count else { return tearDown() }
                lingering?.bytesLeft = left - count
            }
        }
    }

    private func tearDown() {
        if let watch { detach(from: watch.loop) } else if let loop, loop.isOnLoop { detach(from: loop) }
        if let timer = lingering?.timer, let loop { loop.cancel(timer) }
        lingering = nil
        let wasOpening = phaseLock.withLock { phase -> Bool in
            defer { phase = .closed }
            switch phase {
            case .connecting, .handshaking: return true
            case .new, .open, .closed, .failed: return false
            }
        }
        if wasOpening { admission?.handshakeEnded(with: nil, afterBytes: false) }
        connector?.abandon()
        session.close()
        admission?.connectionClosed()
        input.loop = nil
        output.loop = nil
    }
}
