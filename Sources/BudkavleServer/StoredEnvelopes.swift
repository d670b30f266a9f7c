import CaseNotifications
import Journal
import Routing

/// Opens contents of a journal offline, beside a running daemon too, for their envelopes.
///
/// `data` is let go as soon as the envelope is read, and nothing of it is kept.
struct StoredEnvelopes {
    /// How often the keys are read anew, because a daemon that erases meanwhile writes files of keys anew.
    static let mostRenewals = 16

    /// What is there of a notification.
    enum Found {
        case envelope(CaseNotification)
        /// Its keys were destroyed.
        case erased
        /// Its segment has gone, it does not open, or the policy's catalogue has no such type.
        case unreadable
    }

    private let site: StoreSite
    private let decoder: NotificationDecoder
    private var opener: TextOpener?
    /// How often they were.
    private(set) var renewals = 0

    /// - Parameter policy: by whose catalogue they are read.
    init(_ site: StoreSite, policy: Policy) {
        self.site = site
        decoder = NotificationDecoder(catalogue: policy.catalogue, mode: policy.mode)
    }

    /// The envelope of a notification, without `data`.
    ///
    /// The keys are read with the first one: what was sealed before that can be opened. Blocks.
    mutating func envelope(of id: NotificationID, at place: TextLocation?) -> Found {
        guard let place else { return .unreadable }
        var body = read(id, at: place)
        if case .failure(let error) = body, error.mayBeStale, renewals < Self.mostRenewals {
            renewals += 1
            close()
            body = read(id, at: place)
        }
        switch body {
        case .failure(.textErased): return .erased
        case .failure: return .unreadable
        case .success(let body):
            guard var notification = try? decoder.decode(body, of: .stored) else { return .unreadable }
            (notification.body, notification.fields, notification.attributes) = ([], [], [])
            return .envelope(notification)
        }
    }

    private mutating func read(_ id: NotificationID, at place: TextLocation) -> Result<[UInt8], JournalError> {
        Result { () throws(JournalError) in
            if let opener { return try opener.read(TextID(id), at: place) }
            let fresh = try Inspection.access(directory: site.directory, keys: try site.keys()).textOpener()
            opener = fresh
            return try fresh.read(TextID(id), at: place)
        }
    }

    /// Lets go of the files.
    mutating func close() {
        opener?.close()
        opener = nil
    }
}

extension JournalError {
    /// Whether a text may be read with keys that are loaded anew: its slab's file was written anew, or its segment has gone.
    fileprivate var mayBeStale: Bool {
        switch self {
        case .keysDamaged, .io: true
        default: false
        }
    }
}
