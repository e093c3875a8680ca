"""Bookings go on while services and brokers are killed at random. What comes out in the end is exact.

DEMO_KILLS says how many kills (5), DEMO_SEED which ones.
"""

import collections
import os
import pathlib
import random
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Examples/booking-limit"))

from shop import Shop, noon  # noqa: E402
from stage import eventually  # noqa: E402

DEMO = "booking-limit"
KILLS = int(os.environ.get("DEMO_KILLS", "5"))
SEED = int(os.environ.get("DEMO_SEED", random.randrange(1_000_000)))
# Of the kills, so many in ten are for one of the brokers.
BROKERS_IN_TEN = 3
LIMIT = 10


class Customer(threading.Thread):
    """Books for one user and day after the other, each booking until it is acknowledged."""

    def __init__(self, shop, number, is_over):
        super().__init__(daemon=True)
        self.shop, self.number, self.is_over = shop, number, is_over
        self.random = random.Random(f"{SEED}-{number}")
        # How many bookings, by user and day.
        self.booked = {}
        self.failure = None

    def run(self):
        try:
            for round in range(1_000_000):
                if self.is_over.is_set():
                    return
                day = noon(self.random.randrange(2))
                user, count = f"user-{self.number}-{round}", self.random.choice([9, 10, 11, 12, 13])
                for number in range(1, count + 1):
                    self.book(user, number, day)
                    time.sleep(0.05)
                self.booked[user, day.date()] = count
        except BaseException as error:
            self.failure = error

    def book(self, user, number, day):
        deadline = time.monotonic() + 180
        while True:
            try:
                status, answer = self.shop.book(user, number, day)
                if status == 202:
                    return
                assert status == 503, (status, answer)
            except OSError:
                # The service was killed, with or without our booking.
                pass
            assert time.monotonic() < deadline, f"booking {number} of {user} was not taken in three minutes"
            time.sleep(0.1)


def kill_at_random(shop, cluster):
    """Returns how often each was killed."""
    chance = random.Random(SEED)
    kills = collections.Counter()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 2))
        is_broker = chance.randrange(10) < BROKERS_IN_TEN
        victim = chance.choice(cluster.brokers if is_broker else list(shop.services.values()))
        victim.kill()
        kills[str(victim)] += 1
        time.sleep(chance.uniform(0, 3 if is_broker else 0.5))
        victim.start()
    return kills


def test_whatever_is_killed_the_outcome_is_exact(stage):
    print(f"seed {SEED}")
    cluster = stage.cluster()
    shop = Shop(stage, cluster)
    is_over = threading.Event()
    customers = [Customer(shop, number, is_over) for number in range(2)]
    for customer in customers:
        customer.start()
    try:
        kills = kill_at_random(shop, cluster)
    finally:
        is_over.set()
    for customer in customers:
        customer.join(240)
        assert customer.failure is None and not customer.is_alive(), customer.failure

    booked = {pair: count for customer in customers for pair, count in customer.booked.items()}
    orders = sorted(
        f"{user}/b-{number}" for (user, _), count in booked.items() for number in range(1, min(count, LIMIT) + 1))
    told = sorted(f"{day}.{user}" for (user, day), count in booked.items() if count > LIMIT)
    eventually(lambda: len(shop.shipments()) >= len(orders), f"{len(orders)} shipments", 180, pause=1)
    eventually(
        lambda: sorted(name for name, (state, _) in shop.notes().items() if state == "sent") == told,
        f"{len(told)} mails are noted as sent", 180, pause=1)
    # What is too much would come now.
    time.sleep(5)

    assert shop.counts() == booked
    assert shop.orders() == orders
    assert sorted(shop.shipments()) == orders
    assert sorted(shop.shipments().values()) == list(range(1, len(orders) + 1))
    deliveries = collections.Counter(shop.mails())
    assert sorted(deliveries) == told
    # Twice only where SMTP leaves no other choice: in doubt, by a kill of the one who sends.
    twice = {name for name, count in deliveries.items() if count > 1}
    doubtful = {name for name in told if f"mail booking-limit.{name} is in doubt" in shop["email-service"].text()}
    assert twice <= doubtful and max(deliveries.values()) <= 2
    assert len(doubtful) <= kills["email-service"] * 4
    repeats = {topic: repeated(shop.read(topic)) for topic in ["accepted-bookings", "orders", "shipments", "emails"]}
    print(
        f"{KILLS} kills ({dict(sorted(kills.items()))}): {sum(booked.values())} bookings of {len(booked)} users and days, "
        f"{len(orders)} orders and shipments, {len(told)} mails with as many Message-IDs, {len(doubtful)} of them once in doubt, "
        f"{len(twice)} delivered twice; repeats in the topics: {repeats}")


def repeated(records):
    """How many records a topic has too many: the same message of an outbox, published twice."""
    ids = [header["value"] for record in records for header in record["headers"] if header["name"] == "outbox-id"]
    assert len(ids) == len(records)
    return len(ids) - len(set(ids))
