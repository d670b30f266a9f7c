/// When a time zone changes its offset, compiled from the system's zone data; pure code that needs local time is handed this.
package struct ZoneTransitions: Hashable, Sendable {
    /// One change.
    package struct Transition: Hashable, Sendable {
        /// Seconds since 1970-01-01T00:00:00Z, the first that has the new offset.
        package let at: Int64
        /// Seconds east of UTC from then on.
        package let offsetSeconds: Int32

        /// A change.
        package init(at: Int64, offsetSeconds: Int32) {
            self.at = at
            self.offsetSeconds = offsetSeconds
        }
    }

    /// `Europe/Stockholm`.
    package let name: String
    /// Seconds east of UTC before the first change.
    package let initialOffsetSeconds: Int32
    /// The changes, earliest first.
    package let transitions: [Transition]

    /// A zone.
    ///
    /// - Precondition: `transitions` are in strictly rising order.
    package init(name: String, initialOffsetSeconds: Int32, transitions: [Transition]) {
        precondition(zip(transitions, transitions.dropFirst()).allSatisfy { $0.at < $1.at }, "transitions must rise")
        self.name = name
        self.initialOffsetSeconds = initialOffsetSeconds
        self.transitions = transitions
    }

    /// Seconds east of UTC at an instant, given in seconds since 1970.
    package func offset(at seconds: Int64) -> Int32 {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? initialOffsetSeconds : transitions[low - 1].offsetSeconds
    }

    /// The instant at which clocks of the zone show `local`, seconds since 1970 as if they were UTC.
    ///
    /// A time that clocks show twice is the first of the two; one that they skip is as late after the change as it would have been.
    package func instant(ofLocal local: Int64) -> Int64 {
        // The offsets a day before and after are the only candidates, as zones do not change twice within two days.
        let before = offset(at: local - 86_400)
        let after = offset(at: local + 86_400)
        let first = local - Int64(before)
        if before == after { return first }
        if offset(at: first) == before { return first }
        let second = local - Int64(after)
        if offset(at: second) == after { return second }
        return first
    }
}
