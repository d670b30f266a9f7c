package import CaseNotifications
package import Settings

/// What came of loading a policy: the policy, or everything that is wrong with it.
package struct PolicyLoad: Sendable {
    /// The policy; nil if there is any error.
    package let policy: Policy?
    /// Errors and warnings, by file and place.
    package let diagnostics: [Diagnostic]
    /// What is approved by whom; nil while anything but approvals is wrong, and where nobody asked.
    package let approvals: ApprovalStanding?
    /// The policy as it were with every approval: what its rules say. Nil as `approvals`.
    package let whole: Policy?
}

/// What a policy is loaded for.
package enum LoadPurpose: Sendable {
    /// To be activated, approved or compared: everything is read, and every mistake told.
    case everything
    /// To decide and activate nothing: worked examples are not read, nor approvals in an exercise, where none is needed.
    case decidingAlone
    /// To say again what was active once, from its canonical text: bounds that came later than the text do not count.
    case lookingBack
}

/// Turns the files of one collaboration into a policy, or tells every mistake in them at once.
///
/// Worked examples are read but not played; `PolicyCheck` plays them, and only what it calls activatable may be activated.
package enum PolicyLoader {
    /// Loads a policy.
    ///
    /// - Parameter files: texts by path, as they are to be called in messages. A file is known by its name and by the directory
    ///   `parties`; what stands before that does not matter.
    /// - Parameter zone: the transitions of the collaboration's zone; they are part of the digest.
    /// - Parameter faults: files that could not be read, or not wholly: told with all other mistakes.
    /// - Parameter demand: whether what is not approved is left out in production mode.
    package static func load(
        files: [String: String], zone: ZoneTransitions, faults: [SettingsFault] = [],
        approvals demand: ApprovalDemand = .byMode, for purpose: LoadPurpose = .everything
    ) -> PolicyLoad {
        let log = DiagnosticLog()
        let roots = PolicyRoots(files: files, faults: faults.map(\.diagnostic), for: purpose, log: log)
        let draft = PolicyDraft(roots: roots, zone: zone, purpose: purpose, log: log)
        let whole = log.hasErrors ? nil : draft.policy(roots: roots)
        if purpose == .decidingAlone, let whole, whole.mode == .exercise {
            return PolicyLoad(policy: whole, diagnostics: log.diagnostics, approvals: nil, whole: whole)
        }
        let files = draft.approvalFiles(roots: roots)
        guard let whole else {
            return PolicyLoad(policy: nil, diagnostics: log.diagnostics, approvals: nil, whole: nil)
        }
        let standing = ApprovalStanding(parts: whole.approvalParts(), files: files)
        var inactive = InactiveParts()
        if demand == .byMode {
            standing.report(files: files, parties: whole.parties, mode: whole.mode, to: log)
            if whole.mode == .production { inactive = InactiveParts(missing: standing.missing) }
        }
        let isWhole = inactive.isEmpty && standing.approvers.isEmpty
        let policy =
            isWhole ? whole : draft.policy(roots: roots, leavingOut: inactive, approvers: standing.approvers)
        return PolicyLoad(
            policy: log.hasErrors ? nil : policy, diagnostics: log.diagnostics, approvals: standing, whole: whole)
    }
}

/// What came of checking a policy: everything that is wrong, failing worked examples among it.
package struct PolicyCheckResult: Sendable {
    /// The policy; nil if there is any error in its files. Not to be activated unless `isActivatable`.
    package let policy: Policy?
    /// Errors and warnings, by file and place.
    package let diagnostics: [Diagnostic]
    /// How every worked example came out; empty without a policy.
    package let examples: [ExampleResult]
    /// What is approved by whom; nil while anything but approvals is wrong.
    package let approvals: ApprovalStanding?
    /// The policy as it were with every approval: what its rules say. Nil as `approvals`.
    package let whole: Policy?

    /// Whether the policy may be activated: no error, and no failing example.
    package var isActivatable: Bool { policy != nil && !diagnostics.contains { $0.severity == .error } }
}

/// Loads a policy and plays its worked examples.
package enum PolicyCheck {
    /// Checks everything.
    ///
    /// Worked examples say what the rules mean, so they are played as if everything were approved.
    ///
    /// - Parameter instant: for warnings of what will not be right for long; a simulated clock's start goes before it.
    ///   Without one there are no such warnings.
    package static func run(
        files: [String: String], zone: ZoneTransitions, faults: [SettingsFault] = [],
        approvals demand: ApprovalDemand = .byMode, at instant: Timestamp? = nil
    ) -> PolicyCheckResult {
        let load = PolicyLoader.load(files: files, zone: zone, faults: faults, approvals: demand)
        guard let whole = load.whole else {
            return PolicyCheckResult(
                policy: nil, diagnostics: load.diagnostics, examples: [], approvals: nil, whole: nil)
        }
        let results = whole.runExamples()
        let log = DiagnosticLog()
        for (path, text) in files { log.remember(file: path, text: text) }
        for result in results where !result.passed {
            let failures = result.failures.joined(separator: "; ")
            log.error(.failedExample, at: result.place, "worked example \(Diagnostic.quote(result.name)): \(failures)")
        }
        for warning in instant.map({ whole.warnings(at: whole.clock?.start ?? $0) }) ?? [] {
            let place = Place(warning.location, length: warning.length)
            log.warning(warning.code, at: place, warning.message, hint: warning.hint)
        }
        if let instant, let policy = load.policy {
            for finding in policy.coverageFindings(at: policy.clock?.start ?? instant) {
                let place = Place(finding.location, length: finding.length)
                if finding.severity == .error {
                    log.error(finding.code, at: place, finding.message, hint: finding.hint)
                } else {
                    log.warning(finding.code, at: place, finding.message, hint: finding.hint)
                }
            }
        }
        let diagnostics = (load.diagnostics + log.diagnostics).sorted { $0.location < $1.location }
        return PolicyCheckResult(
            policy: load.policy, diagnostics: diagnostics, examples: results, approvals: load.approvals, whole: whole)
    }
}

/// The parsed files of a policy.
struct PolicyRoots {
    /// Names of the files that every policy has.
    static let names = ["collaboration.yaml", "types.yaml", "law.yaml", "agreements.yaml", "rules.yaml", "tests.yaml"]
    /// Which of them has the worked examples.
    static let exampleFile = "tests.yaml"
    /// Where party files lie.
    static let partyDirectory = "parties"
    /// Where files of approvals lie.
    static let approvalDirectory = "approvals"

    /// Roots of the files that every policy has, by name.
    private(set) var files: [String: SettingsNode] = [:]
    /// Party files by the name of the file without `.yaml`, sorted.
    private(set) var parties: [(name: String, root: SettingsNode)] = []
    /// Files of approvals by the name of the file without `.yaml`, sorted.
    private(set) var approvals: [(name: String, root: SettingsNode)] = []

    init(files: [String: String], faults: [Diagnostic] = [], for purpose: LoadPurpose, log: DiagnosticLog) {
        var first: [String: String] = [:]
        for (path, text) in files.sorted(by: { $0.key < $1.key }) {
            let parts = path.split(separator: "/")
            guard let name = parts.last.map(String.init) else { continue }
            let place = Place(SourceLocation(file: path, line: 1, column: 1))
            if parts.count > 1, parts[parts.count - 2] == Self.partyDirectory {
                guard let root = SettingsReader.parse(file: path, text: text, log: log) else { continue }
                parties.append((String(name.dropLast(".yaml".count)), root))
            } else if parts.count > 1, parts[parts.count - 2] == Self.approvalDirectory {
                guard let root = SettingsReader.parse(file: path, text: text, log: log) else { continue }
                approvals.append((String(name.dropLast(".yaml".count)), root))
            } else if Self.names.contains(name) {
                if let other = first.updateValue(path, forKey: name) {
                    log.error(
                        .duplicateID, at: place, "two files are called \(name)",
                        related: [SourceLocation(file: other, line: 1, column: 1)])
                    continue
                }
                if name == Self.exampleFile, purpose == .decidingAlone { continue }
                self.files[name] = SettingsReader.parse(file: path, text: text, log: log)
            } else {
                log.error(
                    .unknownFile, at: place, "\(name) is no file of a policy",
                    hint: Suggestion.hint(for: name, among: Self.names))
            }
        }
        for fault in faults { log.add(fault) }
        let unread = faults.map { fault in fault.location.file.split(separator: "/").last.map(String.init) }
        for name in Self.names where first[name] == nil && !unread.contains(name) {
            log.error(
                .missingFile, at: Place(SourceLocation(file: Self.directory(of: files) + name, line: 1, column: 1)),
                "the policy has no file \(name)")
        }
    }

    /// The directory that the files lie in, with a slash at the end, as far as it can be told.
    private static func directory(of files: [String: String]) -> String {
        let paths = files.keys.sorted()
        let known = paths.first { path in names.contains { path == $0 || path.hasSuffix("/" + $0) } }
        guard let known, let slash = known.lastIndex(of: "/") else { return "" }
        return String(known[...slash])
    }
}
