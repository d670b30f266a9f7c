import CaseNotifications

/// The parts of a policy that agreements are, and the gaps that boards sign.
extension Policy {
    /// `agreement:<id>/<party>`: that a party takes part in an agreement, on which terms and until when.
    ///
    /// A `may` rule that needs an agreement opens for exactly its parties, so a signatory more or a later end lets somebody read
    /// more. There is a part for each party of each agreement, approved by that party and by those with which it exchanges
    /// something by it: another signatory asks them for one approval more and ends none of those that there are. Duties need no
    /// agreement, and so no approval of one.
    func agreementParts(_ reach: ApprovalReach) -> [ApprovalPart] {
        agreements.filter { $0.state != .draft && $0.isSigned }.flatMap { agreement in
            agreement.members.keys.sorted().compactMap { member in part(of: agreement, member, reach) }
        }
    }

    private func part(of agreement: Agreement, _ member: PartyID, _ reach: ApprovalReach) -> ApprovalPart? {
        let others = (reach.agreeing[member] ?? []).filter { other in
            agreement.members[other] != nil && reach.agrees(member, other, by: agreement.id)
        }
        guard !others.isEmpty, let taking = agreement.members[member] else { return nil }
        var form = ApprovalForm()
        add(agreement, to: &form)
        form.add("party.valid", Self.text(of: taking))
        let period = period(of: agreement.validity.intersection(taking)) ?? Labels(of: "")
        let programmes = Labels.list(
            agreement.programmes.sorted().map { settings.programmes[$0]?.quoted ?? Labels(of: $0) })
        let places = places(agreement.municipalities, county: county)
        let (who, with, what) = (name(member), names(others.sorted()), agreement.labels.quoted)
        let only = programmes.sv.isEmpty ? ("", "") : (", bara \(programmes.sv)", ", only \(programmes.en)")
        return ApprovalPart(
            id: "agreement:\(agreement.id)/\(member)", form: form, approvers: Set(others + [member]).sorted(),
            words: [
                Labels(
                    sv: "\(who.sv) är part i överenskommelsen \(what.sv) för \(places.sv)\(only.0), \(period.sv).",
                    en: "\(who.en) takes part in the agreement \(what.en) for \(places.en)\(only.1), \(period.en)."),
                Labels(
                    sv: "Regler som kräver en överenskommelse öppnas då mellan den parten och: \(with.sv).",
                    en: "Rules that need an agreement then open between that party and: \(with.en)."),
            ], location: agreement.location)
    }

    /// The terms of an agreement that decide for whom it opens what, and when.
    func add(_ agreement: Agreement, to form: inout ApprovalForm) {
        form.add("agreement", agreement.id)
        form.add("agreement.valid", Self.text(of: agreement.validity))
        form.add("agreement.municipalities", any: agreement.municipalities.isEmpty ? nil : agreement.municipalities)
        form.add("agreement.programmes", any: agreement.programmes.isEmpty ? nil : agreement.programmes)
    }

    /// `coverage-gap:<party>`: all the hours without anybody that a board has signed for.
    func gapPart(of party: Party) -> ApprovalPart? {
        guard !party.coverageGaps.isEmpty else { return nil }
        var form = ApprovalForm()
        form.add(
            "gaps",
            some: party.coverageGaps.map { gap in
                let codes = gap.municipalities.isEmpty ? "*" : gap.municipalities.sorted().joined(separator: " ")
                let types = gap.types.isEmpty ? "*" : gap.types.map(\.shortName).sorted().joined(separator: " ")
                return "\(Self.text(of: gap.validity)) in \(codes) for \(types) by \(gap.function)"
            })
        let who = name(party.id)
        let lines = party.coverageGaps.map { gap in
            let types =
                gap.types.isEmpty
                ? Labels(sv: "alla händelser", en: "every event") : Labels.list(gap.types.sorted().map(name))
            let function = party.functions[gap.function] ?? Labels(of: gap.function)
            let period = period(of: gap.validity) ?? Labels(of: "")
            let codes = gap.municipalities.isEmpty ? Set(party.municipalities) : gap.municipalities
            let places = places(codes, county: party.county)
            return Labels(
                sv:
                    "\(who.sv) vet att ingen kan svara för \(places.sv) vid \(types.sv), \(period.sv); genom"
                    + " \(function.sv).",
                en:
                    "\(who.en) knows that nobody may answer for \(places.en) on \(types.en), \(period.en); by its"
                    + " \(function.en)."
            )
        }
        return ApprovalPart(
            id: "coverage-gap:\(party.id)", form: form, approvers: [party.id], words: lines, location: party.location)
    }
}
