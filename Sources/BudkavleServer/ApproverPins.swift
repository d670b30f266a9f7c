package import CaseNotifications
import Foundation
package import Journal
import Relay
package import Routing
import Synchronization

/// The keys by which a collaboration knows its approvers, pinned when each was first activated, and what each said last.
///
/// Whoever can write the configuration can put a key of his own into it, or an old file of approvals; what was pinned he cannot
/// change, since the file is authenticated with the journal's keys. A pinned key changes by a signature of that key, in no other
/// way, and of one party's statements none counts that is not later than the last one that was in force: what an approver has
/// withdrawn, or narrowed by a `never`, does not come back with an old file (`ApprovalStatement`). A journal that is brought back
/// from a backup knows only what was said before the backup; its start wants an override. Exercises pin nothing: there
/// approvals are practice.
package struct ApproverPins: Sendable {
    /// Whether the journal knows of an activation.
    package enum Activation: Sendable, Equatable {
        /// Nothing was ever activated: the first keys are taken as they come.
        case first
        /// Something was, so keys are pinned already.
        case later
        /// The administrator has said why the keys of the configuration count if none are pinned: ``ApproversAgain``.
        case again(reason: String)
    }

    /// The most parties whose keys are pinned; those that have left the policy stay.
    package static let mostPins = 4_096
    static let fileName = "approvers"
    private static let version = "budkavle-approvers/2"

    /// Whose approvals count, and what it said last.
    struct Pin: Equatable {
        var key: ApproverKey
        var stamp: ApprovalStamp
    }

    /// Asks for pins that are missing to be made afresh.
    package let again: ApproversAgain
    private let file: CompanionFile
    private let collaboration: CollaborationID

    /// The pins of one collaboration. Reads the journal's keys. Blocks.
    package init(_ collaboration: CollaborationID, in dataDirectory: String, keys: KeyRing) throws(JournalError) {
        self.collaboration = collaboration
        file = try CompanionFile(
            Self.fileName, directory: "\(dataDirectory)/\(collaboration.text)", keys: keys)
        again = ApproversAgain(besides: file.path)
    }

    /// What may be activated, and what is pinned by it: `write` it before the policy is active.
    package struct Admission: Sendable {
        fileprivate let pins: [PartyID: Pin]
        /// Whether nothing was pinned before.
        package let isNew: Bool
        /// Whether the file must be written.
        package let isChanged: Bool
        /// Parties whose key is new or another, sorted.
        package let changed: [PartyID]
    }

    /// Judges the keys of a policy. Nothing is written. Blocks.
    ///
    /// - Throws: `.approvers` for a key that is not the pinned one and that this did not hand over to, for approvals that are not
    ///   later than the last, and for pins that are missing or altered although something was activated before.
    package func admit(_ policy: Policy, _ activation: Activation) throws(StartError) -> Admission {
        guard policy.mode == .production else {
            return Admission(pins: [:], isNew: false, isChanged: false, changed: [])
        }
        let known = try pinned(activation)
        var pins = known ?? [:]
        var changed: [PartyID] = []
        var refused: [String] = []
        for approver in policy.approvers {
            if let why = Self.refusal(of: approver, pins[approver.party]) {
                refused.append("\(approver.location): error: \(why)")
                continue
            }
            if pins[approver.party]?.key != approver.current { changed.append(approver.party) }
            pins[approver.party] = Pin(key: approver.current, stamp: approver.stamp)
        }
        guard refused.isEmpty else { throw .approvers(refused.joined(separator: "\n")) }
        guard pins.count <= Self.mostPins else {
            throw .approvers("\(file.path): more than \(Self.mostPins) approvers")
        }
        return Admission(pins: pins, isNew: known == nil, isChanged: pins != known, changed: changed)
    }

    /// Why a party's file does not count; nil if it does.
    private static func refusal(of approver: Approver, _ pinned: Pin?) -> String? {
        guard let pinned else { return nil }
        let isHandedOver = pinned.key == approver.key && approver.handOver != nil
        guard pinned.key == approver.current || isHandedOver else {
            return
                "this is not the key that is pinned for '\(approver.party)', \(pinned.key); only that key can hand"
                + " over to"
                + " another: budkavled approve --party \(approver.party) --key OLD --next-key NEW"
        }
        guard approver.stamp != pinned.stamp, approver.stamp.time <= pinned.stamp.time else { return nil }
        return "these approvals of '\(approver.party)' were signed at \(approver.stamp.time), and others at"
            + " \(pinned.stamp.time) were in force: what was withdrawn since does not come back; put the newest file"
            + " back, or"
            + " let the approver sign anew: budkavled approve --party \(approver.party) --key FILE"
    }

    /// Writes what was admitted, if it is new; on disk when this returns. Blocks.
    package func write(_ admission: Admission) throws(StartError) {
        guard admission.isChanged else { return }
        var lines = ["\(Self.version) \(collaboration.text)"]
        lines += admission.pins.sorted { $0.key < $1.key }.map { party, pin in
            "\(party.text) \(pin.key) \(pin.stamp.time.milliseconds) \(pin.stamp.digest.base64url)"
        }
        do throws(JournalError) {
            try file.write(Array((lines.joined(separator: "\n") + "\n").utf8))
        } catch { throw .journal(error) }
    }

    /// What is pinned; nil when there is no file and none has to be there.
    private func pinned(_ activation: Activation) throws(StartError) -> [PartyID: Pin]? {
        let contents: CompanionFile.Contents
        do throws(JournalError) { contents = try file.read() } catch { throw .journal(error) }
        switch contents {
        case .missing:
            guard activation == .later else { return nil }
            throw .approvers(
                "\(file.path): the pinned keys of the approvers are missing, and a policy was active before; bring"
                    + " the file"
                    + " back from a backup of the journal. If there never was one (a journal older than approvals),"
                    + " or it is"
                    + " lost: see to it that every key in the configuration is its approver's own, write why into"
                    + " \(again.path), one line, and start the daemon once: it pins them afresh")
        case .forged:
            throw .approvers(
                "\(file.path): the pinned keys of the approvers were altered or are of another journal; bring the"
                    + " file back"
                    + " from a backup of the journal")
        case .bytes(let bytes):
            guard let pins = parse(String(decoding: bytes, as: UTF8.self)) else {
                throw .approvers("\(file.path): written by a newer version, or for another collaboration")
            }
            return pins
        }
    }

    private func parse(_ text: String) -> [PartyID: Pin]? {
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == "\(Self.version) \(collaboration.text)" else { return nil }
        var pins: [PartyID: Pin] = [:]
        for line in lines {
            let parts = line.split(separator: " ")
            guard parts.count == 4, let party = PartyID(parts[0]), let key = ApproverKey(String(parts[1])),
                let milliseconds = Int64(parts[2]),
                let digest = Base64URL.bytes(String(parts[3])).flatMap({ Digest(bytes: $0) })
            else { return nil }
            let stamp = ApprovalStamp(time: Timestamp(milliseconds: milliseconds), digest: digest)
            guard pins.updateValue(Pin(key: key, stamp: stamp), forKey: party) == nil else { return nil }
        }
        return pins
    }
}

/// The pins of all collaborations that a daemon serves in production mode.
///
/// Isolation: any thread that may block. Between a judgement and its pinning there is no other: the caller sees to it.
final class ApproverRegistry: Sendable {
    /// One collaboration's pins, and whether a policy of its was ever active.
    struct Entry: Sendable {
        let pins: ApproverPins
        var activation: ApproverPins.Activation
    }

    /// That keys were pinned afresh, for the journal.
    struct PinnedAgain: Sendable {
        let reason: String
        let parties: Int
    }

    private let entries: Mutex<[CollaborationID: Entry]>
    private let pinnedAgain: Mutex<[CollaborationID: PinnedAgain]> = Mutex([:])
    private let log: DaemonLog

    init(_ entries: [CollaborationID: Entry], log: DaemonLog) {
        self.entries = Mutex(entries)
        self.log = log
    }

    /// One collaboration's part of what may be activated.
    struct Judged: Sendable {
        let collaboration: CollaborationID
        let admission: ApproverPins.Admission
    }

    /// Judges the keys of all policies. Nothing is written. Blocks.
    func judge(_ policies: [Policy]) throws(StartError) -> [Judged] {
        let entries = entries.withLock { $0 }
        var judged: [Judged] = []
        for policy in policies {
            guard let entry = entries[policy.collaboration] else { continue }
            let admission = try entry.pins.admit(policy, entry.activation)
            judged.append(Judged(collaboration: policy.collaboration, admission: admission))
        }
        return judged
    }

    /// That a collaboration's keys were pinned afresh, once.
    func takePinnedAgain(_ collaboration: CollaborationID) -> PinnedAgain? {
        pinnedAgain.withLock { $0.removeValue(forKey: collaboration) }
    }

    /// Pins what was judged last: when nothing else can refuse any more, and before anything is activated. Blocks.
    func pin(_ judged: [Judged]) throws(StartError) {
        for one in judged {
            guard let entry = entries.withLock({ $0[one.collaboration] }) else { continue }
            try entry.pins.write(one.admission)
            if !one.admission.changed.isEmpty {
                log.write(.approversPinned(collaboration: one.collaboration, parties: one.admission.changed))
            }
            if case .again(let reason) = entry.activation {
                if one.admission.isNew {
                    log.write(.approversPinnedAgain(collaboration: one.collaboration, reason: reason))
                    let again = PinnedAgain(reason: reason, parties: one.admission.changed.count)
                    pinnedAgain.withLock { $0[one.collaboration] = again }
                }
                try entry.pins.again.remove()
            }
            entries.withLock { $0[one.collaboration]?.activation = .later }
        }
    }
}

extension Daemon {
    /// The registry for what was opened, with the keys of the start judged and pinned. Blocks.
    func admitApprovers(
        _ opened: [Opened], in dataDirectory: String, keys: (CollaborationID) -> KeyRing
    ) throws(StartError) -> ApproverRegistry {
        var entries: [CollaborationID: ApproverRegistry.Entry] = [:]
        for one in opened where one.policy.mode == .production {
            let id = one.policy.collaboration
            do throws(JournalError) {
                entries[id] = ApproverRegistry.Entry(
                    pins: try ApproverPins(id, in: dataDirectory, keys: keys(id)),
                    activation: one.recovered.relay.activePolicy == nil ? .first : .later)
            } catch { throw .journal(error) }
            if let reason = try entries[id]?.pins.again.reason() { entries[id]?.activation = .again(reason: reason) }
        }
        let registry = ApproverRegistry(entries, log: log)
        try registry.pin(try registry.judge(opened.map(\.policy)))
        return registry
    }
}
