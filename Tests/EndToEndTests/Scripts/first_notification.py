import json, queue, sys, uuid, stomp
port, pki = int(open(sys.argv[1] + "/run/port").read()), sys.argv[1] + "/pki"
event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "urn:budkavle:pol-18-rlc", "county": "18",
         "type": "se.budkavle.police.intervention.closed.v1", "time": "2026-12-15T02:40:00+01:00",
         "subject": "BK-18-2026-7QK2ZD9F", "municipality": "1880", "protected": False,
         "data": {"interventionRef": "HR-1", "endedAt": "2026-12-15T02:35:00+01:00", "suspectLeftScene": True}}
answers, listener = queue.Queue(), stomp.ConnectionListener()
listener.on_receipt = listener.on_error = answers.put
relay = stomp.Connection12([("localhost", port)])
relay.set_ssl([("localhost", port)], ca_certs=pki + "/ca.crt", cert_file=pki + "/pol-18-rlc/station.crt",
              key_file=pki + "/pol-18-rlc/station.key")
relay.set_listener("", listener)
relay.connect(wait=True)
relay.send("/notifications", json.dumps(event), "application/cloudevents+json", receipt="first")
print(answers.get(timeout=10).headers)
