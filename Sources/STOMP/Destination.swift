/// What protocol.md says about destinations as far as a session alone can check it. Which of them exist, and for whom,
/// is the caller's to say.
enum Destination {
    /// Which ack modes a subscription may have there.
    static func ackFault(_ destination: String, _ mode: AckMode) -> SessionRefusal? {
        if mode == .auto, custody.contains(where: { destination.isAt($0) }) {
            return SessionRefusal(
                message: "ack auto is refused here",
                details:
                    "auto loses messages when the link breaks. Subscribe with ack:client-individual (or client) and"
                    + " send ACK for each message.")
        }
        if mode != .auto, live.contains(where: { destination.isAt($0) }) {
            return SessionRefusal(
                message: "ack must be auto here",
                details:
                    "Live views and replies are not kept, so there is nothing to acknowledge. Subscribe with ack:auto"
                    + " or without an ack header.")
        }
        return nil
    }

    /// A sender who does not ask could not know: these need a `receipt`.
    static func needsReceipt(_ destination: String) -> Bool { commands.contains { destination.isAt($0) } }

    /// Questions need an address for the answer.
    static func isQuestion(_ destination: String) -> Bool { destination.hasPrefix("/queries/") }

    static func isReplyAddress(_ destination: String) -> Bool { destination.hasPrefix("/replies/") }

    private static let custody = ["/inbox", "/receipts", "/wake"]
    private static let live = ["/watch", "/replies"]
    private static let commands = [
        "/notifications", "/openings", "/acknowledgements", "/claims", "/recalls", "/consents",
    ]
}

extension String {
    /// Whether this is `root` or lies below it.
    fileprivate func isAt(_ root: String) -> Bool {
        hasPrefix(root) && (utf8.count == root.utf8.count || utf8.dropFirst(root.utf8.count).first == UInt8(ascii: "/"))
    }
}
