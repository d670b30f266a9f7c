import CaseNotifications
import Relay
import TestSupport

/// What a world is like besides its faults: the same for all its lives.
struct SimulatedTraits {
    /// Which faults there are in a world.
    enum Faults: String, Sendable, CaseIterable {
        /// Those of the first simulations: what their seeds found is found in these worlds only.
        case first
        case all
    }

    let faults: Faults
    /// Finished notifications that stay in memory.
    var finishedLimit = Relay.finishedLimit
    /// Whether people must acknowledge. Here they never do, so that nothing is finished where they must.
    var mustBeAcknowledged = true
    /// Bytes that wait in a session before no further message is rendered for it.
    var outgoingLimitBytes = Int.max
    /// Bytes on the way to a client before the relay keeps the rest.
    var windowBytes = Int.max
    /// Whether the wall clock jumps by weeks.
    var hasLongJumps = false
    /// Whether clients have the relay's clock, also where that is wrong.
    var hasOneClock = false

    init(_ faults: Faults, _ flaw: Flaw, _ draws: inout SeededGenerator) {
        self.faults = faults
        guard faults == .all else { return }
        if Bool.random(using: &draws) || flaw == .forgetsHistory {
            finishedLimit = Int.random(in: 0...12, using: &draws)
            mustBeAcknowledged = false
        }
        if Int.random(in: 0..<3, using: &draws) == 0 || flaw == .sendsWhatWaited {
            outgoingLimitBytes = Int.random(in: 1...1_500, using: &draws)
            windowBytes = Int.random(in: 1...800, using: &draws)
        }
        hasLongJumps = Int.random(in: 0..<3, using: &draws) == 0 || flaw == .trustsClock
        hasOneClock = Bool.random(using: &draws)
    }

    /// A relay before its first record.
    var relay: Relay {
        Relay(
            collaboration: SimulatedNode.collaboration, settings: SimulatedNode.settings, finishedLimit: finishedLimit)
    }

    /// How far the wall clock is set wrong at most, in weeks: less than receipts wait for their reader, from end to end.
    static let jumpWeeks: Int64 = 6
    static let weekMilliseconds: Int64 = 7 * 86_400_000
    /// How old finished content may be.
    static let retentionSeconds: Int64 = 30 * 86_400
    /// How far the clock may be ahead of what is certain before it is not believed.
    static let jumpLimitMilliseconds: Int64 = 86_400_000
}
