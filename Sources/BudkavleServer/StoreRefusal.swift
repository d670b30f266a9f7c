import Journal
import STOMP

/// Why an order to the store was not carried out. The code goes over the wire; the sentence says what to do.
package struct StoreRefusal: Error, Equatable, CustomStringConvertible {
    /// What kind of no it is, for programs.
    package enum Code: String, Sendable, CaseIterable {
        /// Another order is under way.
        case busy
        /// No space on disk, or the relay is stopping.
        case unavailable
        /// A master key file, or budkavled.yaml, is not as it must be. The running keys go on.
        case keyFile = "key-file"
        /// Something is still wrapped under this master key.
        case keyNeeded = "key-needed"
        /// No such case, notification, key or finding.
        case unknown
        /// A directory that must be new is there and not empty, or cannot be made.
        case directory
        /// A file operation failed.
        case io
        /// The store is damaged where the order would have to read.
        case damaged
    }

    package let code: Code
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    init(_ error: JournalError) {
        let code: Code =
            switch error {
            case .keyFile, .masterKeyMissing, .masterKeyWrong, .newerFormat: .keyFile
            case .noSpace, .noRoom, .stopped, .limit: .unavailable
            case .masterKeyInUse: .keyNeeded
            case .backup: .directory
            case .io where error.isMisnamed: .directory
            case .io, .readOnly, .locked: .io
            default: .damaged
            }
        self.init(code, error.description)
    }

    /// As the wire tells it, whose header values have no colon.
    var wire: SessionRefusal {
        SessionRefusal(code: code.rawValue, message: description.replacing(": ", with: "; "))
    }

    /// The status that a command ends with which gets this answer.
    package var status: ExitStatus { code.status }
}

extension StoreRefusal.Code {
    /// The status that a command ends with which gets this answer.
    package var status: ExitStatus {
        switch self {
        case .busy, .unavailable: .tryAgain
        case .keyFile: .configuration
        case .keyNeeded, .unknown: .negative
        case .directory: .cannotCreate
        case .io: .inputOutput
        case .damaged: .data
        }
    }
}
