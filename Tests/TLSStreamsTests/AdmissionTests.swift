import Testing

@testable import TLSStreams

struct AdmissionTests {
    private func ledger(_ change: (inout ListenerLimits) -> Void) -> AdmissionLedger {
        var limits = ListenerLimits()
        change(&limits)
        return AdmissionLedger(limits: limits)
    }

    @Test func `the last connection of the limit is admitted and the next is not`() {
        var ledger = ledger { $0.connections = 2 }
        let verdicts = (0..<3).map { _ in ledger.admit("192.0.2.1", at: .zero) }
        #expect(verdicts == [.admitted, .admitted, .full])
        ledger.connectionClosed()
        let after = ledger.admit("192.0.2.1", at: .zero)
        #expect(after == .admitted)
    }

    @Test func `an address is cut off at the limit of failures and let in after the window`() {
        var ledger = ledger { $0.failuresPerAddress = 3 }
        let told = (0..<4).map { _ in ledger.noteFailure(of: "192.0.2.1", at: .seconds(1)) }
        #expect(told == [false, false, true, false], "told once")
        let verdicts = [
            ledger.admit("192.0.2.1", at: .seconds(60)), ledger.admit("192.0.2.2", at: .seconds(60)),
            ledger.admit("192.0.2.1", at: .seconds(61)),
        ]
        #expect(verdicts == [.refusedAddress, .admitted, .admitted])
    }

    @Test func `one failure below the limit is admitted`() {
        var ledger = ledger { $0.failuresPerAddress = 3 }
        for _ in 0..<2 { _ = ledger.noteFailure(of: "192.0.2.1", at: .zero) }
        let verdict = ledger.admit("192.0.2.1", at: .zero)
        #expect(verdict == .admitted)
    }

    @Test func `the table of addresses is bounded and forgets the oldest failure`() {
        var ledger = ledger {
            $0.addresses = 2
            $0.failuresPerAddress = 1
        }
        for (second, address) in ["a", "b", "c"].enumerated() {
            _ = ledger.noteFailure(of: address, at: .seconds(second))
        }
        #expect(ledger.rememberedAddresses == 2)
        let verdicts = ["a", "b", "c"].map { ledger.admit($0, at: .seconds(3)) }
        #expect(verdicts == [.admitted, .refusedAddress, .refusedAddress])
    }

    @Test func `accepting pauses at the limit of handshakes and goes on when one ends`() {
        var ledger = ledger { $0.openHandshakes = 1 }
        var answers = [ledger.mayAcceptOrPauses()]
        _ = ledger.admit("a", at: .zero)
        answers.append(ledger.mayAcceptOrPauses())
        answers.append(ledger.handshakeEnded())
        answers.append(ledger.mayAcceptOrPauses())
        #expect(answers == [true, false, true, true])
    }
}
