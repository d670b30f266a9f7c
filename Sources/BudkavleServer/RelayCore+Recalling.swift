import CaseNotifications
import Relay
import STOMP

extension RelayCore {
    /// Whether a request that names this notification has to wait for the disk: it may have left memory.
    func mustRecall(_ id: NotificationID) -> Bool { relay.hasReleased && relay.notification(id) == nil }

    /// Reads a notification that has left memory, for a request that names it. Whatever else this client asks for waits until
    /// the request is decided, so that its frames are decided and answered in their order.
    ///
    /// - Parameter decide: gets what is known of it, nothing for an unknown one, or nil when it cannot be read now.
    func recall(
        _ id: NotificationID, at place: RequestPlace,
        then decide: @escaping @Sendable (isolated RelayCore, HistoricTrail?) -> Void
    ) {
        let client = place.connection
        clients[client]?.isRecalling = true
        history.follow(HistoricTrail(of: id, in: relay), of: id, from: nil, through: durableSequence) {
            [self] result in
            onLoop { core in
                // Of a client that has gone nothing more is decided: it sends again what was not answered.
                guard core.clients[client] != nil else { return }
                core.clients[client]?.isRecalling = false
                switch result {
                case .success(let trail): decide(core, trail)
                case .failure(let error):
                    core.noteHistoryFault(error)
                    decide(core, nil)
                }
                core.goOn(with: client)
            }
        }
    }

    /// Lets a request wait behind an earlier one of its client that is being read for. As many wait as may be unanswered.
    ///
    /// - Returns: false when there is none.
    func waitBehindRecall(_ request: Request, of id: ConnectionID) -> Bool {
        guard let client = clients[id], client.isRecalling || client.isGoingOn else { return false }
        clients[id]?.behindRecall.append(request)
        return true
    }

    private func goOn(with id: ConnectionID) {
        clients[id]?.isGoingOn = true
        while let client = clients[id], !client.isRecalling, let request = client.behindRecall.first {
            clients[id]?.behindRecall.removeFirst()
            // SAFETY: connections of this core live on its loop.
            let mayDecide = client.connection.assumeIsolated { $0.mayDecide(request.order) }
            if mayDecide { carryOut(request, from: id) } else { forget(request, from: id) }
        }
        clients[id]?.isGoingOn = false
    }
}
