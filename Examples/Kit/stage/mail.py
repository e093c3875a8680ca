"""A mail server that wants STARTTLS and a login, and keeps what it takes."""

import json
import pathlib
import subprocess
import sys

from .running import Running, free_ports

USER, PASSWORD = "shop", "mật khẩu"


class MailServer(Running):
    host, user, password = "localhost", USER, PASSWORD

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_ports(1)[0]
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        self._taken, self._refusals = folder / "taken", folder / "refusals.json"
        self._taken.touch()
        self._refusals.write_text("{}")
        done = subprocess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.certificate,
        ], capture_output=True, text=True)
        assert done.returncode == 0, f"openssl made no certificate: {done.stderr}"
        script = pathlib.Path(__file__).with_name("mail_server.py")
        super().__init__("mail", folder, [
            sys.executable, script, self.port, self.certificate, key, self._taken, self._refusals, USER, PASSWORD])

    def mails(self):
        """All it has taken, over all its runs, each with from, to, headers and body; the first came first."""
        return [json.loads(line) for line in self._taken.read_text().splitlines()]

    def refuse(self, address_prefix, answer):
        """From now on recipients that begin so are answered this, such as "550 no such mailbox"; None takes them again."""
        refusals = json.loads(self._refusals.read_text())
        refusals[address_prefix] = answer
        # In one step: the server reads it at any moment.
        whole = self._refusals.with_suffix(".new")
        whole.write_text(json.dumps({key: value for key, value in refusals.items() if value}))
        whole.replace(self._refusals)

    def delay(self, address_prefix, seconds):
        """From now on a mail to recipients that begin so is taken at once and answered after so many seconds; 0 answers at once again."""
        self.refuse(f"delay {address_prefix}", seconds)

    def is_good_end(self, status):
        # Python ends by the signal.
        return status in (0, -15)
