#define _GNU_SOURCE
#include "load.h"
#include "setup.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { IN_BYTES_MIN = 64 << 10, ANSWER_BYTES_MAX = 128 << 20 };

void open_connection(connection_t *c, const options_t *o, int epoll, void *owner) {
  c->fd = connect_to(o->host, o->port);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  c->in_capacity = IN_BYTES_MIN;
  c->in = malloc(c->in_capacity);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
  if (!c->in || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

void flush_connection(connection_t *c, int epoll, void *owner) {
  while (c->sent < c->out.length) {
    ssize_t n = send(c->fd, c->out.bytes + c->sent, c->out.length - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0 && errno != EINTR) fail("send: %s", strerror(errno));
    if (n > 0) c->sent += (size_t)n;
  }
  bool full = c->sent < c->out.length;
  if (!full) c->sent = c->out.length = 0;
  if (full == c->awaits_room) return;
  c->awaits_room = full;
  struct epoll_event event = {.events = EPOLLIN | (full ? EPOLLOUT : 0), .data.ptr = owner};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

// Keeps room for the whole of the answer that has begun, so that large answers take few system calls.
static void make_room(connection_t *c) {
  size_t left = c->in_length - c->in_parsed;
  if (c->in_parsed) memmove(c->in, c->in + c->in_parsed, left);
  c->in_length = left;
  c->in_parsed = 0;
  size_t wanted = IN_BYTES_MIN;
  if (left >= 4) {
    size_t whole = (size_t)load32(c->in) + 4;
    if (whole > ANSWER_BYTES_MAX) fail("an answer of %zu bytes", whole);
    if (whole > wanted) wanted = whole;
  }
  if (wanted <= c->in_capacity) return;
  c->in = realloc(c->in, wanted);
  if (!c->in) fail("out of memory");
  c->in_capacity = wanted;
}

bool receive_some(connection_t *c) {
  make_room(c);
  ssize_t n = recv(c->fd, c->in + c->in_length, c->in_capacity - c->in_length, 0);
  if (n == 0) fail("the server closed the connection");
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    fail("recv: %s", strerror(errno));
  }
  c->in_length += (size_t)n;
  return true;
}

const uint8_t *next_answer(connection_t *c, size_t *length) {
  size_t left = c->in_length - c->in_parsed;
  if (left < 4) return NULL;
  uint32_t answer = load32(c->in + c->in_parsed);
  if (answer < 4 || answer > ANSWER_BYTES_MAX) fail("an answer of %u bytes", answer);
  if (left - 4 < answer) return NULL;
  const uint8_t *at = c->in + c->in_parsed + 4;
  c->in_parsed += 4 + (size_t)answer;
  *length = answer;
  return at;
}
