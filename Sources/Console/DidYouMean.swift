/// Suggests what somebody may have meant to type.
package enum DidYouMean {
    /// The most changes (Damerau: insert, delete, replace, swap neighbours) between a word and a suggestion.
    package static let largestDistance = 2

    /// The nearest candidate within `largestDistance`; of equals the first. Nothing for words shorter than three.
    package static func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(word.lowercased())
        if wanted.count < 3 || wanted.count > 64 { return nil }
        var best: (distance: Int, candidate: String)?
        for candidate in candidates {
            let distance = self.distance(wanted, Array(candidate.lowercased()))
            if distance <= largestDistance, best.map({ distance < $0.distance }) ?? true {
                best = (distance, candidate)
            }
        }
        return best?.candidate
    }

    /// The optimal string alignment distance.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        if abs(left.count - right.count) > largestDistance { return largestDistance + 1 }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var row = [i + 1]
            for (j, b) in right.enumerated() {
                var value = min(last[j + 1] + 1, row[j] + 1, last[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { value = min(value, beforeLast[j - 1] + 1) }
                row.append(value)
            }
            beforeLast = last
            last = row
        }
        return last[right.count]
    }
}
