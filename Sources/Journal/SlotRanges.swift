/// Slots as text: `17:0-5,9;18:3` is slots 0 to 5 and 9 of slab 17, and slot 3 of slab 18.
enum SlotRanges {
    /// - Precondition: sorted, without doubles.
    static func text(_ slots: [SlotID]) -> String {
        var text = ""
        var index = 0
        while index < slots.count {
            let first = slots[index]
            var last = index
            while last + 1 < slots.count, slots[last + 1].rawValue == slots[last].rawValue + 1,
                slots[last + 1].slab == first.slab
            {
                last += 1
            }
            if index == 0 || slots[index - 1].slab != first.slab {
                text += (index == 0 ? "" : ";") + "\(first.slab):"
            } else {
                text += ","
            }
            text += last == index ? "\(first.index)" : "\(first.index)-\(slots[last].index)"
            index = last + 1
        }
        return text
    }

    /// Reads what `text` wrote, and nothing else: sorted, without doubles, every number in its shortest form.
    static func slots(_ text: some StringProtocol) -> [SlotID]? {
        var slots: [SlotID] = []
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            let sides = part.split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2, let slab = number(sides[0], in: 1...(UInt64.max >> 16)) else { return nil }
            for range in sides[1].split(separator: ",", omittingEmptySubsequences: false) {
                let ends = range.split(separator: "-", omittingEmptySubsequences: false)
                let limit = UInt64(JournalLimits.slotsPerSlab - 1)
                guard (1...2).contains(ends.count), let first = number(ends[0], in: 0...limit),
                    let last = ends.count == 1 ? first : number(ends[1], in: first...limit),
                    slots.count + Int(last - first) < JournalLimits.maxSlotsPerErasure
                else { return nil }
                for index in first...last { slots.append(SlotID(slab: slab, index: Int(index))) }
            }
        }
        return Self.text(slots) == text && zip(slots, slots.dropFirst()).allSatisfy { $0 < $1 } ? slots : nil
    }

    private static func number(_ text: some StringProtocol, in range: ClosedRange<UInt64>) -> UInt64? {
        guard let value = UInt64(text), range.contains(value) else { return nil }
        return value
    }
}
