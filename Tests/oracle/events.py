"""Events that walk through party x type x recipient x (agreement, affirmations, protection, hour)."""
import datetime as dt
import itertools
import random

from policy import UTC, day, eves, holidays, listed

TEST_NUMBERS = ["199006022397", "199107172380", "202402292383"]
AGREEMENTS = ["in-force", "ended", "absent"]
AFFIRMED = ["all", "one-missing", "none"]
PROTECTED = [True, False, None]
HOURS = ["office", "night", "holiday", "law"]
AUDIENCES = ["everybody", "nobody", "some"]
# The envelope holds at most so many.
MOST_NAMED = 32


def moments(policy):
    """Instants of each sort: an office hour, a night, every public holiday and eve of two years, both sides of midnight
    where a basis begins or ends."""
    zone = policy.zone
    at = lambda date, hour, minute=0: dt.datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone).astimezone(UTC)
    office = [at(dt.date(2026, 12, 14), 10), at(dt.date(2026, 12, 14), 8), at(dt.date(2027, 3, 24), 16, 29)]
    night = [at(dt.date(2026, 12, 12), 2), at(dt.date(2026, 12, 14), 7, 59), at(dt.date(2026, 12, 16), 16, 30),
             at(dt.date(2027, 3, 28), 4), at(dt.date(2026, 10, 25), 2, 30)]
    free = sorted(date for year in (2026, 2027) for date in holidays(year) | eves(year))
    law = set()
    for node in list(policy.bases.values()) + policy.rules:
        valid = node.get("valid") or {}
        if "from" in valid:
            law.add(policy.midnight(day(valid["from"])))
        if "to" in valid:
            law.add(policy.midnight(day(valid["to"]) + dt.timedelta(1)))
    edges = [edge + dt.timedelta(seconds=shift) for edge in sorted(law) for shift in (-1, 0)]
    return {"office": office, "night": night, "holiday": [at(date, 10) for date in free], "law": edges or office}


def municipalities(policy, sender, instant):
    """Municipalities of the county by the state of their local agreements at an instant."""
    found = {state: [] for state in AGREEMENTS}
    for code in policy.collaboration["municipalities"]:
        states = {agreement.state(instant) for agreement in policy.agreements.values()
                  if agreement.node["level"] == "municipality" and code in agreement.municipalities}
        found["in-force" if "in-force" in states else "ended" if "ended" in states else "absent"].append(code)
    return found


def affirmations(policy, type_id):
    names = set()
    for rule in policy.rules_of(type_id):
        names |= set(listed(rule.get("affirm"))) | set(listed((rule.get("when") or {}).get("not-affirmed")))
        basis = policy.bases.get(rule.get("basis"), {})
        names |= set(listed(basis.get("affirmations")))
        names |= {name for kind in (basis.get("affirmations-from") or {}).values() for name in listed(kind)}
    return sorted(names)


def value(policy, field, at, number):
    kind = field["kind"]
    codes = sorted(policy.code_lists[field["list"]]) if "list" in field else []
    if kind == "code":
        return codes[number % len(codes)]
    if kind == "codes":
        return [codes[number % len(codes)]]
    return {
        "flag": bool(number % 2), "timestamp": stamp(at), "reference": f"ref-{number}", "text": "x"[:field.get("max", 1)],
        "personnummer": TEST_NUMBERS[number % len(TEST_NUMBERS)], "integer": number,
        "municipality": sorted(policy.collaboration["municipalities"])[0],
    }[kind]


def stamp(at):
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Walk:
    """Chooses by a fixed seed: the same in every run."""

    def __init__(self):
        self.random = random.Random(1880)
        self.number = 0

    def __call__(self, choices):
        return self.random.choice(choices)

    def one_in(self, count):
        return self.random.randrange(count) == 0

    def next_number(self):
        self.number += 1
        return self.number


def audience(policy, sender, type_id, choice, walk):
    """Entries that name everybody, some or nobody, each with a word that the type's rules know or one that they do not."""
    if choice == "nobody":
        return []
    words = {"recipient"}
    for rule in policy.rules_of(type_id):
        words |= set(listed(rule["to"].get("roles")))
    words = sorted(words)
    names = sorted(policy.parties)
    if choice == "some":
        start = walk(range(len(names)))
        names = [names[(start + 3 * step) % len(names)] for step in range(min(5, len(names)))]
        names = list(dict.fromkeys(names)) + (["soc-9999"] if walk.one_in(4) else [])
        names += sorted(policy.groups)[:1] if walk.one_in(2) else []
    elif len(names) > MOST_NAMED:
        # Towards many parties by turns, those of other kinds than boards always.
        boards = [name for name in names if policy.parties[name].kind == "social-services"]
        others = [name for name in names if name not in boards][:MOST_NAMED - 4]
        room = MOST_NAMED - len(others)
        start = walk(range(len(boards)))
        names = others + [boards[(start + step) % len(boards)] for step in range(min(room, len(boards)))]
    entries = []
    for name in names:
        entries.append(f"{name}/{'member' if name in policy.groups else walk(words)}")
    return entries


def make(policy, walk, sender, type_id, agreement, affirmed, protected, hour, named):
    """One event as (CloudEvents JSON, what the oracle reads of it, instant)."""
    at = walk(moments_of(policy)[hour])
    kind = policy.types[type_id]
    required = listed(kind.get("attributes"))
    states = municipalities(policy, sender, at)
    own = [code for code in sender.municipalities if code in policy.collaboration["municipalities"]]
    choices = states[agreement] or sorted(policy.collaboration["municipalities"])
    if own and not walk.one_in(3):
        choices = [code for code in choices if code in own] or own
    names = affirmations(policy, type_id)
    if affirmed == "none":
        names = []
    elif affirmed == "one-missing" and names:
        missing = walk(names)
        names = [name for name in names if name != missing]
    event = {
        "source": sender.id, "type": type_id, "protected": protected,
        "municipality": walk(choices),
        "affirmations": names, "affirmed-by": "person", "circumstances": [],
        "audience": audience(policy, sender, type_id, named, walk),
        "level": walk(policy.collaboration["levels"]),
        "programme": walk(sorted(policy.collaboration["programmes"]) * 2 + ["trygga-hem"]),
        "secrecy": sender.secrecy[0] if sender.secrecy else "26:1",
    }
    if walk.one_in(8):
        event["affirmed-by"] = walk(["station", "stations-colleague", "stranger", "standing", "last week", "with an old event"])
    elif walk.one_in(8):
        event["age"] = "old"
    for name in policy.circumstances:
        if walk.one_in(3):
            event["circumstances"].append(name)
    if affirmed != "none" and walk.one_in(2):
        event["consent"] = "samtycke-1"
        event["consentof"] = walk(["protected-person", "respondent"])
    if "causationid" in required or walk.one_in(2):
        event["causationid"] = "01JEZ3Y0000000000000000001"
    if "secrecy" not in required and not walk.one_in(4):
        del event["secrecy"]
    if "level" not in required and walk.one_in(3):
        del event["level"]
    if "municipality" not in required and walk.one_in(3):
        del event["municipality"]
    if walk.one_in(5):
        event["urgency"] = "U1"
    # One event in 50 lacks what its type requires.
    if required and walk.one_in(50):
        event[required[0]] = [] if required[0] == "audience" else None
    return envelope(policy, event, at, walk.next_number()), event, at


CACHE = {}


def moments_of(policy):
    if policy.directory not in CACHE:
        CACHE[policy.directory] = moments(policy)
    return CACHE[policy.directory]


def envelope(policy, event, at, number):
    """The CloudEvents object of protocol.md."""
    kind = policy.types[event["type"]]
    body = {
        "specversion": "1.0", "id": f"oracle-{number}", "source": f"urn:budkavle:{event['source']}",
        "type": f"se.budkavle.{event['type']}.v1", "time": stamp(happened(event, at)), "subject": f"BK-{policy.county}-2026-7QK2ZD9F",
        "datacontenttype": "application/json",
    }
    for name in ("municipality", "level", "programme", "secrecy", "consent", "consentof", "causationid", "urgency", "protected"):
        if event.get(name) is not None:
            body[name] = event[name]
    for name in ("audience", "circumstances"):
        if event[name]:
            body[name] = " ".join(event[name])
    if event["affirmations"]:
        by, made = affirmer(policy.parties[event["source"]], event, at)
        body["affirmations"] = " ".join(f"{name}/{by}/{stamp(made)}" for name in event["affirmations"])
    body["data"] = {field["name"]: value(policy, field, at, number) for field in kind["fields"]}
    return body


def happened(event, at):
    """When it is said to have happened, long before it is sent or just then."""
    return at - dt.timedelta(29) if event.get("age") == "old" or event["affirmed-by"] == "with an old event" else at


def affirmer(party, event, at):
    """Who affirms, and when."""
    by = event["affirmed-by"]
    client = party.clients[0] if party.clients else "system"
    names = {"station": client, "stations-colleague": client + "-2", "standing": "standing", "stranger": "staff-99999"}
    person = names.get(by) or (party.people[0] if party.people else "somebody")
    made = {"last week": at - dt.timedelta(7), "with an old event": happened(event, at)}.get(by, at)
    return person, made


def may_send(policy, sender, type_id):
    """Whether some rule that delivers means this sender for this type, whatever else it demands."""
    for rule in policy.rules_of(type_id):
        if rule["effect"] == "never":
            continue
        parties = rule["from"].get("parties")
        if "kinds" in rule["from"] and sender.kind not in rule["from"]["kinds"]:
            continue
        if parties is None or parties == ["*"] or sender.id in parties:
            return True
    return False


# What an aimed event leaves out or turns round.
MISSES = ["nothing", "affirmation", "consent", "giver", "audience", "circumstances", "municipality"]


def within(policy, *nodes):
    """An instant at which all are in force, the newest that there is: a weekday, or the last second of what has ended."""
    ends = [policy.midnight(day(node["valid"]["to"]) + dt.timedelta(1)) for node in nodes if "to" in (node.get("valid") or {})]
    return min(ends) - dt.timedelta(seconds=1) if ends else None


def aim(policy, walk, rule, type_id, miss, protected, hour):
    """An event made so that one rule lets it through, but for what `miss` says."""
    basis, when, to = policy.bases[rule["basis"]], rule.get("when") or {}, rule["to"]
    senders = [party for party in policy.parties.values() if may_send(policy, party, type_id) and meant(policy, rule["from"], party)]
    senders = [party for party in senders if not basis.get("from") or matches(basis["from"], party)]
    recipients = [party for party in policy.parties.values() if meant(policy, to, party)]
    if to.get("group"):
        members = {member for group in policy.groups.values() for member in group["members"]}
        recipients = [party for party in recipients if party.id in members]
    pairs = [(sender, recipient) for sender in senders for recipient in recipients if sender is not recipient]
    if not pairs:
        return None
    sender, recipient = walk(pairs)
    codes = [code for code in list(policy.collaboration["municipalities"]) + recipient.municipalities
             if (rule["from"].get("where") is None or sender.serves(code)) and (to.get("where") is None or recipient.serves(code))]
    if to.get("group"):
        codes = [group["municipality"] for group in policy.groups.values() if recipient.id in group["members"]] or codes
    codes = codes or list(policy.collaboration["municipalities"])
    if miss == "municipality":
        codes = list(policy.collaboration["municipalities"])
    names = set(listed(basis.get("affirmations"))) | set(listed(rule.get("affirm"))) | set(listed(when.get("affirmed")))
    names |= set(listed((basis.get("affirmations-from") or {}).get(sender.kind)))
    names -= set(listed(when.get("not-affirmed")))
    if miss == "affirmation" and names:
        names.discard(walk(sorted(names)))
    words = listed(to.get("roles")) or ["recipient"]
    givers = listed(rule.get("consent")) or listed(basis.get("consent"))
    circumstances = set(listed(when.get("all"))) | {walk(when["any"]) for _ in (1,) if when.get("any")}
    at = within(policy, rule, basis) or walk(moments_of(policy)[hour])
    event = {
        "source": sender.id, "type": type_id, "protected": protected, "municipality": walk(codes),
        "affirmations": sorted(names), "affirmed-by": "person",
        "circumstances": [] if miss == "circumstances" else sorted(circumstances),
        "audience": [f"{recipient.id}/{walk(words)}"], "level": walk(listed(when.get("levels")) or policy.collaboration["levels"]),
        "programme": walk(listed(when.get("programmes")) or ["trygga-hem"]),
        "secrecy": sender.secrecy[0] if sender.secrecy else None, "causationid": "01JEZ3Y0000000000000000001",
    }
    if givers and miss != "consent":
        event["consent"] = "samtycke-1"
        event["consentof"] = walk(givers) if miss != "giver" else walk(["protected-person", "respondent"])
    if miss == "audience":
        event["audience"] = [] if not to.get("roles") else [f"{recipient.id}/recipient"]
    return envelope(policy, event, at, walk.next_number()), event, at


def matches(node, party):
    return ("kinds" not in node or party.kind in node["kinds"]) and ("parties" not in node or party.id in node["parties"])


def meant(policy, selector, party):
    """Whether a selector means a party, whatever the event's municipality and audience."""
    parties = selector.get("parties", ["*"])
    return (("kinds" not in selector or party.kind in selector["kinds"]) and (parties == ["*"] or party.id in parties)
            and party.county in selector.get("counties", [policy.county]))


def aimed(policy):
    """Events for each rule that delivers: with everything that it demands, and each time without one thing."""
    walk = Walk()
    for rule in policy.rules:
        if rule["effect"] == "never":
            continue
        for type_id in policy.types:
            if rule not in policy.rules_of(type_id):
                continue
            for miss, protected, hour in itertools.product(MISSES, PROTECTED, ["office", "night"]):
                event = aim(policy, walk, rule, type_id, miss, protected, hour)
                if event:
                    yield event


def events(policy, share):
    """All events of a policy: those aimed at its rules; then where a sender may send a type, `share` of all combinations,
    evenly; where not, a few."""
    yield from aimed(policy)
    walk, turn = Walk(), 0
    combinations = list(itertools.product(AGREEMENTS, AFFIRMED, PROTECTED, HOURS, AUDIENCES))
    for sender in policy.parties.values():
        for type_id in policy.types:
            if not may_send(policy, sender, type_id):
                turn += 7
                yield make(policy, walk, sender, type_id, *combinations[turn % len(combinations)])
                continue
            for combination in combinations:
                turn += 1
                # A golden step, so that no choice falls in with another.
                if turn * 0.6180339887498949 % 1 < share:
                    yield make(policy, walk, sender, type_id, *combination)
