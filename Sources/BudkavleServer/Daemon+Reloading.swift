import CaseNotifications
import EventLoop
import Foundation
import Journal
import Relay
import Routing
import Settings
import Synchronization
import TLSStreams

/// Going over to another configuration while the daemon runs: parsed, checked, its worked examples played, and then in force
/// whole or not at all, in all collaborations or in none (design.md section 5).
extension Daemon {
    /// Who reloads by SIGHUP, as the journal and the log name him. An id as all are: the journal takes no other back.
    static let signalActor = Actor(party: ClientGrant.local(user: 0).party, client: ClientID(unchecked: "sighup"))

    /// SIGHUP: like `/admin/reload`, and audited like it.
    func reloadBySignal() {
        for core in cores {
            // SAFETY: signals come in on the loop's thread, which is the core's executor.
            core.assumeIsolated { $0.audit(Self.signalActor, verb: AdministrationVerb.reload.rawValue) }
        }
        reload(by: Self.signalActor) { _ in }
    }

    /// Reads on a thread of its own and activates on the loop: whole or not at all.
    func reload(by actor: Actor, _ done: @escaping @Sendable (ReloadOutcome) -> Void) {
        notifier.send("RELOADING=1")
        guard let settings = settings.withLock({ $0 }) else { return }
        let number = withState { state -> UInt64 in
            state.reloads += 1
            return state.reloads
        }
        Thread.detachNewThread { [self] in
            let found = readAgain(settings)
            // From here on one at a time: what is pinned is in force before the next one is judged.
            reloading.withLock { _ in
                let prepared = found.flatMap { prepare($0, number) }
                waitForLoop { [self] in
                    let outcome = goOver(to: prepared, by: actor)
                    notifier.send("READY=1")
                    done(outcome)
                }
            }
        }
    }

    private func readAgain(_ settings: DaemonSettings) -> Result<ReadAgain, StartError> {
        do {
            let context = try TLSContext(server: settings.tls)
            return .success(ReadAgain(context: context, policies: try readPolicies(settings).map(\.policy)))
        } catch let error as StartError {
            return .failure(error)
        } catch let error as TLSError {
            return .failure(.tls(error))
        } catch {
            return .failure(.reading("\(error)"))
        }
    }

    /// Judges all that can refuse and pins the keys of approvers last: a reload that is refused has pinned nothing.
    ///
    /// Blocks; off the loop, and one at a time.
    func prepare(_ read: ReadAgain, _ number: UInt64) -> Result<PreparedReload, StartError> {
        let registry = approvers.withLock { $0 }
        do throws(StartError) {
            let judged = try registry?.judge(read.policies) ?? []
            let prepared = try waitForLoop { [self] in judge(read, number) }.get()
            do throws(StartError) {
                try registry?.pin(judged)
            } catch {
                for place in prepared.places { place.core.journal.release(place.space) }
                throw error
            }
            return .success(prepared)
        } catch {
            return .failure(error)
        }
    }

    /// On the loop: whether this is the last reload that was asked for, fits what runs, and has space.
    private func judge(_ read: ReadAgain, _ number: UInt64) -> Result<PreparedReload, StartError> {
        guard number == withState({ $0.reloads }) else {
            return .failure(.reading("a later reload has overtaken this one; its outcome holds"))
        }
        let current = withState { $0.policies }
        if let error = unfit(read.policies, current) { return .failure(error) }
        let changed = read.policies.filter { current[$0.collaboration]?.digest != $0.digest }
        guard let places = spaces(for: changed) else {
            let what = "a journal has no space for the record of its new policy: free some and reload again"
            return .failure(.reading(what))
        }
        return .success(PreparedReload(read: read, hasChanged: !changed.isEmpty, places: places))
    }

    /// Runs `work` on the loop and waits for its outcome. Off the loop.
    @discardableResult private func waitForLoop<Value: Sendable>(_ work: @escaping @Sendable () -> Value) -> Value {
        let end = EndOfProcess()
        let outcome = Mutex<Value?>(nil)
        loop.execute {
            let value = work()
            outcome.withLock { $0 = value }
            end.signal(.ok)
        }
        _ = end.wait()
        guard let value = outcome.withLock({ $0 }) else { preconditionFailure("the loop signals with an outcome") }
        return value
    }

    /// What a reload cannot change: the mode, and which collaborations there are.
    private func unfit(_ policies: [Policy], _ current: [CollaborationID: Policy]) -> StartError? {
        guard Set(policies.map(\.collaboration)) == Set(current.keys) else {
            return .modes("a reload cannot add, rename or remove a collaboration; restart the daemon for that")
        }
        guard policies.allSatisfy({ $0.mode == current[$0.collaboration]?.mode }) else {
            return .modes("a reload cannot change the mode; an exercise has a daemon and a directory of its own")
        }
        return nil
    }

    /// On the loop: what is prepared goes into force, whole; nothing refuses here any more.
    private func goOver(to found: Result<PreparedReload, StartError>, by actor: Actor) -> ReloadOutcome {
        let prepared: PreparedReload
        switch found {
        case .success(let value): prepared = value
        case .failure(let error): return refuse(error, withState { $0.policies })
        }
        context.withLock { $0 = prepared.read.context ?? $0 }
        for place in prepared.places {
            // SAFETY: this runs on the loop's thread, which is the core's executor.
            place.core.assumeIsolated { $0.activate(place.policy, by: actor, in: place.space) }
            withState { $0.policies[place.policy.collaboration] = place.policy }
        }
        let cut = reviewSessions()
        log.write(prepared.hasChanged ? .reloaded : .reloadUnchanged)
        return ReloadOutcome(
            isActivated: true, hasChanged: prepared.hasChanged,
            policies: prepared.read.policies.map { ($0.collaboration, $0.digest) }, diagnostics: [],
            failedExamples: [], sessionsCut: cut)
    }

    /// Space in every journal for the record of its new policy, or in none.
    private func spaces(for policies: [Policy]) -> [PreparedReload.Place]? {
        var found: [PreparedReload.Place] = []
        for policy in policies {
            guard let core = withState({ $0.cores[policy.collaboration] }) else { continue }
            // SAFETY: this runs on the loop's thread, which is the core's executor.
            guard let space = core.assumeIsolated({ $0.spaceForActivation(of: policy) }) else {
                for place in found { place.core.journal.release(place.space) }
                return nil
            }
            found.append(PreparedReload.Place(core: core, policy: policy, space: space))
        }
        return found
    }

    private func refuse(_ error: StartError, _ current: [CollaborationID: Policy]) -> ReloadOutcome {
        var diagnostics: [String] = []
        var failed: [String] = []
        var reasons: [String] = []
        if case .configuration(let found, let examples) = error {
            diagnostics = found.map(\.json)
            failed = examples
        } else {
            reasons = error.description.split(separator: "\n").map(String.init)
        }
        log.write(.reloadRefused(errors: max(1, diagnostics.count + failed.count), first: error.firstLine))
        return ReloadOutcome(
            isActivated: false, hasChanged: false,
            policies: current.keys.sorted().map { ($0, current[$0]?.digest ?? Digest(sha256Of: [])) },
            diagnostics: diagnostics, failedExamples: failed, reasons: reasons)
    }
}

/// What a reload read.
struct ReadAgain: Sendable {
    let context: TLSContext?
    let policies: [Policy]
}

/// A reload that was judged and whose keys are pinned; it only has to go into force.
struct PreparedReload: Sendable {
    /// A journal with space for the record of its new policy.
    struct Place: Sendable {
        let core: RelayCore
        let policy: Policy
        let space: SpaceGrant
    }

    let read: ReadAgain
    let hasChanged: Bool
    let places: [Place]
}
