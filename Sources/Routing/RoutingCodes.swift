import Settings

extension DiagnosticCode {
    /// A file of the policy is missing.
    static let missingFile = DiagnosticCode(3001)
    /// A file that is none of the policy's.
    static let unknownFile = DiagnosticCode(3002)
    /// A party file whose name is not the party's id.
    static let fileName = DiagnosticCode(3003)
    /// The same id twice.
    static let duplicateID = DiagnosticCode(3004)
    /// The same certificate for two clients or people.
    static let duplicateIdentity = DiagnosticCode(3005)
    /// A schema version that this program does not know.
    static let unknownVersion = DiagnosticCode(3006)

    /// An id that nothing defines.
    static let unknownName = DiagnosticCode(3101)
    /// A field that the type does not have.
    static let unknownField = DiagnosticCode(3102)
    /// A municipality that is none of the county's.
    static let unknownMunicipality = DiagnosticCode(3103)

    /// Roles that one certificate must not have together.
    static let incompatibleRoles = DiagnosticCode(3201)
    /// Stations or desks without the role for them.
    static let missingRole = DiagnosticCode(3202)
    /// A duty whose basis is none.
    static let dutyWithoutDuty = DiagnosticCode(3203)
    /// A rule whose basis can never apply.
    static let neverApplies = DiagnosticCode(3204)
    /// A key that does not go with another.
    static let contradiction = DiagnosticCode(3205)
    /// A period that ends before it begins.
    static let emptyPeriod = DiagnosticCode(3206)
    /// Definitions that lead back to themselves.
    static let cycle = DiagnosticCode(3207)
    /// The strict view has more than the ordinary one.
    static let widerStrictView = DiagnosticCode(3208)
    /// A person's address where a function is wanted.
    static let personalAddress = DiagnosticCode(3209)
    /// A recipient that has no desk.
    static let noDesk = DiagnosticCode(3210)
    /// A simulated clock in production.
    static let clockInProduction = DiagnosticCode(3211)

    /// A signature that is not the approver's for this.
    static let wrongSignature = DiagnosticCode(3301)
    /// A digest that is not the form's.
    static let wrongDigest = DiagnosticCode(3302)
    /// A party without approvals in production mode.
    static let nothingApproved = DiagnosticCode(3303)

    /// In production mode: hours in which nobody answers for a municipality, and its board has not signed them.
    static let uncovered = DiagnosticCode(3401)

    /// What a rule does to a neighbouring county's party, which that county's rules do not name.
    static let unnamedByNeighbour = DiagnosticCode(3501)
    /// A party that two collaborations put into different counties.
    static let partyInTwoCounties = DiagnosticCode(3502)

    /// A worked example that comes out otherwise.
    static let failedExample = DiagnosticCode(4001)

    /// An agreement that is not signed by all.
    static let partlySigned = DiagnosticCode(5001)
    /// A roster without anybody.
    static let emptyRoster = DiagnosticCode(5002)
    /// No worked examples.
    static let noExamples = DiagnosticCode(5003)
    /// A desk from which nobody takes custody and at which nobody works.
    static let nobodyAtDesk = DiagnosticCode(5004)
    /// A code that no rule uses.
    static let unused = DiagnosticCode(5005)
    /// An agreement that ends soon, or has ended.
    static let endingAgreement = DiagnosticCode(5006)
    /// Hours at which nobody is on a roster.
    static let rosterGap = DiagnosticCode(5007)
    /// A rule that names a party which becomes part of another.
    static let mergedParty = DiagnosticCode(5008)

    /// In exercise mode: hours in which nobody answers for a municipality, and its board has not signed them.
    static let uncoveredInExercise = DiagnosticCode(5401)

    /// What a neighbour may do, and no rule of its does.
    static let unusedNeighbour = DiagnosticCode(5501)

    /// A part that somebody has not approved.
    static let approvalMissing = DiagnosticCode(5301)
    /// A part that is no longer what was approved.
    static let noLongerApproved = DiagnosticCode(5302)
    /// An approval of something that is not there, or not this party's.
    static let approvesNothing = DiagnosticCode(5303)
}
