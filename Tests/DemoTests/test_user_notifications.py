"""The two servers of Examples/user-notifications, from end to end."""

import http.client
import json
import subprocess
import threading
import time
import urllib.parse

import pytest
from stage import PROGRAMS, brokers, free_ports

DEMO = "user-notifications"
GROUP, TOPIC = "notifications-group", "notifications"
USERS = range(1, 5)


# What the tests do with the servers.

def start_producer(stage, bootstrap, *words):
    return stage.program("notification-producer", "--bootstrap-servers", bootstrap, "--port", 0, *words)


def start_consumer(stage, bootstrap, *words, **how):
    return stage.program("notification-consumer", "--bootstrap-servers", bootstrap, "--port", 0, *words, **how)


def ask(server, method, path, form=None):
    """Status, headers and JSON, without following where an answer points."""
    host, port = server.values["http"].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=40)
    try:
        body = None if form is None else urllib.parse.urlencode(form)
        headers = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, dict(answer.getheaders()), json.loads(text) if text else None
    finally:
        connection.close()


def send(producer, to, message, sender=1):
    return ask(producer, "POST", "/send", {"fromID": sender, "toID": to, "message": message})


def sent(producer, to, message, sender=1):
    """Sends, and returns partition and offset."""
    status, _, answer = send(producer, to, message, sender)
    assert status == 200, answer
    assert answer["topic"] == TOPIC
    return answer["partition"], answer["offset"]


def read(stage, consumer, user):
    """The answer of this server, or of the one it points to."""
    status, text = stage.get(f"http://{consumer.values['http']}/notifications/{user}")
    return status, json.loads(text)


def messages(stage, consumer, user):
    status, answer = read(stage, consumer, user)
    assert status == 200, answer
    return [each["message"] for each in answer["notifications"]]


def holdings(consumer):
    """The partitions that this server reads, each with what it holds of it."""
    status, _, answer = ask(consumer, "GET", "/assignment")
    assert status == 200
    return {each["partition"]: each for each in answer["partitions"]}


def partitions(consumer):
    return set(holdings(consumer))


def is_shared(consumers, count=3):
    """Whether each partition is read to its end by exactly one of `consumers`, and by no more than its share."""
    each = [holdings(consumer) for consumer in consumers]
    share = -(-count // len(consumers))
    return (
        sorted(partition for one in each for partition in one) == list(range(count))
        and all(one["isComplete"] for held in each for one in held.values())
        and all(len(held) <= share for held in each))


def produce(broker, partition, text, separator=None):
    """What anybody may write into the topic."""
    words = [brokers.OTTLA, "produce", TOPIC, "--bootstrap", broker.bootstrap, "--partition", str(partition)]
    words += ["-Z", "-k", separator] if separator else []
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# Sending and reading.

def test_what_is_sent_is_shown_with_its_place(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap)
    status, _, answer = ask(producer, "GET", "/users")
    assert status == 200 and [user["id"] for user in answer["users"]] == list(USERS)
    partition_of = {user["id"]: user["partition"] for user in answer["users"]}
    assert len(set(partition_of.values())) > 1, "the keys of the demo should spread"
    places = {user: [] for user in USERS}
    for number in range(5):
        for user in USERS:
            places[user].append(sent(producer, user, f"số {number} \u263a", sender=user % 4 + 1))
    for user in USERS:
        # A key stays in its partition, and what is sent later comes behind.
        assert {partition for partition, _ in places[user]} == {partition_of[user]}
        offsets = [offset for _, offset in places[user]]
        assert offsets == sorted(set(offsets))
    for user in USERS:
        stage.eventually(
            lambda: messages(stage, consumer, user) == [f"số {number} \u263a" for number in range(5)], f"all for {user}")
    status, answer = read(stage, consumer, 2)
    assert set(answer) == {"notifications"}
    assert answer["notifications"][0]["from"]["id"] == 3
    assert answer["notifications"][0]["to"] == {"id": 2, "name": "Bình"}


def test_nobody_has_written_yet(stage):
    broker = stage.broker()
    consumer = start_consumer(stage, broker.bootstrap)
    status, answer = read(stage, consumer, 4)
    assert status == 200
    assert answer == {"message": "there are no notifications for user 4", "notifications": []}


@pytest.mark.parametrize("form, status, sentence", [
    ({"fromID": 1, "toID": 9, "message": "x"}, 404, "there is no user 9"),
    ({"fromID": 9, "toID": 1, "message": "x"}, 404, "there is no user 9"),
    ({"fromID": "one", "toID": 1, "message": "x"}, 400, "\"one\" is no user's id"),
    ({"fromID": 1, "toID": "1.5", "message": "x"}, 400, "\"1.5\" is no user's id"),
    ({"toID": 1, "message": "x"}, 400, "\"fromID\" is missing"),
    ({"fromID": 1, "toID": 1, "message": ""}, 400, "\"message\" is missing"),
    ({"fromID": 1, "toID": 1, "message": "x" * 4001}, 400, "4001 bytes"),
])
def test_what_cannot_be_sent_is_said(servers_without_broker, form, status, sentence):
    producer, _ = servers_without_broker
    got, _, answer = ask(producer, "POST", "/send", form)
    assert got == status and sentence in answer["error"]


def test_who_is_not_there_has_no_notifications(servers_without_broker):
    _, consumer = servers_without_broker
    for path, status, sentence in [("9", 404, "there is no user 9"), ("x", 400, "is no user's id")]:
        got, _, answer = ask(consumer, "GET", f"/notifications/{path}")
        assert got == status and sentence in answer["message"] and answer["notifications"] == []


@pytest.fixture
def servers_without_broker(stage):
    """Both are ready without one: who asks is told."""
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    return start_producer(stage, nowhere), start_consumer(stage, nowhere)


def test_a_broker_that_comes_late_is_found(stage):
    broker = stage.broker()
    broker.stop()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap)
    status, _, answer = send(producer, 1, "too early")
    assert status == 503 and "no broker answers" in answer["error"]
    status, answer = read(stage, consumer, 1)
    assert status == 503 and "no broker answers" in answer["error"]
    broker.start()
    sent(producer, 1, "hello")
    stage.eventually(lambda: messages(stage, consumer, 1) == ["hello"], "the first notification")
    assert len(broker.describe_topic(TOPIC)["partitions"]) == 3


def test_the_newest_are_kept(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap, "--keep", 5)
    for number in range(12):
        sent(producer, 3, str(number))
    for _ in range(2):
        stage.eventually(lambda: messages(stage, consumer, 3) == [str(n) for n in range(7, 12)], "the last five")
        assert read(stage, consumer, 3)[1]["omitted"] == 7
        consumer.kill()
        consumer.start()


# Several consumers.

def test_the_fourth_consumer_waits_for_its_turn(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    for number in range(3):
        for user in USERS:
            sent(producer, user, f"{number}")
    consumers = [start_consumer(stage, broker.bootstrap, name=f"consumer-{n}") for n in range(4)]
    stage.eventually(lambda: is_shared(consumers), "three have a partition each, the fourth none", 40)
    idle = next(each for each in consumers if not partitions(each))
    idle.wait_for("this server reads nothing")

    # Whoever is asked, the answer is the same: it points to the one that knows.
    status, _, answer = ask(producer, "GET", "/users")
    partition_of = {user["id"]: user["partition"] for user in answer["users"]}
    for user in USERS:
        owner = next(each for each in consumers if partition_of[user] in partitions(each))
        for each in consumers:
            status, headers, answer = ask(each, "GET", f"/notifications/{user}")
            if each is owner:
                assert status == 200
            else:
                assert status == 307
                assert headers["Location"] == f"http://{owner.values['http']}/notifications/{user}"
                assert f"partition {partition_of[user]}" in answer["message"]
            assert messages(stage, each, user) == ["0", "1", "2"]
    members = ask(idle, "GET", "/assignment")[2]["members"]
    assert sorted(partition for member in members for partition in member["partitions"]) == [0, 1, 2]
    assert {member["consumer"] for member in members} == {f"http://{each.values['http']}" for each in consumers}

    leaving = next(each for each in consumers if each is not idle)
    was = partitions(leaving)
    leaving.stop()
    left = [each for each in consumers if each is not leaving]
    stage.eventually(lambda: is_shared(left), "the fourth has taken over", 30)
    assert partitions(idle) == was
    for user in USERS:
        for each in left:
            assert messages(stage, each, user) == ["0", "1", "2"]


def test_a_killed_consumer_is_replaced_and_nothing_is_lost_or_doubled(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumers = [start_consumer(stage, broker.bootstrap, name=f"consumer-{n}") for n in range(2)]
    stage.eventually(lambda: {len(partitions(each)) for each in consumers} == {1, 2}, "both read", 40)
    for number in range(10):
        for user in USERS:
            sent(producer, user, f"{number}")
        if number == 5:
            consumers[0].kill()
    stage.eventually(lambda: is_shared(consumers[1:]), "the other reads all", 40)
    expected = [str(number) for number in range(10)]
    for user in USERS:
        assert messages(stage, consumers[1], user) == expected
    consumers[0].start()
    stage.eventually(lambda: is_shared(consumers, 3), "both read again", 40)
    for user in USERS:
        for each in consumers:
            assert messages(stage, each, user) == expected


def test_the_mailbox(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap)
    sent(producer, 2, "while it reads")
    stage.eventually(lambda: messages(stage, consumer, 2) == ["while it reads"], "the first is there")
    consumer.stop()
    place = sent(producer, 2, "while it is away")
    consumer.start()
    assert messages(stage, consumer, 2) == ["while it reads", "while it is away"]
    # What the group had read before is shown, and not told as new.
    consumer.wait_for(f"notifications-{place[0]} at {place[1]}: An to Bình: while it is away")
    assert sum("to Bình: while it reads" in line for line in consumer.lines()) == 1


# What goes wrong.

def test_what_is_no_notification_is_passed_over(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    partition, _ = sent(producer, 2, "before")
    good = '{"from":{"id":1,"name":"An"},"message":"%s","to":{"id":%d,"name":"Binh"}}'
    poison = [
        "2|", "2|no JSON\x1b[2J", '2|{"message":"half"}', "1|" + good % ("the wrong key", 2), "|" + good % ("no key", 2),
        "9|" + good % ("for a stranger", 9), "2|" + good % ("x" * 4001, 2), "2|" + good % ("", 2),
    ]
    produce(broker, partition, "\n".join(poison) + "\n", "|")
    sent(producer, 2, "behind")
    consumer = start_consumer(stage, broker.bootstrap)
    stage.eventually(lambda: messages(stage, consumer, 2) == ["before", "behind"], "both good ones")
    assert holdings(consumer)[partition]["passedOver"] == len(poison)
    consumer.wait_for("the receiver's id, \"2\"")
    line = consumer.wait_for(f"the value of {TOPIC}-{partition} at offset 2 does not decode")
    assert "passed over" in line and "\x1b" not in line


def test_a_line_of_log_cannot_be_forged(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap)
    sent(producer, 1, "hello\nready http=elsewhere")
    stage.eventually(lambda: messages(stage, consumer, 1) == ["hello\nready http=elsewhere"], "it is there")
    assert [line for line in consumer.lines() if line.startswith("ready")] == [f"ready http={consumer.values['http']}"]


def test_the_broker_is_away_for_a_while(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap)
    sent(producer, 1, "first")
    stage.eventually(lambda: messages(stage, consumer, 1) == ["first"], "the first is there")
    broker.stop()
    began = time.monotonic()
    status, _, answer = send(producer, 1, "not now")
    assert status in (503, 504) and time.monotonic() - began < 20, answer
    assert ("not sent, try again later" if status == 503 else "may come twice") in answer["error"]
    # What was read is in memory, also when the session has ended, and the group may have given the partitions to others.
    assert messages(stage, consumer, 1) == ["first"]
    consumer.wait_for("the group has not been heard of")
    assert messages(stage, consumer, 1) == ["first"]
    assert "what was read before" in read(stage, consumer, 1)[1]["message"]
    broker.start()
    stage.eventually(lambda: send(producer, 1, "second")[0] == 200, "the producer has found the broker")
    stage.eventually(lambda: messages(stage, consumer, 1)[-1] == "second", "so has the consumer", 40)
    if status == 503:
        assert messages(stage, consumer, 1) == ["first", "second"]


def test_the_end_does_not_wait_for_a_broker(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap)
    sent(producer, 1, "first")
    stage.eventually(lambda: messages(stage, consumer, 1) == ["first"], "the first is there")
    broker.kill()
    began = time.monotonic()
    # With status 0, as `stop` sees to.
    producer.stop()
    consumer.stop()
    assert time.monotonic() - began < 20


class Load:
    """Sends to all users at once, one notification a user at a time, until told to end; notes what became of each."""

    def __init__(self, producer):
        self.producer, self.ends = producer, threading.Event()
        self.confirmed = {user: [] for user in USERS}
        self.doubtful = {user: set() for user in USERS}
        self.threads = [threading.Thread(target=self._run, args=[user], daemon=True) for user in USERS]
        for thread in self.threads:
            thread.start()

    def _run(self, user):
        number = 0
        while not self.ends.is_set():
            message, number = f"{user}.{number}", number + 1
            try:
                status, _, answer = send(self.producer, user, message, sender=user)
            except (OSError, http.client.HTTPException, ValueError):
                status = None
            if status == 200:
                self.confirmed[user].append((message, answer["offset"]))
            elif status != 503:
                # Neither yes nor no: it may have been sent.
                self.doubtful[user].add(message)
            if status != 200:
                time.sleep(0.05)

    def count(self):
        return sum(map(len, self.confirmed.values()))

    def wait_for_more(self, stage, count=100, seconds=60):
        goal = self.count() + count
        stage.eventually(lambda: self.count() >= goal, f"{count} more are confirmed", seconds)

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()

    def check(self, stage, consumer):
        """What was confirmed is there once and in order; what is there besides was in doubt, and is there once too."""
        for user in USERS:
            confirmed = [message for message, _ in self.confirmed[user]]
            assert confirmed

            def there():
                shown = messages(stage, consumer, user)
                return shown if set(confirmed) <= set(shown) else None

            shown = stage.eventually(there, f"all that was confirmed for {user}", 40)
            assert len(shown) == len(set(shown)), f"user {user} has something twice"
            assert set(shown) <= set(confirmed) | self.doubtful[user]
            assert [message for message in shown if message in set(confirmed)] == confirmed
            offsets = [offset for _, offset in self.confirmed[user]]
            assert offsets == sorted(set(offsets))


@pytest.mark.parametrize("which", ["producer", "consumer"])
def test_a_server_is_killed_under_load(stage, which):
    broker = stage.broker()
    servers = {
        "producer": start_producer(stage, broker.bootstrap),
        "consumer": start_consumer(stage, broker.bootstrap, "--keep", 100000),
    }
    load = Load(servers["producer"])
    for _ in range(3):
        load.wait_for_more(stage)
        servers[which].kill()
        servers[which].start()
    load.wait_for_more(stage)
    load.end()
    load.check(stage, servers["consumer"])


def test_the_broker_is_killed_under_load(stage):
    broker = stage.broker()
    producer = start_producer(stage, broker.bootstrap)
    consumer = start_consumer(stage, broker.bootstrap, "--keep", 100000)
    load = Load(producer)
    for _ in range(2):
        load.wait_for_more(stage)
        broker.kill()
        time.sleep(0.5)
        broker.start()
    load.wait_for_more(stage)
    load.end()
    load.check(stage, consumer)


def test_the_leader_is_killed_under_load(stage):
    cluster = stage.cluster()
    producer = start_producer(stage, cluster.bootstrap)
    consumer = start_consumer(stage, cluster.bootstrap, "--keep", 100000)
    load = Load(producer)
    load.wait_for_more(stage)
    leader = cluster.leader(TOPIC)
    leader.kill()
    load.wait_for_more(stage)
    leader.start()
    load.wait_for_more(stage)
    load.end()
    load.check(stage, consumer)


# The programs themselves.

@pytest.mark.parametrize("program", ["notification-producer", "notification-consumer"])
def test_the_command_line(program):
    path = PROGRAMS / program

    def run(*words):
        return subprocess.run([path, *words], capture_output=True, text=True, timeout=20)

    shown = run("--help")
    assert shown.returncode == 0 and "examples:" in shown.stdout and "--bootstrap-servers" in shown.stdout
    for words, sentence in [
        (["--prot", "1"], "no option --prot"), (["--port"], "--port needs a value"),
        (["--port", "65536"], "from 0 to 65535"), (["--partitions", "0"], "from 1 to 1000"),
    ]:
        refused = run(*words)
        assert refused.returncode == 2 and sentence in refused.stderr and refused.stdout == ""
    for words, sentence in [
        (["--bootstrap-servers", "localhost:port"], "must be host:port"), (["--bootstrap-servers", ""], "must be host:port"),
    ]:
        refused = run(*words, "--port", "0")
        assert refused.returncode == 1 and sentence in refused.stderr, refused.stderr


@pytest.mark.parametrize("program", ["notification-producer", "notification-consumer"])
def test_a_port_that_is_taken(stage, program):
    path = PROGRAMS / program
    first = stage.program(program, "--port", 0, "--bootstrap-servers", "127.0.0.1:1")
    port = first.values["http"].split(":")[1]
    second = subprocess.run([path, "--port", port], capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and f"cannot listen on 127.0.0.1:{port}" in second.stderr
