/// How a relay is built wrongly on purpose, so that a test can see that the judge notices.
enum Flaw: Sendable {
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
}
