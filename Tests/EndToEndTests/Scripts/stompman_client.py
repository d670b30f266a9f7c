"""stompman 3.16.0: send, receive, lose the link, get it again. Arguments: port, pki directory, on-call desk, event file.

Prints one JSON object a line for each thing that happened. stompman reconnects and subscribes again by itself.
"""
import asyncio
import json
import ssl
import sys

import stompman

port, pki, desk, event_file = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
patience = 30


def tell(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


def client(party, name):
    context = ssl.create_default_context(cafile=f"{pki}/ca.crt")
    context.load_cert_chain(f"{pki}/{party}/{name}.crt", f"{pki}/{party}/{name}.key")
    return stompman.Client(
        servers=[stompman.ConnectionParameters(host="localhost", port=port, login="", passcode="")],
        ssl=context, heartbeat=stompman.Heartbeat(5000, 5000),
        on_error_frame=lambda frame: tell("error", headers=frame.headers, body=frame.body.decode()))


async def await_event(messages, event_id):
    while True:
        frame = await asyncio.wait_for(messages.get(), patience)
        event = json.loads(frame.body)
        if event["id"] == event_id:
            tell("message", redelivered=frame.headers["redelivered"], count=frame.headers["delivery-count"], event=event)
            return frame


async def main():
    body = open(event_file, "rb").read()
    event_id = json.loads(body)["id"]
    messages = asyncio.Queue()
    async with client("pol-18-rlc", "station") as sender, client(desk, "jourdator") as station:
        tell("connected", heartbeat=str(sender._connection_manager._active_connection_state.server_heartbeat))
        inbox = await station.subscribe_with_manual_ack(f"/inbox/{desk}", messages.put, receipt_timeout=patience)
        tell("subscribed")
        await sender.send(body, "/notifications", content_type="application/cloudevents+json", receipt_timeout=patience)
        tell("receipt")
        await await_event(messages, event_id)

        # The link breaks with the message unacknowledged: no DISCONNECT, no close_notify.
        state = station._connection_manager._active_connection_state
        state.connection.writer.transport.abort()
        tell("lost")
        frame = await await_event(messages, event_id)
        await frame.ack()
        tell("acknowledged")

        # Its reader notes when it last read anything; what comes to an idle sender is a heart-beat.
        connection = sender._connection_manager._active_connection_state.connection
        read_last = connection.last_read_time
        async with asyncio.timeout(patience):
            while connection.last_read_time == read_last:
                await asyncio.sleep(0.1)
        tell("heart-beat")
        await inbox.unsubscribe()
    tell("disconnected")


asyncio.run(main())
