"""Demo A1: accounts, mails and statistics, whoever fails when."""

import collections
import json
import re
import subprocess
import time

import pytest

from stage import PROGRAMS
from stage.brokers import OTTLA, ottla

DEMO = "notification-services"
PER_ACCOUNT = 100


@pytest.fixture
def broker(stage):
    return stage.broker()


@pytest.fixture
def database(stage):
    return stage.postgresql("services")


@pytest.fixture
def mail(stage):
    return stage.mail_server()


def account_service(stage, broker, database, *words):
    return stage.program(
        "account-service", "--bootstrap", broker.bootstrap, "--port", 0, *words, environment={"DATABASE_URL": database.url})


def statistic_service(stage, broker, database):
    return stage.program("statistic-service", "--bootstrap", broker.bootstrap, "--database", database.url)


def notification_service(stage, broker, mail, *words, password=None):
    return stage.program(
        "notification-service", "--bootstrap", broker.bootstrap, "--mail-host", mail.host, "--mail-port", mail.port,
        "--mail-user", mail.user, "--mail-certificate", mail.certificate, *words,
        environment={"MAIL_PASSWORD": password or mail.password})


def open_account(stage, service, name="An", email="an@example.com"):
    return stage.post(f"http://{service.values['http']}/account/new", json={"name": name, "email": email})


def produce(broker, topic, *values, header=None):
    words = [OTTLA, "produce", topic, "--bootstrap", broker.bootstrap] + (["-H", header] if header else [])
    done = subprocess.run(words, input="\n".join(values) + "\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def notify(broker, *addresses, **options):
    produce(broker, "notification", *[
        json.dumps({"to": each, "toName": "An", "subject": f"to {each}", "content": "xin chào"}) for each in addresses], **options)


def records(broker, topic):
    """All records of a topic, each a dict; none where there is no such topic."""
    said = ottla("consume", topic, "--from-beginning", "-e", "-o", "json", "--bootstrap", broker.bootstrap)
    return [json.loads(line) for line in said.splitlines()]


def headers(record):
    return {each["name"]: each["value"] for each in record["headers"]}


def ids(broker, topic):
    """How often each message lies in a topic, by its id."""
    return collections.Counter(headers(each)["outbox-id"] for each in records(broker, topic))


def outbox(database, state):
    return int(database.query(f"SELECT count(*) FROM ottla_outbox WHERE state = {state}")[0][0])


UNSENT, SENT, REFUSED = 0, 1, 2


def mails_to(mail, prefix):
    return [each for each in mail.mails() if each["to"][0].startswith(prefix)]


def test_an_account_becomes_a_hundred_mails_and_a_row(stage, broker, database, mail):
    # Whoever starts first: the topics are made by who needs them.
    statistic_service(stage, broker, database)
    notification_service(stage, broker, mail)
    service = account_service(stage, broker, database)
    status, text = open_account(stage, service, "Nguyễn Văn An", "an@example.com")
    assert (status, json.loads(text)) == (200, {"name": "Nguyễn Văn An", "email": "an@example.com"})
    stage.eventually(lambda: len(mail.mails()) == PER_ACCOUNT, "all mails", 60)
    mails = mail.mails()
    assert len({each["headers"]["Message-ID"] for each in mails}) == PER_ACCOUNT
    for each in mails:
        assert each["to"] == ["an@example.com"] and each["tls"] and each["authenticated"]
        assert "Xin chào Nguyễn Văn An," in each["body"] and each["headers"]["Content-Type"].startswith("text/html")
        assert each["headers"]["Subject"].startswith("Chào mừng Nguyễn Văn An (")
    rows = stage.eventually(lambda: database.query("SELECT message, created_date > now() - interval '5 minutes' FROM statistics"), "a row")
    assert rows == [["account an@example.com was created", "t"]]
    assert stage.eventually(lambda: outbox(database, SENT) == PER_ACCOUNT + 1, "all rows are sent")
    # Partitions are told, and there are two of them; keys there are none.
    assert len(re.findall(r"sent \S+ to notification, partition [01], offset \d+", service.text())) == PER_ACCOUNT
    lying = records(broker, "notification")
    assert {each["partition"] for each in lying} == {0, 1} and {each["key"] for each in lying} == {None}
    assert set(json.loads(lying[0]["value"])) == {"to", "toName", "subject", "content"}
    (statistic,) = records(broker, "statistic")
    assert set(json.loads(statistic["value"])) == {"message", "createdDate"}
    assert len(broker.describe_topic("statistic")["partitions"]) == 1


def test_wrong_requests_are_told_what_is_wrong(stage, broker, database):
    service = account_service(stage, broker, database)
    url = f"http://{service.values['http']}/account/new"
    for wrong, part in [({}, "name"), ({"name": "An"}, "email"), ({"name": "An", "email": "an"}, "email"), ({"name": " ", "email": "a@b"}, "name")]:
        status, text = stage.post(url, json=wrong)
        assert status == 400 and part in json.loads(text)["error"]
    assert stage.post(url, form={"name": "An"})[0] == 415
    assert stage.get(url)[0] == 405
    assert outbox(database, UNSENT) == 0


def test_messages_wait_in_the_outbox_while_the_broker_is_away(stage, broker, database):
    service = account_service(stage, broker, database)
    service.wait_for("topic statistic was made")
    broker.stop()
    assert open_account(stage, service)[0] == 200
    time.sleep(2)
    assert outbox(database, UNSENT) == PER_ACCOUNT + 1
    broker.start()
    stage.eventually(lambda: outbox(database, UNSENT) == 0, "all are sent", 60)
    assert len(ids(broker, "notification")) == PER_ACCOUNT and len(ids(broker, "statistic")) == 1


def test_a_service_may_start_before_its_broker_and_end_without_it(stage, broker, database):
    broker.stop()
    service = account_service(stage, broker, database)
    assert open_account(stage, service)[0] == 200
    service.wait_for("topic notification has to wait")
    service.stop()
    assert outbox(database, UNSENT) == PER_ACCOUNT + 1
    service.start()
    broker.start()
    stage.eventually(lambda: outbox(database, UNSENT) == 0, "all are sent", 60)
    assert set(ids(broker, "notification").values()) == {1}


def test_without_the_database_nothing_is_promised(stage, broker, database):
    service = account_service(stage, broker, database)
    assert open_account(stage, service)[0] == 200
    stage.eventually(lambda: outbox(database, UNSENT) == 0, "all are sent", 60)
    database.stop()
    status, text = open_account(stage, service)
    assert status == 503 and "try again" in json.loads(text)["error"]
    service.wait_for("the outbox cannot be read")
    database.start()
    stage.eventually(lambda: open_account(stage, service)[0] == 200, "the service has its database again")
    stage.eventually(lambda: len(ids(broker, "notification")) == 2 * PER_ACCOUNT, "both accounts' mails", 60)
    assert len(database.query("SELECT * FROM accounts")) == 2


def test_sent_messages_are_removed(stage, broker, database):
    service = account_service(stage, broker, database, "--keep-sent", 2)
    assert open_account(stage, service)[0] == 200
    service.wait_for("sent messages were removed from the outbox", 60)
    stage.eventually(lambda: outbox(database, SENT) == 0 and outbox(database, UNSENT) == 0, "an empty outbox", 30)
    assert len(ids(broker, "notification")) == PER_ACCOUNT


def test_nothing_is_lost_when_the_account_service_is_killed(stage, broker, database):
    statistic_service(stage, broker, database)
    service = account_service(stage, broker, database, "--keep-sent", 3600)
    accounts, in_the_middle = 0, 0
    for number in range(20):
        assert open_account(stage, service, email=f"an{number}@example.com")[0] == 200
        accounts += 1
        # Until the first of this account are sent, and perhaps a little longer.
        stage.eventually(lambda: outbox(database, SENT) > number * (PER_ACCOUNT + 1), "the first are sent", 60)
        time.sleep(0.01 * number)
        service.kill()
        in_the_middle += outbox(database, UNSENT) > 0
        service.start()
        stage.eventually(lambda: outbox(database, UNSENT) == 0, "all are sent", 60)
        if in_the_middle >= 3:
            break
    assert in_the_middle >= 1, "it was never killed in the middle"
    sent = ids(broker, "notification")
    assert len(sent) == accounts * PER_ACCOUNT, "messages were lost"
    # A message that was acknowledged and not written down is sent again, under the same id: never more often than it was killed.
    assert max(sent.values()) <= 1 + accounts
    stage.eventually(lambda: len(database.query("SELECT id FROM statistics")) == accounts, "one row for each account")
    print(f"killed {accounts} times, {in_the_middle} in the middle: {sum(sent.values()) - len(sent)} came twice")


def test_what_cannot_be_mailed_becomes_a_dead_letter(stage, broker, mail):
    service = notification_service(stage, broker, mail)
    reader = stage.program("dlt-reader", "--bootstrap", broker.bootstrap)
    mail.refuse("nobody", "550 5.1.1 no such mailbox")
    mail.refuse("busy", "451 4.3.0 try again later")
    produce(broker, "notification", "this is no JSON", '{"to": "an@example.com"}')
    notify(broker, "no address at all", "nobody@example.com", "busy@example.com", "an@example.com")
    stage.eventually(lambda: len(records(broker, "notification.DLT")) == 5, "five dead letters", 30)
    stage.eventually(lambda: len(mails_to(mail, "an@")) == 1, "the mail behind them")
    letters = {each["value"]: headers(each) for each in records(broker, "notification.DLT")}
    by_word = lambda word: next(value for key, value in letters.items() if word in key)
    attempts = {word: by_word(word)["ottla.attempts"] for word in ["no JSON", "nobody", "busy", "no address"]}
    assert attempts == {"no JSON": "1", "nobody": "1", "busy": "3", "no address": "1"}
    assert by_word("busy")["ottla.original.topic"] == "notification" and by_word("busy")["ottla.group"] == "notificationGroup"
    assert "451" in by_word("busy")["ottla.error.message"] and "550" in by_word("nobody")["ottla.error.message"]
    stage.eventually(lambda: len([line for line in reader.lines() if line.startswith("dead letter")]) == 5, "all are shown")
    assert "after 3 attempt(s)" in reader.wait_for("busy@example.com")
    # What was handled is not handled again.
    service.restart()
    reader.restart()
    notify(broker, "binh@example.com")
    stage.eventually(lambda: len(mails_to(mail, "binh@")) == 1, "the next mail")
    assert len(records(broker, "notification.DLT")) == 5 and len(mail.mails()) == 2
    assert len([line for line in reader.lines() if line.startswith("dead letter")]) == 5


def test_mails_that_found_no_server_are_put_back(stage, broker, mail):
    service = notification_service(stage, broker, mail)
    notify(broker, "a@example.com")
    stage.eventually(lambda: len(mail.mails()) == 1, "a mail")
    mail.kill()
    notify(broker, "b@example.com", "c@example.com")
    stage.eventually(lambda: len(records(broker, "notification.DLT")) == 2, "two dead letters", 60)
    service.wait_for("next try in 1.0 seconds")
    mail.start()
    for expected in ["2 are on their way again", "0 are on their way again"]:
        done = subprocess.run(
            [stage_program("dlt-reader"), "--replay", "--bootstrap", broker.bootstrap], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and expected in done.stdout, done.stdout + done.stderr
    stage.eventually(lambda: sorted(each["to"][0][0] for each in mail.mails()) == ["a", "b", "c"], "all three mails")


def stage_program(name):
    return PROGRAMS / name


def test_retry_topics_hold_nobody_up(stage, broker, mail):
    notification_service(stage, broker, mail, "--retry-topics")
    mail.refuse("busy", "451 4.3.0 try again later")
    mail.refuse("always", "451 4.3.0 try again later")
    begun = time.monotonic()
    notify(broker, "always@example.com", "busy@example.com", "nobody", *[f"an{number}@example.com" for number in range(10)])
    stage.eventually(lambda: len(mails_to(mail, "an")) == 10, "those behind do not wait")
    assert len(records(broker, "notification-retry-0")) == 2
    mail.refuse("busy", None)
    stage.eventually(lambda: len(mails_to(mail, "busy")) == 1, "the second or third try", 15)
    # What can never be mailed waits for nothing; the other one has five attempts, after 2, 4, 8 and 16 s.
    stage.eventually(lambda: len(records(broker, "notification-dlt")) == 1, "the wrong address is a dead letter")
    letters = stage.eventually(lambda: (found := records(broker, "notification-dlt"))[1:] and found, "two dead letters", 60)
    assert time.monotonic() - begun >= 30
    assert sorted(headers(each)["ottla.attempts"] for each in letters) == ["1", "5"]
    assert all(len(records(broker, f"notification-retry-{number}")) >= 1 for number in range(4))
    assert len(mails_to(mail, "busy")) == 1 and len(mail.mails()) == 11


def test_a_wrong_password_ends_the_service_and_no_mail_is_given_up(stage, broker, mail):
    service = notification_service(stage, broker, mail, password="wrong")
    notify(broker, "an@example.com", "binh@example.com")
    assert stage.eventually(lambda: not service.is_running, "the service has ended")
    assert service.process.returncode == 1
    assert "check user and password" in service.wait_for("SMTP 535")
    assert records(broker, "notification.DLT") == [] and mail.mails() == []
    service.environment["MAIL_PASSWORD"] = mail.password
    service.start()
    stage.eventually(lambda: len(mail.mails()) == 2, "both mails")


def test_no_mail_is_lost_when_the_notification_service_is_killed(stage, broker, mail):
    service = notification_service(stage, broker, mail)
    expected = [f"an{number:03}@example.com" for number in range(150)]
    notify(broker, *expected)
    for part in [20, 60, 100]:
        stage.eventually(lambda: len(mail.mails()) >= part, f"{part} mails", 60)
        service.kill()
        service.start()
    stage.eventually(lambda: {each["to"][0] for each in mail.mails()} == set(expected), "all mails", 90)
    # What comes twice has the same Message-ID.
    assert len({each["headers"]["Message-ID"] for each in mail.mails()}) == len(expected)
    print(f"{len(mail.mails()) - len(expected)} mails came twice")


def test_a_statistic_is_stored_once_whoever_fails(stage, broker, database):
    service = statistic_service(stage, broker, database)
    rows = lambda: sorted(row[0] for row in database.query("SELECT message FROM statistics"))
    line = lambda message: json.dumps({"message": message, "createdDate": "2026-11-29T10:00:00Z"})
    produce(broker, "statistic", line("sent twice"), header="outbox-id=7")
    produce(broker, "statistic", line("sent twice"), header="outbox-id=7")
    produce(broker, "statistic", line("equal"), line("equal"), "no JSON", '{"message": "no date"}', line("a\0b"))
    produce(broker, "statistic", line("the last"))
    expected = ["equal", "equal", "sent twice", "the last"]
    stage.eventually(lambda: rows() == expected, "four rows")
    assert len(records(broker, "statistic.DLT")) == 3
    # All of it again, as after a kill before a commit.
    service.stop()
    ottla("group", "reset", "statisticGroup", "--topic", "statistic", "--to", "earliest", "--bootstrap", broker.bootstrap)
    service.start()
    stage.eventually(lambda: service.text().count("was there already: the last") == 1, "all were read again")
    assert rows() == expected
    # The database is away for longer than a few tries: the row waits, and is no dead letter.
    database.stop()
    produce(broker, "statistic", line("patient"))
    service.wait_for("failed 3 times", 30)
    service.kill()
    service.start(awaited=False)
    service.wait_for("the database has to wait")
    database.start()
    stage.eventually(lambda: rows() == sorted([*expected, "patient"]), "the row that waited", 60)
    # What was not committed before the kill was read once more, dead letters and all; the row that waited is none of them.
    assert {headers(letter)["ottla.original.offset"] for letter in records(broker, "statistic.DLT")} == {"4", "5", "6"}


@pytest.mark.parametrize("program, words, sentence", [
    ("account-service", [], "--database is missing"),
    ("account-service", ["--database", "mysql://a:geheim@b/c"], "postgresql://user:password@host:port/database"),
    ("account-service", ["--database", "postgresql://a@b/c", "--port", "x"], "--port must be a number"),
    ("statistic-service", ["--databas", "x"], "there is no option --databas"),
    ("notification-service", [], "--mail-password is missing"),
    ("notification-service", ["--mail-password", "x", "--mail-certificate", "/nowhere"], "/nowhere cannot be read"),
    ("notification-service", ["--mail-password", "x", "--mail-from", "shop"], "no address of a mailbox"),
    ("dlt-reader", ["--replay=yes"], "--replay takes no value"),
])
def test_wrong_options_are_told_what_is_wrong(program, words, sentence):
    done = subprocess.run([stage_program(program), *words], capture_output=True, text=True, timeout=30, env={})
    assert done.returncode == 2 and sentence in done.stderr and "geheim" not in done.stderr
    shown = subprocess.run([stage_program(program), "--help"], capture_output=True, text=True, timeout=30)
    assert shown.returncode == 0 and "examples:" in shown.stdout


def test_a_database_that_refuses_the_password_ends_the_services(stage, broker, database):
    wrong = database.url.replace("correct-horse", "wrong")
    for program in ["account-service", "statistic-service"]:
        done = subprocess.run(
            [stage_program(program), "--database", wrong, "--bootstrap", broker.bootstrap], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "check user and password" in done.stderr
