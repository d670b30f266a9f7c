import ArgumentParser
import BudkavleServer
import Foundation

/// `budkavled journal`: what is in the store and whether it is whole.
struct Journal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Verify, measure and salvage a journal.",
        subcommands: [Verify.self, Stats.self, Salvage.self])

    /// `budkavled journal verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open every batch and text and check the chain. Reads only, beside a daemon too. Exit 0 or 1.")
        @OptionGroup var options: StoreOptions

        func run() throws {
            let site = try options.site()
            try options.show(try Terminal.unlessRefused { () throws(ToolError) in try site.verify() })
        }
    }

    /// `budkavled journal stats`.
    struct Stats: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Segments, sizes, times, keys. Reads only, beside a daemon too.")
        @OptionGroup var options: StoreOptions

        func run() throws {
            let site = try options.site()
            try options.show(try Terminal.unlessRefused { () throws(ToolError) in try site.stats() })
        }
    }

    /// `budkavled journal salvage`.
    struct Salvage: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what keeps the daemon from starting or answering; with --accept let it go on all the same.",
            discussion: """
                Without --accept nothing is written. With it exactly what was found is accepted, by name and reason: the \
                next start writes both into the audit log. What is lost stays lost; ask the backup first.
                """)
        @Flag(help: "Accept what was found.") var accept = false
        @Option(help: "Why; stored sealed. - reads it from standard input.") var reason: String?
        @Option(help: "Who answers for it.") var by: String?
        @OptionGroup var options: StoreOptions

        func validate() throws {
            if accept != (reason != nil) || accept != (by != nil) {
                throw ValidationError("--accept needs --reason and --by, and they need --accept")
            }
        }

        func run() throws {
            let site = try options.site()
            guard accept, let reason, let by else {
                return try options.show(try Terminal.unlessRefused { () throws(ToolError) in try site.salvage() })
            }
            let stated = try ReasonOptions.stated(reason, by: by)
            switch try Terminal.unlessRefused({ () throws(ToolError) in try site.accept(stated) }) {
            case .done(let answer): try options.show(answer)
            case .daemon(let socket):
                try options.show(try StoreRelation(options: options, site: site).ask(socket, .salvage(stated)))
            }
        }
    }
}

/// `budkavled erase`.
struct Erase: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the content of a case, or of one notification, unreadable for ever.",
        discussion: """
            Destroys the keys of its texts; the event history and its proofs still verify. What waits for delivery is \
            withdrawn. The answer says when backups hold it no longer.
            """)
    @Option(name: .customLong("case"), help: "The case, for example BK-18-2026-7QK2ZD9F.") var subject: String?
    @Option(help: "One notification, by the relay's id of 26 characters.") var notification: String?
    @OptionGroup var why: ReasonOptions
    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard (subject == nil) != (notification == nil) else {
            throw ValidationError("name either --case or --notification")
        }
        guard ErasureTarget(case: subject, notification: notification) != nil else {
            throw ValidationError(
                subject == nil
                    ? "that is no notification's id: 26 letters and digits, as send and status show it"
                    : "that is no case's id; its form is BK-18-2026-7QK2ZD9F, without I, L, O and U in the end")
        }
    }

    func run() throws {
        guard let target = ErasureTarget(case: subject, notification: notification) else { return }
        try options.carryOut(.erase(target, try why.stated()))
    }
}

/// `budkavled audit`.
struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The log that proves what the relay said.", subcommands: [Verify.self])

    /// `budkavled audit verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the Merkle log and every signed head against the journal. Reads only. Exit 0 or 1.",
            discussion: """
                With --checkpoint it also says whether the log continues what somebody else kept of it: the file that \
                budkavle keeps for its connections (checkpoint-RELAY-COLLABORATION), receipts as budkavle receipts \
                --json prints them, or an answer to proof. One that lies beyond or beside the log ends with 1.
                """)
        @Option(help: "A file with signed checkpoints, one per line; may be given several times.")
        var checkpoint: [String] = []
        @OptionGroup var options: StoreOptions

        func run() throws {
            let site = try options.site()
            try options.show(
                try Terminal.unlessRefused { () throws(ToolError) in try site.verifyAudit(checkpoints: checkpoint) })
        }
    }
}

/// `budkavled backup`.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the journal, without its keys, to a new directory; also while the daemon runs.",
        discussion: """
            DIR/<collaboration> gets the journal, OTHER/<collaboration> the key set, sealed under the master key. Keep the \
            two apart, and the key set at most 35 days: what is erased today can be read from an older one.
            """)
    @Argument(help: "Directory for the journal; it or its place for the collaboration must be new or empty.")
    var directory: String
    @Option(help: "Directory for the key set; without it the keys are not copied.") var keys: String?
    @OptionGroup var options: StoreOptions

    func validate() throws {
        if directory.isEmpty || keys?.isEmpty == true { throw ValidationError("a directory's name is empty") }
    }

    func run() throws {
        let site = try options.site()
        let name = site.collaboration
        try options.carryOut(
            .backup(journal: Self.absolute(directory) + "/" + name, keys: keys.map { Self.absolute($0) + "/" + name }))
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

/// `budkavled restore`.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a data directory from a backup of the journal and one of its keys.",
        discussion: """
            What was erased since the backup is erased again by the newest deletion list: audit/deletions of the lost \
            directory, or of the newest backup. The first start after it needs: journal salvage --accept.
            """)
    @Argument(help: "The directory that backup wrote.") var directory: String
    @Option(help: "The directory of the key set.") var keys: String
    @Option(help: "The newest deletion list.") var deletions: String?
    @OptionGroup var options: StoreOptions

    func run() throws {
        let answer = try Terminal.unlessRefused { () throws(ToolError) in
            try StoreSite.restore(
                configDirectory: options.config.directory, collaboration: options.collaboration,
                journal: Backup.absolute(directory), keys: Backup.absolute(keys),
                deletions: deletions.map(Backup.absolute))
        }
        try options.show(answer)
    }
}
