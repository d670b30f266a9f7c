import ArgumentParser
import BudkavleServer
import Console
import Foundation

/// `budkavled explain`: who would get one event, by which rule, and who is refused and why. Offline, nothing is sent.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say for one event who gets what by which rule, and who is refused and why.")
    @OptionGroup var config: ConfigurationOption
    @Argument(help: "A CloudEvents JSON file, or - for standard input.") var event: String?
    @Option(help: "The time of acceptance (RFC 3339); default is now, in exercise mode the clock's start.")
    var at: String?
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Flag(help: "One JSON object on standard output.") var json = false
    @Flag(help: "Also what every matcher of every rule of the type says, with a tick or a cross and its place.")
    var trace = false
    @Option(help: ArgumentHelp("Only why this party gets it or does not, rule by rule.", valueName: "party"))
    var why: String?
    @Flag(
        help: """
            Explain many: lines of JSON {"event": {…}, "at": TIME, "collaboration": ID} on standard input, at most \
            \(ExplanationBatch.longestLineBytes) bytes each, and one JSON object for each on standard output.
            """)
    var batch = false

    func validate() throws {
        if batch {
            guard event == nil, at == nil, collaboration == nil, !trace, why == nil else {
                throw ValidationError("with --batch each line says its event, time and collaboration, and no more")
            }
        } else if event == nil {
            throw ValidationError("name a CloudEvents JSON file, or - for standard input")
        }
    }

    func run() throws {
        if batch { return try explainLines() }
        guard let event else { return }
        let found = try Terminal.unlessRefused { () throws(ToolError) in
            try EventExplanation.make(
                directory: config.directory, event: event, at: at, collaboration: collaboration)
        }
        let party = try why.map { name in
            try Terminal.unlessRefused { () throws(ToolError) in try found.party(named: name) }
        }
        let steps = trace || party != nil ? found.steps(for: party) : nil
        let text = ExplanationText(
            policy: found.policy, explanation: found.explanation, at: found.at, trace: steps, party: party)
        try Terminal.put(json ? text.json : text.lines.joined(separator: "\n"))
    }

    private func explainLines() throws {
        let policies = try Terminal.unlessRefused { () throws(ToolError) in
            try ExplainedPolicies.read(directory: config.directory)
        }
        var batch = ExplanationBatch(policies)
        while let chunk = try FileHandle.standardInput.read(upToCount: 65_536), !chunk.isEmpty {
            try batch.take(chunk, answer: write)
        }
        try batch.finish(answer: write)
    }

    private func write(_ answer: ExplanationBatch.Answer) throws {
        switch answer {
        case .explained(let found):
            try Terminal.put(ExplanationText(policy: found.policy, explanation: found.explanation, at: found.at).json)
        case .refused(let refusal): try Terminal.put(ExplanationText.json(of: refusal))
        }
    }
}
