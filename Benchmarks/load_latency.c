// End to end: one connection produces single records at a fixed rate, another holds a long-polling fetch. A record's
// value begins with the time just before its send; the latency is from there to the end of the recv that brought it.
#define _GNU_SOURCE
#include "batch.h"
#include "load.h"
#include "setup.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { FETCH_WAIT_MS = 500, IN_FLIGHT_MAX = 4096 };

typedef struct {
  const options_t *o;
  int epoll, timer;
  connection_t producer, fetcher;
  writer_t request, fetch;
  size_t batch_at, batch_length, stamp_at, fetch_offset_at;
  uint32_t issued, acknowledged, fetch_correlation;
  uint64_t sent_at[IN_FLIGHT_MAX];
  uint64_t offset, received, warmup, wanted, began_at;
  histogram_t latency, ack_latency;
  bracket_t from;
  result_t result;
} latency_run_t;

static void prepare(latency_run_t *run) {
  const options_t *o = run->o;
  writer_t batch = {0};
  put_batch(&batch, 1, o->record_bytes, 0, false);
  put_produce(&run->request, o->topic, 0, batch.bytes, batch.length, o->acks);
  run->batch_length = batch.length;
  run->batch_at = run->request.length - 3 - batch.length;  // three tag buffers end the request
  run->stamp_at = run->request.length - 3 - 1 - o->record_bytes;  // the value, then the header count
  run->fetch_offset_at = put_fetch(&run->fetch, o->topic, 0, 0, FETCH_WAIT_MS, o->max_bytes);
  free(batch.bytes);
}

static void send_record(latency_run_t *run) {
  if (run->issued - run->acknowledged == IN_FLIGHT_MAX) fail("%d requests unanswered", IN_FLIGHT_MAX);
  uint64_t now = now_ns();
  store64(run->request.bytes + run->stamp_at, now);
  seal_batch(run->request.bytes + run->batch_at, run->batch_length);
  store32(run->request.bytes + CORRELATION_AT, run->issued);
  run->sent_at[run->issued++ % IN_FLIGHT_MAX] = now;
  put_bytes(&run->producer.out, run->request.bytes, run->request.length);
  flush_connection(&run->producer, run->epoll, &run->producer);
}

static void send_fetch(latency_run_t *run) {
  store32(run->fetch.bytes + CORRELATION_AT, ++run->fetch_correlation);
  store64(run->fetch.bytes + run->fetch_offset_at, run->offset);
  put_bytes(&run->fetcher.out, run->fetch.bytes, run->fetch.length);
  flush_connection(&run->fetcher, run->epoll, &run->fetcher);
}

static void on_timer(latency_run_t *run) {
  uint64_t due;
  if (read(run->timer, &due, sizeof due) != sizeof due) return;
  // What the timer missed is made up for, so that the rate holds.
  for (; due && run->issued < run->warmup + run->wanted; due--) send_record(run);
}

static void on_acknowledgement(latency_run_t *run) {
  if (!receive_some(&run->producer)) return;
  uint64_t now = now_ns();
  size_t length;
  for (const uint8_t *answer; (answer = next_answer(&run->producer, &length)); run->acknowledged++) {
    check_produce_answer(answer, length, run->acknowledged, 0);
    if (run->acknowledged >= run->warmup)
      histogram_add(&run->ack_latency, now - run->sent_at[run->acknowledged % IN_FLIGHT_MAX]);
  }
}

static void on_record(latency_run_t *run, const uint8_t *batch, size_t length, uint64_t now) {
  if (length != run->batch_length || load64(batch) != run->offset) fail("Fetch: not the record at %lu", run->offset);
  uint64_t sent_at = load64(batch + (run->stamp_at - run->batch_at));
  if (sent_at < run->began_at || sent_at > now) fail("Fetch: a record of another run; latency needs an empty topic");
  if (run->received == run->warmup) run->from = take_bracket(run->o);
  if (run->received++ >= run->warmup) histogram_add(&run->latency, now - sent_at);
  run->offset++;
}

static void on_fetched(latency_run_t *run) {
  if (!receive_some(&run->fetcher)) return;
  uint64_t now = now_ns();
  size_t length;
  const uint8_t *answer = next_answer(&run->fetcher, &length);
  if (!answer) return;
  fetched_t fetched = check_fetch_answer(answer, length, run->fetch_correlation, 0);
  const uint8_t *at = fetched.records.bytes, *end = at + fetched.records.length;
  while (end - at >= BATCH_HEADER_BYTES && (size_t)(end - at) >= (size_t)load32(at + 8) + 12) {
    size_t batch_length = (size_t)load32(at + 8) + 12;
    on_record(run, at, batch_length, now);
    at += batch_length;
  }
  if (run->received < run->warmup + run->wanted) send_fetch(run);
}

static void start_timer(latency_run_t *run) {
  run->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  long period = 1000000000l / run->o->rate;
  struct timespec every = {period / 1000000000l, period % 1000000000l};
  struct itimerspec schedule = {every, every};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &run->timer};
  if (run->timer < 0 || timerfd_settime(run->timer, 0, &schedule, NULL) < 0 ||
      epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->timer, &event) < 0)
    fail("timer: %s", strerror(errno));
}

static void dispatch(latency_run_t *run, const struct epoll_event *event) {
  if (event->data.ptr == &run->timer) { on_timer(run); return; }
  connection_t *c = event->data.ptr;
  if (event->events & EPOLLOUT) flush_connection(c, run->epoll, c);
  if (!(event->events & ~EPOLLOUT)) return;
  if (c == &run->producer) on_acknowledgement(run);
  else on_fetched(run);
}

void run_latency(const options_t *o) {
  if (o->record_bytes < 8) fail("latency needs records of 8 bytes and more");
  static latency_run_t run;
  run.o = o;
  run.result.mode = "latency";
  run.epoll = epoll_create1(EPOLL_CLOEXEC);
  run.warmup = o->warmup_requests;
  run.began_at = now_ns();
  run.wanted = o->requests ? o->requests : (uint64_t)o->seconds * o->rate;
  prepare(&run);
  open_connection(&run.producer, o, run.epoll, &run.producer);
  open_connection(&run.fetcher, o, run.epoll, &run.fetcher);
  send_fetch(&run);
  start_timer(&run);
  while (run.received < run.warmup + run.wanted || run.acknowledged < run.warmup + run.wanted) {
    struct epoll_event events[8];
    int n = epoll_wait(run.epoll, events, 8, -1);
    for (int i = 0; i < n; i++) dispatch(&run, &events[i]);
  }
  set_elapsed(&run.result, run.from, take_bracket(o));
  run.result.records = run.result.requests = run.wanted;
  run.result.bytes = run.wanted * run.batch_length;
  run.result.latency = &run.latency;
  run.result.ack_latency = &run.ack_latency;
  print_result(o, &run.result);
}
