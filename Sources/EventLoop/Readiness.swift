import CLinux
import Glibc

/// What a descriptor is ready for, and what a watcher wants to hear of.
package struct Readiness: OptionSet, Hashable, Sendable {
    /// The bits, our own and not epoll's.
    package let rawValue: UInt8

    /// Makes a set from its bits.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Bytes, a connection or an end can be read.
    package static let read = Readiness(rawValue: 1)
    /// There is room to write, or a connect has finished.
    package static let write = Readiness(rawValue: 2)
    /// The peer has closed its sending half or both. Always reported.
    package static let hangUp = Readiness(rawValue: 4)
    /// The descriptor is in error (`SO_ERROR` says which). Always reported.
    package static let error = Readiness(rawValue: 8)
    /// As an interest: report each change once (`EPOLLET`), not for as long as it holds. Never reported.
    package static let edgeTriggered = Readiness(rawValue: 16)

    /// As epoll wants it.
    var epollEvents: UInt32 {
        var events: UInt32 = 0
        if contains(.read) { events |= EPOLLIN.rawValue | EPOLLRDHUP.rawValue }
        if contains(.write) { events |= EPOLLOUT.rawValue }
        if contains(.edgeTriggered) { events |= EPOLLET.rawValue }
        return events
    }

    /// As epoll says it.
    init(epollEvents events: UInt32) {
        var readiness: Readiness = []
        if events & EPOLLIN.rawValue != 0 { readiness.insert(.read) }
        if events & EPOLLOUT.rawValue != 0 { readiness.insert(.write) }
        if events & (EPOLLHUP.rawValue | EPOLLRDHUP.rawValue) != 0 { readiness.insert(.hangUp) }
        if events & EPOLLERR.rawValue != 0 { readiness.insert(.error) }
        self = readiness
    }
}

/// One registration of a descriptor with a loop. Descriptor numbers are reused, watches are not.
package struct Watch: Hashable, Sendable {
    /// The watched descriptor.
    package let descriptor: Int32
    let generation: UInt32

    /// What epoll carries beside an event: the generation above, the descriptor below.
    var userData: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor)) }

    init(descriptor: Int32, generation: UInt32) {
        self.descriptor = descriptor
        self.generation = generation
    }

    init(userData: UInt64) {
        descriptor = Int32(bitPattern: UInt32(truncatingIfNeeded: userData))
        generation = UInt32(userData >> 32)
    }
}

/// Something that wants to be called once in the loop's next turn, without a closure being made for it.
package protocol LoopParticipant: AnyObject {
    /// Called on the loop, after the events, timers and hand-overs of a turn.
    func takeTurn()
}

/// Why a loop could not do what was asked.
package enum EventLoopError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel refused. At start mostly `EMFILE` (raise `LimitNOFILE=`) or `EAGAIN` (raise `TasksMax=`).
    case system(call: String, errno: Int32)
    /// The descriptor has a watch that was not ended.
    case alreadyWatched(descriptor: Int32)
    /// The loop was started before or has ended.
    case notStartable

    package var description: String {
        switch self {
        case .system(let call, let number):
            "\(call) failed: \(String(cString: strerror(number)))"
        case .alreadyWatched(let descriptor):
            "descriptor \(descriptor) is watched already; end its watch before it is closed"
        case .notStartable:
            "the event loop was started before or has ended"
        }
    }
}
