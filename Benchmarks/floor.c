// floor: the plain C server a broker is measured against. `floor --help` says how.
#define _GNU_SOURCE
#include "floor.h"
#include "measure.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
  "floor echo|broker [--threads N (1)] [--cross] [--partitions N (6)] [--directory DIR (broker)]\n"
  "      [--segment-bytes N (268435456; preallocated for each partition)] [--port N (0: any)]\n"
  "Listens on 127.0.0.1, prints `ready kafka=127.0.0.1:PORT`, serves until it is killed. Its files have no names.\n";

// A hop arrives at the thread that serves it (not its home), then again at its home, served.
static void take_posted(thread_t *thread, connection_t *c) {
  if (c->home != thread) {
    c->served = answer_produce(c, c->frame, c->frame_length) == ANSWERED;
    post(&c->home->mailbox, c);
    return;
  }
  c->hopping = false;
  if (c->served) progress(c);
  else shutdown(c->fd, SHUT_RDWR);
}

static void *serve(void *argument) {
  thread_t *thread = argument;
  connection_t **taken = NULL;
  size_t taken_capacity = 0;
  for (int timeout = -1;;) {
    struct epoll_event events[256];
    int n = epoll_wait(thread->epoll, events, 256, timeout);
    for (int i = 0; i < n; i++) {
      connection_t *c = events[i].data.ptr;
      if (!c) continue;  // the mailbox, below
      if (events[i].events & ~EPOLLOUT) c->readable = true;
      if (!c->hopping && !c->waiting && !c->closed) progress(c);
    }
    if (thread->floor->cross) {
      size_t count = collect(&thread->mailbox, &taken, &taken_capacity);
      for (size_t i = 0; i < count; i++) take_posted(thread, taken[i]);
    }
    if (thread->floor->threads == 1) timeout = expire_fetches();
    bury_connections(thread);
  }
  return NULL;
}

static int listen_on_loopback(uint16_t *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 1024) < 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) < 0)
    fail("listen: %s", strerror(errno));
  *port = ntohs(address.sin_port);
  return fd;
}

static void start_threads(floor_t *floor) {
  floor->thread = calloc(floor->threads, sizeof *floor->thread);
  for (unsigned i = 0; i < floor->threads; i++) {
    thread_t *t = &floor->thread[i];
    *t = (thread_t){.floor = floor, .number = i, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    open_mailbox(&t->mailbox);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->mailbox.event, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
  }
  for (unsigned i = 0; i < floor->threads; i++)
    if (pthread_create(&floor->thread[i].handle, NULL, serve, &floor->thread[i])) fail("pthread_create");
}

static floor_t parse_options(int argc, char **argv) {
  if (argc < 2 || (strcmp(argv[1], "echo") && strcmp(argv[1], "broker"))) {
    bool asked = argc > 1 && !strcmp(argv[1], "--help");
    fputs(usage, asked ? stdout : stderr);
    exit(asked ? 0 : 2);
  }
  floor_t floor = {.writes = !strcmp(argv[1], "broker"), .threads = 1, .partitions = 6, .segment_bytes = 256 << 20};
  static const struct option table[] = {{"threads", 1, 0, 't'}, {"cross", 0, 0, 'c'}, {"partitions", 1, 0, 'p'},
    {"directory", 1, 0, 'd'}, {"segment-bytes", 1, 0, 's'}, {"port", 1, 0, 'l'}, {0, 0, 0, 0}};
  for (int got; (got = getopt_long(argc - 1, argv + 1, "", table, NULL)) != -1;) {
    if (got == 't') floor.threads = (unsigned)atoi(optarg);
    else if (got == 'c') floor.cross = true;
    else if (got == 'p') floor.partitions = (unsigned)atoi(optarg);
    else if (got == 'd') floor.directory = optarg;
    else if (got == 's') floor.segment_bytes = strtoull(optarg, NULL, 10);
    else if (got == 'l') floor.port = (uint16_t)atoi(optarg);
    else { fputs(usage, stderr); exit(2); }
  }
  if (floor.threads < 1 || floor.threads > 64 || floor.partitions < 1 || floor.partitions > 1024) fail("out of range");
  if (floor.cross && floor.threads < 2) fail("--cross needs two threads");
  if (floor.writes && !floor.directory) fail("broker needs --directory");
  return floor;
}

int main(int argc, char **argv) {
  floor_t floor = parse_options(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  floor.logs = calloc(floor.partitions, sizeof *floor.logs);
  for (unsigned i = 0; i < floor.partitions; i++)
    open_log(&floor.logs[i], floor.writes ? floor.directory : NULL, i, floor.segment_bytes,
      floor.writes && floor.threads == 1);
  int listener = listen_on_loopback(&floor.port);
  start_threads(&floor);
  printf("ready kafka=127.0.0.1:%u\n", floor.port);
  fflush(stdout);
  for (unsigned next = 0;; next++) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) accept_connection(&floor.thread[next % floor.threads], fd);
  }
}
