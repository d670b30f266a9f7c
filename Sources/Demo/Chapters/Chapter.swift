/// One part of the play.
struct Chapter {
    let heading: Narrator.Heading
    let play: (Stage) async throws -> Void

    /// All of them, in the order in which they are played; the simulated clock only goes forward.
    static var all: [Chapter] { [fridayNight, nurse, repetition, wrongCertificates, crash, sealedData] }
}
