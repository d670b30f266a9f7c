import CaseNotifications
import Glibc
package import Logging

/// Writes log lines to standard error: text for people, JSON for machines, `<N>` in front where journald reads along.
package struct LineLogHandler: LogHandler {
    /// How a line looks.
    package enum Format: Sendable { case text, json }

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let format: Format
    private let hasPriorities: Bool

    /// - Parameter format: `nil` chooses text, with priorities if `JOURNAL_STREAM` is set.
    package init(format: Format?, level: Logger.Level) {
        self.format = format ?? .text
        hasPriorities = format == nil && getenv("JOURNAL_STREAM") != nil
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).merging(metadata) { first, _ in first }.sorted { $0.key < $1.key }
        var line = ""
        switch format {
        case .json:
            var object = JSONObject()
            object["time"] = .string(WallTime.now.rfc3339)
            object["level"] = .string(event.level.rawValue)
            object["message"] = .string(event.message.description)
            for (key, value) in fields { object[key] = .string("\(value)") }
            line = JSONValue.object(object).text
        case .text:
            if hasPriorities { line += "<\(Self.priority(event.level))>" } else { line += WallTime.now.rfc3339 + " " }
            line += "\(event.level.rawValue) \(event.message.description)"
            for (key, value) in fields { line += " \(key)=\(value)" }
        }
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
