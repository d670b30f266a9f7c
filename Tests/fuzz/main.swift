// The fuzzer's program: libFuzzer's driver, or with -D PLAIN a loop of its own over seeded mutations.
// FUZZ_TARGET names the target.
import Glibc

private let fuzzTarget: ([UInt8]) -> Void = {
    guard let name = getenv("FUZZ_TARGET").map({ String(cString: $0) }), let target = targets[name] else {
        print("fuzzer: FUZZ_TARGET is none of \(targets.keys.sorted())")
        exit(EXIT_FAILURE)
    }
    return target
}()

#if PLAIN
    import TestSupport

    /// fuzzer SEED SECONDS CORPUS-FILE...: prints how many inputs were tried; the input of a crash lies in ./last-input.
    var generator = SeededGenerator(seed: UInt64(CommandLine.arguments[1]) ?? 1)
    var corpus: [[UInt8]] = [[]]
    for path in CommandLine.arguments.dropFirst(3) {
        guard let file = fopen(path, "r") else { continue }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        corpus.append(Array(buffer.prefix(fread(&buffer, 1, buffer.count, file))))
        fclose(file)
    }
    let end = time(nil) + (Int(CommandLine.arguments[2]) ?? 20)
    var tried = 0
    let last = open("last-input", O_RDWR | O_CREAT | O_TRUNC, 0o600)
    while time(nil) < end {
        for _ in 0..<256 {
            var input = corpus.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let place = Int.random(in: 0...input.count, using: &generator)
                switch Int.random(in: 0..<6, using: &generator) {
                case 0 where place < input.count: input[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 1 where place < input.count: input[place] = UInt8.random(in: 0...255, using: &generator)
                case 2: input.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                case 3 where place < input.count: input.removeSubrange(place..<min(input.count, place + 8))
                case 4 where place < input.count:
                    input[place] = [0, 1, 127, 128, 255].randomElement(using: &generator) ?? 0
                default:
                    let other = corpus.randomElement(using: &generator) ?? []
                    input =
                        Array(input.prefix(place)) + other.suffix(Int.random(in: 0...other.count, using: &generator))
                }
            }
            ftruncate(last, 0)
            pwrite(last, input, input.count, 0)
            fuzzTarget(input)
            tried += 1
        }
    }
    print("Done \(tried) runs")
#else
    @_silgen_name("LLVMFuzzerRunDriver")
    func runDriver(
        _ count: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(
        runDriver(&count, &arguments) { data, count in
            fuzzTarget(Array(UnsafeBufferPointer(start: data, count: count)))
            return 0
        })
#endif
