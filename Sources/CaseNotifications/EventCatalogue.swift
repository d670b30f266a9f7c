/// What may be sent: the event types with their fields, and the closed lists. It is data, read from `types.yaml`.
package struct EventCatalogue: Sendable, Equatable {
    /// Every type that may be sent.
    package var types: [EventType: EventTypeDefinition]
    /// The values that `circumstances` may hold.
    package var circumstances: Set<String>
    /// The code lists that fields of kind `code` and `codes` name.
    package var codeLists: [String: [String]]
    /// The values of `programme`.
    package var programmes: Set<String>
    /// The values of `level`.
    package var levels: Set<String>

    /// A catalogue.
    package init(
        types: [EventType: EventTypeDefinition], circumstances: Set<String>, codeLists: [String: [String]],
        programmes: Set<String>, levels: Set<String>
    ) {
        self.types = types
        self.circumstances = circumstances
        self.codeLists = codeLists
        self.programmes = programmes
        self.levels = levels
    }
}

/// One event type: what it is called, how urgent it is and what it consists of.
package struct EventTypeDefinition: Sendable, Equatable {
    /// The type that is defined.
    package var type: EventType
    /// The type's name by language (`sv`, `en`).
    package var labels: [String: String]
    /// A group of types that reports and coordinators speak of.
    package var family: String
    /// The area of the county's plan that it belongs to.
    package var area: String
    /// How urgent it is when nothing raises it.
    package var urgency: UrgencyClass
    /// What raises it.
    package var raise: [UrgencyRaise]
    /// Names of extension attributes that must be set.
    package var requiredAttributes: [String]
    /// The members that `data` may have.
    package var fields: [FieldDefinition]

    /// Whether it answers a party that asked: it needs both an audience and what it answers (`reference/domain.md` 2.5, 3.3:
    /// on request only).
    package var isAnswer: Bool { requiredAttributes.contains("audience") && requiredAttributes.contains("causationid") }

    /// A definition.
    package init(
        type: EventType, labels: [String: String], family: String, area: String, urgency: UrgencyClass,
        raise: [UrgencyRaise], requiredAttributes: [String], fields: [FieldDefinition]
    ) {
        self.type = type
        self.labels = labels
        self.family = family
        self.area = area
        self.urgency = urgency
        self.raise = raise
        self.requiredAttributes = requiredAttributes
        self.fields = fields
    }

    /// How urgent a notification of this type is at least, given what its envelope says.
    package func urgency(circumstances: [String], level: String?) -> UrgencyClass {
        var result = urgency
        for rise in raise where rise.to < result && rise.applies(circumstances: circumstances, level: level) {
            result = rise.to
        }
        return result
    }
}

/// A condition under which a type is more urgent than by default.
package struct UrgencyRaise: Sendable, Equatable {
    /// What the condition on a level starts with: `level-A` holds for `level` = `A`.
    package static let levelPrefix = "level-"

    /// A circumstance (`child-present`), or `level-` and a level (`level-A`).
    package var when: String
    /// The class that then holds.
    package var to: UrgencyClass

    /// A raise.
    package init(when: String, to: UrgencyClass) {
        self.when = when
        self.to = to
    }

    /// Whether the envelope fulfils the condition.
    package func applies(circumstances: [String], level: String?) -> Bool {
        if circumstances.contains(when) { return true }
        guard let level, when.hasPrefix(Self.levelPrefix) else { return false }
        return when.dropFirst(Self.levelPrefix.count) == level
    }
}

/// One member that `data` may have.
package struct FieldDefinition: Sendable, Equatable {
    /// The member's name.
    package var name: String
    /// What its value looks like.
    package var kind: FieldKind
    /// Whether every notification of the type has it.
    package var isRequired: Bool
    /// How sensitive it is, in the catalogue's words; policy tools read it, the decoder does not.
    package var sensitivity: String

    /// A definition.
    package init(name: String, kind: FieldKind, isRequired: Bool, sensitivity: String) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.sensitivity = sensitivity
    }
}

/// What a field's value looks like.
package enum FieldKind: Sendable, Equatable {
    /// A string from the named code list.
    case code(String)
    /// An array of 0 to 64 different strings from the named code list.
    case codes(String)
    /// `true` or `false`.
    case flag
    /// A time with zone (RFC 3339).
    case timestamp
    /// An opaque reference: 1 to 64 bytes of `[A-Za-z0-9._/-]`, not a personnummer.
    case reference
    /// Free text of so many bytes of UTF-8 at most; of control characters only tab and line feed.
    case text(maxBytes: Int)
    /// A personnummer or samordningsnummer with check digit.
    case personnummer
    /// An integer of 32 bits.
    case integer
    /// A municipality's four digits, as a string.
    case municipality
}
