#define _GNU_SOURCE
#include "floor.h"
#include "measure.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void preallocate(const log_t *log) {
  if (fallocate(log->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)log->segment_bytes) < 0 && errno != EOPNOTSUPP)
    fail("fallocate: %s", strerror(errno));
}

void open_log(log_t *log, const char *directory, unsigned partition, uint64_t segment_bytes, bool indexed) {
  *log = (log_t){.fd = -1, .segment_bytes = segment_bytes, .indexed = indexed};
  pthread_mutex_init(&log->lock, NULL);
  if (!directory) return;
  char path[4096];
  snprintf(path, sizeof path, "%s/floor-%d-%u.log", directory, (int)getpid(), partition);
  log->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (log->fd < 0 || unlink(path) < 0) fail("%s: %s", path, strerror(errno));
  preallocate(log);
}

static void begin_anew(log_t *log) {
  log->position = 0;
  log->start_offset = log->next_offset;
  log->index_count = 0;
  if (log->fd < 0) return;
  if (ftruncate(log->fd, 0) < 0) fail("ftruncate: %s", strerror(errno));
  preallocate(log);
}

void reset_log(log_t *log) {
  pthread_mutex_lock(&log->lock);
  log->next_offset = 0;
  begin_anew(log);
  pthread_mutex_unlock(&log->lock);
}

static void index_batch(log_t *log) {
  if (log->index_count == log->index_capacity) {
    log->index_capacity = log->index_capacity ? 2 * log->index_capacity : 4096;
    log->index = realloc(log->index, log->index_capacity * sizeof *log->index);
    if (!log->index) fail("out of memory");
  }
  log->index[log->index_count].base_offset = log->next_offset;
  log->index[log->index_count++].position = log->position;
}

uint64_t append_batch(log_t *log, uint8_t *batch, size_t length) {
  pthread_mutex_lock(&log->lock);
  if (log->fd >= 0 && log->position + length > log->segment_bytes) begin_anew(log);
  if (log->indexed) index_batch(log);
  uint64_t offset = log->next_offset, position = log->position;
  log->next_offset += (uint64_t)load32(batch + 23) + 1;
  log->position += length;
  pthread_mutex_unlock(&log->lock);
  store64(batch, offset);
  store32(batch + 12, 0);
  if (log->fd >= 0 && pwrite(log->fd, batch, length, (off_t)position) != (ssize_t)length)
    fail("pwrite: %s", strerror(errno));
  return offset;
}

size_t find_batches(const log_t *log, uint64_t offset, size_t bytes_max, uint64_t *position) {
  size_t low = 0, high = log->index_count;  // the last batch whose base offset is not above `offset`
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (log->index[middle].base_offset <= offset) low = middle; else high = middle;
  }
  if (high == 0) return 0;
  uint64_t from = log->index[low].position, limit = from + bytes_max;
  *position = from;
  if (log->position <= limit) return log->position - from;
  size_t first = low + 1, last = log->index_count;  // the last batch end that is not above `limit`
  while (last - first > 1) {
    size_t middle = (first + last) / 2;
    if (log->index[middle].position <= limit) first = middle; else last = middle;
  }
  return (first < log->index_count ? log->index[first].position : log->position) - from;
}
