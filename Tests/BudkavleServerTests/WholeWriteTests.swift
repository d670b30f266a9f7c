import Glibc
import Testing

@testable import BudkavleServer

@Suite struct WholeWriteTests {
    /// What is written when each piece of at most three bytes is interrupted so often before it goes.
    private func written(_ bytes: [UInt8], interrupted times: Int) -> (bytes: [UInt8], error: Int32?) {
        var (taken, left): ([UInt8], Int) = ([], times)
        let error = WholeWrite.write(bytes) { rest in
            guard left == 0 else {
                left -= 1
                errno = EINTR
                return -1
            }
            left = times
            taken += rest.prefix(3)
            return min(3, rest.count)
        }
        return (taken, error)
    }

    @Test func `what goes in pieces and is interrupted is written whole, up to the limit in a row`() {
        let bytes = [UInt8](0..<10)
        for times in [0, 1, WholeWrite.mostInterruptions] {
            let found = written(bytes, interrupted: times)
            #expect(found.bytes == bytes && found.error == nil, "\(times) interruptions")
        }
        let past = written(bytes, interrupted: WholeWrite.mostInterruptions + 1)
        #expect(past.bytes.isEmpty && past.error == EINTR)
    }

    @Test func `a write that fails or takes nothing ends with its error`() {
        let failed = WholeWrite.write([1, 2]) { _ in
            errno = ENOSPC
            return -1
        }
        #expect(failed == ENOSPC)
        #expect(WholeWrite.write([1, 2]) { _ in 0 } == EIO)
        #expect(WholeWrite.write([]) { _ in -1 } == nil)
    }
}
