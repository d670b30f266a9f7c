/// The languages that Budkavle speaks to people. Commands, JSON, codes and logs are never translated.
package enum Language: String, CaseIterable, Sendable {
    case swedish = "sv"
    case english = "en"

    /// The language that the user wants: `--lang`, then `BUDKAVLE_LANG`, then the profile, then the locale, then English.
    ///
    /// - Parameters:
    ///   - flag: the value of `--lang`, if it was given.
    ///   - profile: `lang` of the profile in use, if there is one.
    ///   - environment: looks up one environment variable; an empty value counts as absent, as POSIX says for `LC_ALL`.
    package static func chosen(
        flag: String?, profile: String?, environment: (String) -> String?
    ) -> Language {
        for wish in [flag, environment("BUDKAVLE_LANG"), profile] {
            if let wish, let language = Language(locale: wish) { return language }
        }
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            // The first that is set decides, even when it names a language that we do not speak.
            if let value = environment(name), !value.isEmpty { return Language(locale: value) ?? .english }
        }
        return .english
    }

    /// `sv`, `sv_SE.UTF-8` and `sv-SE` are Swedish, `en…`, `C` and `POSIX` are English; anything else is nothing.
    package init?(locale: String) {
        let head = locale.prefix { $0 != "_" && $0 != "-" && $0 != "." && $0 != "@" }.lowercased()
        switch head {
        case "sv", "swedish", "svenska": self = .swedish
        case "en", "c", "posix", "english": self = .english
        default: return nil
        }
    }
}
