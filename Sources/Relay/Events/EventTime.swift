package import CaseNotifications

extension EventCodec {
    /// When the event of these bytes happened, without reading the rest. Nil for bytes that do not begin like an event.
    package static func time(of bytes: [UInt8]) -> Timestamp? {
        var reader = ByteReader(bytes)
        do {
            _ = try reader.byte()
            _ = try reader.byte()
            return try reader.time()
        } catch {
            return nil
        }
    }
}
