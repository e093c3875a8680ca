#define _GNU_SOURCE
#include "setup.h"
#include "measure.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 16 << 20, WAIT_SECONDS_MAX = 10 };
enum { UNKNOWN_TOPIC_OR_PARTITION = 3, LEADER_NOT_AVAILABLE = 5, TOPIC_ALREADY_EXISTS = 36 };

int connect_to(const char *host, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int error = getaddrinfo(host, port, &hints, &found);
  if (error) fail("%s:%s: %s", host, port, gai_strerror(error));
  int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0) fail("%s:%s: %s", host, port, strerror(errno));
  freeaddrinfo(found);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void begin_request(writer_t *w, int16_t key, int16_t version, uint32_t correlation, bool flexible) {
  w->length = 0;
  put32(w, 0);
  put16(w, (uint16_t)key);
  put16(w, (uint16_t)version);
  put32(w, correlation);
  put_string(w, "bench");
  if (flexible) put8(w, 0);
}

void end_request(writer_t *w) { store32(w->bytes, (uint32_t)(w->length - 4)); }

static void receive_all(int fd, void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t n = recv(fd, (char *)bytes + done, length - done, 0);
    if (n == 0) fail("the server closed the connection");
    if (n < 0 && errno != EINTR) fail("recv: %s", strerror(errno));
    if (n > 0) done += (size_t)n;
  }
}

reader_t exchange(int fd, const writer_t *w, uint32_t correlation, bool flexible, uint8_t **storage) {
  for (size_t done = 0; done < w->length;) {
    ssize_t n = send(fd, w->bytes + done, w->length - done, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) fail("send: %s", strerror(errno));
    if (n > 0) done += (size_t)n;
  }
  uint8_t prefix[4];
  receive_all(fd, prefix, 4);
  uint32_t length = load32(prefix);
  if (length < 4 || length > ANSWER_BYTES_MAX) fail("an answer of %u bytes", length);
  *storage = malloc(length);
  if (!*storage) fail("out of memory");
  receive_all(fd, *storage, length);
  reader_t r = {*storage, *storage + length, false};
  if (get32(&r) != correlation) fail("an answer to another request");
  if (flexible) skip_tags(&r);
  return r;
}

static uint32_t next_correlation(void) {
  static uint32_t correlation = 1000000;
  return correlation++;
}

void create_topic(int fd, const char *topic, unsigned partitions, char *const *configs, unsigned config_count) {
  writer_t w = {0};
  uint32_t correlation = next_correlation();
  begin_request(&w, 19, 4, correlation, false);
  put32(&w, 1);
  put_string(&w, topic);
  put32(&w, partitions);
  put16(&w, 1);
  put32(&w, 0);
  put32(&w, config_count);
  for (unsigned i = 0; i < config_count; i++) {
    char name[128];
    const char *equals = strchr(configs[i], '=');
    if (!equals || (size_t)(equals - configs[i]) >= sizeof name) fail("not name=value: %s", configs[i]);
    snprintf(name, sizeof name, "%.*s", (int)(equals - configs[i]), configs[i]);
    put_string(&w, name);
    put_string(&w, equals + 1);
  }
  put32(&w, 30000);
  put8(&w, 0);
  end_request(&w);
  uint8_t *storage;
  reader_t r = exchange(fd, &w, correlation, false, &storage);
  get32(&r);
  if (get32(&r) != 1) fail("CreateTopics: not one topic in the answer");
  get_string(&r);
  int16_t error = (int16_t)get16(&r);
  slice_t message = get_string(&r);
  if (r.failed) fail("CreateTopics: malformed answer");
  if (error != 0 && error != TOPIC_ALREADY_EXISTS)
    fail("CreateTopics %s: error %d %.*s", topic, error, (int)message.length, (const char *)message.bytes);
  free(storage);
  free(w.bytes);
  await_topic(fd, topic, partitions);
}

static unsigned partitions_with_leader(reader_t *r, const char *topic) {
  get32(r);
  for (uint32_t brokers = get32(r); brokers && !r->failed; brokers--) {
    get32(r), get_string(r), get32(r), get_string(r);
  }
  get_string(r);
  get32(r);
  if (get32(r) != 1) fail("Metadata: not one topic in the answer");
  int16_t error = (int16_t)get16(r);
  slice_t name = get_string(r);
  if (name.length != strlen(topic) || memcmp(name.bytes, topic, name.length)) fail("Metadata: another topic");
  get8(r);
  unsigned ready = 0;
  for (uint32_t left = get32(r); left && !r->failed; left--) {
    int16_t partition_error = (int16_t)get16(r);
    get32(r);
    ready += (int32_t)get32(r) >= 0 && partition_error == 0;
    take(r, 4 * (size_t)get32(r));
    take(r, 4 * (size_t)get32(r));
  }
  if (r->failed) fail("Metadata: malformed answer");
  if (error != 0 && error != UNKNOWN_TOPIC_OR_PARTITION && error != LEADER_NOT_AVAILABLE)
    fail("Metadata %s: error %d", topic, error);
  return ready;
}

void await_topic(int fd, const char *topic, unsigned partitions) {
  for (uint64_t started = now_ns(); now_ns() - started < WAIT_SECONDS_MAX * 1000000000ull; usleep(5000)) {
    writer_t w = {0};
    uint32_t correlation = next_correlation();
    begin_request(&w, 3, 4, correlation, false);
    put32(&w, 1);
    put_string(&w, topic);
    put8(&w, 0);
    end_request(&w);
    uint8_t *storage;
    reader_t r = exchange(fd, &w, correlation, false, &storage);
    unsigned ready = partitions_with_leader(&r, topic);
    free(storage);
    free(w.bytes);
    if (ready >= partitions) return;
  }
  fail("topic %s: no %u partitions with leaders within %d s", topic, partitions, WAIT_SECONDS_MAX);
}

void delete_topic(int fd, const char *topic) {
  writer_t w = {0};
  uint32_t correlation = next_correlation();
  begin_request(&w, 20, 3, correlation, false);
  put32(&w, 1);
  put_string(&w, topic);
  put32(&w, 30000);
  end_request(&w);
  uint8_t *storage;
  reader_t r = exchange(fd, &w, correlation, false, &storage);
  get32(&r);
  if (get32(&r) != 1) fail("DeleteTopics: not one topic in the answer");
  get_string(&r);
  int16_t error = (int16_t)get16(&r);
  if (r.failed) fail("DeleteTopics: malformed answer");
  if (error != 0 && error != UNKNOWN_TOPIC_OR_PARTITION) fail("DeleteTopics %s: error %d", topic, error);
  free(storage);
  free(w.bytes);
}
