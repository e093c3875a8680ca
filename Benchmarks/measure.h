// Clocks, CPU time of any process, and a latency histogram of 3 % resolution.
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H
#include <stdint.h>
#include <sys/types.h>

#define HISTOGRAM_LINEAR_BITS 5
#define HISTOGRAM_BUCKETS ((65 - HISTOGRAM_LINEAR_BITS) << HISTOGRAM_LINEAR_BITS)

typedef struct { uint64_t count, max, buckets[HISTOGRAM_BUCKETS]; } histogram_t;

/// Monotonic nanoseconds.
uint64_t now_ns(void);
/// Nanoseconds of CPU time, user and system, of all threads of `pid` (dead ones too); 0 means this process.
/// Ends the program when the process is gone: a figure without its CPU time is worth nothing.
uint64_t process_cpu_ns(pid_t pid);
void histogram_add(histogram_t *histogram, uint64_t ns);
/// The value below which `fraction` of the values lie, in nanoseconds (upper edge of its bucket).
uint64_t histogram_quantile(const histogram_t *histogram, double fraction);
/// Prints a message and ends the program with status 1.
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#endif
