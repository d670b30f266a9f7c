"""What a policy says, worked out a second time: from reference/domain.md, design.md section 5, protocol.md and the YAML
files, and from nothing of the relay's own code. Where these are silent the worked examples of tests.yaml speak."""
import datetime as dt
import glob
import os
from zoneinfo import ZoneInfo

import yaml

UTC = dt.timezone.utc
CLASSES = ["U1", "U2", "U3", "U4", "U0"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# Attributes that tell where somebody is: not in the strict view unless the rule lists them there.
WHEREABOUTS = {"county", "municipality", "circumstances"}
# Of several refusals the nearest is told: what the sender can supply comes before what it cannot.
NEARNESS = ["no-rule", "never-rule", "protected", "no-agreement", "agreement-expired", "consent-missing", "affirmation-missing"]


class Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):
    """YAML without its own dates: a day is text here, as in the relay's files."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def day(text):
    return dt.date.fromisoformat(str(text))


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]


# Swedish holidays (lag 1989:253), and the eves that the holiday act counts as Sundays.

def easter(year):
    """Easter Sunday by Gauss, with his two exceptions (the Gregorian calendar of 1900 to 2099: M 24, N 5)."""
    a, b, c = year % 19, year % 4, year % 7
    d = (19 * a + 24) % 30
    e = (2 * b + 4 * c + 6 * d + 5) % 7
    late = d + e
    if d == 29 and e == 6 or d == 28 and e == 6 and a > 10:
        late -= 7
    return dt.date(year, 3, 22) + dt.timedelta(late)


def saturday_from(year, month, first):
    start = dt.date(year, month, first)
    return start + dt.timedelta((5 - start.weekday()) % 7)


def holidays(year):
    sunday = easter(year)
    fixed = [(1, 1), (1, 6), (5, 1), (6, 6), (12, 25), (12, 26)]
    moving = [sunday + dt.timedelta(days) for days in (-2, 0, 1, 39, 49)]
    # Midsummer: the Saturday of 20 to 26 June; All Saints: that of 31 October to 6 November.
    return {dt.date(year, *monthday) for monthday in fixed} | set(moving) | {saturday_from(year, 6, 20), saturday_from(year, 10, 31)}


def eves(year):
    return {saturday_from(year, 6, 20) - dt.timedelta(1), dt.date(year, 12, 24), dt.date(year, 12, 31)}


class Calendar:
    """When something is open."""

    def __init__(self, node, others):
        self.base = others[node["outside"]] if "outside" in node else None
        self.spans = []
        for span in node.get("open", []):
            start, end = (int(t[:2]) * 60 + int(t[3:]) for t in (span["from"], span["to"]))
            self.spans.append((set(span["days"]), start, end if end > start else end + 1440))
        self.closed = set(listed(node.get("closed")))
        self.closed_dates = {day(d) for d in listed(node.get("closed-dates"))}
        self.open_dates = {day(d) for d in listed(node.get("open-dates"))}

    def works(self, date):
        if date in self.open_dates:
            return True
        return not (date in self.closed_dates or "holidays" in self.closed and date in holidays(date.year)
                    or "eves" in self.closed and date in eves(date.year))

    def spans_of(self, date):
        """Minutes since midnight of `date`, a span over midnight ending beyond 1440."""
        if not self.works(date):
            return []
        return [(start, end) for days, start, end in self.spans if DAYS[date.weekday()] in days]

    def is_open(self, local):
        if self.base is not None:
            return not self.base.is_open(local)
        minute = local.hour * 60 + local.minute
        yesterday = local.date() - dt.timedelta(1)
        return (any(start <= minute < end for start, end in self.spans_of(local.date()))
                or any(start <= minute + 1440 < end for start, end in self.spans_of(yesterday)))


class Fixed:
    def __init__(self, state):
        self.state = state

    def is_open(self, local):
        return self.state

    def spans_of(self, date):
        return [(0, 1440)] if self.state else []


def calendars(nodes, known):
    found = dict(known)
    waiting = dict(nodes or {})
    while waiting:
        ready = [name for name, node in waiting.items() if node.get("outside") not in waiting]
        if not ready:
            raise ValueError(f"calendars that are each other's complement: {sorted(waiting)}")
        for name in ready:
            found[name] = Calendar(waiting.pop(name), found)
    return found


class Party:
    def __init__(self, node, shared):
        self.id, self.kind, self.organisation = node["id"], node["kind"], node["organisation"]
        self.county, self.municipalities = node["county"], listed(node["municipalities"])
        self.secrecy, self.fallback = listed(node.get("secrecy")), node.get("fallback")
        self.agent_for, self.agreement = listed(node.get("agent-for")), node.get("agreement")
        self.calendars = calendars(node.get("calendars"), shared)
        self.hours = self.calendars[node["hours"]] if "hours" in node else None
        self.desks = listed(node.get("desks"))
        self.clients = [client["id"] for client in listed(node.get("clients"))]
        self.people = [person["id"] for person in listed(node.get("people"))]

    def serves(self, municipality):
        """Named municipalities, or else all of its county."""
        if municipality is None:
            return False
        return municipality in self.municipalities if self.municipalities else municipality.startswith(self.county)


class Provision:
    """`26`, `26:1`, `24:2a`, and ranges of chapters or of sections."""

    @staticmethod
    def parts(text):
        chapter, _, section = text.partition(":")
        digits = section.rstrip("abcdefghijklmnopqrstuvwxyz")
        return int(chapter), int(digits) if digits else None, section[len(digits):]

    @classmethod
    def covers(cls, pattern, text):
        chapter, section, letter = cls.parts(text)
        low, _, high = pattern.partition("-")
        if ":" not in pattern:
            return int(low) <= chapter <= int(high or low)
        first = cls.parts(low)
        if chapter != first[0] or section is None:
            return False
        if high:
            last = cls.parts(high if ":" in high else f"{first[0]}:{high}")
            return first[1:] <= (section, letter) <= last[1:]
        return first[1:] == (section, letter)


class Policy:
    def __init__(self, directory):
        self.directory = directory
        load = lambda name: read(os.path.join(directory, name))
        self.collaboration = load("collaboration.yaml")
        self.id, self.county = self.collaboration["id"], self.collaboration["county"]
        self.zone = ZoneInfo(self.collaboration["time-zone"])
        self.calendars = calendars(self.collaboration.get("calendars"), {"always": Fixed(True), "never": Fixed(False)})
        self.groups = {group["id"]: group for group in listed(self.collaboration.get("groups"))}
        catalogue = load("types.yaml")
        self.types = {kind["id"]: kind for kind in catalogue["types"]}
        self.code_lists = catalogue["code-lists"]
        self.circumstances = sorted(catalogue["circumstances"])
        self.audience_roles = sorted(catalogue["audience-roles"])
        self.dropped = {name for name, node in catalogue["sensitivities"].items() if node["strict"] == "drop"}
        law = load("law.yaml")
        self.bases = {basis["id"]: basis for basis in law["bases"]}
        self.affirmations = sorted(law["affirmations"])
        self.rules = sorted(load("rules.yaml")["rules"], key=lambda rule: rule["id"].encode())
        self.rules_by_type = {}
        self.parties = {}
        for path in sorted(glob.glob(os.path.join(directory, "parties", "*.yaml"))):
            party = Party(read(path), self.calendars)
            self.parties[party.id] = party
        self.agreements = {}
        for node in load("agreements.yaml")["agreements"]:
            self.agreements[node["id"]] = Agreement(node, self)

    def local(self, instant):
        return instant.astimezone(self.zone)

    def midnight(self, date):
        return dt.datetime.combine(date, dt.time(), self.zone).astimezone(UTC)

    def holds(self, node, instant):
        """Whether `valid: {from, to}` includes an instant; both days belong to it."""
        valid = (node or {}).get("valid") or {}
        if "from" in valid and instant < self.midnight(day(valid["from"])):
            return False
        return not ("to" in valid and instant >= self.midnight(day(valid["to"]) + dt.timedelta(1)))

    def rules_of(self, type_id):
        if type_id not in self.rules_by_type:
            family = self.types[type_id]["family"]
            self.rules_by_type[type_id] = [
                rule for rule in self.rules
                if rule.get("types") == "all" or type_id in listed(rule.get("types")) or family in listed(rule.get("families"))]
        return self.rules_by_type[type_id]


class Agreement:
    """A letter of intent: in force when everybody has signed, from the last signature on, until its end."""

    def __init__(self, node, policy):
        self.node, self.policy = node, policy
        self.municipalities, self.programmes = listed(node.get("municipalities")), listed(node.get("programmes"))
        valid = node.get("valid") or {}
        signed = [signatory.get("signed") for signatory in node["signatories"]]
        self.is_signed = bool(signed) and all(signed)
        self.start = max([day(d) for d in signed if d] + ([day(valid["from"])] if "from" in valid else []), default=None)
        ends = [day(d) for d in (valid.get("to"), node.get("ended")) if d]
        self.end = min(ends, default=None)
        if node["state"] == "ended" and self.end is None:
            self.end = dt.date(1, 1, 1)
        self.members = {}
        for signatory in node["signatories"]:
            left = day(signatory["left"]) if "left" in signatory else dt.date.max
            names = listed(signatory.get("organisation")) + listed(signatory.get("members"))
            for party in policy.parties.values():
                if party.organisation in names or party.id == signatory.get("party"):
                    self.members[party.id] = max(left, self.members.get(party.id, dt.date.min))

    def state(self, instant, *parties):
        """`in-force`, `ended` or `not-yet` between these parties; None if it is not between them."""
        if any(party not in self.members for party in parties):
            return None
        if self.node["state"] == "draft" or not self.is_signed:
            return "not-yet"
        date = self.policy.local(instant).date()
        ends = [end for end in [self.end] + [self.members[party] for party in parties] if end]
        if any(date > end for end in ends):
            return "ended"
        return "not-yet" if self.start and date < self.start else "in-force"

    def covers(self, event):
        if self.municipalities and event.get("municipality") not in self.municipalities:
            return False
        return not self.programmes or event.get("programme") in self.programmes
