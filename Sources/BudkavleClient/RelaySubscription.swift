/// Messages of one destination, in order, across reconnections.
///
/// One reader at a time. The sequence ends when the client is closed or the subscription cancelled, and throws a
/// ``RelayError`` when the relay refuses it or the client gives up.
public struct RelaySubscription: AsyncSequence, Sendable {
    /// Messages as they came.
    public typealias Element = RelayMessage
    /// The only error of this library.
    public typealias Failure = RelayError

    /// How many messages of a live view may wait to be read; past it the subscription ends with `overflow`. What must
    /// be acknowledged is bounded by its prefetch instead.
    public static let waitingLimit = 10_000

    /// What was subscribed to.
    public let destination: RelayDestination
    /// Receipts that waited for this reader when it subscribed; for `/receipts` only.
    public let pendingCount: Int?
    let number: SubscriptionNumber
    let messages: AsyncThrowingStream<RelayMessage, any Error>

    /// Starts reading; one reader at a time.
    public func makeAsyncIterator() -> Iterator { Iterator(base: messages.makeAsyncIterator()) }

    /// Reads the messages.
    public struct Iterator: AsyncIteratorProtocol {
        /// The only error of this library.
        public typealias Failure = RelayError
        var base: AsyncThrowingStream<RelayMessage, any Error>.Iterator

        /// The next message, or nothing at the end.
        public mutating func next() async throws(RelayError) -> RelayMessage? {
            try await next(isolation: #isolation)
        }

        /// The next message, or nothing at the end; stays on the caller's actor.
        public mutating func next(isolation: isolated (any Actor)?) async throws(RelayError) -> RelayMessage? {
            do { return try await base.next(isolation: isolation) } catch {
                throw error as? RelayError ?? RelayError(.closed, "the subscription ended", cause: error)
            }
        }
    }
}
