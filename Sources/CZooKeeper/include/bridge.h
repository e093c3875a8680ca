#ifndef OTTLA_ZOOKEEPER_BRIDGE_H
#define OTTLA_ZOOKEEPER_BRIDGE_H

/* The library has two forms; this is the one with threads of its own. */
#ifndef THREADED
#define THREADED 1
#endif
#include <zookeeper/zookeeper.h>
#include <stdint.h>

/* Makes the library write no log lines, in this whole process. */
void ottla_zookeeper_silence(void);

/* Begins a session with one of `servers` ("host:port,host:port"). Looks up names, which may take long. NULL, and errno, when
   no server has an address. What the library has to say of it goes nowhere. */
zhandle_t *ottla_zookeeper_open(const char *servers, int timeout_ms, watcher_fn watcher, void *context);

/* Logs in with "user:password". Returns the library's code. */
int ottla_zookeeper_login(zhandle_t *handle, const char *credentials, int length);

typedef enum {
  OTTLA_ZOOKEEPER_CHECK,
  OTTLA_ZOOKEEPER_CREATE,
  OTTLA_ZOOKEEPER_SET,
  OTTLA_ZOOKEEPER_DELETE
} ottla_zookeeper_kind;

/* One part of a change. `version` -1 is any. */
typedef struct ottla_zookeeper_write {
  ottla_zookeeper_kind kind;
  const char *path;
  const void *data;
  int length;
  int version;
  int is_ephemeral;
} ottla_zookeeper_write;

/* `part`: which write was to blame for `code`. */
typedef void (*ottla_zookeeper_completion)(int code, int part, void *context);

/* Carries out all writes or none. `is_private`: nodes are made for the login alone, else for everybody. Copies what it is
   given. `completion` is called once, on a thread of the library, when this returned ZOK; else never. */
int ottla_zookeeper_change(zhandle_t *handle, int count, const ottla_zookeeper_write *writes, int is_private,
                           ottla_zookeeper_completion completion, void *context);

/* The kinds of event and the states of a session, which the library has as variables. */
typedef enum {
  OTTLA_ZOOKEEPER_CONNECTED,
  OTTLA_ZOOKEEPER_DISCONNECTED,
  OTTLA_ZOOKEEPER_EXPIRED,
  OTTLA_ZOOKEEPER_LOGIN_REFUSED,
  OTTLA_ZOOKEEPER_CHANGED,
  OTTLA_ZOOKEEPER_NOTHING
} ottla_zookeeper_event;

/* What a call of the watcher says. */
ottla_zookeeper_event ottla_zookeeper_event_of(int type, int state);

#endif
