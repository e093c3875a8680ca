#include "bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Decoding is the router's: here "%2F" must not become a slash yet. */
static size_t leave_as_it_is(void *context, struct MHD_Connection *connection, char *text) {
  (void)context, (void)connection;
  return strlen(text);
}

static void drop_line(void *context, const char *format, va_list arguments) {
  (void)context, (void)format, (void)arguments;
}

struct MHD_Daemon *ottla_http_start(const ottla_http_settings *settings) {
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  memset(&v4, 0, sizeof v4);
  memset(&v6, 0, sizeof v6);
  const struct sockaddr *address = NULL;
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  if (inet_pton(AF_INET, settings->address, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(settings->port);
    address = (const struct sockaddr *)&v4;
  } else if (inet_pton(AF_INET6, settings->address, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(settings->port);
    address = (const struct sockaddr *)&v6;
    flags |= MHD_USE_IPv6;
  } else {
    errno = EINVAL;
    return NULL;
  }
  /* The logger comes first, so that it has what the later options make the library say. */
  return MHD_start_daemon(flags, settings->port, NULL, NULL, settings->handler, settings->context,
                          MHD_OPTION_EXTERNAL_LOGGER, drop_line, NULL,
                          MHD_OPTION_SOCK_ADDR, address,
                          MHD_OPTION_UNESCAPE_CALLBACK, leave_as_it_is, NULL,
                          MHD_OPTION_NOTIFY_COMPLETED, settings->completed, settings->context,
                          MHD_OPTION_CONNECTION_LIMIT, settings->connections_max,
                          MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds_max,
                          MHD_OPTION_END);
}

uint16_t ottla_http_port(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : 0;
}

unsigned ottla_http_connection_count(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info ? info->num_connections : 0;
}
