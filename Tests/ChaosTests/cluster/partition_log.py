"""What the partitions must hold, pieced together from what producers were told and consumers have read."""

import bisect
import collections


class KnownLogs:
    """For each key the values that offsets were seen with."""

    def __init__(self):
        self._values = collections.defaultdict(lambda: collections.defaultdict(set))
        self._offsets = {}

    def saw(self, key, offset, value):
        self._values[key][offset].add(value)
        self._offsets.pop(key, None)

    def offsets(self, key):
        """The offsets that hold a record, in order."""
        if key not in self._offsets:
            self._offsets[key] = sorted(self._values.get(key, ()))
        return self._offsets[key]

    def between(self, key, after, before):
        """[offset, value] of the records strictly between two offsets."""
        offsets = self.offsets(key)
        first, last = bisect.bisect_right(offsets, after), bisect.bisect_left(offsets, before)
        return [[offset, min(self._values[key][offset])] for offset in offsets[first:last]]

    def findings(self):
        return list(self._findings())

    def _findings(self):
        for key in sorted(self._values):
            places = collections.defaultdict(set)
            for offset in self.offsets(key):
                values = self._values[key][offset]
                if len(values) > 1:
                    yield "inconsistent-offsets", {"key": key, "offset": offset, "values": sorted(values)}
                for value in values:
                    places[value].add(offset)
            for value in sorted(places):
                if len(places[value]) > 1:
                    yield "duplicate", {"key": key, "value": value, "offsets": sorted(places[value])}
