/// The version that the wire and `--version` show.
package enum ServerVersion {
    /// Semantic version of this program.
    package static let number = "1.0.0"
    /// One token, no comment (STOMP 1.2, CONNECTED).
    package static let token = "budkavle/\(number)"
}
