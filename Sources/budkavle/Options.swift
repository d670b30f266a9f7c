import ArgumentParser
import Console
import Foundation

/// Options of every command that talks to a relay.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "Which profile of $XDG_CONFIG_HOME/budkavle/config.yaml to use (or BUDKAVLE_PROFILE).")
    var profile: String?
    @Option(help: "The relay's host name.")
    var host: String?
    @Option(help: "The relay's port (61614).")
    var port: Int?
    @Option(help: "File with the authorities to trust, PEM.", completion: .file())
    var ca: String?
    @Option(help: "File with the own certificate, PEM.", completion: .file())
    var cert: String?
    @Option(help: "File with the own key, PEM, mode 0600.", completion: .file())
    var key: String?
    @Option(help: "The collaboration (county) to speak for.")
    var collaboration: String?
    @Option(help: "The relay's Unix socket, in place of host and port.", completion: .file())
    var socket: String?
    @Option(help: "How long an answer may take, in seconds.")
    var timeout: Int = 10
    @OptionGroup var appearance: AppearanceOptions

    func validate() throws {
        if let port, !(1...65_535).contains(port) { throw ValidationError("--port must be 1 to 65535") }
        if !(1...86_400).contains(timeout) { throw ValidationError("--timeout must be 1 to 86400 seconds") }
        if socket != nil && (host != nil || port != nil) {
            throw ValidationError("--socket stands in place of --host and --port")
        }
    }
}

/// Options of every command that prints.
struct AppearanceOptions: ParsableArguments {
    @Option(help: "sv or en (or BUDKAVLE_LANG).")
    var lang: String?
    @Option(help: "auto, always or never.", transform: Self.colour)
    var color: ColourChoice = .auto
    @Flag(help: "JSON on stdout: one object, or one per line where things go on.")
    var json = false

    private static func colour(_ text: String) throws -> ColourChoice {
        if let choice = ColourChoice(rawValue: text) { return choice }
        throw ValidationError("--color must be auto, always or never")
    }

    func validate() throws {
        if let lang, Language(locale: lang) == nil { throw ValidationError("--lang must be sv or en") }
    }
}

/// The person's side of things, known once the options are.
struct Surroundings: Sendable {
    let language: Language
    let isJSON: Bool
    let presentation: Presentation

    init(_ appearance: AppearanceOptions, profileLanguage: String?) {
        let environment = ProcessInfo.processInfo.environment
        language = Language.chosen(flag: appearance.lang, profile: profileLanguage) { environment[$0] }
        isJSON = appearance.json
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let isColoured = appearance.color.isOn(environment: { environment[$0] }, isTerminal: isTerminal)
        let zone = TimeZone.current
        presentation = Presentation(
            language: language,
            layout: isTerminal ? .terminal(width: Output.width, isColoured: isColoured) : .piped,
            zoneOffset: { zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval($0))) })
    }

    var isTerminal: Bool {
        switch presentation.layout {
        case .terminal: true
        case .piped: false
        }
    }

    func text(_ message: Message) -> String { presentation.text(message) }
}
