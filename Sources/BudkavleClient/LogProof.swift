import CaseNotifications
import STOMP

/// What `/queries/proof` answers to `since`.
enum LogProof {
    /// The newest checkpoint in the answer, when its log is proved to continue `old`.
    static func newest(in answer: [UInt8], since old: Checkpoint) throws(RelayError) -> String {
        let value: JSONValue
        do { value = try JSONValue(parsing: answer) } catch {
            throw RelayError(.protocolFault, "the answer to proof is no JSON", cause: error)
        }
        guard let newest = value["latest"]?.string.flatMap({ Checkpoint($0) }),
            let path = value["consistency"]?.string.flatMap({ ReceiptProof.path($0) })
        else { throw RelayError(.protocolFault, "the answer to proof has no checkpoint with a proof") }
        guard newest.journal == old.journal else {
            throw RelayError(.protocolFault, "the relay shows another journal than the one of the checkpoint")
        }
        let proof = ConsistencyProof(from: old.size, to: newest.size, path: path)
        guard proof.verifies(old: old.root, new: newest.root) else {
            throw RelayError(.protocolFault, "the relay's log does not continue the checkpoint: tell its operator")
        }
        return newest.text
    }
}

extension Link {
    /// Keeps a checkpoint that knows more than the one that is kept. One that knows less is not kept: shown again in the next CONNECT,
    /// the older one makes a rewound log show itself.
    mutating func remember(checkpoint text: String) {
        guard let new = Checkpoint(text) else { return }
        if let known = options.checkpoint.flatMap({ Checkpoint($0) }), known.journal == new.journal,
            known.size >= new.size
        {
            return
        }
        options.checkpoint = text
    }
}
