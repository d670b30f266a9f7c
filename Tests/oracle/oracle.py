#!/usr/bin/python3
"""An oracle for routing: works out who gets what from the YAML files and the reference pages alone, asks `budkavled explain`
for the same events, and compares every cell.

    oracle.py                        Tests/oracle/../../config and .build/debug/budkavled
    oracle.py --budkavled FILE --config DIR [--share 0.1] [--collaboration orebro]
    oracle.py --control              changes one rule, or one line of the law, in a copy that only the daemon reads; differences
                                     are wanted then, in the cells of that rule, or of the rules on that basis, and in no others

A cell is one event x one party, or one event as a whole (its refusal). Ends with 0 when no cell differs, with 1 when one
does, with 2 when it cannot run.
"""
import argparse
import datetime as dt
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import deciding
import events
from policy import Policy, UTC, read

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Fewer than this is a mistake in the oracle itself.
LEAST_CELLS = 8_000
MOST_SHOWN = 20
COMPARED = ["rule", "effect", "basis", "urgency", "desk", "agent", "strict", "attributes", "fields", "acknowledgeby"]


def collaborations(config):
    names = read(os.path.join(config, "budkavled.yaml"))["collaborations"]
    return [os.path.join(config, name) for name in names]


def ask(budkavled, config, lines):
    """Answers of one process, a line each."""
    with tempfile.TemporaryFile() as given:
        given.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
        given.seek(0)
        asked = subprocess.run([budkavled, "explain", "--batch", "--config", config], stdin=given, capture_output=True)
    if asked.returncode != 0:
        sys.exit(f"oracle: budkavled explain ended with {asked.returncode}\n{asked.stderr.decode()[:2000]}")
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    if len(answers) != len(lines):
        sys.exit(f"oracle: {len(lines)} events, {len(answers)} answers")
    return answers


def instant(text):
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC) if text else None


def told(answer):
    """The daemon's cells: a copy or the code of a reported refusal, by party; and the code for the whole."""
    cells = {}
    for recipient in answer.get("recipients", []):
        copy = {name: recipient.get(name) for name in COMPARED}
        copy["acknowledgeby"] = instant(recipient.get("acknowledgeby"))
        cells[recipient["party"]] = copy
    for refusal in answer.get("refused", []):
        if refusal["reported"]:
            cells.setdefault(refusal["party"], refusal["code"])
    return cells, answer.get("refusal")


def compare(policy, body, event, at, answer):
    """The number of cells, and the differing ones as (party, wanted, got, rules that were looked at)."""
    wanted, refusal, looked = deciding.Case(policy, event, at).decide()
    got, whole = told(answer)
    names = (set(policy.parties) | set(wanted) | set(got)) - {event["source"]}
    differences = []
    for name in sorted(names):
        one, other = wanted.get(name), got.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            one = {key: one[key] for key in COMPARED if one[key] != other[key]}
            other = {key: other[key] for key in one}
        if one != other:
            differences.append((name, one, other, looked.get(name, set()) | rules_of(wanted.get(name), got.get(name))))
    if refusal != whole:
        reached = set().union(*looked.values()) if looked else set()
        differences.append(("(the whole)", refusal, whole, reached))
    return len(names) + 1, differences


def rules_of(*cells):
    return {cell["rule"] for cell in cells if isinstance(cell, dict)}


def run(budkavled, oracle_config, daemon_config, share, only):
    """All collaborations; (events, cells, differences by policy)."""
    lines, cases, policies = [], [], []
    for directory in collaborations(oracle_config):
        policy = Policy(directory)
        if only and policy.id not in only:
            continue
        policies.append(policy)
        for body, event, at in events.events(policy, share):
            lines.append({"event": body, "at": events.stamp(at), "collaboration": policy.id})
            cases.append((policy, body, event, at))
    answers = ask(budkavled, daemon_config, lines)
    cells, differences, copies, refusals, delivered = 0, [], 0, 0, set()
    for (policy, body, event, at), answer in zip(cases, answers):
        count, found = compare(policy, body, event, at, answer)
        cells += count
        copies += len(answer.get("recipients", []))
        delivered |= {(policy.id, recipient["rule"]) for recipient in answer.get("recipients", [])}
        refusals += sum(refusal["reported"] for refusal in answer.get("refused", []))
        differences += [(policy, body, at, answer, *difference) for difference in found]
    print(f"oracle: {len(lines):,} events, {copies:,} copies and {refusals:,} refusals by the daemon")
    rules = {(policy.id, rule["id"]) for policy in policies for rule in policy.rules if rule["effect"] != "never"}
    silent = sorted(f"{name}:{rule}" for name, rule in rules - delivered)
    print(f"oracle: {len(rules) - len(silent)} of {len(rules)} rules delivered something" + "".join(f", not {name}" for name in silent))
    return cells, differences


def show(differences):
    # One of each sort first.
    sorts = {}
    for difference in differences:
        sorts.setdefault((text(difference[5]), text(difference[6])), difference)
    rest = [difference for difference in differences if not any(difference is shown for shown in sorts.values())]
    for policy, body, at, answer, party, wanted, got, rules in (list(sorts.values()) + rest)[:MOST_SHOWN]:
        print(f"\n{policy.id}, {party}, at {events.stamp(at)}\n  oracle   {text(wanted)}\n  budkavled {text(got)}")
        print(f"  rules     {' '.join(sorted(rules)) or 'none'}")
        if answer.get("message"):
            print(f"  said      {answer.get('path')}: {answer['message']}")
        print("  event     " + json.dumps({key: value for key, value in body.items() if key != "data"}, ensure_ascii=False))
    if len(differences) > MOST_SHOWN:
        print(f"\n… and {len(differences) - MOST_SHOWN:,} more")


def text(cell):
    if isinstance(cell, dict):
        return "gets it: " + ", ".join(f"{key} {events.stamp(value) if isinstance(value, dt.datetime) else value}"
                                       for key, value in cell.items())
    return "nothing" if cell is None else str(cell)


def without_last_field(block):
    """A rule that delivers two fields or more and has no strict view of its own, without the last."""
    fields = re.search(r"(?m)^    fields: \[([^\]]*),[^\],]*\]", block)
    return block.replace(fields[0], f"    fields: [{fields[1]}]") if fields and "strict:" not in block else None


def without_affirmations(block):
    """A rule that demands affirmations beside its basis's, without them."""
    changed = re.sub(r"(?m)^    affirm: .*\n", "", block)
    return changed if changed != block else None


def write(directory, name, text):
    """A file of the copy in place of what it was. Worked examples would fail, and go."""
    for file, content in ((name, text), ("tests.yaml", "version: 1\nexamples: []\n")):
        with open(os.path.join(directory, file), "w", encoding="utf-8") as target:
            target.write(content)


def law_for_every_kind(directory):
    """The law without what it has only senders of some kinds affirm; changes the rules on those bases."""
    with open(os.path.join(directory, "law.yaml"), encoding="utf-8") as file:
        text = file.read()
    changed = re.sub(r"(?m)^    affirmations-from: .*\n", "", text)
    if changed == text:
        sys.exit("oracle: no line of the law to change")
    policy = Policy(directory)
    write(directory, "law.yaml", changed)
    return {rule["id"] for rule in policy.rules if "affirmations-from" in policy.bases.get(rule.get("basis"), {})}


def change_one_rule(directory, change):
    """Changes the first rule that can be."""
    path = os.path.join(directory, "rules.yaml")
    with open(path, encoding="utf-8") as file:
        blocks = re.split(r"(?m)^(?=  - id: )", file.read())
    for index, block in enumerate(blocks):
        changed = change(block) if "effect: never" not in block and block.startswith("  - id: ") else None
        if changed:
            blocks[index] = changed
            write(directory, "rules.yaml", "".join(blocks))
            return {re.match(r"  - id: (\S+)", block)[1]}
    sys.exit("oracle: no rule to change")


def control(options):
    """The oracle must see one changed rule, and one changed line of the law, in every collaboration, and nothing else."""
    status = 0
    changes = [without_last_field, without_affirmations, law_for_every_kind]
    for directory, change in itertools.product(collaborations(options.config), changes):
        name, policy = os.path.basename(directory), Policy(directory)
        if options.collaboration and policy.id not in options.collaboration:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            copy = os.path.join(scratch, "config")
            shutil.copytree(options.config, copy)
            own = os.path.join(copy, name)
            rules = change(own) if change is law_for_every_kind else change_one_rule(own, change)
            cells, differences = run(options.budkavled, options.config, copy, options.share, [policy.id])
        elsewhere = [difference for difference in differences if not rules & difference[7]]
        if not differences or elsewhere:
            show(elsewhere)
            status = 1
        what = " ".join(rules) if len(rules) == 1 else f"{len(rules)} rules by the"
        print(f"oracle: control, {name}, {what} {change.__name__.replace('_', ' ')}: {len(differences):,} of {cells:,} cells"
              f" differ, {len(elsewhere)} of other rules")
    return status


def main():
    parser = argparse.ArgumentParser(description="An oracle for routing.")
    parser.add_argument("--budkavled", default=os.path.join(ROOT, ".build", "debug", "budkavled"))
    parser.add_argument("--config", default=os.path.join(ROOT, "config"))
    parser.add_argument("--share", type=float, default=0.02, help="of all combinations where a sender may send a type")
    parser.add_argument("--collaboration", action="append", help="only this one (its id)")
    parser.add_argument("--control", action="store_true")
    options = parser.parse_args()
    if options.control:
        return control(options)
    start = time.monotonic()
    cells, differences = run(options.budkavled, options.config, options.config, options.share, options.collaboration)
    show(differences)
    print(f"oracle: {cells:,} cells, {len(differences):,} differences in {time.monotonic() - start:.0f} s")
    if cells < LEAST_CELLS:
        print(f"oracle: fewer than {LEAST_CELLS:,} cells")
        return 1
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
