#define _GNU_SOURCE
#include "linux.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

// -- sockets

static struct addrinfo *resolve(const char *host, uint16_t port, int flags) {
  char service[8];
  snprintf(service, sizeof service, "%u", port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV}, *found = NULL;
  return getaddrinfo(host && *host ? host : NULL, service, &hints, &found) == 0 ? found : NULL;
}

static uint16_t port_of(const struct sockaddr_storage *address) {
  return ntohs(address->ss_family == AF_INET6 ? ((struct sockaddr_in6 *)address)->sin6_port
                                              : ((struct sockaddr_in *)address)->sin_port);
}

static void describe(const struct sockaddr_storage *address, char *host, uint16_t *port) {
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
  host[0] = 0;
  if (address->ss_family == AF_INET) {
    inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, host, OTTLA_ADDRESS_MAX);
  } else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
    inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], host, OTTLA_ADDRESS_MAX);
  } else if (address->ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &six->sin6_addr, host, OTTLA_ADDRESS_MAX);
  }
  *port = port_of(address);
}

int ottla_listen(const char *host, uint16_t port, int backlog, uint16_t *bound_port) {
  struct addrinfo *all = resolve(host, port, AI_PASSIVE);
  int failure = -EADDRNOTAVAIL;
  for (struct addrinfo *one = all; one; one = one->ai_next) {
    int listener = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (listener < 0) { failure = -errno; continue; }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    if (bind(listener, one->ai_addr, one->ai_addrlen) == 0 && listen(listener, backlog) == 0 &&
        getsockname(listener, (struct sockaddr *)&bound, &length) == 0) {
      *bound_port = port_of(&bound);
      freeaddrinfo(all);
      return listener;
    }
    failure = -errno;
    close(listener);
  }
  if (all) freeaddrinfo(all);
  return failure;
}

int ottla_accept(int listener, struct ottla_connection *connection) {
  struct sockaddr_storage peer, local;
  socklen_t peer_length = sizeof peer, local_length = sizeof local;
  int descriptor = accept4(listener, (struct sockaddr *)&peer, &peer_length, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
  if (descriptor < 0) return -errno;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  memset(connection, 0, sizeof *connection);
  connection->descriptor = descriptor;
  describe(&peer, connection->peer_host, &connection->peer_port);
  if (getsockname(descriptor, (struct sockaddr *)&local, &local_length) == 0)
    describe(&local, connection->local_host, &connection->local_port);
  return descriptor;
}

int ottla_connect(const char *host, uint16_t port, int timeout_ms) {
  struct addrinfo *all = resolve(host, port, 0);
  int failure = -EADDRNOTAVAIL;
  for (struct addrinfo *one = all; one; one = one->ai_next) {
    int descriptor = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, error = 0;
    if (descriptor < 0) { failure = -errno; continue; }
    socklen_t length = sizeof error;
    if (connect(descriptor, one->ai_addr, one->ai_addrlen) < 0 && errno != EINPROGRESS) error = errno;
    if (!error) {
      struct pollfd waiting = {.fd = descriptor, .events = POLLOUT};
      int ready = poll(&waiting, 1, timeout_ms);
      if (ready == 0) error = ETIMEDOUT;
      else if (ready < 0) error = errno;
      else getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    if (!error) {
      struct timeval limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
      fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      freeaddrinfo(all);
      return descriptor;
    }
    failure = -error;
    close(descriptor);
  }
  if (all) freeaddrinfo(all);
  return failure;
}

int ottla_start_connect(const char *address, uint16_t port) {
  if (!address || !*address) return -EINVAL;
  struct addrinfo *found = resolve(address, port, AI_NUMERICHOST);
  if (!found) return -EINVAL;
  int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, error = 0;
  if (descriptor < 0) error = errno;
  if (!error) {
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (connect(descriptor, found->ai_addr, found->ai_addrlen) < 0 && errno != EINPROGRESS && errno != EINTR) error = errno;
    if (error) close(descriptor);
  }
  freeaddrinfo(found);
  return error ? -error : descriptor;
}

int ottla_connect_outcome(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
  return -error;
}

int ottla_resolve(const char *host, char *addresses, int count) {
  struct addrinfo *all = resolve(host, 0, AI_ADDRCONFIG);
  if (!all) all = resolve(host, 0, 0);
  int found = 0;
  for (struct addrinfo *one = all; one && found < count; one = one->ai_next) {
    struct sockaddr_storage address = {0};
    uint16_t port;
    memcpy(&address, one->ai_addr, one->ai_addrlen < sizeof address ? one->ai_addrlen : sizeof address);
    describe(&address, addresses + (size_t)found * OTTLA_ADDRESS_MAX, &port);
    if (addresses[(size_t)found * OTTLA_ADDRESS_MAX]) found++;
  }
  if (all) freeaddrinfo(all);
  return found > 0 ? found : -EADDRNOTAVAIL;
}

int ottla_host_name(char *name, size_t count) {
  if (gethostname(name, count) < 0) return -errno;
  if (count) name[count - 1] = 0;
  return 0;
}

ssize_t ottla_receive(int socket, void *bytes, size_t count) {
  ssize_t received;
  do received = recv(socket, bytes, count, 0); while (received < 0 && errno == EINTR);
  return received < 0 ? -errno : received;
}

ssize_t ottla_send(int socket, const void *bytes, size_t count, int more_follows) {
  ssize_t sent;
  do sent = send(socket, bytes, count, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0)); while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

ssize_t ottla_send_file(int socket, int file, int64_t position, size_t count) {
  off_t from = position;
  ssize_t sent;
  do sent = sendfile(socket, file, &from, count); while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

// -- waiting

int ottla_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int ottla_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return result(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
}

int ottla_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms) {
  int ready = epoll_wait(epoll, events, count, timeout_ms);
  return ready < 0 && errno == EINTR ? 0 : result(ready);
}

uint32_t ottla_event_in(void) { return EPOLLIN; }
uint32_t ottla_event_out(void) { return EPOLLOUT; }
uint32_t ottla_event_hangup(void) { return EPOLLRDHUP | EPOLLHUP | EPOLLERR; }
uint32_t ottla_event_edge(void) { return EPOLLET; }
int ottla_eventfd(void) { return result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

void ottla_eventfd_signal(int descriptor) {
  uint64_t one = 1;
  ssize_t ignored = write(descriptor, &one, sizeof one);  // fails only when it is already signalled to the brim
  (void)ignored;
}

void ottla_eventfd_clear(int descriptor) {
  uint64_t count;
  ssize_t ignored = read(descriptor, &count, sizeof count);
  (void)ignored;
}

void ottla_wait_readable(int descriptor, int timeout_ms) {
  struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
  poll(&waiting, 1, timeout_ms);
}

// -- files

int ottla_open(const char *path, int writable) {
  return result(open(path, writable ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0640));
}

ssize_t ottla_pread(int file, void *bytes, size_t count, int64_t position) {
  size_t done = 0;
  while (done < count) {
    ssize_t got = pread(file, (char *)bytes + done, count - done, position + (int64_t)done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (ssize_t)done;
}

void ottla_read_nothing_ahead(int file) { posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); }

static int is_sample_cached(int file, int64_t position) {
  char byte;
  struct iovec into = {&byte, 1};
  return preadv2(file, &into, 1, position, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

// cachestat (Linux 6.5): counts, and reads nothing. 0 also where it cannot be had.
static int is_range_cached(int file, int64_t position, size_t count) {
  struct { uint64_t offset, length; } range = {(uint64_t)position, count};
  struct { uint64_t cached, dirty, writeback, evicted, recently_evicted; } found;
  if (syscall(451, file, &range, &found, 0) != 0) return 0;
  const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  return found.cached >= ((uint64_t)position + count - 1) / page - (uint64_t)position / page + 1;
}

int ottla_is_cached(int file, int64_t position, size_t count) {
  if (count == 0) return 1;
  // That nothing is cached may only be said of an overlay's own file, whose pages another has: then samples decide.
  if (is_range_cached(file, position, count) == 1) return 1;
  const int64_t last = position + (int64_t)count - 1;
  for (int64_t sample = position; sample < last; sample += 64 << 10)
    if (!is_sample_cached(file, sample)) return 0;
  return is_sample_cached(file, last);
}

void ottla_lower_priority(int nice) {
  const long thread = syscall(SYS_gettid);
  setpriority(PRIO_PROCESS, (id_t)thread, nice);
  syscall(SYS_ioprio_set, 1 /* who: a thread */, thread, (2 << 13) | 7 /* best effort, the last of its levels */);
}

void ottla_sleep(int64_t nanoseconds) {
  struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  nanosleep(&time, NULL);
}

ssize_t ottla_pwrite(int file, const void *bytes, size_t count, int64_t position) {
  size_t done = 0;
  while (done < count) {
    ssize_t put = pwrite(file, (const char *)bytes + done, count - done, position + (int64_t)done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -errno;
    if (put == 0) return -EIO;
    done += (size_t)put;
  }
  return (ssize_t)done;
}

ssize_t ottla_pwrite_two(int file, const void *head, size_t head_count, const void *body, size_t body_count, int64_t position) {
  struct iovec parts[2] = {{(void *)head, head_count}, {(void *)body, body_count}};
  ssize_t put;
  do put = pwritev(file, parts, 2, position); while (put < 0 && errno == EINTR);
  if (put < 0) return -errno;
  size_t done = (size_t)put;
  if (done < head_count) {
    ssize_t rest = ottla_pwrite(file, (const char *)head + done, head_count - done, position + (int64_t)done);
    if (rest < 0) return rest;
    done = head_count;
  }
  if (done < head_count + body_count) {
    size_t from = done - head_count;
    ssize_t rest = ottla_pwrite(file, (const char *)body + from, body_count - from, position + (int64_t)done);
    if (rest < 0) return rest;
  }
  return (ssize_t)(head_count + body_count);
}

int ottla_preallocate(int file, int64_t position, int64_t count) {
  return result(fallocate(file, FALLOC_FL_KEEP_SIZE, position, count));
}

int64_t ottla_file_size(int file) {
  struct stat about;
  return fstat(file, &about) < 0 ? -errno : about.st_size;
}

int ottla_truncate(int file, int64_t count) { return result(ftruncate(file, count)); }
int ottla_sync(int file) { return result(fdatasync(file)); }
int ottla_close(int descriptor) { return result(close(descriptor)); }

int ottla_path_kind(const char *path) {
  struct stat about;
  if (stat(path, &about) < 0) return 0;
  return S_ISDIR(about.st_mode) ? 2 : 1;
}

int ottla_make_directory(const char *path) { return result(mkdir(path, 0750)); }
int ottla_rename(const char *from, const char *to) { return result(rename(from, to)); }
int ottla_remove_file(const char *path) { return result(unlink(path)); }
int ottla_remove_empty_directory(const char *path) { return result(rmdir(path)); }

int ottla_sync_directory(const char *path) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -errno;
  int outcome = result(fsync(directory));
  close(directory);
  return outcome;
}

int ottla_lock_file(const char *path) {
  int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) return -errno;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  int failure = -errno;
  close(descriptor);
  return failure;
}

int ottla_sync_file_system(const char *path) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -errno;
  int outcome = result(syncfs(directory));
  close(directory);
  return outcome;
}

int ottla_space(const char *path, int64_t *total, int64_t *usable) {
  struct statvfs about;
  if (statvfs(path, &about) < 0) return -errno;
  *total = (int64_t)about.f_blocks * (int64_t)about.f_frsize;
  *usable = (int64_t)about.f_bavail * (int64_t)about.f_frsize;
  return 0;
}

// -- process and clocks

int64_t ottla_monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t ottla_wall_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t ottla_random(void) {
  uint64_t value = 0;
  while (getrandom(&value, sizeof value, 0) != sizeof value) {}
  return value;
}

int ottla_processor_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

void ottla_block_sigpipe(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void stop_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
}

void ottla_block_stop_signals(void) {
  sigset_t set;
  stop_signals(&set);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int ottla_wait_for_stop(void) {
  sigset_t set;
  int signal = 0;
  stop_signals(&set);
  while (sigwait(&set, &signal) != 0) {}
  return signal;
}

int64_t ottla_raise_open_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return (int64_t)limit.rlim_cur;
}

void ottla_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int64_t ottla_open_files_limit(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : (int64_t)limit.rlim_cur;
}
