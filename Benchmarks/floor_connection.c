#define _GNU_SOURCE
#include "floor.h"
#include "measure.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_BYTES_MIN = 64 << 10, FRAME_BYTES_MAX = 64 << 20, FETCH_TAIL_BYTES = 3 };

connection_t *accept_connection(thread_t *home, int fd) {
  connection_t *c = calloc(1, sizeof *c);
  if (!c || !(c->in = malloc(IN_BYTES_MIN))) fail("out of memory");
  c->fd = fd;
  c->home = home;
  c->in_capacity = IN_BYTES_MIN;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
  if (epoll_ctl(home->epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
  return c;
}

// Events of this turn may still point to it: bury_connections frees it.
static void close_connection(connection_t *c) {
  close(c->fd);
  c->closed = true;
  c->next = c->home->closed;
  c->home->closed = c;
}

void bury_connections(thread_t *thread) {
  for (connection_t *c; (c = thread->closed);) {
    thread->closed = c->next;
    free(c->in);
    free(c->out.bytes);
    free(c);
  }
}

// 1: all is sent. 0: the socket is full. -1: the connection is gone.
static int send_out(connection_t *c) {
  for (;;) {
    while (c->sent < c->out.length) {
      int more = c->sending_left ? MSG_MORE : 0;
      ssize_t n = send(c->fd, c->out.bytes + c->sent, c->out.length - c->sent, MSG_NOSIGNAL | more);
      if (n < 0) return errno == EAGAIN ? 0 : -1;
      c->sent += (size_t)n;
    }
    c->sent = c->out.length = 0;
    if (!c->sending) return 1;
    while (c->sending_left) {
      ssize_t n = sendfile(c->fd, c->sending->fd, &c->sending_from, c->sending_left);
      if (n <= 0) return n < 0 && errno == EAGAIN ? 0 : -1;
      c->sending_left -= (size_t)n;
    }
    c->sending = NULL;
    put_bytes(&c->out, "\0\0", FETCH_TAIL_BYTES);  // the tag buffers after the records
  }
}

// Answers the whole requests that are there. False when the connection must be closed.
static bool answer_all(connection_t *c, bool *paused) {
  *paused = false;
  while (!c->sending && c->in_length - c->in_parsed >= 4) {
    size_t length = load32(c->in + c->in_parsed);
    if (length < 8 || length > FRAME_BYTES_MAX) return false;
    if (c->in_length - c->in_parsed - 4 < length) break;
    const uint8_t *frame = c->in + c->in_parsed + 4;
    c->in_parsed += 4 + length;
    outcome_t outcome = answer(c, frame, length);
    if (outcome == BROKEN) return false;
    if (outcome == PAUSED) { *paused = true; return true; }
  }
  return true;
}

static void make_room(connection_t *c) {
  size_t left = c->in_length - c->in_parsed;
  if (left && c->in_parsed) memmove(c->in, c->in + c->in_parsed, left);
  c->in_length = left;
  c->in_parsed = 0;
  size_t wanted = left >= 4 ? (size_t)load32(c->in) + 4 : 0;
  if (wanted <= c->in_capacity) return;
  c->in = realloc(c->in, wanted);
  if (!c->in) fail("out of memory");
  c->in_capacity = wanted;
}

void progress(connection_t *c) {
  for (;;) {
    bool paused;
    if (!answer_all(c, &paused)) { close_connection(c); return; }
    int sent = send_out(c);
    if (sent < 0) { close_connection(c); return; }
    if (paused) {
      if (c->hopping) post(&c->home->floor->thread[(c->home->number + 1) % c->home->floor->threads].mailbox, c);
      return;
    }
    if (sent == 0) return;
    if (c->in_length - c->in_parsed >= 4 && load32(c->in + c->in_parsed) <= c->in_length - c->in_parsed - 4) continue;
    if (!c->readable) return;
    make_room(c);
    size_t room = c->in_capacity - c->in_length;
    ssize_t n = recv(c->fd, c->in + c->in_length, room, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) { close_connection(c); return; }
    if (n < 0) { c->readable = false; return; }
    c->in_length += (size_t)n;
    if ((size_t)n < room) c->readable = false;  // a short read: no need to ask once more
  }
}
