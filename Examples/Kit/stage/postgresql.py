"""Debian's PostgreSQL on a port of its own, with a password and without Unix sockets."""

import os
import pathlib
import shutil
import signal
import subprocess

from .running import Running, eventually, free_ports

USER, PASSWORD = "ottla", "correct-horse"


def _unprivileged(command):
    """PostgreSQL refuses to run as root. A change of user clears what dies with the parent: setpriv sets it again."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT", "--", *command]


def _programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, "PostgreSQL is missing: apt-get install postgresql-15"
    return found[-1].parent


class PostgreSQL(Running):
    def __init__(self, folder, database):
        folder = pathlib.Path(folder)
        self.database, self.port = database, free_ports(1)[0]
        # INT cuts the clients' connections off; TERM would wait for them.
        super().__init__("postgresql", folder, _unprivileged([
            str(_programs() / "postgres"), "-D", str(folder / "data"), "-p", str(self.port), "-c",
            "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=50",
        ]), stop_signal=signal.SIGINT)
        password = folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, password, self.log):
                shutil.chown(path, "postgres")
            # The stage's folder is ours alone, and the server must pass through it.
            folder.parent.chmod(0o711)
        self._run([
            _programs() / "initdb", "-D", folder / "data", "-U", USER, "--auth=scram-sha-256", f"--pwfile={password}",
            "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"])

    def _run(self, command):
        done = subprocess.run(_unprivileged([str(word) for word in command]), capture_output=True, text=True)
        assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr}"

    def url_of(self, database):
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    @property
    def url(self):
        return self.url_of(self.database)

    def start(self, awaited=True):
        super().start(awaited)
        there = self._ask("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{self.database}'")
        if not there:
            self._ask("postgres", f'CREATE DATABASE "{self.database}"')
        return self

    def _is_ready(self):
        try:
            return self._ask("postgres", "SELECT 1") == [["1"]]
        except AssertionError:
            return False

    def query(self, sql, database=None):
        """The rows of a statement, each a list of texts; in another database of the server where one is named."""
        return self._ask(database or self.database, sql)

    def _ask(self, database, sql):
        done = subprocess.run(
            [_programs() / "psql", self.url_of(database), "-X", "-A", "-t", "-q", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-c", sql],
            capture_output=True, text=True)
        assert done.returncode == 0, f"{sql}: {done.stderr}"
        return [line.split("\x1f") for line in done.stdout.splitlines() if line]
