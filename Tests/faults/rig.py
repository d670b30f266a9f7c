"""What the fault rigs share: a throw-away relay on loopback, a STOMP client over TLS, clients' histories, and the fixed workload.

Python standard library only. The programs come from $BUDKAVLE_BIN (default .build/debug). Every process started here is ended here, by its id.
"""
import atexit
import hashlib
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("BUDKAVLE_BIN", os.path.join(ROOT, ".build", "debug"))
CHECK = os.path.join(ROOT, "Tests", "checkhistory")
COLLABORATION = "bench"
DESKS = ["desk-0", "desk-1", "desk-2"]
RECEIVERS = ["bench-a", "bench-b", "bench-c"]
SENDS, ACKS = 300, 60
#: Longer than this without an answer is a hang.
PATIENCE = 5.0

_children = {}
_directories = []


def _clean_up():
    for process in list(_children.values()):
        end(process)
    for path in _directories:
        shutil.rmtree(path, ignore_errors=True)


atexit.register(_clean_up)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def scratch(prefix, where=None):
    """A directory that goes with the program; in memory unless said otherwise: a kill does not care what is below."""
    where = where or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    path = tempfile.mkdtemp(prefix="budkavle-" + prefix + "-", dir=where)
    _directories.append(path)
    return path


def start(command, **options):
    process = subprocess.Popen(command, **options)
    _children[process.pid] = process
    return process


def end(process, how=signal.SIGKILL):
    if process.poll() is None:
        try:
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
        except ProcessLookupError:
            pass
    process.wait()
    _children.pop(process.pid, None)
    return process.returncode


def content_hash(data):
    """The same for what was sent and what a view holds of it: members in order of name, no spaces."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class History:
    """One client's history: JSON lines, each written whole before the next step."""

    def __init__(self, path, client):
        self.file = open(path, "a", buffering=1, encoding="utf-8")
        self.client = client

    def note(self, event, **fields):
        self.file.write(json.dumps({"e": event, "t": time.monotonic_ns(), "client": self.client, **fields}) + "\n")

    def close(self):
        self.file.close()


class Relay:
    """A relay's directory, and the daemon over it."""

    def __init__(self, prefix, data=None, settings=os.environ.get("BUDKAVLE_JOURNAL", "segment-size: 4MiB, reserve: 16MiB")):
        self.path = scratch(prefix)
        os.rmdir(self.path)
        subprocess.run([BIN + "/budkavle-bench", "prepare", self.path, "--port", "61614"], check=True, capture_output=True)
        self.data = data or self.path + "/data"
        self.daemon = None
        self.settings = settings
        file = self.path + "/config/budkavled.yaml"
        text = open(file, encoding="utf-8").read().replace("port: 61614", "port: 0")
        text = text.replace(f'directory: "{self.path}/data"', f'directory: "{self.data}"')
        if settings:
            text = text.replace("master-key:", settings + ", master-key:")
        open(file, "w", encoding="utf-8").write(text)
        self.log_path = self.path + "/run/log"

    def place(self, data):
        """The data directory is somewhere else from now on."""
        self.data = data
        self._rewrite(r'directory: "[^"]*"', f'directory: "{data}"')

    def use_master_key(self, active):
        """Both keys are at hand; new keys are wrapped under `active`."""
        keys = self.path + "/keys"
        if not os.path.exists(keys + "/second.key"):
            subprocess.run([BIN + "/budkavled", "keys", "generate", keys + "/second.key"], check=True, capture_output=True)
        self._rewrite(r'master-keys?: ("[^"]*"|\{.*?\}\})',
                      f'master-keys: {{active: {active}, files: {{v1: "{keys}/master.key", v2: "{keys}/second.key"}}}}')

    def _rewrite(self, pattern, text):
        file = self.path + "/config/budkavled.yaml"
        lines = open(file, encoding="utf-8").read().split("\n")
        lines = [re.sub(pattern, lambda _: text, line, count=1) if line.startswith("journal:") else line for line in lines]
        open(file, "w", encoding="utf-8").write("\n".join(lines))

    def rotate_keys(self):
        """What an administrator does: names the new key in the configuration and asks the running daemon."""
        self.use_master_key("v2")
        return subprocess.run([BIN + "/budkavled", "keys", "rotate", "--config", self.path + "/config", "--timeout", "10"],
                              capture_output=True, text=True, timeout=20)

    def command(self):
        return [BIN + "/budkavled", "run", "--config", self.path + "/config"]

    def begin(self, prefix=(), limits=None):
        """Starts the daemon; `prefix` is a tracer that gives the daemon its own process (strace -D)."""
        port = self.path + "/run/port"
        if os.path.exists(port):
            os.unlink(port)
        self.log = open(self.log_path, "ab")
        self.log_start = self.log.tell()
        self.daemon = start(list(prefix) + self.command(), stderr=self.log, stdout=self.log, preexec_fn=limits)
        return self.daemon

    def await_ready(self, seconds=30.0):
        """The port once the daemon serves; None when it ended first."""
        port = self.path + "/run/port"
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if os.path.exists(port):
                text = open(port).read().strip()
                if text:
                    return int(text)
            if self.daemon.poll() is not None:
                return None
            time.sleep(0.005)
        return None

    def log_text(self):
        with open(self.log_path, "rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def stop(self, how=signal.SIGTERM):
        if self.daemon is None:
            return None
        process, self.daemon = self.daemon, None
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                end(process)
                return None
        return end(process)

    def thread(self, name, seconds=2.0):
        """The id of a thread of the daemon by its name; a thread names itself when it begins to run."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            found = self.threads().get(name)
            if found:
                return found
            time.sleep(0.005)
        return None

    def threads(self):
        found = {}
        for task in os.listdir(f"/proc/{self.daemon.pid}/task"):
            found[open(f"/proc/{self.daemon.pid}/task/{task}/comm").read().strip()] = int(task)
        return found

    def remove(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.path, ignore_errors=True)


class Gone(Exception):
    """The relay ended the connection, or is not there."""


class Session:
    """One STOMP session over TLS or the administration socket. Blocking writes, non-blocking reads."""

    def __init__(self, relay, party, port=None, extra=""):
        if party is None:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(relay.path + "/run/admin.sock")
        else:
            context = ssl.create_default_context(cafile=relay.path + "/pki/ca.crt")
            context.check_hostname = False
            # A CA made seconds ago by the bench: the chain counts, its revocation list does not.
            context.load_cert_chain(f"{relay.path}/pki/{party}/station.crt", f"{relay.path}/pki/{party}/station.key")
            plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.socket = context.wrap_socket(plain, server_hostname="localhost")
            except (OSError, ssl.SSLError) as error:
                plain.close()
                raise Gone(str(error)) from None
        self.socket.settimeout(PATIENCE)
        self.buffer = b""
        self.frames = []
        self.is_open = True
        self.send("CONNECT", {"accept-version": "1.2", "host": COLLABORATION, "heart-beat": "0,0", "rejections": "receipt"}, extra=extra)
        frame = self.next(PATIENCE)
        if frame is None or frame[0] != "CONNECTED":
            raise Gone(f"no CONNECTED: {frame}")

    def send(self, command, headers, body=b"", extra=""):
        head = command + "\n" + "".join(f"{name}:{value}\n" for name, value in headers.items()) + extra
        if body:
            head += f"content-length:{len(body)}\n"
        self.write(head.encode() + b"\n" + body + b"\0")

    def write(self, frames):
        try:
            self.socket.settimeout(PATIENCE)
            self.socket.sendall(frames)
        except (OSError, ssl.SSLError) as error:
            self.is_open = False
            raise Gone(str(error)) from None

    def fileno(self):
        return self.socket.fileno()

    def take(self):
        """Everything that has arrived, as frames; Gone when nothing more can come and nothing is left."""
        if self.is_open:
            self.socket.settimeout(0)
            try:
                while True:
                    piece = self.socket.recv(1 << 16)
                    if not piece:
                        self.is_open = False
                        break
                    self.buffer += piece
            except (ssl.SSLWantReadError, BlockingIOError):
                pass
            except (OSError, ssl.SSLError):
                self.is_open = False
            self._split()
        found, self.frames = self.frames, []
        if not found and not self.is_open:
            raise Gone("the connection has ended")
        return found

    def next(self, seconds):
        """The next frame, or None."""
        limit = time.monotonic() + seconds
        while not self.frames:
            rest = limit - time.monotonic()
            if rest <= 0:
                return None
            select.select([self.socket], [], [], rest)
            self.frames = self.take()
        return self.frames.pop(0)

    def _split(self):
        while True:
            self.buffer = self.buffer.lstrip(b"\n")
            end_of_head = self.buffer.find(b"\n\n")
            if end_of_head < 0:
                return
            lines = self.buffer[:end_of_head].decode().split("\n")
            headers = dict(line.split(":", 1) for line in reversed(lines[1:]))
            first = end_of_head + 2
            if "content-length" in headers:
                last = first + int(headers["content-length"])
                if len(self.buffer) <= last:
                    return
            else:
                last = self.buffer.find(b"\0", first)
                if last < 0:
                    return
            self.frames.append((lines[0], headers, self.buffer[first:last]))
            self.buffer = self.buffer[last + 1:]

    def close(self):
        self.is_open = False
        try:
            self.socket.close()
        except OSError:
            pass


class Clients:
    """The sender and the three receivers with their histories in `directory`."""

    def __init__(self, relay, directory, port, prefetch=1000):
        self.relay = relay
        os.makedirs(directory, exist_ok=True)
        self.sender_history = History(directory + "/sender.jsonl", "sender")
        self.histories = [History(f"{directory}/receiver-{i}.jsonl", f"receiver-{i}") for i in range(3)]
        self.sender = self.receivers = None
        self.open_sends = {}
        self.refused = 0
        self.last_refusal = None
        #: What is held unacknowledged at each receiver: (ack header, id)
        self.held = [[] for _ in DESKS]
        self.open_acks = [{} for _ in DESKS]
        self.acked = 0
        self.deliveries = 0
        self.receivers = []
        for i, party in enumerate(RECEIVERS):
            session = Session(relay, party, port)
            session.send("SUBSCRIBE", {"id": "1", "destination": f"/inbox/{DESKS[i]}", "ack": "client-individual", "prefetch-count": prefetch})
            self.receivers.append(session)
        self.sender = Session(relay, "bench-p", port)

    def submit(self, events, transaction=None):
        """Sends notifications in one write, as one transaction when it has a name; their receipts come by `pump`."""
        frames = b""
        more = f"transaction:{transaction}\n" if transaction else ""
        if transaction:
            frames += f"BEGIN\n{more}\n\0".encode()
        for event in events:
            body = json.dumps(event, ensure_ascii=False).encode()
            self.sender_history.note(
                "send-start", id=event["id"], type=event["type"], case=event["subject"], hash=content_hash(event["data"]),
                desks=desks_of(event["type"]))
            self.open_sends[event["id"]] = event
            frames += (f"SEND\ndestination:/notifications\ncontent-type:application/cloudevents+json\nreceipt:{event['id']}\n{more}"
                       f"content-length:{len(body)}\n\n").encode() + body + b"\0"
        if transaction:
            frames += f"COMMIT\n{more}receipt:{transaction}\n\n\0".encode()
        self.sender.write(frames)

    def acknowledge(self, receiver, count):
        """ACKs so many of what a receiver holds, oldest first, each with a receipt."""
        frames = b""
        for _ in range(min(count, len(self.held[receiver]))):
            ack, identity = self.held[receiver].pop(0)
            number = f"a{len(self.open_acks[receiver])}-{time.monotonic_ns()}"
            self.open_acks[receiver][number] = identity
            self.histories[receiver].note("ack-start", id=identity, desk=DESKS[receiver])
            frames += f"ACK\nid:{ack}\nreceipt:{number}\n\n\0".encode()
        if frames:
            self.receivers[receiver].write(frames)

    def pump(self, seconds, until=lambda: False):
        """Takes what arrives until `until` holds; False when nothing at all came for `seconds`."""
        quiet = time.monotonic() + seconds
        sessions = [self.sender] + self.receivers
        while not until():
            rest = quiet - time.monotonic()
            if rest <= 0:
                return False
            ready, _, _ = select.select(sessions, [], [], rest)
            for session in ready:
                for frame in session.take():
                    quiet = time.monotonic() + seconds
                    if session is self.sender:
                        self._answer(*frame)
                    else:
                        self._arrival(self.receivers.index(session), *frame)
        return True

    def _answer(self, command, headers, _):
        if command == "ERROR":
            self.last_refusal = headers.get("code", headers.get("message"))
            raise Gone("ERROR " + str(headers))
        identity = headers.get("receipt-id")
        if command != "RECEIPT" or identity not in self.open_sends:
            return
        event = self.open_sends.pop(identity)
        status = headers.get("status")
        if status == "refused":
            self.refused += 1
            self.last_refusal = headers.get("code")
        self.sender_history.note(
            "receipt", id=identity, status=status, code=headers.get("code"), position=headers.get("position"),
            notification=headers.get("notification"), head=headers.get("head"), signature=headers.get("signature"),
            hash=content_hash(event["data"]))

    def _arrival(self, receiver, command, headers, body):
        if command == "MESSAGE":
            view = json.loads(body)
            self.deliveries += 1
            self.histories[receiver].note(
                "deliver", id=view["id"], desk=DESKS[receiver], hash=content_hash(view["data"]), type=view["type"], case=view["subject"],
                notification=headers.get("notification"), redelivered=headers.get("redelivered") == "true")
            self.held[receiver].append((headers["ack"], view["id"]))
        elif command == "RECEIPT" and headers.get("receipt-id") in self.open_acks[receiver]:
            identity = self.open_acks[receiver].pop(headers["receipt-id"])
            # Not written, for want of space: it comes again.
            if headers.get("status") == "refused":
                return
            self.acked += 1
            self.histories[receiver].note("ack", id=identity, desk=DESKS[receiver])

    def close(self):
        for session in [self.sender] + (self.receivers or []):
            if session is not None:
                session.close()
        for history in [self.sender_history] + self.histories:
            history.close()


def desks_of(kind):
    """Who gets it: the bench's policy in one line, written down here a second time."""
    name = kind.split(".")[3]
    return DESKS if name == "fan3" else [DESKS[int(name[3:])]]


def events(count, run, seed=1, large=60_000, first=0):
    """Notifications that are always the same for a seed: four fifths of them large, so that segments fill."""
    chooser = random.Random(seed)
    cases = random.Random(seed + 1)
    made, case = [], "7QK2ZD9F"
    for number in range(first, first + count):
        name = chooser.choice(["fan3", "one0", "one1", "one2"])
        size = large if number % 5 else chooser.randrange(10, 900)
        case = "".join(cases.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(8)) if number % 4 == 0 else case
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        letters = "abcdefghijklmnopqrstuvwxyz "  # no digits: what looks like a telephone number is refused
        note = "".join(chooser.choices(letters, k=min(size, 900))) * (size // 900 + 1)
        made.append({
            "specversion": "1.0", "id": f"{run}-{number}", "source": "urn:budkavle:bench-p", "type": f"se.budkavle.bench.{name}.v1",
            "time": now, "subject": f"BK-18-2026-{case}", "datacontenttype": "application/json", "municipality": "1880",
            "protected": False,
            "data": {"reportRef": f"r{number}", "occurredAt": now, "relation": "ex-partner", "violenceForm": ["physical", "digital"],
                     "childrenPresent": False, "note": note[:size]}})
    return made


def workload(clients, made, acks=ACKS, seed=1, step=lambda n: None):
    """The fixed workload: sends one by one and in transactions of 2 to 8, acknowledgements in between.

    One commit at a time is under way, so that the relay makes the same system calls every time. False when an answer did not come in time.
    """
    chooser = random.Random(seed)
    done = acked = 0
    while done < len(made):
        group = made[done:done + chooser.randrange(1, 9)]
        pieces = [group] if len(group) % 2 == 0 else [[event] for event in group]
        for piece in pieces:
            clients.submit(piece, f"t{done}" if len(piece) > 1 else None)
            if not clients.pump(PATIENCE, lambda: not clients.open_sends):
                return False
        done += len(group)
        while acked < min(acks, acks * done // len(made)):
            clients.pump(PATIENCE, lambda: any(clients.held))
            receiver = max(range(3), key=lambda i: len(clients.held[i]))
            clients.acknowledge(receiver, 1)
            acked += 1
            if not clients.pump(PATIENCE, lambda: not any(clients.open_acks)):
                return False
        step(done)
    return True


def settle(relay, directory, port, made, sent):
    """After a fault: sends again what has no receipt, takes and acknowledges everything, and writes down what was there.

    Returns False when something did not come within PATIENCE.
    """
    clients = Clients(relay, directory, port)
    try:
        unanswered = [event for event in made if event["id"] in sent]
        for first in range(0, len(unanswered), 8):
            clients.submit(unanswered[first:first + 8])
            if not clients.pump(PATIENCE, lambda: not clients.open_sends):
                return False
        last = time.monotonic()
        while True:
            before = clients.deliveries
            for receiver in range(3):
                clients.acknowledge(receiver, 1000)
            clients.pump(0.2, lambda: any(clients.held))
            if clients.deliveries > before:
                last = time.monotonic()
            elif not any(clients.held) and not any(clients.open_acks):
                total = (queues(relay) or {}).get("total", {})
                waiting = sum(total.get(name, 0) for name in ("ready", "inflight", "setaside"))
                if waiting == 0 or time.monotonic() > last + PATIENCE:
                    break
        clients.sender_history.note("drained", waiting=waiting)
        return True
    finally:
        clients.close()


def queues(relay):
    """How many deliveries wait or are set aside, by the relay's own count."""
    session = Session(relay, None)
    try:
        session.send("SUBSCRIBE", {"id": "1", "destination": "/replies/q", "ack": "auto"})
        session.send("SEND", {"destination": "/queries/queues", "reply-to": "/replies/q", "receipt": "q"}, b"{}")
        while True:
            frame = session.next(PATIENCE)
            if frame is None:
                return None
            if frame[0] == "MESSAGE":
                return json.loads(frame[2])
            if frame[0] == "ERROR":
                return {"error": frame[1]}
    finally:
        session.close()


def without_receipt(directory):
    """Ids that were sent and not answered, from the history."""
    started, answered = [], set()
    if not os.path.exists(directory + "/sender.jsonl"):
        return set()
    for line in open(directory + "/sender.jsonl", encoding="utf-8"):
        event = json.loads(line)
        if event["e"] == "send-start":
            started.append(event["id"])
        elif event["e"] == "receipt" and event["status"] in ("accepted", "duplicate"):
            answered.add(event["id"])
    return {identity for identity in started if identity not in answered}


def check(directory):
    """Judges the histories with the independent checker: (0 or 1, its lines)."""
    result = subprocess.run([sys.executable, CHECK, directory], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def bound(found, trials):
    """`0 of n` as what it shows: a rate below 3/n (95 %)."""
    if found:
        return f"{found} of {trials}"
    return f"0 of {trials} (below {300 / trials:.2g} %)" if trials else "0 of 0"
