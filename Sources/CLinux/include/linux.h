#ifndef OTTLA_LINUX_H
#define OTTLA_LINUX_H
// What Swift's Glibc module lacks, and system calls whose errno Swift should not have to fetch: every function here
// returns its result, or -errno.
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#define OTTLA_ADDRESS_MAX 46

/// An accepted connection: who is there, and the address of ours that was dialled.
struct ottla_connection {
  int descriptor;
  char peer_host[OTTLA_ADDRESS_MAX];
  uint16_t peer_port;
  char local_host[OTTLA_ADDRESS_MAX];
  uint16_t local_port;
};

// -- sockets
/// Listens on host:port (a name or a literal; empty: all interfaces); writes the port taken to *bound_port.
/// A name that does not resolve is -EADDRNOTAVAIL.
int ottla_listen(const char *host, uint16_t port, int backlog, uint16_t *bound_port);
/// Accepts one connection, non-blocking, without Nagle's delay.
int ottla_accept(int listener, struct ottla_connection *connection);
/// Connects within timeout_ms and returns a blocking socket with that as its time limit for reads and writes.
int ottla_connect(const char *host, uint16_t port, int timeout_ms);
/// Begins to connect a non-blocking socket, without Nagle's delay, to an address: numbers only, a name is -EINVAL.
/// The socket is writable when the outcome is there, which ottla_connect_outcome tells.
int ottla_start_connect(const char *address, uint16_t port);
/// 0 when a begun connection has come about, else -errno.
int ottla_connect_outcome(int socket);
/// Writes up to `count` addresses of a name, each in OTTLA_ADDRESS_MAX bytes, in the order in which they are to be tried;
/// returns how many. May wait for long. -EADDRNOTAVAIL where there are none.
int ottla_resolve(const char *host, char *addresses, int count);
/// Writes this machine's name.
int ottla_host_name(char *name, size_t count);
ssize_t ottla_receive(int socket, void *bytes, size_t count);
ssize_t ottla_send(int socket, const void *bytes, size_t count, int more_follows);
ssize_t ottla_send_file(int socket, int file, int64_t position, size_t count);

// -- waiting
int ottla_epoll_create(void);
int ottla_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data);
int ottla_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms);
uint32_t ottla_event_in(void);
uint32_t ottla_event_out(void);
uint32_t ottla_event_hangup(void);  // EPOLLRDHUP | EPOLLHUP | EPOLLERR
uint32_t ottla_event_edge(void);
int ottla_eventfd(void);
void ottla_eventfd_signal(int descriptor);
void ottla_eventfd_clear(int descriptor);
void ottla_wait_readable(int descriptor, int timeout_ms);

/// Lets the calling thread have the processor and the disk when others do not want them: `nice` from 0 to 19.
void ottla_lower_priority(int nice);
void ottla_sleep(int64_t nanoseconds);

// -- files
int ottla_open(const char *path, int writable);
ssize_t ottla_pread(int file, void *bytes, size_t count, int64_t position);
/// Lets the kernel read nothing ahead through this descriptor.
void ottla_read_nothing_ahead(int file);
/// Whether a range is in the page cache; where the kernel cannot say, whether samples are, one every 64 KiB and the last byte.
int ottla_is_cached(int file, int64_t position, size_t count);
ssize_t ottla_pwrite(int file, const void *bytes, size_t count, int64_t position);
ssize_t ottla_pwrite_two(int file, const void *head, size_t head_count, const void *body, size_t body_count, int64_t position);
int ottla_preallocate(int file, int64_t position, int64_t count);
int64_t ottla_file_size(int file);
int ottla_truncate(int file, int64_t count);
int ottla_sync(int file);
int ottla_close(int descriptor);
int ottla_path_kind(const char *path);  // 0 nothing there, 1 file, 2 folder
int ottla_make_directory(const char *path);
int ottla_rename(const char *from, const char *to);
int ottla_remove_file(const char *path);
int ottla_remove_empty_directory(const char *path);
int ottla_sync_directory(const char *path);
/// Brings everything of the file system that holds `path` to the disk.
int ottla_sync_file_system(const char *path);
/// Opens and locks a file for this process; -EWOULDBLOCK when another holds it. Closing lets go.
int ottla_lock_file(const char *path);
int ottla_space(const char *path, int64_t *total, int64_t *usable);

// -- process and clocks
int64_t ottla_monotonic_ns(void);
int64_t ottla_wall_ms(void);
uint64_t ottla_random(void);
/// Processors this process may run on.
int ottla_processor_count(void);
void ottla_block_sigpipe(void);
void ottla_name_thread(const char *name);
/// Blocks SIGINT and SIGTERM in this thread and those it starts; ottla_wait_for_stop then waits for one of them.
void ottla_block_stop_signals(void);
int ottla_wait_for_stop(void);
/// Raises the limit of open files to the hard limit; returns the limit.
int64_t ottla_raise_open_files(void);
int64_t ottla_open_files_limit(void);
#endif
