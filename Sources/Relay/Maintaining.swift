package import CaseNotifications

/// What is done with the journal, and what it means for deliveries.
package struct MaintenanceNote: Sendable, Equatable {
    package var kind: Maintenance.Kind
    /// A party, a client or a text, never a person; nil for the relay itself.
    package var by: Name?
    /// A code of at most 128 bytes: a key's id, a kind of damage. Never foreign text.
    package var what: String?
    package var count: UInt64
    package var lost: LostRecords?
    /// At most ``Maintenance/notificationLimit``.
    package var notifications: [NotificationID]
    package var reasonSlot: UInt64?

    /// A note.
    package init(
        kind: Maintenance.Kind, by: Name? = nil, what: String? = nil, count: UInt64 = 0, lost: LostRecords? = nil,
        notifications: [NotificationID] = [], reasonSlot: UInt64? = nil
    ) {
        self.kind = kind
        self.by = by
        self.what = what
        self.count = count
        self.lost = lost
        self.notifications = notifications
        self.reasonSlot = reasonSlot
    }
}

extension Relay {
    /// What became of a notification's content; nil for one that is not in memory.
    package func contentState(of id: NotificationID) -> ContentState? {
        index[id].map { notifications[$0].traits.content }
    }

    // MARK: Deciding

    func maintain(_ note: MaintenanceNote, _ draft: inout Draft) -> Answer {
        guard note.notifications.count <= Maintenance.notificationLimit,
            (note.what ?? "").utf8.count <= Names.textLimitBytes
        else { return .refused(.maintenanceTooLong) }
        var by = NameNumber.none
        switch note.by {
        case .person: return .refused(.maintenanceTooLong)
        case .text(let text) where text.utf8.count > Names.textLimitBytes: return .refused(.maintenanceTooLong)
        case let name?: by = draft.number(name)
        case nil: break
        }
        let maintenance = Maintenance(
            kind: note.kind, by: by, what: draft.number(text: note.what), count: note.count, lost: note.lost,
            notifications: note.notifications, reasonSlot: note.reasonSlot)
        return .done(sequence: draft.add(.maintenance(maintenance)))
    }

    func unreadable(_ id: NotificationID, _ draft: inout Draft) -> Answer {
        guard let number = index[id] else { return .nothing }
        let isWaiting = deliveryRows(of: id).contains { deliveries[$0].transport == .waiting }
        guard notifications[number].traits.content == .stored || isWaiting else { return .nothing }
        return .done(sequence: draft.add(.unreadable(id)))
    }

    // MARK: Applying

    mutating func maintain(_ maintenance: Maintenance, at now: Timestamp, into changes: inout [Change]) {
        switch maintenance.kind {
        case .lost: reportedLost = reportedLost.addingReportingOverflow(maintenance.count).partialValue
        case .erased:
            var ordinal: UInt16 = 0
            for id in maintenance.notifications { erase(id, ordinal: &ordinal, at: now, into: &changes) }
        case .override, .rotated, .retired, .backup, .restored, .salvaged, .checkpointStop, .checkpointCleared: break
        }
    }

    /// The content is gone for good. No station gets it; people keep what they must acknowledge on their list, and of each
    /// delivery that was open the sender is told how far it had come.
    private mutating func erase(
        _ id: NotificationID, ordinal: inout UInt16, at now: Timestamp, into changes: inout [Change]
    ) {
        guard let number = index[id], notifications[number].traits.content != .erased else { return }
        notifications[number].traits.content = .erased
        // The next notification of the case gets keys of its own.
        cases[notifications[number].subject]?.slot = nil
        for row in deliveryRows(of: id) {
            let before = deliveries[row]
            guard !before.isDone || before.transport == .waiting || before.transport == .held else { continue }
            let step: ReceiptStep =
                before.openedSpan != .none
                ? .afterOpening : before.transport == .custody ? .afterCustodyUnopened : .beforeCustody
            if before.transport != .custody, before.transport != .withdrawn {
                update(row) { $0.transport = .withdrawn }
                if before.transport == .waiting { changes.append(.withdrawn(deliveryID(row))) }
            }
            tellDesks(row, into: &changes)
            tell(row, .recalled, .step(step), ordinal: ordinal, at: now, into: &changes)
            ordinal += 1
        }
    }

    /// The content cannot be read: what waits for stations is set aside, and of each open delivery the sender is told.
    mutating func setAsideUnreadable(_ id: NotificationID, at now: Timestamp, into changes: inout [Change]) {
        guard let number = index[id], notifications[number].traits.content != .erased else { return }
        let isNew = notifications[number].traits.content == .stored
        notifications[number].traits.content = .unreadable
        for row in deliveryRows(of: id) {
            let before = deliveries[row]
            // One that is held is judged by its content before it goes on: without it, it never does.
            guard before.transport == .waiting || isNew && !before.isDone else { continue }
            if before.transport == .waiting {
                update(row) { $0.transport = .setAside }
                changes.append(.setAside(deliveryID(row)))
            }
            tellDesks(row, into: &changes)
            tell(row, .escalated, .step(.setAside), ordinal: before.ordinal, at: now, into: &changes)
        }
    }
}

extension Refusal {
    static let maintenanceTooLong = Refusal(
        code: .tooLarge, pointer: "", message: "at most 256 notifications, and texts of 128 bytes")
}
