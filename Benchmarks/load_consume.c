// Consume from offset 0, each connection its own partitions in turn; at the end of a partition again from its start,
// until enough records came. One fetch in flight a connection, its offset patched from the answer before.
#define _GNU_SOURCE
#include "batch.h"
#include "checksum.h"
#include "load.h"
#include "setup.h"
#include <sys/epoll.h>
#include <unistd.h>

enum { FETCH_WAIT_MS = 500 };

typedef struct {
  connection_t connection;
  writer_t request;
  size_t offset_at;
  unsigned partition;
  uint64_t offset, sent_at;
  uint32_t correlation;
} consumer_t;

typedef struct {
  const options_t *o;
  int epoll;
  histogram_t latency;
  uint64_t completed;
  bool measuring, stopping;
  bracket_t from;
  result_t result;
} consume_run_t;

static void send_fetch(consume_run_t *run, consumer_t *c) {
  store32(c->request.bytes + CORRELATION_AT, ++c->correlation);
  store64(c->request.bytes + c->offset_at, c->offset);
  put_bytes(&c->connection.out, c->request.bytes, c->request.length);
  c->sent_at = now_ns();
  flush_connection(&c->connection, run->epoll, c);
}

// The records of the whole batches in `bytes`, which must follow each other from the batch that holds c->offset on.
// A broker may cut the last batch short; what is cut is fetched again.
static uint64_t walk_batches(const options_t *o, consumer_t *c, slice_t bytes) {
  uint64_t records = 0, from = c->offset;
  const uint8_t *at = bytes.bytes, *end = at + bytes.length;
  while (end - at >= BATCH_HEADER_BYTES) {
    uint64_t base = load64(at);
    size_t length = (size_t)load32(at + 8) + 12;
    if ((size_t)(end - at) < length) break;
    uint64_t next = base + load32(at + 23) + 1;
    if (at[16] != 2 || length < BATCH_HEADER_BYTES) fail("Fetch: not a batch at offset %lu", c->offset);
    if (records ? base != c->offset : base > from || next <= from)
      fail("Fetch: batch %lu where offset %lu was due", base, c->offset);
    if (o->verify && load32(at + BATCH_CRC_AT) != ottla_crc32c(0, at + BATCH_CRC_FROM, length - BATCH_CRC_FROM))
      fail("Fetch: wrong CRC in batch %lu", base);
    records += load32(at + BATCH_COUNT_AT);
    c->offset = next;
    at += length;
  }
  if (!records && bytes.length) fail("Fetch: no whole batch in %zu bytes at offset %lu", bytes.length, c->offset);
  return records;
}

static void count_fetch(consume_run_t *run, consumer_t *c, uint64_t records, uint64_t bytes) {
  const options_t *o = run->o;
  run->completed++;
  if (!run->measuring && !run->stopping && run->completed > o->warmup_requests) {
    run->measuring = true;
    run->from = take_bracket(o);
    return;
  }
  if (!run->measuring) return;
  run->result.requests++;
  run->result.records += records;
  run->result.bytes += bytes;
  uint64_t now = now_ns();
  histogram_add(&run->latency, now - c->sent_at);
  bool over = o->records ? run->result.records >= o->records
            : o->requests ? run->result.requests >= o->requests
                          : now - run->from.wall >= o->seconds * 1000000000ull;
  if (!over) return;
  set_elapsed(&run->result, run->from, take_bracket(o));
  run->measuring = false;
  run->stopping = true;
}

static void read_fetches(consume_run_t *run, consumer_t *c) {
  if (!receive_some(&c->connection)) return;
  size_t length;
  const uint8_t *answer = next_answer(&c->connection, &length);
  if (!answer) return;
  fetched_t fetched = check_fetch_answer(answer, length, c->correlation, c->partition);
  if (fetched.high_watermark <= fetched.log_start_offset) fail("Fetch: partition %u is empty", c->partition);
  uint64_t records = walk_batches(run->o, c, fetched.records);
  count_fetch(run, c, records, fetched.records.length);
  if (c->offset >= fetched.high_watermark) c->offset = fetched.log_start_offset;
  if (!run->stopping) send_fetch(run, c);
}

void run_consume(const options_t *o) {
  consume_run_t run = {.o = o, .epoll = epoll_create1(EPOLL_CLOEXEC), .result = {.mode = "consume"}};
  consumer_t *consumers = calloc(o->connections, sizeof *consumers);
  for (unsigned i = 0; i < o->connections; i++) {
    consumer_t *c = &consumers[i];
    c->partition = i % o->partitions;
    c->offset_at = put_fetch(&c->request, o->topic, c->partition, 0, FETCH_WAIT_MS, o->max_bytes);
    open_connection(&c->connection, o, run.epoll, c);
    send_fetch(&run, c);
  }
  while (!run.stopping) {
    struct epoll_event events[64];
    int n = epoll_wait(run.epoll, events, 64, -1);
    for (int i = 0; i < n; i++) {
      consumer_t *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush_connection(&c->connection, run.epoll, c);
      if (events[i].events & ~EPOLLOUT) read_fetches(&run, c);
    }
  }
  run.result.latency = &run.latency;
  print_result(o, &run.result);
  for (unsigned i = 0; i < o->connections; i++) close(consumers[i].connection.fd);
}
