"""Which file-system calls a relay makes on its data directory, and how to strike at the n-th of them (strace injection)."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

from rig import (BIN, COLLABORATION, PATIENCE, SENDS, Clients, Gone, History, Relay, check, end, events, settle, start,
                 without_receipt, workload)

#: reliability.md 3.4, A1.
CALLS = ["write", "pwrite64", "fsync", "fdatasync", "rename", "renameat2", "unlink", "ftruncate", "fallocate", "openat", "mkdir"]

LINE = re.compile(r"^(?:(\d+) +)?([a-z_0-9]+)\((.*)$")


class Point:
    """The n-th call of one kind in one thread, in one phase: `fresh` and `again` are starts, `run` is from ready to the end."""

    def __init__(self, phase, thread, call, number, what):
        self.phase, self.thread, self.call, self.number, self.what = phase, thread, call, number, what

    def __str__(self):
        return f"{self.phase} {self.thread} {self.call} {self.number} {self.what}"


def attach(thread, log, *options):
    """Traces one thread; returns when it is held. None when the thread is gone."""
    tracer = start(["strace", "-qq", "-y", "-p", str(thread), "-o", log, *options], stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 5
    while time.monotonic() < limit and tracer.poll() is None:
        try:
            status = open(f"/proc/{thread}/status").read()
        except (FileNotFoundError, ProcessLookupError):
            break
        if "TracerPid:\t0\n" not in status:
            return tracer
        time.sleep(0.002)
    end(tracer)
    return None


def points(log, data, phase, thread):
    """The points of a trace of one thread: calls on the data directory, numbered among all calls of their kind."""
    counts, found = {}, []
    if not os.path.exists(log):
        return found
    for line in open(log, errors="replace"):
        match = LINE.match(line)
        if match is None:
            continue
        _, call, rest = match.groups()
        if call not in CALLS:
            continue
        counts[call] = counts.get(call, 0) + 1
        if data in rest and not (call == "openat" and "O_RDONLY" in rest and "O_CREAT" not in rest and phase == "kill"):
            name = re.search(re.escape(data) + r"/?([^>\" ]*)", rest)
            found.append(Point(phase, thread, call, counts[call], re.sub(r"[0-9a-f]{8,}", "#", name.group(1) if name else "")))
    return found


def by_kind(every, seed):
    """In an order drawn by the seed, rare kinds of calls first: one of each kind, then the second of each kind, and so on."""
    chooser = random.Random(seed)
    kinds = {}
    for point in every:
        kinds.setdefault((point.phase, point.thread, point.call, point.what), []).append(point)
    ranked = []
    for points_of_kind in kinds.values():
        chooser.shuffle(points_of_kind)
        ranked += [(rank, chooser.random(), point) for rank, point in enumerate(points_of_kind)]
    return [point for _, _, point in sorted(ranked, key=lambda one: one[:2])]


class Bench:
    """One relay that is begun anew for every point."""

    def __init__(self, name):
        self.relay = Relay(name)
        self.history = self.relay.path + "/history"
        self.trace = self.relay.path + "/trace"
        self.made = events(SENDS, "k")

    def empty(self):
        for path in (self.relay.data, self.history):
            shutil.rmtree(path, ignore_errors=True)
        os.makedirs(self.history)
        self.is_rotated = False
        if HAS_ROTATE:
            self.relay.use_master_key("v1")

    def step(self, done):
        """Half-way the master key is rotated."""
        if HAS_ROTATE and done >= SENDS // 2 and not self.is_rotated:
            self.is_rotated = True
            self.rotation = self.relay.rotate_keys()

    def prepare_again(self):
        """A directory with a history that a kill ended: what an `again` start recovers. Made once, then copied."""
        self.kept = self.relay.path + "/kept"
        self.empty()
        self.relay.begin()
        clients = Clients(self.relay, self.history, self.relay.await_ready())
        ok = workload(clients, self.made)
        clients.sender_history.note("fault", what="kill")
        clients.close()
        self.relay.stop(signal.SIGKILL)
        if not ok:
            raise SystemExit("kill: the workload does not run without faults")
        tear(self.relay.data)
        os.makedirs(self.kept)
        shutil.copytree(self.relay.data, self.kept + "/data")
        shutil.copytree(self.history, self.kept + "/history")

    def take_again(self):
        self.empty()
        shutil.rmtree(self.history)
        shutil.copytree(self.kept + "/data", self.relay.data, dirs_exist_ok=True)
        shutil.copytree(self.kept + "/history", self.history)

    def traced_start(self, *options):
        calls = ",".join(CALLS)
        return self.relay.begin(["strace", "-D", "-qq", "-y", "-o", self.trace, *(options or ["-e", "trace=" + calls])])

    def baseline(self):
        """All points, from three runs without a fault."""
        found = []
        for phase in ("fresh", "again"):
            self.empty() if phase == "fresh" else self.take_again()
            self.traced_start()
            if self.relay.await_ready() is None:
                raise SystemExit("kill: no start under strace: " + self.relay.log_text()[-500:])
            self.relay.stop(signal.SIGKILL)
            found += points(self.trace, self.relay.data, phase, "main")
        self.empty()
        self.relay.begin()
        port = self.relay.await_ready()
        logs = {}
        tracers = []
        self.relay.thread("journal-writer")
        for name, number in self.relay.threads().items():
            logs[name] = f"{self.trace}-{number}"
            tracers.append(attach(number, logs[name], "-e", "trace=" + ",".join(CALLS)))
        ok = self.run(port)
        for tracer in tracers:
            tracer.wait(10)
        if not ok or HAS_ROTATE and self.rotation.returncode:
            raise SystemExit(f"the workload does not run without faults: {self.relay.log_text()[-300:]}"
                             f"{self.rotation.stderr[-300:] if HAS_ROTATE else ''}")
        for name, log in logs.items():
            found += points(log, self.relay.data, "run", name)
            os.unlink(log)
        return found

    def run(self, port):
        """The workload to its end and SIGTERM; what the clients saw is in the history. True when nothing struck."""
        clients = None
        try:
            clients = Clients(self.relay, self.history, port)
            ok = workload(clients, self.made, step=self.step)
        except (Gone, OSError, ValueError):
            ok = False
        finally:
            if clients:
                clients.close()
        status = self.relay.stop() if ok else None
        return ok and status == 0

    def strike(self, point):
        """One point: (outcome, violations, recovery seconds); the outcome is `killed`, or `beyond` when the run had no such call."""
        inject = ["-e", f"trace={point.call}", "-e", f"inject={point.call}:signal=KILL:when={point.number}"]
        tracer = None
        finished = False
        if point.phase == "run":
            self.empty()
            self.relay.begin()
            port = self.relay.await_ready()
            tracer = attach(self.relay.thread(point.thread), self.trace, *inject)
            process = self.relay.daemon
            finished = self.run(port)
        else:
            self.empty() if point.phase == "fresh" else self.take_again()
            process = self.traced_start(*inject)
            finished = self.relay.await_ready() is not None
        if finished:
            self.relay.stop(signal.SIGKILL)
        limit = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < limit:
            time.sleep(0.005)
        status = process.poll()
        self.relay.stop(signal.SIGKILL)
        if tracer:
            end(tracer)
        if finished:
            return "beyond", [], 0
        if status != -signal.SIGKILL:
            return "killed", [f"{point}: status {status}, neither killed nor serving: {self.relay.log_text()[-300:]}"], 0
        note_fault(self.history, f"kill at {point}")
        violations, seconds = recover(self.relay, self.history, self.made, str(point))
        return "killed", violations, seconds


def rolled_back(bench):
    """Negative control: a disk that forgets what it has synced. Whether the checker, or the start, sees it."""
    bench.empty()
    relay, old = bench.relay, bench.relay.path + "/old"
    relay.begin()
    clients = Clients(relay, bench.history, relay.await_ready())
    workload(clients, bench.made[:40], acks=4)
    # One copy of files that are being written is enough: everything answered so far is in it.
    shutil.copytree(relay.data, old)
    workload(clients, bench.made[40:80], acks=4, seed=2)
    clients.close()
    relay.stop(signal.SIGKILL)
    note_fault(bench.history, "rolled back")
    shutil.rmtree(relay.data)
    os.rename(old, relay.data)
    found, _ = recover(relay, bench.history, [], "control")
    return bool(found)


def tear(data):
    """Half a batch behind the last one: what a crash in the middle of a write leaves."""
    directory = f"{data}/{COLLABORATION}/segments"
    begun = [name for name in sorted(os.listdir(directory)) if open(f"{directory}/{name}", "rb").read(8) == b"BKSEGM01"]
    path = f"{directory}/{begun[-1]}"
    with open(path, "r+b") as file:
        body = file.read()
        used = len(body.rstrip(b"\0"))
        file.seek((used + 511) // 512 * 512)
        file.write(b"BKB1" + os.urandom(700))


def note_fault(history, what):
    note = History(history + "/rig.jsonl", "rig")
    note.note("fault", what=what)
    note.close()


def recover(relay, history, made, what):
    """Starts again, takes everything, and lets the checker judge."""
    digests(relay, history)
    began = time.monotonic()
    relay.begin()
    port = relay.await_ready()
    seconds = time.monotonic() - began
    if port is None:
        return [f"{what}: no start: {relay.log_text()[-300:]}"], seconds
    found = []
    try:
        if not settle(relay, history, port, made, without_receipt(history)):
            found.append(f"{what}: no answer within {PATIENCE} s after the restart")
    except (Gone, OSError) as error:
        found.append(f"{what}: {error} after the restart; {relay.log_text()[-300:]}")
    status = relay.stop()
    if status != 0:
        found.append(f"{what}: status {status} at SIGTERM after the restart")
    audit(relay, history)
    code, lines = check(history)
    if code:
        found.append(f"{what}:\n{lines}")
    return found, seconds


def digests(relay, history):
    """What two recoveries of the same disk read (I9), by the journal's own reader on copies."""
    if not os.path.isdir(f"{relay.data}/{COLLABORATION}/keys") or not HAS_RECOVER:
        return
    note = History(history + "/rig.jsonl", "rig")
    copy = relay.path + "/copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(relay.data, copy)
    keys = ["--key", f"v1={relay.path}/keys/master.key"]
    if os.path.exists(relay.path + "/keys/second.key"):
        keys += ["--key", f"v2={relay.path}/keys/second.key"]
    for _ in range(2):
        result = subprocess.run([BIN + "/budkavle-bench", "recover", f"{copy}/{COLLABORATION}", *keys], capture_output=True, text=True)
        if result.returncode == 0:
            note.note("recovery", disk="copy", digest=json.loads(result.stdout)["digest"])
        else:
            note.note("recovery", disk="copy", digest=f"status {result.returncode}: {result.stderr[-200:]}")
    note.close()
    shutil.rmtree(copy, ignore_errors=True)


def audit(relay, history):
    if not HAS_AUDIT:
        return
    result = subprocess.run([BIN + "/budkavled", "audit", "verify", "--config", relay.path + "/config"], capture_output=True, text=True)
    note = History(history + "/rig.jsonl", "rig")
    note.note("audit", ok=result.returncode == 0, why=(result.stdout + result.stderr)[-300:])
    note.close()


HAS_RECOVER = " recover " in subprocess.run([BIN + "/budkavle-bench", "--help"], capture_output=True, text=True).stdout
HAS_ROTATE = "rotate" in subprocess.run([BIN + "/budkavled", "keys", "--help"], capture_output=True, text=True).stdout
HAS_AUDIT = "verify" in subprocess.run([BIN + "/budkavled", "audit", "--help"], capture_output=True, text=True).stdout
