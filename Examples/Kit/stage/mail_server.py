"""usage: mail_server.py PORT CERTIFICATE KEY TAKEN REFUSALS USER PASSWORD

Each mail that is taken becomes a line of JSON in TAKEN, written before the sender has its 250. REFUSALS is a JSON object from
how a recipient begins to what it is answered; from "delay " and how a recipient begins to the seconds between the line in TAKEN and
the 250.
"""

import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, taken, refusals):
        self.taken, self.refusals = taken, refusals

    def wanted(self, address):
        with open(self.refusals) as file:
            return next((what for prefix, what in json.load(file).items() if address.startswith(prefix)), None)

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.wanted(address)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in message.items()}, "body": message.get_content(),
            "tls": session.ssl is not None, "authenticated": session.authenticated,
        }
        with open(self.taken, "a") as file:
            file.write(json.dumps(line) + "\n")
        print(f"took a mail to {', '.join(envelope.rcpt_tos)}: {line['headers'].get('Subject', '')}", flush=True)
        await asyncio.sleep(self.wanted(f"delay {envelope.rcpt_tos[0]}") or 0)
        return "250 taken"


def main():
    port, certificate, key, taken, refusals, user, password = sys.argv[1:]
    # With each login aiosmtpd warns of a setter that it calls itself.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, data):
        is_known = (data.login, data.password) == (user.encode(), password.encode())
        # Not handled: the 535 is left to the server. Otherwise nobody would answer.
        return AuthResult(success=is_known, handled=False)

    class WithTLS(Controller):
        def factory(self):
            return SMTP(
                self.handler, tls_context=context, require_starttls=True, auth_required=True, auth_require_tls=True,
                authenticator=authenticate)

    WithTLS(Handler(taken, refusals), hostname="127.0.0.1", port=int(port)).start()
    print(f"ready smtp=127.0.0.1:{port}", flush=True)
    asyncio.new_event_loop().run_forever()


main()
