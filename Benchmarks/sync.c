// sync: what one bare write + fdatasync costs here. The log engine's promise at acks=all cannot be cheaper than that.
//   sync DIRECTORY BYTES COUNT     prints JSON: microseconds, quantiles of COUNT writes of BYTES each
#define _GNU_SOURCE
#include "measure.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 4) fail("sync DIRECTORY BYTES COUNT");
  const size_t bytes = strtoul(argv[2], NULL, 10), count = strtoul(argv[3], NULL, 10);
  if (!bytes || !count) fail("sync DIRECTORY BYTES COUNT");
  char path[4096];
  snprintf(path, sizeof path, "%s/sync-%d", argv[1], (int)getpid());
  const int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 || unlink(path) < 0) fail("%s: %s", path, strerror(errno));
  // As a log does: blocks are there beforehand, the size grows.
  if (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)(bytes * count)) < 0 && errno != EOPNOTSUPP)
    fail("fallocate: %s", strerror(errno));
  char *memory = malloc(bytes);
  if (!memory) fail("out of memory");
  memset(memory, 'x', bytes);
  static histogram_t latency;
  for (size_t i = 0; i < count; i++) {
    const uint64_t from = now_ns();
    if (pwrite(file, memory, bytes, (off_t)(i * bytes)) != (ssize_t)bytes) fail("pwrite: %s", strerror(errno));
    if (fdatasync(file) < 0) fail("fdatasync: %s", strerror(errno));
    histogram_add(&latency, now_ns() - from);
  }
  printf("{\"count\": %zu, \"sync_us\": {\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}}\n", count,
    (double)histogram_quantile(&latency, 0.5) / 1e3, (double)histogram_quantile(&latency, 0.99) / 1e3,
    (double)latency.max / 1e3);
  return 0;
}
