"""stomp.py 8.2.0: send, receive, lose the link, get it again. Arguments: port, pki directory, on-call desk, event file.

Prints one JSON object a line for each thing that happened.
"""
import json
import queue
import socket
import sys

import stomp

port, pki, desk, event_file = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
hosts = [("localhost", port)]
patience = 30


def tell(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


class Listener(stomp.ConnectionListener):
    """Puts what comes into queues, one for each kind."""

    def __init__(self):
        self.connected, self.receipts, self.messages = queue.Queue(), queue.Queue(), queue.Queue()
        self.errors, self.beats, self.ends = queue.Queue(), queue.Queue(), queue.Queue()

    def on_connected(self, frame):
        self.connected.put(frame.headers)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers)

    def on_message(self, frame):
        self.messages.put(frame)

    def on_error(self, frame):
        tell("error", headers=frame.headers, body=frame.body)

    def on_heartbeat(self):
        self.beats.put(True)

    def on_disconnected(self):
        self.ends.put(True)


def connect(party, client):
    relay = stomp.Connection12(hosts, heartbeats=(5000, 5000), reconnect_attempts_max=1)
    relay.set_ssl(for_hosts=hosts, ca_certs=f"{pki}/ca.crt",
                  cert_file=f"{pki}/{party}/{client}.crt", key_file=f"{pki}/{party}/{client}.key")
    listener = Listener()
    relay.set_listener("", listener)
    relay.connect(wait=True)
    headers = listener.connected.get(timeout=patience)
    tell("connected", party=headers["party"], version=headers["version"], heartbeat=headers["heart-beat"])
    return relay, listener


def inbox(relay, listener):
    relay.subscribe(f"/inbox/{desk}", id="1", ack="client-individual", headers={"receipt": "inbox"})
    tell("subscribed", receipt=listener.receipts.get(timeout=patience)["receipt-id"])


def await_event(listener, event_id):
    while True:
        frame = listener.messages.get(timeout=patience)
        event = json.loads(frame.body)
        if event["id"] == event_id:
            tell("message", redelivered=frame.headers["redelivered"], count=frame.headers["delivery-count"], event=event)
            return frame


body = open(event_file, encoding="utf-8").read()
event_id = json.loads(body)["id"]
sender, answers = connect("pol-18-rlc", "station")
station, arrivals = connect(desk, "jourdator")
inbox(station, arrivals)

sender.send("/notifications", body, content_type="application/cloudevents+json", receipt="first")
tell("receipt", headers=answers.receipts.get(timeout=patience))
await_event(arrivals, event_id)

# The link breaks with the message unacknowledged: no DISCONNECT, no close_notify.
station.transport.socket.shutdown(socket.SHUT_RDWR)
arrivals.ends.get(timeout=patience)
tell("lost")

station, arrivals = connect(desk, "jourdator")
inbox(station, arrivals)
frame = await_event(arrivals, event_id)
station.ack(frame.headers["ack"], receipt="taken")
tell("acknowledged", receipt=arrivals.receipts.get(timeout=patience)["receipt-id"])

answers.beats.get(timeout=patience)
tell("heart-beat")
for relay, listener in ((station, arrivals), (sender, answers)):
    relay.disconnect(receipt="bye")
    tell("disconnected", receipt=listener.receipts.get(timeout=patience)["receipt-id"])
