#define _GNU_SOURCE
#include "measure.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

// The kernel's CPU clock of a process is the sum utime + stime of /proc/PID/stat before it is cut to 10 ms.
uint64_t process_cpu_ns(pid_t pid) {
  clockid_t clock;
  struct timespec t;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) fail("no CPU time of process %d", pid);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static unsigned bucket_of(uint64_t v) {
  if (v < (2u << HISTOGRAM_LINEAR_BITS)) return (unsigned)v;
  unsigned shift = 63u - (unsigned)__builtin_clzll(v) - HISTOGRAM_LINEAR_BITS;
  return (shift << HISTOGRAM_LINEAR_BITS) + (unsigned)(v >> shift);
}

static uint64_t upper_edge(unsigned bucket) {
  if (bucket < (2u << HISTOGRAM_LINEAR_BITS)) return bucket;
  unsigned shift = (bucket >> HISTOGRAM_LINEAR_BITS) - 1;
  uint64_t mantissa = bucket - (shift << HISTOGRAM_LINEAR_BITS);
  return ((mantissa + 1) << shift) - 1;
}

void histogram_add(histogram_t *histogram, uint64_t ns) {
  histogram->buckets[bucket_of(ns)]++;
  histogram->count++;
  if (ns > histogram->max) histogram->max = ns;
}

uint64_t histogram_quantile(const histogram_t *histogram, double fraction) {
  uint64_t wanted = (uint64_t)(fraction * (double)histogram->count), seen = 0;
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->buckets[bucket];
    if (seen > wanted) return upper_edge(bucket) < histogram->max ? upper_edge(bucket) : histogram->max;
  }
  return histogram->max;
}

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("error: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}
