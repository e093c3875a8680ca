"""What the demos and their tests start, watch and end: brokers, a database, a mail server, and the demo's own programs.

    with Stage("user-notifications") as stage:
        broker = stage.broker()
        server = stage.program("notification-producer", "--bootstrap", broker.bootstrap, "--port", 0)
        status, text = stage.post(f"http://{server.values['http']}/send", form={"fromID": 1, "toID": 2, "message": "hi"})
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

from .brokers import ROOT, Broker, Cluster, ottla
from .mail import MailServer
from .postgresql import PostgreSQL
from .running import Running, eventually, free_ports

__all__ = ["PROGRAMS", "Stage", "Running", "Broker", "Cluster", "MailServer", "PostgreSQL", "eventually", "free_ports", "ottla"]

# Where the demos' programs are.
PROGRAMS = pathlib.Path(os.environ.get("DEMO_PROGRAMS", ROOT / ".build/release"))
HTTP_SECONDS_MAX = 30
# How often is looked for new lines.
TELL_SECONDS = 0.05


class Stage:
    """A folder and what runs in it. On leaving, all that was started is ended, newest first, and the folder removed.

    - tells: prints the headlines, and what the programs say as they say it. Otherwise only a failure is told.
    """

    def __init__(self, name, tells=True):
        self.name, self.tells = name, tells
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"ottla-{name}-"))
        self._running, self._told = [], []
        self._ends = threading.Event()
        self._teller = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self):
        if self.tells:
            self._teller.start()
        return self

    def __exit__(self, kind, error, trace):
        for each in reversed(self._running):
            each.put_away()
        self._ends.set()
        if self.tells:
            self._teller.join()
        if error is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"what they said is in {self.folder}", file=sys.stderr)

    def story(self, lines=40):
        """The last lines of all that was started."""
        return "\n".join(f"-- {each}\n" + "\n".join(each.lines()[-lines:]) for each in self._running)

    # What can be started.

    def broker(self, **settings):
        """One broker; settings are properties with _ for the dots."""
        properties = {key.replace("_", "."): value for key, value in settings.items()}
        return self._start(Broker(self._place("broker"), settings=properties))

    def cluster(self):
        """Three brokers and a ZooKeeper; topics have three replicas, and acks=all waits for two."""
        cluster = Cluster(self._place("cluster"))
        self._running += cluster.parts
        return cluster.start()

    def postgresql(self, database):
        return self._start(PostgreSQL(self._place("postgresql"), database))

    def mail_server(self):
        return self._start(MailServer(self._place("mail")), told=True)

    def program(self, product, *words, name=None, environment=None, starts=True):
        """One of the demo's programs, started; with `name` where there are several of it."""
        path = PROGRAMS / product
        assert path.exists(), f"{path} is missing; make demo-{self.name} builds it"
        whole = {**os.environ, **(environment or {})}
        running = Running(name or product, self._place(name or product), [path, *words], whole)
        if starts:
            return self._start(running, told=True)
        self._running.append(running)
        self._told.append(running)
        return running

    def _place(self, name):
        taken = {each.folder.name for each in self._running}
        number = next(n for n in range(1, 1000) if (name if n == 1 else f"{name}-{n}") not in taken)
        return self.folder / (name if number == 1 else f"{name}-{number}")

    def _start(self, running, told=False):
        self._running.append(running)
        if told:
            self._told.append(running)
        return running.start()

    # What is seen.

    def say(self, text):
        if self.tells:
            # A headline comes after what was said before it.
            self._ends.wait(3 * TELL_SECONDS)
            print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)

    def _tell(self):
        seen = {}
        while True:
            is_last = self._ends.wait(TELL_SECONDS)
            for each in list(self._told):
                with open(each.log, "rb") as log:
                    log.seek(seen.get(each, 0))
                    whole, end, _ = log.read().rpartition(b"\n")
                    seen[each] = seen.get(each, 0) + len(whole) + len(end)
                for line in whole.decode(errors="replace").splitlines():
                    print(f"  {each.name:<22} | {line}", flush=True)
            if is_last:
                return

    # What is asked.

    def get(self, url):
        """Status and text."""
        return self._ask(urllib.request.Request(url))

    def post(self, url, form=None, json=None):
        """Status and text; what is sent is a form, or JSON, or nothing."""
        if json is not None:
            return self._ask(urllib.request.Request(url, _json(json), {"Content-Type": "application/json"}, method="POST"))
        return self._ask(urllib.request.Request(url, urllib.parse.urlencode(form or {}).encode(), method="POST"))

    def _ask(self, request):
        try:
            with urllib.request.urlopen(request, timeout=HTTP_SECONDS_MAX) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def eventually(self, condition, what, seconds=20):
        return eventually(condition, what, seconds)


def _json(value):
    return json.dumps(value).encode()
