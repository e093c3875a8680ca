// The floor: the least a broker must do, in plain C. Receive, CRC-32C, preallocated pwrite, send; nothing else. What it
// costs is what a broker's CPU is compared with.
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H
#include "wire.h"
#include <pthread.h>
#include <sys/types.h>

// -- the log of one partition: one unlinked, preallocated file, begun anew when full

typedef struct {
  int fd;
  pthread_mutex_t lock;
  uint64_t position, next_offset, start_offset, segment_bytes;
  bool indexed;  // keep the place of every batch, for Fetch; only with one thread
  struct { uint64_t base_offset, position; } *index;
  size_t index_count, index_capacity;
} log_t;

void open_log(log_t *log, const char *directory, unsigned partition, uint64_t segment_bytes, bool indexed);
/// Gives the batch its base offset and, if the log has a file, writes it. Answers the base offset.
uint64_t append_batch(log_t *log, uint8_t *batch, size_t length);
/// Begins the log anew at its next offset; what is in it is gone.
void reset_log(log_t *log);
/// The whole batches from the one that holds `offset` on, at most `bytes_max` bytes but at least one batch.
size_t find_batches(const log_t *log, uint64_t offset, size_t bytes_max, uint64_t *position);

// -- threads and their mailboxes

typedef struct connection connection_t;

typedef struct {
  pthread_mutex_t lock;
  connection_t **waiting;
  size_t count, capacity;
  int event;
} mailbox_t;

void open_mailbox(mailbox_t *mailbox);
/// Hands the connection over; wakes the owner if the mailbox was empty.
void post(mailbox_t *mailbox, connection_t *connection);
/// Takes all that waits: a swap of the two arrays.
size_t collect(mailbox_t *mailbox, connection_t ***taken, size_t *taken_capacity);

typedef struct {
  bool writes;  // mode broker: CRC and pwrite; else only the answer
  bool cross;   // half of the Produce requests are served by the next thread
  unsigned threads, partitions;
  const char *directory;
  uint64_t segment_bytes;
  uint16_t port;
  log_t *logs;
  struct thread *thread;
} floor_t;

typedef struct thread {
  floor_t *floor;
  unsigned number;
  int epoll;
  mailbox_t mailbox;
  pthread_t handle;
  connection_t *closed;  // to be freed after the events of this turn
} thread_t;

// -- connections

typedef enum { ANSWERED, PAUSED, BROKEN } outcome_t;

struct connection {
  int fd;
  thread_t *home;
  uint8_t *in;
  size_t in_length, in_capacity, in_parsed;
  writer_t out;
  size_t sent;
  bool readable, hopping, served, closed;  // served: the hop came back from the other thread
  uint32_t hops;
  const uint8_t *frame;                  // of the hop
  size_t frame_length;
  log_t *sending;                        // a piece of a log on its way out, after `out`
  off_t sending_from;
  size_t sending_left;
  bool waiting;                          // a Fetch at the end of its log
  log_t *awaited;
  uint64_t awaited_offset, deadline_ns;
  uint32_t awaited_correlation, awaited_partition;
  size_t awaited_bytes_max;
  slice_t awaited_topic;                 // points into `in`, which a paused connection leaves alone
  connection_t *next;                    // in the list of waiting Fetches, or of closed connections
};

connection_t *accept_connection(thread_t *home, int fd);
/// Reads, answers and sends until there is nothing to read, no room to send, or the connection is paused.
void progress(connection_t *c);
/// Frees the connections closed in this turn of the thread.
void bury_connections(thread_t *thread);
/// Answers one request, or pauses the connection until another thread or an append answers it.
outcome_t answer(connection_t *c, const uint8_t *frame, size_t length);
/// The Produce part, on whichever thread serves it.
outcome_t answer_produce(connection_t *c, const uint8_t *frame, size_t length);
/// Milliseconds to the next deadline of a waiting Fetch, -1 none; answers those that are due.
int expire_fetches(void);
#endif
