import TLSStreams

/// The bytes of one connection. Made, used and dropped on one loop's thread.
protocol Transport: AnyObject {
    /// Connects. What happens is reported on the loop, `.opened` first; after `.ended` or `.failed` nothing more.
    func open(_ report: @escaping (TransportEvent) -> Void)
    /// Writes, now or as soon as the peer takes it. At most `transportBufferLimitBytes` wait, then it fails.
    func write(_ bytes: [UInt8])
    /// Writes what fits of the rest, says goodbye and closes. Nothing is reported any more. Harmless twice.
    func close()
}

/// The most bytes that wait for a slow relay on one connection.
let transportBufferLimitBytes = 64 * 1024 * 1024
/// Bytes asked for in one read.
let transportReadBytes = 64 * 1024
/// Reads in a row before others on the loop get their turn.
let transportReadsPerTurn = 16

/// What a transport reports.
enum TransportEvent: Sendable {
    case opened
    case received([UInt8])
    /// The relay closed in good order.
    case ended
    case failed(RelayError)
}

extension RelayError {
    /// What a TLS error means to somebody who wants to reach a relay.
    init(_ error: TLSError) {
        switch error {
        case .fileNotReadable, .fileWithout, .keyEncrypted, .keyDoesNotMatch, .crlWithoutCA, .crlNotSigned, .setting:
            self.init(.configuration, error.description, cause: error)
        case .peerCertificate: self.init(.relayNotTrusted, error.description, cause: error)
        case .refusedByPeer(let alert):
            // TLS 1.3, 6.2: bad, unsupported, revoked, expired, unknown certificate; unknown_ca; access_denied;
            // certificate_required. Other alerts may pass.
            let isFinal = (42...46).contains(alert) || alert == 48 || alert == 49 || alert == 116
            self.init(isFinal ? .certificateRefused : .unreachable, error.description, cause: error)
        case .plaintextPeer, .nothingInCommon, .protocolViolation:
            self.init(.protocolFault, error.description, cause: error)
        default: self.init(.unreachable, error.description, cause: error)
        }
    }
}

/// Bytes that wait to be written, taken off the front without moving the rest each time.
struct OutputQueue {
    private(set) var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: [UInt8]) {
        if isEmpty {
            bytes = more
            start = 0
        } else {
            bytes.append(contentsOf: more)
        }
    }

    mutating func removeFirst(_ count: Int) {
        start += count
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= transportReadBytes)
            start = 0
        } else if start > bytes.count / 2 {
            bytes.removeSubrange(..<start)
            start = 0
        }
    }

    func withUnsafeFront<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }
}
