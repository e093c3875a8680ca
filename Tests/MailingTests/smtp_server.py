"""A mail server for the tests of Mailing: STARTTLS and a login are required, and the recipient says what happens.

usage: smtp_server.py PORT CERTIFICATE KEY OUTPUT; each mail that is taken becomes a line of JSON in OUTPUT.
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, output):
        self.output = output

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("busy"):
            return "451 4.3.0 try again later"
        if address.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("vanish"):
            server.transport.abort()
            return "250 never read"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in message.items()},
            "body": message.get_content(),
            "longest": max(len(line) for line in envelope.content.split(b"\r\n")),
            "tls": session.ssl is not None,
            "authenticated": session.authenticated,
        }
        with open(self.output, "a") as file:
            file.write(json.dumps(line) + "\n")
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    # Not handled: the answer, 235 or 535, is the server's to give.
    return AuthResult(success=(data.login, data.password) == (b"shop", "mật khẩu".encode()), handled=False)


def main():
    port, certificate, key, output = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class WithTLS(Controller):
        def factory(self):
            return SMTP(
                self.handler, tls_context=context, require_starttls=True, auth_required=True,
                auth_require_tls=True, authenticator=authenticate)

    WithTLS(Handler(output), hostname="127.0.0.1", port=int(port)).start()
    print("listening", flush=True)
    asyncio.new_event_loop().run_forever()


main()
