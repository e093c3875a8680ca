"""Collects figures and writes them as Markdown and JSON."""
import datetime
import json
import os
import platform
import statistics


def shown(value):
  if value is None:
    return "-"
  digits = 4 if value < 0.1 else 3 if value < 1 else 2 if value < 100 else 0
  return f"{value:.{digits}f}"


class Row:
  """A work: the figures of every run, by server. Smaller is better; the best run counts."""

  def __init__(self, title, unit, ratio_goal, goal):
    self.title, self.unit, self.ratio_goal, self.goal = title, unit, ratio_goal, goal
    self.runs = {}
    self.best_taken = {}

  def best(self, column):
    return min(self.runs[column]) if column in self.runs else None

  def median(self, column):
    return statistics.median(self.runs[column]) if column in self.runs else None


class Results:
  def __init__(self, arguments, has_broker):
    self.arguments = arguments
    self.has_broker = has_broker
    self.rows, self.figures, self.failures = {}, {}, []
    self.load_before = os.getloadavg()[0]
    self.began = datetime.datetime.now(datetime.timezone.utc)

  def add(self, key, title, unit, column, value, taken, ratio_goal=None, goal=None):
    row = self.rows.setdefault(key, Row(title, unit, ratio_goal, goal))
    if column not in row.runs or value < min(row.runs[column]):
      row.best_taken[column] = taken
    row.runs.setdefault(column, []).append(value)
    print(f"    {key:16} {column:18} {shown(value)} {unit}", flush=True)

  def figure(self, key, title, unit, value, goal):
    self.figures.setdefault(key, (title, unit, goal, []))[3].append(value)
    print(f"    {title}: {shown(value)} {unit}", flush=True)

  def failed(self, name, reason):
    self.failures.append((name, reason))
    print(f"    failed: {reason}", flush=True)

  def _ratio(self, row, of):
    """The broker's figure to that of the floor with as many threads; latency and fetch have a floor of one."""
    floor = f"floor {self.arguments.floor_threads}"
    floor = floor if floor in row.runs else "floor 1"
    broker, base = of(row, "broker"), of(row, floor)
    return broker / base if broker is not None and base else None

  def _verdict(self, row):
    ratio, broker = self._ratio(row, Row.best), row.best("broker")
    if broker is None:
      return "not measured"
    if row.ratio_goal:
      return "met" if ratio is not None and ratio <= row.ratio_goal else "missed"
    if row.goal:
      return "met" if broker <= row.goal else "missed"
    return "reported"

  def missed(self):
    verdicts = [self._verdict(row) for row in self.rows.values()]
    verdicts += ["met" if goal is None or min(v) <= goal else "missed" for _, _, goal, v in self.figures.values()]
    return "missed" in verdicts

  def markdown(self):
    columns = ["floor 1", "floor 2", "floor 2 crossing", "broker"]
    runs = self.arguments.runs
    lines = [
      "# Benchmark", "",
      f"{self.began:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.system()} {platform.release()}, load "
      f"average {self.load_before:.2f} before and {os.getloadavg()[0]:.2f} after; best of {runs}"
      f"{', quick' if self.arguments.quick else ''}. CPU is user + system time of the server alone, loopback and page "
      "cache included. The floor is a plain C server doing the same receive, CRC-32C, preallocated pwrite and send, or "
      "sendfile, with 1 or 2 threads; crossing: half of its requests change threads. "
      f"The ratio is the broker's to the floor of {self.arguments.floor_threads} threads (of 1 where there is no "
      "other); in brackets that of the medians.", "",
      "| work | unit | " + " | ".join(columns) + " | ratio | goal | |",
      "|---|---|" + "---|" * len(columns) + "---|---|---|"]
    for row in self.rows.values():
      ratio, median_ratio = self._ratio(row, Row.best), self._ratio(row, Row.median)
      cells = [shown(row.best(column)) for column in columns]
      said = "-" if ratio is None else f"{ratio:.2f} ({median_ratio:.2f})"
      goal = f"ratio ≤ {row.ratio_goal}" if row.ratio_goal else f"≤ {row.goal}" if row.goal else "-"
      lines.append("| " + " | ".join([row.title, row.unit, *cells, said, goal, self._verdict(row)]) + " |")
    self._add_throughput(lines, columns)
    if self.figures:
      lines += ["", "| figure | unit | best | median | goal | |", "|---|---|---|---|---|---|"]
    for title, unit, goal, values in self.figures.values():
      verdict = "reported" if goal is None else "met" if min(values) <= goal else "missed"
      lines.append(f"| {title} | {unit} | {shown(min(values))} | {shown(statistics.median(values))} | "
                   f"{'-' if goal is None else f'≤ {goal}'} | {verdict} |")
    if not self.has_broker:
      lines += ["", "No broker was measured."]
    for name, reason in self.failures:
      lines += ["", f"**{name} failed**: {reason}"]
    return "\n".join(lines) + "\n"

  def _add_throughput(self, lines, columns):
    rows = [(key, row) for key, row in self.rows.items() if not key.startswith("latency")]
    if not rows:
      return
    lines += ["", "The best runs in full (the load shares the cores, so rates are not the servers' limits):", "",
              "| work | server | records/s | MB/s | CPU s a million records | p50 ms | p99 ms | p99.9 ms |",
              "|---|---|---|---|---|---|---|---|"]
    for key, row in rows:
      for column in ["echo", *columns]:
        taken = row.best_taken.get(column)
        if not taken:
          continue
        quantiles = taken.get("latency_us", {})
        waits = [shown(quantiles[q] / 1000) if q in quantiles else "-" for q in ("p50", "p99", "p99.9")]
        lines.append(f"| {key} | {column} | {taken['records_per_s']:,.0f} | {shown(taken.get('mb_per_s'))} | "
                     f"{shown(taken['target_s_per_million_records'])} | " + " | ".join(waits) + " |")

  def write(self, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(self.markdown())
    rows = {key: {"title": row.title, "unit": row.unit, "runs": row.runs, "best": row.best_taken,
                  "verdict": self._verdict(row)} for key, row in self.rows.items()}
    figures = {key: {"title": title, "unit": unit, "goal": goal, "values": values}
               for key, (title, unit, goal, values) in self.figures.items()}
    path.with_suffix(".json").write_text(json.dumps(
      {"began": self.began.isoformat(), "works": rows, "figures": figures, "failures": self.failures}, indent=1) + "\n")
