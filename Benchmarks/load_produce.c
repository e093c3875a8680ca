// Produce as fast as the depth allows. The load never pauses between the first and the last measured answer: requests
// go on until the second snapshot is taken, and only then are the last answers drained.
#define _GNU_SOURCE
#include "batch.h"
#include "load.h"
#include "setup.h"
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

typedef struct { uint64_t sent_at; unsigned partition; } in_flight_t;

typedef struct {
  connection_t connection;
  in_flight_t *ring;          // depth places, by correlation id
  uint32_t issued, answered;  // correlation ids of the next request and the next answer
  unsigned next_partition;
  uint64_t *last_offset;      // by partition, of this connection's answers; -1 none yet
} producer_t;

typedef struct {
  const options_t *o;
  writer_t *templates;        // a request by variant and partition
  unsigned variants;
  histogram_t latency;
  uint64_t completed, begun_at, measured_from;
  bool measuring, stopping;
  bracket_t from, to;
  result_t result;
} produce_run_t;

static void refill(produce_run_t *run, producer_t *p) {
  if (p->connection.sent < p->connection.out.length) return;  // the socket is full already
  uint64_t now = 0;
  while (!run->stopping && p->issued - p->answered < run->o->depth) {
    if (!now) now = now_ns();
    const writer_t *request = &run->templates[p->issued % run->variants * run->o->partitions + p->next_partition];
    size_t start = p->connection.out.length;
    put_bytes(&p->connection.out, request->bytes, request->length);
    store32(p->connection.out.bytes + start + CORRELATION_AT, p->issued);
    p->ring[p->issued % run->o->depth] = (in_flight_t){now, p->next_partition};
    p->issued++;
    if (++p->next_partition == run->o->partitions) p->next_partition = 0;
  }
}

static void count_answer(produce_run_t *run, uint64_t sent_at, uint64_t now) {
  const options_t *o = run->o;
  run->completed++;
  if (!run->measuring && !run->stopping && run->completed > o->warmup_requests) {
    run->measuring = true;
    run->from = take_bracket(o);
    run->measured_from = run->completed;
    return;
  }
  if (!run->measuring) return;
  histogram_add(&run->latency, now - sent_at);
  uint64_t measured = run->completed - run->measured_from;
  bool over = o->requests ? measured >= o->requests
                          : measured % 64 == 0 && now - run->from.wall >= o->seconds * 1000000000ull;
  if (!over) return;
  run->to = take_bracket(o);
  run->result.requests = measured;
  run->measuring = false;
  run->stopping = true;
}

static void read_answers(produce_run_t *run, producer_t *p) {
  if (!receive_some(&p->connection)) return;
  size_t length;
  uint64_t now = now_ns();
  for (const uint8_t *answer; (answer = next_answer(&p->connection, &length)); p->answered++) {
    if (p->answered == p->issued) fail("an answer to no request");
    in_flight_t request = p->ring[p->answered % run->o->depth];
    if (run->o->verify) {
      uint64_t offset = check_produce_answer(answer, length, p->answered, request.partition);
      uint64_t last = p->last_offset[request.partition];
      if ((int64_t)offset < 0 || (last != UINT64_MAX && offset < last + run->o->records_per_batch))
        fail("Produce: base offset %ld after %ld", (long)offset, (long)last);
      p->last_offset[request.partition] = offset;
    }
    count_answer(run, request.sent_at, now);
  }
}

static void prepare_templates(produce_run_t *run) {
  const options_t *o = run->o;
  writer_t batch = {0};
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  uint64_t timestamp_ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
  run->variants = o->keyed ? 64 : 1;
  run->templates = calloc(o->partitions * run->variants, sizeof *run->templates);
  for (unsigned v = 0; v < run->variants; v++) {
    batch.length = 0;
    put_variant(&batch, o->records_per_batch, o->record_bytes, timestamp_ms, o->lz4, o->keyed ? v + 1 : 0);
    for (unsigned i = 0; i < o->partitions; i++)
      put_produce(&run->templates[v * o->partitions + i], o->topic, i, batch.bytes, batch.length, o->acks);
  }
  run->result.bytes = batch.length;  // of one request, for now
  free(batch.bytes);
}

static producer_t *open_producers(const options_t *o, int epoll) {
  producer_t *producers = calloc(o->connections, sizeof *producers);
  for (unsigned i = 0; i < o->connections; i++) {
    producer_t *p = &producers[i];
    p->ring = calloc(o->depth, sizeof *p->ring);
    p->last_offset = malloc(o->partitions * sizeof *p->last_offset);
    memset(p->last_offset, 0xff, o->partitions * sizeof *p->last_offset);
    p->next_partition = i % o->partitions;
    open_connection(&p->connection, o, epoll, p);
  }
  return producers;
}

void run_produce(const options_t *o) {
  produce_run_t run = {.o = o, .result = {.mode = "produce"}};
  prepare_templates(&run);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  producer_t *producers = open_producers(o, epoll);
  unsigned busy = o->connections;
  for (unsigned i = 0; i < o->connections; i++) {
    refill(&run, &producers[i]);
    flush_connection(&producers[i].connection, epoll, &producers[i]);
  }
  while (busy) {
    struct epoll_event events[256];
    int n = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; i++) {
      producer_t *p = events[i].data.ptr;
      if (events[i].events & ~EPOLLOUT) read_answers(&run, p);
      refill(&run, p);
      flush_connection(&p->connection, epoll, p);
    }
    if (!run.stopping) continue;
    busy = 0;
    for (unsigned i = 0; i < o->connections; i++) busy += producers[i].issued != producers[i].answered;
  }
  set_elapsed(&run.result, run.from, run.to);
  run.result.records = run.result.requests * o->records_per_batch;
  run.result.bytes *= run.result.requests;
  run.result.latency = &run.latency;
  print_result(o, &run.result);
  for (unsigned i = 0; i < o->connections; i++) close(producers[i].connection.fd);
}
