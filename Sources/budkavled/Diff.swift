import ArgumentParser
import BudkavleServer
import Console
import Routing

/// `budkavled diff OLD NEW`: what is written otherwise, who gains and who loses. Reads only.
struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare two policies: what changes for whom. Exit 0 equal, 2 different, 3 somebody may see more.",
        discussion: """
            OLD and NEW are configuration directories, or directories of one policy. OLD may be 'running': the policy that
            the journal of --config has as active, read beside the daemon. The order of files, keys and rules means nothing.
            """)
    @OptionGroup var config: ConfigurationOption
    @Argument(help: "The older one, or 'running'.") var old: String
    @Argument(help: "The newer one.") var new: String
    @Option(help: "Which collaboration, if there are several.") var collaboration: String?
    @Flag(help: "One JSON object on standard output.") var json = false

    func run() throws {
        let pairs = try Terminal.unlessRefused { () throws(ToolError) in
            try PolicyPair.read(
                old: old, new: new, configDirectory: config.directory, collaboration: collaboration)
        }
        var texts: [DifferenceText] = []
        var (isEqual, isWidened) = (true, false)
        for pair in pairs {
            let difference = PolicyDifference(from: pair.old, to: pair.new)
            isEqual = isEqual && difference.isEmpty
            isWidened = isWidened || !difference.widened.isEmpty
            texts.append(DifferenceText(collaboration: pair.new.collaboration, difference: difference))
        }
        try Terminal.put(json ? DifferenceText.json(texts) : texts.flatMap(\.lines).joined(separator: "\n"))
        if !isEqual {
            throw ExitCode((isWidened ? BudkavleServer.ExitStatus.widened : .different).rawValue)
        }
    }
}
