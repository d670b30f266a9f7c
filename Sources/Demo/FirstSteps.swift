/// What `demo --serve` prints: how to send a first notification by hand.
enum FirstSteps {
    static func lines(port: Int, directory: String) -> [String] {
        let pki = directory + "/pki"
        let station = pki + "/pol-18-rlc/station"
        return """

            The relay runs on 127.0.0.1:\(port) until ctrl-C. Certificates: \(pki)/<party>/<client>.crt and .key

            With the command line:
              budkavle send notification.json --host localhost --port \(port) --collaboration orebro \\
                --ca \(pki)/ca.crt --cert \(station).crt --key \(station).key
              budkavle inbox --host localhost --port \(port) --collaboration orebro \\
                --ca \(pki)/ca.crt --cert \(pki)/jour-1880/staff-71.crt --key \(pki)/jour-1880/staff-71.key

            With Python (pip install stomp.py==8.2.0):
              import queue, stomp
              answers, listener = queue.Queue(), stomp.ConnectionListener()
              listener.on_receipt = listener.on_error = answers.put
              relay = stomp.Connection12([("localhost", \(port))])
              relay.set_ssl([("localhost", \(port))], ca_certs="\(pki)/ca.crt",
                            cert_file="\(station).crt", key_file="\(station).key")
              relay.set_listener("", listener)
              relay.connect(wait=True)
              relay.send("/notifications", open("notification.json").read(), "application/cloudevents+json",
                         receipt="1")
              print(answers.get(timeout=10).headers)

            With openssl, typed by hand (end each frame with ctrl-@ and Enter):
              openssl s_client -quiet -ign_eof -connect localhost:\(port) -CAfile \(pki)/ca.crt \\
                -cert \(station).crt -key \(station).key
              CONNECT
              accept-version:1.2
              host:orebro

              ^@

            notification.json, for example:
              {"specversion":"1.0","id":"first-1","source":"urn:budkavle:pol-18-rlc",
               "type":"se.budkavle.police.intervention.closed.v1","time":"2026-12-15T02:40:00+01:00",
               "subject":"\(CloudEventText.newCase())","county":"18","municipality":"1880","protected":false,
               "data":{"interventionRef":"HR-1","endedAt":"2026-12-15T02:35:00+01:00","suspectLeftScene":true}}
            """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
