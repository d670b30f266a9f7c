/// What somebody may have meant.
package enum Suggestion {
    /// The candidate that is nearest to `text`, if one is near enough: at most a third of its letters away, at least one.
    ///
    /// Among equally near ones the first in order of text wins.
    package static func nearest(to text: String, among candidates: some Sequence<String>) -> String? {
        let limit = max(1, (text.unicodeScalars.count + 1) / 3)
        var best: (distance: Int, text: String)?
        for candidate in candidates where candidate != text {
            let distance = editDistance(text, candidate, limit: limit)
            guard distance <= limit else { continue }
            if let current = best, (current.distance, current.text) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best?.text
    }

    /// `did you mean 'x'?`, or else `one of a, b, c` when there are few, or nil.
    package static func hint(for text: String, among candidates: some Sequence<String>) -> String? {
        if let nearest = nearest(to: text, among: candidates) { return "did you mean '\(nearest)'?" }
        let all = Array(candidates).sorted()
        guard (1...16).contains(all.count) else { return nil }
        return "one of " + all.joined(separator: ", ")
    }

    /// Insertions, deletions, replacements and swaps of neighbours between two texts; anything above `limit` counts as `limit + 1`.
    static func editDistance(_ left: String, _ right: String, limit: Int) -> Int {
        let left = Array(left.unicodeScalars.prefix(128))
        let right = Array(right.unicodeScalars.prefix(128))
        guard abs(left.count - right.count) <= limit else { return limit + 1 }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for column in 0..<right.count {
                var cost = min(
                    last[column] + (left[row] == right[column] ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return min(last[right.count], limit + 1)
    }
}
