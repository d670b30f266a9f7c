import EventLoop
import Glibc

/// An IP address with a port, as the kernel takes it.
struct SocketAddress: Equatable, Sendable {
    /// The bytes of a `sockaddr_in` or `sockaddr_in6`.
    let bytes: [UInt8]
    let family: Int32

    init(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
        family = Int32(address.pointee.sa_family)
    }

    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: sockaddr_storage.self, capacity: 1) { storage in
            let raw = UnsafeMutableRawBufferPointer(storage)
            raw.copyBytes(from: bytes.prefix(raw.count))
            return raw.withMemoryRebound(to: sockaddr.self) { pointer in
                guard let address = pointer.baseAddress else { preconditionFailure("an allocation has an address") }
                return body(UnsafePointer(address), socklen_t(bytes.count))
            }
        }
    }

    /// The host in numbers: `192.0.2.7`, `2001:db8::7`; an IPv4 address that came through an IPv6 socket as IPv4.
    var host: String {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = withSocketAddress { address, length in
            getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        }
        guard result == 0 else { return "?" }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return host.hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst(7)) : host
    }

    /// The port, in the machine's byte order.
    var port: Int { bytes.count >= 4 ? Int(bytes[2]) << 8 | Int(bytes[3]) : 0 }

    /// What failures are counted by: an IPv4 address, or the /64 of an IPv6 address, which is one site.
    var countedBy: String {
        guard family == AF_INET6, bytes.count >= 24, !host.contains(".") else { return host }
        return bytes[8..<16].map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// Looks a name up. Blocks.
    static func lookUp(_ name: String, port: Int, passive: Passivity) throws(TLSError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = passive == .toListen ? AI_PASSIVE | AI_NUMERICSERV : AI_NUMERICSERV
        guard (0...65_535).contains(port) else {
            throw .unknownHost(name: name, reason: "\(port) is not a port (0 to 65535)")
        }
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(name, String(port), &hints, &list)
        guard result == 0 else {
            throw .unknownHost(name: CertificateReader.cleaned(name), reason: String(cString: gai_strerror(result)))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr, addresses.count < TLSLimits.addressesTried {
                addresses.append(SocketAddress(address, length: entry.pointee.ai_addrlen))
            }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    /// What a looked-up address is for.
    enum Passivity { case toConnect, toListen }
}

/// A host whose addresses are known, so that connecting to it needs no lookup and may begin on an event loop.
package struct ResolvedHost: Sendable {
    /// The name as given, which the server's certificate must carry.
    package let name: String
    /// The port.
    package let port: Int
    let addresses: [SocketAddress]

    /// Looks the host up: blocks, so not on an event loop.
    ///
    /// - Throws: `.unknownHost`.
    package init(name: String, port: Int) throws(TLSError) {
        self.name = name
        self.port = port
        addresses = try SocketAddress.lookUp(name, port: port, passive: .toConnect)
    }
}

/// Connecting without waiting: one address after the other until one takes the connection.
struct Connector {
    private let host: ResolvedHost
    private var next = 0
    private var lastReason = "it has no address"
    /// The socket that is connecting, -1 between two addresses.
    private(set) var descriptor: Int32 = -1

    init(host: ResolvedHost) { self.host = host }

    enum Step {
        /// Call again when the descriptor is writable.
        case waits
        /// Connected; the descriptor is the caller's now.
        case connected(Int32)
        case failed(TLSError)
    }

    mutating func advance() -> Step {
        if descriptor >= 0, let step = look() { return step }
        while next < host.addresses.count {
            let address = host.addresses[next]
            next += 1
            descriptor = StreamSocket.make(family: address.family)
            guard descriptor >= 0 else {
                lastReason = String(cString: strerror(errno))
                continue
            }
            let fresh = descriptor
            if address.withSocketAddress({ connect(fresh, $0, $1) }) == 0 { return take() }
            if errno == EINPROGRESS { return .waits }
            giveUp(errno)
        }
        return .failed(.notConnected(host: "\(host.name):\(host.port)", reason: lastReason))
    }

    /// Closes what is open.
    mutating func abandon() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private mutating func look() -> Step? {
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&poller, 1, 0) > 0 else { return .waits }
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length)
        if number == 0 { return take() }
        giveUp(number)
        return nil
    }

    private mutating func take() -> Step {
        defer { descriptor = -1 }
        SocketTuning.apply(to: descriptor)
        return .connected(descriptor)
    }

    private mutating func giveUp(_ number: Int32) {
        lastReason = String(cString: strerror(number))
        abandon()
    }
}

/// Options of every connection's socket.
enum SocketTuning {
    /// Small frames leave at once, and a peer that is gone without a word is noticed (also without STOMP heart-beats).
    static func apply(to descriptor: Int32) {
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
        set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    }

    static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        // A Unix socket pair has no TCP options, and needs none.
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
