import Foundation

extension LoadResult {
    /// One line for people.
    var line: String {
        var parts = [
            "fan-out \(plan.fanOut.rawValue), \(load), \(plan.bodyBytes) B, \(Self.text(seconds, 1)) s",
            "\(Self.grouped(acceptedPerSecond)) accepted/s, \(Self.grouped(deliveredPerSecond)) delivered/s",
            "accept \(Self.text(accept))", "end-to-end \(Self.text(endToEnd))",
        ]
        if let milliseconds = serverMillisecondsPerThousand {
            let memory = serverResidentBytes.map { ", RSS \($0 / 1_048_576) MiB" } ?? ""
            parts.append("server \(Self.text(milliseconds, 1)) ms CPU/1000\(memory)")
        }
        if seconds > 0 { parts.append("generator \(Self.text(generatorCPUSeconds / seconds, 2)) core") }
        var counts =
            "lost \(lost), doubled \(doubled), redelivered \(redelivered), refused \(refused), errors \(errors)"
        if unanswered > 0 { counts += ", unanswered \(unanswered)" }
        if unsent > 0 { counts += ", due but not sent \(unsent)" }
        parts.append(counts)
        return parts.joined(separator: " | ")
    }

    private var load: String {
        let windows = "\(plan.producers)x\(plan.window)"
        guard let rate = plan.rate else { return windows }
        return "\(Self.text(rate, rate == rate.rounded() ? 0 : 1))/s (\(windows))"
    }

    private static func text(_ latency: Latency) -> String {
        "p50 \(text(latency.p50, 2)) p90 \(text(latency.p90, 2)) p99 \(text(latency.p99, 2)) max \(text(latency.max, 2)) ms"
    }

    private static func text(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

    /// With commas between thousands.
    private static func grouped(_ value: Double) -> String {
        var digits = Array(String(Int(value.rounded())))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }

    /// One object, `budkavle.bench.load/1`; times in milliseconds.
    var json: String {
        let values = Values(
            producers: plan.producers, window: plan.window, fanOut: plan.fanOut.rawValue, rate: plan.rate,
            consumers: plan.consumers, prefetch: plan.prefetch, bodyBytes: plan.bodyBytes, seconds: seconds, sent: sent,
            accepted: accepted, acceptedPerSecond: acceptedPerSecond, deliveredPerSecond: deliveredPerSecond,
            accept: Values.Times(accept), endToEnd: Values.Times(endToEnd), lost: lost, doubled: doubled,
            redelivered: redelivered, refused: refused, errors: errors, unanswered: unanswered, unsent: unsent,
            foreign: foreign, firstProblem: firstProblem, drainSeconds: drainSeconds,
            serverCPUMillisecondsPer1000: serverMillisecondsPerThousand, serverResidentBytes: serverResidentBytes,
            generatorCPUSeconds: generatorCPUSeconds, isClean: isClean)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(values) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    /// The members of the object.
    private struct Values: Encodable {
        struct Times: Encodable {
            var p50: Double
            var p90: Double
            var p99: Double
            var max: Double
            var count: Int

            init(_ latency: Latency) {
                p50 = latency.p50
                p90 = latency.p90
                p99 = latency.p99
                max = latency.max
                count = latency.count
            }
        }
        var schema = "budkavle.bench.load/1"
        var producers: Int
        var window: Int
        var fanOut: Int
        var rate: Double?
        var consumers: Int
        var prefetch: Int
        var bodyBytes: Int
        var seconds: Double
        var sent: Int
        var accepted: Int
        var acceptedPerSecond: Double
        var deliveredPerSecond: Double
        var accept: Times
        var endToEnd: Times
        var lost: Int
        var doubled: Int
        var redelivered: Int
        var refused: Int
        var errors: Int
        var unanswered: Int
        var unsent: Int
        var foreign: Int
        var firstProblem: String?
        var drainSeconds: Double
        var serverCPUMillisecondsPer1000: Double?
        var serverResidentBytes: Int?
        var generatorCPUSeconds: Double
        var isClean: Bool
    }
}
