/// The salts of one batch and its texts: random, and hedged with what they are for.
///
/// A generator that repeats itself, in a cloned machine or for good, would give two batches of one number the same key under
/// the same segment key. So each salt is an HMAC, under a key that only the journal has, over 32 random bytes and everything
/// that is sealed: equal salts mean equal bytes.
struct SaltSource {
    private let key: Cipher.Key
    private let random: any RandomSource

    init(segmentKey: Cipher.Key, random: any RandomSource) {
        key = Cipher.derive(segmentKey, salt: [], info: Array("budkavle/journal/2/salt".utf8))
        self.random = random
    }

    /// The salt of a text whose head frame has this number.
    func salt(of text: SealedText, at place: BatchSealer.Place, frame: UInt32, of frames: UInt32) -> [UInt8] {
        var input = ByteWriter(bytes: random.bytes(TextFormat.saltBytes))
        input.put(place.segment)
        input.put(place.batch)
        input.put(frame)
        input.put(frames)
        input.put(Cipher.digest(text.bytes))
        return Cipher.authenticate(input.bytes, key: key)
    }

    /// The salt of a batch.
    ///
    /// - Parameter clear: what else its key authenticates or seals: directory, and what stands in clear behind the frames.
    func salt(of shared: [UInt8], heads: [TextFormat], clear: [UInt8], at place: BatchSealer.Place) -> [UInt8] {
        var digest = Cipher.Digest()
        digest.add(place.chain)
        digest.add(clear)
        for head in heads { digest.add(head.encoded) }
        digest.add(shared)
        var input = ByteWriter(bytes: random.bytes(BatchFormat.saltBytes))
        input.put(place.segment)
        input.put(place.batch)
        input.put(digest.value())
        return Cipher.authenticate(input.bytes, key: key)
    }
}
