"""booking-limit from end to end: what is counted, what is sent, and what happens when parts of it are away."""

import datetime
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from stage import PROGRAMS
from stage.brokers import OTTLA

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Examples/booking-limit"))

from shop import Shop, noon  # noqa: E402

DEMO = "booking-limit"


@pytest.fixture
def shop(stage, request):
    return Shop(stage, stage.broker(), **getattr(request, "param", {}))


def book(shop, user, numbers, at=None):
    for number in numbers:
        status, answer = shop.book(user, number, at)
        assert status == 202, answer


def mail_id(user, at=None):
    return f"{(at or noon()).date()}.{user}"


def dead_letters(shop, topic):
    """Key, value and why, of each dead letter of a topic."""
    return [(letter, {header["name"]: header["value"] for header in letter["headers"]}) for letter in shop.read(f"{topic}.DLT")]


# What is counted, and what is sent.


def test_the_eleventh_booking_of_a_day_sends_one_mail(shop, stage):
    day_before = noon(1)
    book(shop, "an", range(1, 14), noon())
    book(shop, "binh", range(1, 11), noon())
    book(shop, "an", range(101, 112), day_before)
    stage.eventually(lambda: sorted(shop.mails()) == sorted([mail_id("an"), mail_id("an", day_before)]), "a mail a day", 90)
    stage.eventually(lambda: len(shop.shipments()) == 30, "30 shipments", 90)
    assert shop.counts() == {
        ("an", noon().date()): 13, ("binh", noon().date()): 10, ("an", day_before.date()): 11}
    wanted = [f"an/b-{n}" for n in [*range(1, 11), *range(101, 111)]] + [f"binh/b-{n}" for n in range(1, 11)]
    assert shop.orders() == sorted(wanted)
    assert sorted(shop.shipments()) == sorted(wanted)
    assert sorted(shop.shipments().values()) == list(range(1, 31))
    assert len(shop.read("shipments")) == 30
    mail = shop.mail.mails()[0]
    assert mail["to"] == ["an@example.com"] and "10 bookings a day" in mail["body"]
    assert mail["tls"] and mail["authenticated"]


def test_a_day_begins_at_the_midnight_of_its_zone(shop, stage):
    midnight = noon().replace(hour=0)
    before = midnight - datetime.timedelta(milliseconds=1)
    book(shop, "an", range(1, 7), before)
    book(shop, "an", range(7, 13), midnight)
    stage.eventually(lambda: len(shop.shipments()) == 12, "12 shipments", 90)
    assert shop.counts() == {("an", before.date()): 6, ("an", midnight.date()): 6}
    assert shop.mails() == []


def test_a_booking_that_is_posted_again_counts_once(shop, stage):
    for _ in range(3):
        book(shop, "an", range(1, 11), noon())
    # The same ids, but somebody else's.
    book(shop, "binh", range(1, 2), noon())
    stage.eventually(lambda: len(shop.shipments()) == 11, "11 shipments", 90)
    assert len(shop.read("bookings")) == 31
    stage.eventually(lambda: "came before" in shop["limit-service"].text(), "repeats were seen")
    assert shop.counts() == {("an", noon().date()): 10, ("binh", noon().date()): 1}
    book(shop, "an", [11], noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "the mail")


def test_what_is_no_booking_is_refused(shop, stage):
    url = f"http://{shop['booking-service'].values['http']}/bookings"
    good = {"user": "an", "email": "an@example.com", "item": "a room"}
    for changed, word in [
        ({"user": "a b"}, "user"), ({"email": "nobody"}, "email"), ({"item": ""}, "item"), ({"id": "a/b"}, "id"),
        ({"atMs": 5}, "atMs"), ({"atMs": "now"}, "atMs"), ({"user": None}, "user"),
    ]:
        status, text = stage.post(url, json={**good, **changed})
        assert status == 400 and word in json.loads(text)["error"], (changed, status, text)
    assert stage.post(url, form={"user": "an"})[0] == 415
    assert stage.get(url)[0] == 405
    assert stage.get(url + "/1")[0] == 404
    status, text = stage.post(url, json=good)
    assert status == 202 and json.loads(text)["id"]
    assert [json.loads(record["value"])["id"] for record in shop.read("bookings")] == [json.loads(text)["id"]]


# Records that are wrong.


def produce(shop, topic, line):
    subprocess.run(
        [OTTLA, "produce", topic, "-k", "|", "-b", shop.brokers.bootstrap], input=line + "\n", text=True, check=True)


def test_a_record_that_is_wrong_is_set_aside_and_the_others_go_on(shop, stage):
    good = {"user": "an", "email": "an@example.com", "item": "x", "atMs": int(noon().timestamp() * 1000)}
    produce(shop, "bookings", "an|this is no JSON")
    produce(shop, "bookings", "an|" + json.dumps({**good, "id": "b-0", "atMs": int(noon().timestamp())}))
    produce(shop, "bookings", "an|" + json.dumps({**good, "id": "b/0"}))
    produce(shop, "bookings", "an|" + json.dumps({**good, "id": "b-1"}))
    produce(shop, "emails", "an|" + json.dumps({"to": "nobody at all", "subject": "s", "text": "t"}))
    stage.eventually(lambda: shop.orders() == ["an/b-1"], "the good one is an order", 90)
    letters = stage.eventually(lambda: (found := dead_letters(shop, "bookings")) and len(found) == 3 and found, "three dead letters", 90)
    reasons = " ".join(headers["ottla.error.message"] for _, headers in letters)
    assert "does not decode" in reasons and "atMs" in reasons and "id" in reasons
    assert shop.counts() == {("an", noon().date()): 1}
    [(_, headers)] = stage.eventually(lambda: dead_letters(shop, "emails"), "a dead mail", 90)
    assert "no address" in headers["ottla.error.message"]
    assert shop.mail.mails() == []


def test_a_mailbox_that_is_not_there_is_told_and_one_that_is_busy_is_tried_again(shop, stage):
    shop.mail.refuse("binh", "550 5.1.1 no such mailbox")
    shop.mail.refuse("chi", "451 4.3.0 try again later")
    for user in ["binh", "chi", "an"]:
        book(shop, user, range(1, 12), noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "the others do not wait", 90)
    [(letter, headers)] = stage.eventually(lambda: dead_letters(shop, "emails"), "a dead mail", 90)
    assert json.loads(letter["value"])["to"] == "binh@example.com" and "550" in headers["ottla.error.message"]
    stage.eventually(lambda: shop.notes()[mail_id("chi")][1] > 1, "several attempts", 90)
    shop.mail.refuse("chi", None)
    stage.eventually(lambda: sorted(shop.mails()) == sorted([mail_id("an"), mail_id("chi")]), "the busy one in the end", 90)
    assert shop.notes()[mail_id("binh")][0] == "unsent"


# Parts that are away.


def test_a_booking_that_no_broker_has_is_told_and_posted_again(shop, stage):
    book(shop, "an", range(1, 11), noon())
    shop.brokers.kill()
    status, answer = shop.book("an", 11, noon())
    assert status == 503 and '"id": "b-11"' in answer["error"], answer
    shop.brokers.start()
    book(shop, "an", [11], noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "one mail", 90)
    stage.eventually(lambda: len(shop.shipments()) == 10, "10 shipments", 90)
    assert shop.counts() == {("an", noon().date()): 11}


def test_services_wait_for_a_broker_and_topics_that_come_later(stage):
    broker = stage.broker()
    broker.stop()
    early = stage.program("order-service", "--bootstrap", broker.bootstrap, "--database", f"sqlite:{stage.folder / 'early.db'}")
    early.wait_for("waiting: no broker answers", 90)
    broker.start()
    early.wait_for("there is no topic 'accepted-bookings'; create it first", 90)
    broker.create_topic("accepted-bookings", 2)
    early.wait_for("assigned: accepted-bookings-0, accepted-bookings-1", 90)
    assert early.stop().process.returncode == 0


def test_a_mail_server_that_is_away_costs_nothing_but_time(shop, stage):
    shop.mail.kill()
    book(shop, "an", range(1, 12), noon())
    shop["email-service"].wait_for("is the mail server running", 90)
    shop.mail.start()
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "one mail", 90)
    stage.eventually(lambda: shop.notes() == {mail_id("an"): ("sent", shop.notes()[mail_id("an")][1])}, "it is noted")


def test_a_database_that_is_away_costs_nothing_but_time(shop, stage):
    book(shop, "an", range(1, 7), noon())
    stage.eventually(lambda: len(shop.orders()) == 6, "6 orders", 90)
    shop.database.kill()
    book(shop, "an", range(7, 13), noon())
    time.sleep(2)
    shop.database.start()
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "one mail", 90)
    stage.eventually(lambda: len(shop.orders()) == 10, "10 orders", 90)
    assert shop.counts() == {("an", noon().date()): 12}


# email-service is killed at each place there is on the way of a mail.


def kill_and_start(shop):
    shop["email-service"].kill()
    shop["email-service"].start()


def once(shop, stage, attempts=None):
    """The mail is delivered once, and stays delivered once when all is over."""
    wanted = mail_id("an")
    stage.eventually(lambda: shop.notes().get(wanted, ("",))[0] == "sent", "it is noted as sent", 90)
    time.sleep(2)
    assert shop.mails() == [wanted]
    if attempts:
        assert shop.notes()[wanted] == ("sent", attempts)


def in_thread(shop, sql):
    thread = threading.Thread(target=lambda: shop.database.query(sql, database="mails"), daemon=True)
    thread.start()
    return thread


def waiting_sessions(shop, what):
    return shop.database.query(
        f"SELECT 1 FROM pg_stat_activity WHERE datname = 'mails' AND pid <> pg_backend_pid() AND {what}")


def test_killed_before_an_attempt_is_noted(shop, stage):
    stage.eventually(lambda: shop.notes() == {}, "the table is there", 90)
    lock = in_thread(shop, "BEGIN; LOCK TABLE mails; SELECT pg_sleep(8); COMMIT")
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: waiting_sessions(shop, "wait_event_type = 'Lock'"), "email-service waits for the table", 7)
    kill_and_start(shop)
    lock.join()
    # Where the killed one's statement was waiting, the database may have done it still.
    once(shop, stage)


def test_killed_before_the_server_has_the_mail(shop, stage):
    shop.mail.process.send_signal(signal.SIGSTOP)
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: shop.notes() == {mail_id("an"): ("sending", 1)}, "an attempt is noted", 90)
    kill_and_start(shop)
    shop.mail.process.send_signal(signal.SIGCONT)
    once(shop, stage, attempts=2)
    assert "is in doubt, and is sent again" in shop["email-service"].text()


def test_killed_between_the_servers_answer_and_the_end_of_the_commit(shop, stage):
    stage.eventually(lambda: shop.notes() == {}, "the table is there", 90)
    # The commit takes three seconds, of which the note is not to be seen.
    shop.database.query(
        """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON mails DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
          WHEN (NEW.state = 'sent' AND OLD.state <> 'sent') EXECUTE FUNCTION slow()
        """, database="mails")
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "the server has it", 90)
    stage.eventually(lambda: waiting_sessions(shop, "query = 'COMMIT'"), "the commit is on its way", 2)
    assert shop.notes() == {mail_id("an"): ("sending", 1)}
    kill_and_start(shop)
    # The word was said: the database keeps it, and who comes next waits for that.
    once(shop, stage, attempts=1)


def test_killed_after_the_commit(shop, stage):
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: shop.notes().get(mail_id("an")) == ("sent", 1), "it is noted", 90)
    kill_and_start(shop)
    once(shop, stage, attempts=1)


def test_a_database_that_dies_while_the_mail_is_on_its_way(shop, stage):
    shop.mail.delay("an", 2)
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "the server has it, and says nothing yet", 90)
    shop.database.kill()
    shop["email-service"].wait_for("is sent, and the database could not be told yet", 90)
    shop.database.start()
    # The process has lived: it knows that the mail was taken.
    once(shop, stage, attempts=1)


def test_killed_before_the_servers_answer_the_mail_comes_twice_with_one_message_id(shop, stage):
    """What no sender can know: the mail was taken, and nobody was told."""
    shop.mail.delay("an", 3)
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "the server has it, and says nothing yet", 90)
    kill_and_start(shop)
    shop.mail.delay("an", 0)
    stage.eventually(lambda: shop.notes() == {mail_id("an"): ("sent", 2)}, "it is noted", 90)
    assert shop.mails() == [mail_id("an")] * 2
    assert "may come twice, with the same Message-ID" in shop["email-service"].text()


@pytest.mark.parametrize("shop", [{"in_doubt": "dead-letter"}], indirect=True)
def test_killed_before_the_servers_answer_the_mail_is_a_dead_letter_where_that_is_wanted(shop, stage):
    shop.mail.delay("an", 3)
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "the server has it, and says nothing yet", 90)
    kill_and_start(shop)
    [(letter, headers)] = stage.eventually(lambda: dead_letters(shop, "emails"), "a dead mail", 90)
    assert json.loads(letter["value"])["to"] == "an@example.com" and "may have arrived" in headers["ottla.error.message"]
    assert shop.mails() == [mail_id("an")] and shop.notes() == {mail_id("an"): ("sending", 1)}


def test_a_process_that_stood_still_and_its_successor_send_one_mail(shop, stage):
    shop.mail.delay("an", 2)
    book(shop, "an", range(1, 12), noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "the server has it, and says nothing yet", 90)
    shop["email-service"].process.send_signal(signal.SIGSTOP)
    successor = shop.email_service(2)
    try:
        # The group has given its partitions away, and the database has not given its lock away.
        stage.eventually(lambda: waiting_sessions(shop, "wait_event_type = 'Lock'"), "the successor waits for the mail's note", 20)
        time.sleep(4)
    finally:
        shop["email-service"].process.send_signal(signal.SIGCONT)
    once(shop, stage, attempts=1)
    successor.wait_for("was sent before")


# All of it, at the polite end.


def test_every_service_ends_in_order_and_goes_on_where_it_was(shop, stage):
    book(shop, "an", range(1, 6), noon())
    for service in shop.services.values():
        service.restart()
    book(shop, "an", range(6, 12), noon())
    stage.eventually(lambda: shop.mails() == [mail_id("an")], "one mail", 90)
    stage.eventually(lambda: len(shop.shipments()) == 10, "10 shipments", 90)


@pytest.mark.parametrize("service", ["booking-service", "limit-service", "order-service", "shipment-service", "email-service"])
def test_help_and_mistakes(stage, service):
    program = PROGRAMS / service
    helped = subprocess.run([program, "--help"], capture_output=True, text=True)
    assert helped.returncode == 0 and "--bootstrap" in helped.stdout and "examples:" in helped.stdout
    wrong = [["--bootstrp", "x"], ["--bootstrap"]]
    wrong += {"limit-service": [["--limit", "0"], ["--utc-offset", "7"]], "email-service": [
        ["--in-doubt", "never"], ["--mail-user", "an"], ["--from", "nobody"]], "booking-service": [["--port", "70000"]]}.get(service, [])
    if service != "booking-service":
        wrong.append(["--database", "mysql://an:secret@host/x"])
    for words in wrong:
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=20)
        assert done.returncode == 2 and words[0] in done.stderr and "secret" not in done.stderr, (words, done)
