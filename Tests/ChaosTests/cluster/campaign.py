"""Rounds of harm, drawn by a seed: quiet, then some nemeses at once, then all is put right again."""

import time

from nemeses import draw

# Now and then nothing is done to the cluster until it has come together.
WHOLE_SECONDS_MAX = 60


class Round:
    """What was done, and how the cluster took it."""

    def __init__(self, number, names):
        self.number, self.names = number, names
        self.start = time.monotonic()
        self.end = self.whole_after = None

    def as_json(self):
        return {
            "round": self.number, "nemeses": self.names, "start": round(self.start, 3), "end": round(self.end, 3),
            "wholeAfterSeconds": None if self.whole_after is None else round(self.whole_after, 1),
        }


class Campaign:
    def __init__(self, world, chance):
        self.world, self.chance = world, chance
        self.rounds = []

    def run(self, seconds):
        deadline = time.monotonic() + seconds
        self.rest(min(5, seconds / 4))
        while time.monotonic() < deadline:
            self.round()
            if self.chance.random() < 0.5:
                self.rounds[-1].whole_after = self.world.wait_until_whole(WHOLE_SECONDS_MAX)
            self.rest(self.chance.uniform(1, 8))

    def rest(self, seconds):
        """Sleeps, and sees to processes that end meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.world.look_for_the_dead()
            time.sleep(min(left, 0.2))

    def chosen(self):
        """One to three nemeses that do not take each other's victims."""
        nemeses, taken = [], set()
        for _ in range(self.chance.choice([1, 1, 1, 2, 2, 3])):
            nemesis = draw(self.world, self.chance)
            if not taken & nemesis.takes:
                nemeses.append(nemesis)
                taken |= nemesis.takes
        return nemeses

    def round(self):
        nemeses = self.chosen()
        now = Round(len(self.rounds) + 1, [nemesis.name for nemesis in nemeses])
        self.rounds.append(now)
        # When each begins and ends, in seconds from here.
        steps = []
        for place, nemesis in enumerate(nemeses):
            begin = self.chance.uniform(0, 3) if place else 0.0
            steps.append((begin, place, nemesis.begin, f"{nemesis.name}"))
            steps.append((begin + self.chance.uniform(*nemesis.seconds), place, nemesis.end, f"over: {nemesis.name}"))
        started = time.monotonic()
        for when, _, act, words in sorted(steps, key=lambda step: step[:2]):
            self.rest(started + when - time.monotonic())
            self.world.tell(f"[{now.number}] {words}")
            act()
        now.end = time.monotonic()
