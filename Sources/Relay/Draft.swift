import CaseNotifications

/// Events that are being decided, with the names that they need and the table does not have yet.
struct Draft {
    private let names: Names
    private let sequence: UInt64
    let now: Timestamp
    private(set) var bodies: [EventBody] = []
    private var freshNames: [Name] = []
    private var freshPeople: [StaffMember] = []
    /// Whether the table of names is full; then nothing of this may be used.
    private(set) var isFull = false

    init(_ relay: Relay, at now: Timestamp) {
        names = relay.names
        sequence = relay.sequence
        self.now = now
    }

    /// Adds an event and returns its record number.
    @discardableResult
    mutating func add(_ body: EventBody) -> UInt64 {
        bodies.append(body)
        return sequence + UInt64(bodies.count)
    }

    mutating func number(_ name: Name) -> NameNumber {
        if let number = names.number(of: name) { return number }
        if let index = freshNames.firstIndex(of: name) { return NameNumber(names.next + index) }
        let number = names.next + freshNames.count
        guard number < Names.limit else {
            isFull = true
            return .none
        }
        freshNames.append(name)
        add(.numbered(name, as: UInt32(number)))
        return NameNumber(number)
    }

    mutating func number(_ person: StaffMember) -> PersonNumber {
        if let number = names.number(of: person) { return number }
        if let index = freshPeople.firstIndex(of: person) { return PersonNumber(names.nextPerson + index) }
        let number = names.nextPerson + freshPeople.count
        guard number < Names.peopleLimit else {
            isFull = true
            return .none
        }
        freshPeople.append(person)
        add(.numbered(.person(person), as: UInt32(number)))
        return PersonNumber(number)
    }

    mutating func number(text: String?) -> NameNumber { text.map { number(.text($0)) } ?? .none }

    mutating func act(party: PartyID, client: ClientID, person: PersonID, role: String, at: Timestamp?) -> HumanAct {
        HumanAct(
            party: number(.party(party)), client: number(.client(client)),
            person: number(StaffMember(party: party, person: person)), role: number(.text(role)), reportedAt: at)
    }
}
