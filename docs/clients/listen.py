"""A webhook receiver to look at: python listen.py SECRET [PORT]. Prints each event, and whether the city sent it."""
import base64, hmac, json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

KEY = base64.b64decode(sys.argv[1].removeprefix("whsec_"))
seen = set()  # in earnest: a table with a unique column

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, moment = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = base64.b64encode(hmac.digest(KEY, f"{name}.{moment}.".encode() + body, "sha256")).decode()
        ours = any(hmac.compare_digest("v1," + signed, one) for one in self.headers["webhook-signature"].split())
        genuine = ours and abs(time.time() - int(moment)) < 300
        self.send_response(204 if genuine else 400)  # answer first, then work: within 15 seconds
        self.end_headers()
        if genuine and name not in seen:
            event = json.loads(body)
            print("genuine", event["data"]["out_order_no"], event["data"]["seq"], event["type"], flush=True)
        seen.add(name)

    def log_message(self, *words):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 9000), Receiver).serve_forever()
