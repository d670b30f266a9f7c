"""Who gets one event by a policy, worked out rule by rule without any index or cache."""
import datetime as dt

from policy import CLASSES, NEARNESS, WHEREABOUTS, Provision, UTC, listed


# What the sender, the one who consents or the parties can supply.
REMEDIES = {"affirmation-missing", "consent-missing", "no-agreement", "agreement-expired"}


def matches(node, party):
    """A basis's `from` or `to`: kinds and parties, where given."""
    if not node:
        return True
    return ("kinds" not in node or party.kind in node["kinds"]) and ("parties" not in node or party.id in node["parties"])


def more_urgent(one, other):
    return one if CLASSES.index(one) < CLASSES.index(other) else other


class Case:
    """One event at one instant."""

    def __init__(self, policy, event, at):
        self.policy, self.event, self.at = policy, event, at
        self.local = policy.local(at)
        self.sender = policy.parties[event["source"]]
        self.type = policy.types[event["type"]]
        self.is_strict = event.get("protected") is not False
        self.secrecy = event.get("secrecy") or next(iter(self.sender.secrecy), None)
        self.urgency = self.event_urgency()
        # A station's affirmation is a standing one, and one made long before it is sent is none for this notification, whenever
        # the event was; a person is one of the sender's, where it lists any.
        counts = {"person"} | (set() if self.sender.people else {"stranger"})
        self.affirmed = set(event["affirmations"]) if event["affirmed-by"] in counts else set()
        self.words = self.named()
        self.rules = [rule for rule in policy.rules_of(event["type"])
                      if policy.holds(rule, at) and self.means_sender(rule) and self.meets(rule.get("when"))]

    def event_urgency(self):
        urgency = self.type["urgency"]
        for step in listed(self.type.get("raise")):
            level = step["when"].removeprefix("level-")
            if step["when"] in self.event["circumstances"] or step["when"] != level and self.event.get("level") == level:
                urgency = more_urgent(step["to"], urgency)
        return more_urgent(self.event.get("urgency", urgency), urgency)

    def named(self):
        """Whom the audience names, each with the words for why; a group stands for its members."""
        words = {}
        for entry in self.event["audience"]:
            name, _, word = entry.partition("/")
            group = self.policy.groups.get(name)
            for party in group["members"] if group else [name]:
                words.setdefault(party, set()).add(word)
        return words

    # Which rules reach whom

    def means(self, selector, party):
        """What a selector says of a party alone."""
        parties = selector.get("parties")
        if "kinds" in selector and party.kind not in selector["kinds"]:
            return False
        if parties is not None and parties != ["*"] and party.id not in parties:
            return False
        if party.county not in selector.get("counties", [self.policy.county]):
            return False
        return selector.get("where") != "municipality" or party.serves(self.event.get("municipality"))

    def means_sender(self, rule):
        return self.means(rule["from"], self.sender)

    def reaches(self, rule, party):
        to = rule["to"]
        if party.id == self.sender.id or not self.means(to, party):
            return False
        words = self.words.get(party.id)
        if (to.get("named") or to.get("roles")) and words is None:
            return False
        if to.get("roles") and not words & set(to["roles"]):
            return False
        if to.get("group"):
            municipality = self.event.get("municipality")
            return any(group["municipality"] == municipality and party.id in group["members"]
                       for group in self.policy.groups.values())
        return True

    def meets(self, when):
        when, event = when or {}, self.event
        circumstances = set(event["circumstances"])
        affirmed = self.affirmed
        if not set(when.get("all", [])) <= circumstances or circumstances & set(when.get("none", [])):
            return False
        if when.get("any") and not circumstances & set(when["any"]):
            return False
        for key, plural in (("level", "levels"), ("programme", "programmes")):
            if when.get(plural) and event.get(key) not in when[plural]:
                return False
        if any(not event.get(name) for name in when.get("attributes", [])):
            return False
        if not set(when.get("affirmed", [])) <= affirmed or affirmed & set(when.get("not-affirmed", [])):
            return False
        return "protected" not in when or when["protected"] == self.is_strict

    # What stands in a rule's way

    def obstacle(self, rule, party):
        """The code of the first that stops a duty or may towards a party; None if nothing does. The order is design.md's: a
        basis, its affirmations (or the consent that it rests on) and an agreement in force; what protection forbids stands
        before the agreement that could not help."""
        basis = self.policy.bases[rule["basis"]]
        if self.is_outlived(rule) or not self.covered(basis, party):
            return "no-rule"
        standing = set(listed(basis.get("standing")))
        demanded = {name for name in listed(basis.get("affirmations")) if name not in standing} | set(listed(rule.get("affirm")))
        # 10:15 a lifts 21-40 kap. and not 18 kap., so who may hold what an investigation keeps secret affirms one thing more.
        demanded |= set(listed((basis.get("affirmations-from") or {}).get(self.sender.kind)))
        if not demanded <= self.affirmed:
            return "affirmation-missing"
        givers = listed(rule.get("consent")) or listed(basis.get("consent"))
        if givers and not (self.event.get("consent") and self.event.get("consentof") in givers):
            return "consent-missing"
        if party.county != self.policy.county and self.is_strict and not (rule["effect"] == "duty" and party.id in self.words):
            return "protected"
        if rule["effect"] == "may" and basis["effect"] == "may" and basis.get("agreement") != "not-required":
            return self.agreement_missing(rule, party)
        return None

    def is_outlived(self, rule):
        """A rule in force whose basis is not."""
        return not self.policy.holds(self.policy.bases[rule["basis"]], self.at)

    def covered(self, basis, party):
        if not matches(basis.get("from"), self.sender) or not matches(basis.get("to"), party):
            return False
        if "types" in basis and self.event["type"] not in basis["types"]:
            return False
        secrecy = basis.get("secrecy") or {}
        if self.secrecy is None:
            return True
        within = listed(secrecy.get("within"))
        if within and not any(Provision.covers(pattern, self.secrecy) for pattern in within):
            return False
        return not any(Provision.covers(pattern, self.secrecy) for pattern in listed(secrecy.get("except")))

    def agreement_missing(self, rule, party):
        if party.organisation == self.sender.organisation:
            return None
        states = set()
        for name, agreement in self.policy.agreements.items():
            if rule.get("agreements") and name not in rule["agreements"]:
                continue
            # That of an on-call desk is about the desk.
            if agreement.node["level"] == "agency" or not agreement.covers(self.event):
                continue
            states.add(agreement.state(self.at, self.sender.id, party.id))
        if "in-force" in states:
            return None
        return "agreement-expired" if "ended" in states else "no-agreement"

    # One party

    def judge(self, party):
        """The rule that delivers and the fields that are taken out, or a code; and whether a duty reaches the party."""
        never = [rule for rule in self.rules if rule["effect"] == "never" and self.reaches(rule, party)]
        stops = [rule for rule in never if not rule.get("fields")]
        taken = {field for rule in never for field in listed(rule.get("fields"))}
        codes, passing, is_duty, is_missed = set(), [], False, False
        for rule in self.rules:
            if rule["effect"] == "never" or not self.reaches(rule, party):
                continue
            code = self.obstacle(rule, party)
            if self.desks(party):
                is_missed = is_missed or code in REMEDIES or code == "no-rule" and self.is_outlived(rule)
            is_duty = is_duty or rule["effect"] == "duty"
            if code is None and stops and rule["effect"] == "may":
                code = "never-rule"
            if code is None:
                passing.append(rule)
            else:
                codes.add(code)
        # One rule delivers: duty before may, then the one with the most fields, then the first by id.
        passing.sort(key=lambda rule: (rule["effect"] != "duty", -len(self.listed_fields(rule)), rule["id"].encode()))
        if passing and party.desks:
            rule = passing[0]
            return {"rule": rule, "fields": self.fields(rule, taken, bool(stops)), "duty": is_duty}
        if stops:
            return {"code": "never-rule", "duty": is_duty}
        return {"code": max(codes, key=NEARNESS.index, default="no-rule"), "duty": is_duty, "reached": bool(codes),
                "missed": is_missed}

    def listed_fields(self, rule):
        return [field["name"] for field in self.type["fields"]] if rule["fields"] == "all" else rule["fields"]

    def fields(self, rule, taken, is_stopped):
        """What of `data` the copy holds: a duty that a never rule meets is emptied, not dropped."""
        if is_stopped:
            return []
        names = self.listed_fields(rule)
        if self.is_strict:
            names = self.strict(rule).get("fields", [name for name in names if self.is_kept(name)])
        return [name for name in names if name not in taken]

    def attributes(self, rule):
        names = listed(rule.get("attributes"))
        if self.is_strict:
            names = self.strict(rule).get("attributes", [name for name in names if name not in WHEREABOUTS])
        return names

    @staticmethod
    def strict(rule):
        return rule.get("strict") or {}

    def is_kept(self, name):
        field = next(field for field in self.type["fields"] if field["name"] == name)
        return field["kind"] != "municipality" and field["sensitivity"] not in self.policy.dropped

    # Desks

    def is_staffed(self, party, desk):
        if not party.calendars[desk["calendar"]].is_open(self.local):
            return False
        if "roster" not in desk:
            return True
        for entry in desk["roster"]:
            hours = party.calendars[entry["hours"]] if "hours" in entry else None
            if (hours is None or hours.is_open(self.local)) and self.policy.holds(entry, self.at):
                return True
        return False

    def desks(self, party):
        return [desk for desk in party.desks if "types" not in desk or self.event["type"] in desk["types"]]

    def open_desk(self, party):
        return next((desk["id"] for desk in self.desks(party) if self.is_staffed(party, desk)), None)

    def agent(self, party):
        """The on-call desk that acts for a board now: its hours, and an agreement in force between the two."""
        for agent in self.policy.parties.values():
            if party.id not in agent.agent_for or not agent.hours.is_open(self.local):
                continue
            if self.policy.agreements[agent.agreement].state(self.at, agent.id, party.id) != "in-force":
                continue
            desk = self.open_desk(agent)
            if desk:
                return agent.id, desk
        return None

    def place(self, party, urgency):
        """Desk and agent; a fallback party where it stands in; always some desk."""
        own = (self.desks(party) or party.desks)[0]["id"]
        open_now = self.open_desk(party)
        if open_now:
            return {"desk": open_now}
        if self.policy.collaboration["urgency"][urgency]["desks"] == "own":
            return {"desk": own}
        agent = self.agent(party)
        if agent:
            return {"agent": agent[0], "desk": agent[1]}
        return {"desk": own, "closed": True}

    def deadline(self, urgency):
        given = self.policy.collaboration["urgency"][urgency]["acknowledge"]
        if given == "none":
            return None
        if given == "next-working-day":
            calendar = self.policy.calendars[self.policy.collaboration["working-days"]]
            date = self.local.date() + dt.timedelta(1)
            while not calendar.spans_of(date):
                date += dt.timedelta(1)
            end = max(end for _, end in calendar.spans_of(date))
            local = dt.datetime.combine(date, dt.time(), self.policy.zone) + dt.timedelta(minutes=end)
            return local.astimezone(UTC)
        number, unit = int(given[:-1]), given[-1]
        return self.at + dt.timedelta(seconds=number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit])

    def copy(self, party, judged):
        rule = judged["rule"]
        urgency = more_urgent(rule.get("urgency", self.urgency), self.urgency)
        place = self.place(party, urgency)
        copy = {
            "rule": rule["id"], "effect": rule["effect"], "basis": rule["basis"], "urgency": urgency,
            "attributes": self.attributes(rule), "fields": judged["fields"], "strict": self.is_strict,
            "acknowledgeby": self.deadline(urgency), "desk": place["desk"], "agent": place.get("agent"),
        }
        return copy, place.get("closed", False)

    # The whole

    def refused_as_written(self):
        """What makes the envelope itself unacceptable, whoever would get it."""
        for name in listed(self.type.get("attributes")):
            if not self.event.get(name):
                return "schema"
        if self.event.get("secrecy") and self.event["secrecy"] not in self.sender.secrecy:
            return "schema"
        return None

    def decide(self):
        """{party: copy or code}, the code for the whole if nobody gets it, and the rules that were looked at per party."""
        code = self.refused_as_written()
        if code:
            return {}, code, {}
        cells, moved, codes, looked = {}, [], set(), {}
        for party in self.policy.parties.values():
            if party.id == self.sender.id:
                continue
            looked[party.id] = {rule["id"] for rule in self.rules if self.reaches(rule, party)}
            judged = self.judge(party)
            is_named = party.id in self.words
            if "code" not in judged and (is_named or not self.words):
                copy, is_closed = self.copy(party, judged)
                stand_in = self.stand_in(party) if is_closed else None
                if stand_in:
                    moved.append((party.id, stand_in, copy))
                else:
                    cells[party.id] = copy
                continue
            refusal = judged.get("code", "no-rule")
            # Who names nobody means whom the rules mean, and is told whom something that can be had keeps it from.
            if is_named or judged["duty"] or judged.get("missed") and not self.words:
                cells[party.id] = refusal
                codes.add(refusal)
            elif judged.get("reached") and not self.words:
                codes.add(refusal)
        for name in self.words:
            if name not in self.policy.parties:
                cells[name] = "no-rule"
                codes.add("no-rule")
        own = {party for party, cell in cells.items() if isinstance(cell, dict)}
        for party, (stand_in, copy), waiting in moved:
            looked[stand_in] = looked[party] = looked.get(stand_in, set()) | looked[party]
            if stand_in not in own:
                cells[stand_in] = copy
            elif waiting["effect"] == "duty":
                # Whoever has a copy of its own takes nobody's duty over.
                cells[party] = waiting
        if any(isinstance(cell, dict) for cell in cells.values()):
            return cells, None, looked
        return cells, max(codes, key=NEARNESS.index, default="no-rule"), looked

    def stand_in(self, party):
        """The fallback of a party whose desks are closed, with the copy by a rule of its own; none counts as no desk."""
        fallback = self.policy.parties.get(party.fallback)
        if fallback is None or fallback.id == self.sender.id:
            return None
        judged = self.judge(fallback)
        if "code" in judged:
            return None
        copy, is_closed = self.copy(fallback, judged)
        return None if is_closed else (fallback.id, copy)
