import Journal

/// Why a tool of the daemon could not do its work: a sentence for the terminal and the status to exit with.
package struct ToolError: Error, CustomStringConvertible {
    package let description: String
    package let status: ExitStatus

    init(_ description: String, _ status: ExitStatus) {
        self.description = description
        self.status = status
    }

    /// A look at files that failed: 66 where a name leads nowhere, which is as a rule one that a person typed.
    init(_ error: JournalError) {
        self.init(error.description, error.isMisnamed ? .noInput : error.exitStatus)
    }

    /// An order to the store that was refused here; a daemon's refusal ends with the same status.
    package init(_ refusal: StoreRefusal) { self.init(refusal.description, refusal.status) }
}

extension ToolError {
    /// There are several collaborations and none was named, or there is none of that name.
    static func collaboration(_ name: String?, among all: [String]) -> ToolError {
        let list = all.joined(separator: ", ")
        guard let name else {
            return ToolError("there are several collaborations (\(list)): name one with --collaboration", .usage)
        }
        return ToolError("there is no collaboration '\(name)'; budkavled.yaml has \(list)", .usage)
    }
}

/// Master keys as files.
package enum MasterKeyFile {
    /// Writes a new master key: 32 random bytes, mode 0600. An existing file is never overwritten.
    package static func generate(at path: String) throws(ToolError) {
        do throws(JournalError) {
            try KeyRing.generate(at: path)
        } catch {
            throw ToolError(error.description, error.isMisnamed ? .cannotCreate : error.exitStatus)
        }
    }
}
