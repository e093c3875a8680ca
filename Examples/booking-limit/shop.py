"""The five services of the demo, their topics and their databases, on a stage."""

import datetime
import json
import sqlite3

from stage import free_ports, ottla

# Vietnam's: +07:00 all the year. It is the default of limit-service, too.
ZONE = datetime.timezone(datetime.timedelta(hours=7))
TOPICS = ["bookings", "accepted-bookings", "orders", "shipments", "emails"]
SERVICES = ["booking-service", "limit-service", "order-service", "shipment-service", "email-service"]


class Shop:
    """All services, started; each but the first with a database of its own, on a server in a process of its own or in a file."""

    def __init__(self, stage, brokers, partitions=3, in_doubt="send-again"):
        self.stage, self.brokers = stage, brokers
        for topic in TOPICS:
            brokers.create_topic(topic, partitions)
        self.database = stage.postgresql("limits")
        self.database.query("CREATE DATABASE mails")
        self.mail = stage.mail_server()
        of_a_step = ["--bootstrap", brokers.bootstrap]
        self.services = {
            "booking-service": stage.program("booking-service", *of_a_step, "--port", free_ports(1)[0]),
            "limit-service": stage.program("limit-service", *of_a_step, "--database", self.database.url, "--instance", "limit-1"),
        }
        for name in ["order-service", "shipment-service"]:
            self.services[name] = stage.program(
                name, *of_a_step, "--database", f"sqlite:{self._file(name)}", "--instance", f"{name}-1")
        self.services["email-service"] = self.email_service(1, in_doubt)

    def email_service(self, number, in_doubt="send-again"):
        """One more of them; all share the partitions, and the notes."""
        return self.stage.program(
            "email-service", "--bootstrap", self.brokers.bootstrap, "--database", self.database.url_of("mails"),
            "--instance", f"email-{number}", "--mail-host", self.mail.host, "--mail-port", self.mail.port,
            "--mail-user", self.mail.user, "--mail-ca", self.mail.certificate, "--in-doubt", in_doubt,
            name=f"email-service-{number}" if number > 1 else None, environment={"MAIL_PASSWORD": self.mail.password})

    def __getitem__(self, name):
        return self.services[name]

    def _file(self, service):
        return self.stage.folder / f"{service}.db"

    def _rows(self, service, sql):
        if not self._file(service).exists():
            return []
        connection = sqlite3.connect(f"file:{self._file(service)}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    # What is done.

    def book(self, user, number=None, at=None, item="a room", **changed):
        """Posts a booking; returns the status and the answer."""
        booking = {"user": user, "email": f"{user}@example.com", "item": item}
        if number is not None:
            booking["id"] = f"b-{number}"
        if at is not None:
            booking["atMs"] = int(at.timestamp() * 1000)
        status, text = self.stage.post(
            f"http://{self['booking-service'].values['http']}/bookings", json={**booking, **changed})
        return status, json.loads(text)

    # What came of it.

    def counts(self):
        """How many bookings were counted, by user and day."""
        rows = self.database.query("SELECT user_name, day, bookings FROM booking_counts")
        return {(user, day_of(int(day))): int(count) for user, day, count in rows}

    def orders(self):
        return [row[0] for row in self._rows("order-service", "SELECT order_name FROM orders ORDER BY order_name")]

    def shipments(self):
        """The numbers of the shipments, by order."""
        return dict(self._rows("shipment-service", "SELECT order_name, number FROM shipments"))

    def mails(self):
        """The Message-IDs of all mails that were delivered, in order, without what is the same in all."""
        ids = [mail["headers"]["Message-ID"] for mail in self.mail.mails()]
        assert all(each.startswith("<booking-limit.") and each.endswith("@example.com>") for each in ids), ids
        return [each.removeprefix("<booking-limit.").removesuffix("@example.com>") for each in ids]

    def notes(self):
        """What email-service has written down: (state, attempts) by id."""
        rows = self.database.query("SELECT id, state, attempts FROM mails", database="mails")
        return {name.removeprefix("booking-limit."): (state, int(attempts)) for name, state, attempts in rows}

    def read(self, topic):
        """All records of a topic."""
        text = ottla("consume", topic, "--from-beginning", "-e", "-o", "json", "-b", self.brokers.bootstrap)
        return [json.loads(line) for line in text.splitlines()]


# Yesterday's: it is over whatever the hour, and stays what it was when midnight passes meanwhile.
_NOON = datetime.datetime.now(ZONE).replace(hour=12, minute=0, second=0, microsecond=0) - datetime.timedelta(days=1)


def noon(before=0):
    """Noon of yesterday, or of so many days before it: when the bookings of the demo and its tests are made."""
    return _NOON - datetime.timedelta(days=before)


def day_of(number):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=number)
