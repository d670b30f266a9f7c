/// What `--color` says.
package enum ColourChoice: String, CaseIterable, Sendable {
    case auto
    case always
    case never

    /// Whether one stream is coloured: `--color`, then `FORCE_COLOR`, then `NO_COLOR`, then `TERM=dumb`, then whether it
    /// is a terminal. An empty variable counts as absent.
    package func isOn(environment: (String) -> String?, isTerminal: Bool) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .auto: break
        }
        if let force = environment("FORCE_COLOR"), !force.isEmpty { return true }
        if let none = environment("NO_COLOR"), !none.isEmpty { return false }
        if environment("TERM") == "dumb" { return false }
        return isTerminal
    }
}

/// Colours and weights. Meaning never hangs on them: a word or a mark says the same.
package enum Paint: Sendable {
    case plain
    case bold
    case faint
    case alarm
    case good
    case notice

    /// `text` between the escape sequences of this paint; `text` alone when colours are off. The text is sanitised.
    package func applied(to text: String, isOn: Bool) -> String {
        guard isOn, !text.isEmpty else { return text }
        let code: String
        switch self {
        case .plain: return text
        case .bold: code = "1"
        case .faint: code = "2"
        case .alarm: code = "1;31"
        case .good: code = "32"
        case .notice: code = "33"
        }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }
}
