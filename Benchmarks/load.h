// The load generator: its options, the connection all modes share, and the result all modes print.
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
#include "measure.h"
#include "wire.h"
#include <sys/types.h>

typedef struct {
  const char *host, *port, *topic;
  unsigned partitions, connections, depth;
  unsigned record_bytes, records_per_batch, batch_bytes;  // batch_bytes, when not 0, decides records_per_batch
  uint64_t requests, records, warmup_requests;            // requests (produce) or records (consume) to measure
  unsigned seconds, rate, max_bytes, time_limit_seconds;
  pid_t pid;                                              // whose CPU time to report; 0 none
  int acks;
  bool lz4, verify, create, json, keyed;
  char *configs[32];
  unsigned config_count;
} options_t;

/// One figure set of a run. What a mode does not measure stays 0 and is not printed.
typedef struct {
  const char *mode;
  uint64_t records, requests, bytes, elapsed_ns, target_cpu_ns, own_cpu_ns;
  const histogram_t *latency, *ack_latency;
} result_t;

/// A non-blocking connection of the epoll loop: bytes to send, bytes received.
typedef struct {
  int fd;
  bool awaits_room;  // EPOLLOUT is asked for
  size_t sent;
  writer_t out;
  uint8_t *in;
  size_t in_length, in_capacity, in_parsed;
} connection_t;

/// The snapshots that bracket what is measured, so that set-up, warm-up and the last drain stay outside.
typedef struct { uint64_t wall, target, own; } bracket_t;

void open_connection(connection_t *c, const options_t *o, int epoll, void *owner);
/// Sends what waits; asks for EPOLLOUT only while the socket is full.
void flush_connection(connection_t *c, int epoll, void *owner);
/// One recv. False when nothing was there. Ends the program when the server closed the connection.
bool receive_some(connection_t *c);
/// The next whole answer (without its length), or NULL. It stays valid until the next receive_some.
const uint8_t *next_answer(connection_t *c, size_t *length);

bracket_t take_bracket(const options_t *o);
void set_elapsed(result_t *result, bracket_t from, bracket_t to);
void print_result(const options_t *o, const result_t *result);

/// Appends a whole Produce v9 request for `partition` holding the batch; acks is 1, or -1 for all.
void put_produce(writer_t *w, const char *topic, unsigned partition, const uint8_t *batch, size_t length, int acks);
/// Reads a Produce v9 answer of one partition; ends the program on an error code or another partition.
uint64_t check_produce_answer(const uint8_t *answer, size_t length, uint32_t correlation, unsigned partition);

/// What a Fetch answer of one partition says.
typedef struct {
  int16_t error;
  uint64_t high_watermark, log_start_offset;
  slice_t records;
} fetched_t;

/// Builds a Fetch v12 request of one partition; its offset lies at the returned position.
size_t put_fetch(writer_t *w, const char *topic, unsigned partition, uint64_t offset, unsigned wait_ms,
                 unsigned max_bytes);
fetched_t check_fetch_answer(const uint8_t *answer, size_t length, uint32_t correlation, unsigned partition);

void run_produce(const options_t *o);
void run_consume(const options_t *o);
void run_latency(const options_t *o);
#endif
