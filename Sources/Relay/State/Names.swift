package import CaseNotifications

/// What one rule lets a recipient see, and on what it rests. Many deliveries share one.
package struct GrantShape: Hashable, Sendable {
    /// The rule.
    package let rule: RuleID
    /// `duty` or `may`.
    package let effect: String
    /// The legal basis in `law.yaml`.
    package let basis: String
    /// Secrecy marking (OSL 5:5).
    package let marking: String
    /// Envelope attributes in the copy besides the fixed ones.
    package let attributes: [String]
    /// Fields of `data` in the copy.
    package let fields: [String]
    /// Whether it is the view for protected or unknown protection.
    package let isStrict: Bool

    /// A shape from its parts.
    package init(
        rule: RuleID, effect: String, basis: String, marking: String, attributes: [String], fields: [String],
        isStrict: Bool
    ) {
        self.rule = rule
        self.effect = effect
        self.basis = basis
        self.marking = marking
        self.attributes = attributes
        self.fields = fields
        self.isStrict = isStrict
    }
}

/// A member of a party's staff: ids of people are unique within their party only.
package struct StaffMember: Hashable, Sendable {
    package let party: PartyID
    package let person: PersonID

    /// This person of this party.
    package init(party: PartyID, person: PersonID) {
        self.party = party
        self.person = person
    }
}

/// Something that recurs in events: it is journaled once and then meant by its number.
package enum Name: Hashable, Sendable {
    case party(PartyID)
    case desk(DeskID)
    case client(ClientID)
    case type(EventType)
    /// A role, a municipality, a step or a verb: at most `Names.textLimitBytes` bytes.
    case text(String)
    case policy(Digest)
    case shape(GrantShape)
    /// Numbered apart from the others.
    case person(StaffMember)
}

/// The number of a name; numbers count from 0 in the order of the naming events.
package typealias NameNumber = UInt16
/// The number of a person, counted apart from names.
package typealias PersonNumber = UInt32

extension NameNumber {
    /// Stands for "nothing named".
    package static let none = NameNumber.max
}

extension PersonNumber {
    /// Stands for "nobody", in links for "no row".
    package static let none = PersonNumber.max
}

/// The table of names: itself part of the fold.
///
/// A naming event says its number, so a lost one leaves a hole and shifts nothing: a number in a hole never resolves, and
/// events that use it do not fit. What a lost record may have named is not used for anything else either (`reserve`).
struct Names: Sendable {
    /// The longest role, verb or other text, in bytes.
    static let textLimitBytes = 128
    /// The most names of all kinds but people.
    static let limit = Int(NameNumber.none)
    /// The most people.
    static let peopleLimit = 1_000_000
    /// The most numbers that are left out because lost records may have named something with them.
    static let reserveLimit = 4_096

    private(set) var all: [Name?] = []
    private(set) var people: [StaffMember?] = []
    /// Numbers behind the last one that are not given out until a naming event says where numbers go on.
    private(set) var reserved = 0
    private(set) var reservedPeople = 0
    private var numbers: [Name: NameNumber] = [:]
    private var peopleNumbers: [StaffMember: PersonNumber] = [:]
    /// Shapes by rule: hashing a rule is quick, hashing a whole shape is not.
    private var shapes: [RuleID: [NameNumber]] = [:]

    /// The number of the next name.
    var next: Int { all.count + reserved }
    /// The number of the next person.
    var nextPerson: Int { people.count + reservedPeople }

    func number(of name: Name) -> NameNumber? {
        guard case .shape(let shape) = name else { return numbers[name] }
        return shapes[shape.rule]?.first { all[Int($0)] == name }
    }

    func number(of person: StaffMember) -> PersonNumber? { peopleNumbers[person] }

    /// Names that lost records may have brought.
    mutating func reserve(_ records: UInt64) {
        let count = Int(min(records, UInt64(Self.reserveLimit)))
        reserved = min(reserved + count, Self.reserveLimit)
        reservedPeople = min(reservedPeople + count, Self.reserveLimit)
    }

    /// What a snapshot says about the numbers that are left out.
    mutating func reserve(names: Int, people: Int) {
        reserved = names
        reservedPeople = people
    }

    /// Whether the table can take `name` under this number. Numbers only rise.
    func fits(_ name: Name, as number: Int) -> Bool {
        guard !has(name) else { return false }
        if case .person = name { return (people.count..<Self.peopleLimit).contains(number) }
        return (all.count..<Self.limit).contains(number)
    }

    /// Takes `name` under this number; smaller ones that were not given out stay holes.
    ///
    /// - Precondition: it fits.
    mutating func add(_ name: Name, as number: Int) {
        if case .person(let person) = name {
            people.append(contentsOf: repeatElement(nil, count: number - people.count))
            reservedPeople = 0
            peopleNumbers[person] = PersonNumber(number)
            people.append(person)
            return
        }
        all.append(contentsOf: repeatElement(nil, count: number - all.count))
        reserved = 0
        if case .shape(let shape) = name {
            shapes[shape.rule, default: []].append(NameNumber(number))
        } else {
            numbers[name] = NameNumber(number)
        }
        all.append(name)
    }

    /// The number that `name` gets if it is the next one.
    func nextNumber(for name: Name) -> Int {
        if case .person = name { return nextPerson }
        return next
    }

    func has(_ name: Name) -> Bool {
        if case .person(let person) = name { return peopleNumbers[person] != nil }
        return number(of: name) != nil
    }

    // What a number means. Events are checked against the table before they are applied (`Relay.fits`), so a
    // number of the wrong kind here is our own mistake.
    func party(_ number: NameNumber) -> PartyID {
        guard case .party(let party) = all[Int(number)] else { preconditionFailure("not a party") }
        return party
    }

    func desk(_ number: NameNumber) -> DeskID {
        guard case .desk(let desk) = all[Int(number)] else { preconditionFailure("not a desk") }
        return desk
    }

    func client(_ number: NameNumber) -> ClientID {
        guard case .client(let client) = all[Int(number)] else { preconditionFailure("not a client") }
        return client
    }

    func type(_ number: NameNumber) -> EventType {
        guard case .type(let type) = all[Int(number)] else { preconditionFailure("not a type") }
        return type
    }

    func text(_ number: NameNumber) -> String? {
        guard number != .none else { return nil }
        guard case .text(let text) = all[Int(number)] else { preconditionFailure("not a text") }
        return text
    }

    func policy(_ number: NameNumber) -> Digest {
        guard case .policy(let digest) = all[Int(number)] else { preconditionFailure("not a policy") }
        return digest
    }

    func shape(_ number: NameNumber) -> GrantShape {
        guard case .shape(let shape) = all[Int(number)] else { preconditionFailure("not a shape") }
        return shape
    }
}
