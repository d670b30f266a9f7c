package import CaseNotifications
import STOMP

/// What is to be erased: everything of a case, or one notification.
package enum ErasureTarget: Sendable, Equatable {
    case subject(CaseID)
    case notification(NotificationID)

    /// The target as `--case` or `--notification` names it; nil unless exactly one of them is there and has its form.
    package init?(case name: String?, notification: String?) {
        switch (name, notification) {
        case (let name?, nil):
            guard let id = CaseID(name) else { return nil }
            self = .subject(id)
        case (nil, let text?):
            guard let id = NotificationID(text: text) else { return nil }
            self = .notification(id)
        default: return nil
        }
    }
}

/// Why somebody does something that cannot be undone. Stored sealed, as a text; never logged.
package struct StatedReason: Sendable, Equatable {
    /// The longest reason, in bytes of UTF-8.
    package static let textLimitBytes = 1_000
    /// The longest name, in bytes of UTF-8.
    package static let nameLimitBytes = 128
    /// In the person's own words.
    package let text: String
    /// Who answers for it; nil: who gave the order.
    package let by: String?

    /// - Returns: nil if either is empty or over its limit.
    package init?(_ text: String, by: String?) {
        guard (1...Self.textLimitBytes).contains(text.utf8.count),
            by.map({ (1...Self.nameLimitBytes).contains($0.utf8.count) }) ?? true
        else { return nil }
        self.text = text
        self.by = by
    }

    /// What is sealed.
    var sealedText: String { by.map { "\(text) (\($0))" } ?? text }
}

/// What an administrator may ask of the store. The same with a daemon, where it comes as `/admin/<verb>`, and without one.
package enum StoreOrder: Sendable, Equatable {
    /// Master keys at hand, and what is wrapped under them.
    case listKeys
    /// The key files that budkavled.yaml names now are read again, and everything is wrapped under the active one.
    case rotateKeys
    /// This master key is needed no longer: refused as long as anything is.
    case retireKey(String)
    case erase(ErasureTarget, StatedReason)
    /// The journal without its keys, or the keys without the journal, or both, each to a directory of its own.
    case backup(journal: String?, keys: String?)
    /// What stopped the answers is accepted, and they go on.
    case salvage(StatedReason)

    /// The verb of `/admin/<verb>`.
    package var verb: String {
        switch self {
        case .listKeys, .rotateKeys, .retireKey: "keys"
        case .erase: "erase"
        case .backup: "backup"
        case .salvage: "salvage"
        }
    }

    /// The JSON body of `/admin/<verb>`.
    package var body: [UInt8] {
        var object = JSONObject()
        switch self {
        case .listKeys: object["action"] = "list"
        case .rotateKeys: object["action"] = "rotate"
        case .retireKey(let id):
            object["action"] = "retire"
            object["id"] = .string(id)
        case .erase(let target, let reason):
            switch target {
            case .subject(let id): object["case"] = .string(id.text)
            case .notification(let id): object["notification"] = .string(id.text)
            }
            object["reason"] = .string(reason.text)
            object["by"] = reason.by.map { .string($0) }
        case .backup(let journal, let keys):
            object["journal"] = journal.map { .string($0) }
            object["keys"] = keys.map { .string($0) }
        case .salvage(let reason):
            object["accept"] = true
            object["reason"] = .string(reason.text)
            object["by"] = reason.by.map { .string($0) }
        }
        return JSONValue.object(object).bytes
    }

    /// Reads the body of `/admin/<verb>`.
    ///
    /// - Throws: what is wrong with it, with its place and never with its content.
    static func read(verb: AdministrationVerb, _ asked: JSONValue) throws(SessionRefusal) -> StoreOrder {
        switch verb {
        case .keys: return try readKeys(asked)
        case .erase:
            try demandMembers(asked, ["case", "notification", "reason", "by"])
            guard
                let target = ErasureTarget(case: asked["case"]?.string, notification: asked["notification"]?.string)
            else { throw .schema("", "name a case or a notification by its id, and not both") }
            return .erase(target, try reason(asked))
        case .backup:
            try demandMembers(asked, ["journal", "keys"])
            let (journal, keys) = (try directory(asked, "journal"), try directory(asked, "keys"))
            guard journal != nil || keys != nil else {
                throw .schema("", "name a directory for the journal or the keys")
            }
            return .backup(journal: journal, keys: keys)
        case .salvage:
            try demandMembers(asked, ["accept", "reason", "by"])
            guard asked["accept"]?.bool == true else { throw .schema("/accept", "true is needed") }
            return .salvage(try reason(asked))
        case .reload, .drain, .undrain, .clock, .disconnect, .requeue, .deadLetters:
            throw .schema("", "not an order to the store")
        }
    }

    private static func readKeys(_ asked: JSONValue) throws(SessionRefusal) -> StoreOrder {
        try demandMembers(asked, ["action", "id"])
        switch (asked["action"]?.string, asked["id"]?.string) {
        case ("list", nil): return .listKeys
        case ("rotate", nil): return .rotateKeys
        case ("retire", let id?): return .retireKey(id)
        default: throw .schema("/action", "list, rotate, or retire with the id of a master key")
        }
    }

    private static func demandMembers(_ asked: JSONValue, _ names: Set<String>) throws(SessionRefusal) {
        let isKnown = asked.object?.names.allSatisfy { names.contains($0) } ?? false
        if !isKnown {
            throw .schema("", "unknown member, known ones are \(names.sorted().joined(separator: " "))")
        }
    }

    private static func reason(_ asked: JSONValue) throws(SessionRefusal) -> StatedReason {
        guard let text = asked["reason"]?.string, asked["by"] == nil || asked["by"]?.string != nil,
            let reason = StatedReason(text, by: asked["by"]?.string)
        else {
            throw .schema(
                "/reason",
                "a reason of 1 to \(StatedReason.textLimitBytes) bytes is needed, and a name of at most"
                    + " \(StatedReason.nameLimitBytes)")
        }
        return reason
    }

    private static func directory(_ asked: JSONValue, _ name: String) throws(SessionRefusal) -> String? {
        guard let value = asked[name] else { return nil }
        guard let path = value.string, path.hasPrefix("/"), path.utf8.count <= 4_096, !path.utf8.contains(0) else {
            throw .schema("/\(name)", "an absolute path is needed")
        }
        return path
    }
}
