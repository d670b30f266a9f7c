import BudkavleClient
import Dispatch

/// Collects what comes on one subscription, and lets somebody wait for it.
actor Mailbox {
    /// One MESSAGE, as much of it as the demonstration looks at.
    struct Letter: Sendable {
        let body: [UInt8]
        let notification: String
        let urgency: String
        let isRedelivered: Bool
        let message: RelayMessage
    }

    private let client: RelayClient
    private let subscription: RelaySubscription
    private var reader: Task<Void, Never>?
    private(set) var letters: [Letter] = []
    private(set) var failure: RelayError?
    private var waiters: [(number: Int, isMet: @Sendable ([Letter]) -> Bool, CheckedContinuation<Bool, Never>)] = []
    private var nextWaiter = 0

    /// Subscribes and starts to read; `close` ends it.
    init(_ client: RelayClient, _ destination: RelayDestination) async throws {
        self.client = client
        subscription = try await client.subscribe(to: destination, prefetch: 1000)
        reader = nil
        reader = Task { [weak self, subscription] in
            do {
                for try await message in subscription { await self?.add(message) }
            } catch {
                await self?.end(error as? RelayError)
            }
        }
    }

    /// Waits until the letters meet a condition.
    ///
    /// - Returns: false when `limit` passed first.
    func wait(
        for isMet: @escaping @Sendable ([Letter]) -> Bool, within limit: Duration = .seconds(10)
    ) async -> Bool {
        if isMet(letters) { return true }
        let number = nextWaiter
        nextWaiter += 1
        return await withCheckedContinuation { continuation in
            waiters.append((number, isMet, continuation))
            let deadline = DispatchTime.now() + .milliseconds(Int(limit / .milliseconds(1)))
            // The task ends by itself: it only steps onto this actor once.
            DispatchQueue.global().asyncAfter(deadline: deadline) { Task { await self.giveUp(number) } }
        }
    }

    /// ACKs one letter: custody, or read.
    func accept(_ letter: Letter) async {
        await client.accept(letter.message)
    }

    /// Ends the subscription. What was not acknowledged stays with the relay.
    func close() async {
        reader?.cancel()
        reader = nil
        await client.unsubscribe(subscription)
    }

    private func add(_ message: RelayMessage) {
        letters.append(
            Letter(
                body: message.body, notification: message.notification ?? "", urgency: message.urgency ?? "",
                isRedelivered: message.isRedelivered, message: message))
        let met = waiters.filter { $0.isMet(letters) }
        waiters.removeAll { waiter in met.contains { $0.number == waiter.number } }
        for waiter in met { waiter.2.resume(returning: true) }
    }

    private func end(_ error: RelayError?) {
        failure = error
        for waiter in waiters { waiter.2.resume(returning: false) }
        waiters = []
    }

    private func giveUp(_ number: Int) {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        waiters.remove(at: index).2.resume(returning: false)
    }
}
