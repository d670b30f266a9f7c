/// How a relay is built wrongly on purpose, so that a test can see that the judge notices.
enum Flaw: Sendable, CaseIterable {
    case none
    /// Answers and messages leave before their events are on disk.
    case answersBeforeCommit
    /// After a restart nothing counts as redelivered.
    case forgetsRedelivery
    /// The disk's syncs do nothing.
    case diskLies
    /// What cannot be opened is sent as it lies there.
    case servesDamage
    /// After lost records everything goes on as if there had been none.
    case forgetsLosses
    /// At a clean end the watermark is not written.
    case endsWithoutMark
    /// At a clean end what was decided is neither written nor answered.
    case endsAtOnce
    /// What is past its time goes by the wall clock, however far that has jumped.
    case trustsClock
    /// An erasure says that it is done and leaves the keys.
    case keepsErasedKeys
    /// An erased case takes what shares its keys with it, and nobody is told.
    case erasesUnsaid
    /// What waited for a slow reader is sent as it was.
    case sendsWhatWaited
    /// What has left memory is not looked for on disk.
    case forgetsHistory
}
