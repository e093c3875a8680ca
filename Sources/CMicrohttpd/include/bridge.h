#ifndef OTTLA_MICROHTTPD_BRIDGE_H
#define OTTLA_MICROHTTPD_BRIDGE_H

#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>

/* The library's enums, as constants that Swift has no other names for. */
static const enum MHD_Result ottla_http_no = MHD_NO;
static const enum MHD_Result ottla_http_yes = MHD_YES;
static const enum MHD_ValueKind ottla_http_header_kind = MHD_HEADER_KIND;
static const enum MHD_ValueKind ottla_http_argument_kind = MHD_GET_ARGUMENT_KIND;
static const enum MHD_ResponseMemoryMode ottla_http_must_copy = MHD_RESPMEM_MUST_COPY;

/* What a server is made of. Swift imports no variadic function: this is MHD_start_daemon. */
typedef struct ottla_http_settings {
  /* A numeric IPv4 or IPv6 address. */
  const char *address;
  uint16_t port;
  unsigned connections_max;
  unsigned idle_seconds_max;
  /* Called for the beginning of a request, for each part of its body, and for its end; on the server's own thread. */
  MHD_AccessHandlerCallback handler;
  /* Called once for each request that `handler` gave a context, when it is over. */
  MHD_RequestCompletedCallback completed;
  void *context;
} ottla_http_settings;

/* Starts a server with one thread, whose requests may be set aside (MHD_suspend_connection). NULL, and errno, when it
   cannot (EINVAL for an address that is none). Paths and query arguments are handed on as they came. */
struct MHD_Daemon *ottla_http_start(const ottla_http_settings *settings);
/* The port that was taken; 0 where the library does not know. */
uint16_t ottla_http_port(struct MHD_Daemon *daemon);
/* How many connections there are. */
unsigned ottla_http_connection_count(struct MHD_Daemon *daemon);

#endif
