// What a run needs before and after its work: a topic, over a plain blocking connection.
#ifndef BENCH_SETUP_H
#define BENCH_SETUP_H
#include "wire.h"

/// A connected TCP socket with Nagle's algorithm off; ends the program when it cannot be had.
int connect_to(const char *host, const char *port);
/// Begins a request: length (patched by end_request), key, version, correlation id, client id "bench";
/// `flexible` adds the tag buffer of header v2. The correlation id lies at CORRELATION_AT.
void begin_request(writer_t *w, int16_t key, int16_t version, uint32_t correlation, bool flexible);
void end_request(writer_t *w);
enum { CORRELATION_AT = 8 };

/// Sends all of `w`, waits for one answer whose correlation id must be `correlation`, and returns its body (the caller
/// frees `*storage`).
reader_t exchange(int fd, const writer_t *w, uint32_t correlation, bool flexible, uint8_t **storage);

/// CreateTopics v4 with `configs` ("name=value" each), then Metadata v4 until every partition has a leader.
void create_topic(int fd, const char *topic, unsigned partitions, char *const *configs, unsigned config_count);
/// Metadata v4, without creation: waits until `partitions` partitions have leaders, at most 10 s.
void await_topic(int fd, const char *topic, unsigned partitions);
/// DeleteTopics v3. An unknown topic is no error.
void delete_topic(int fd, const char *topic);
#endif
