#include "bridge.h"

#include <stdlib.h>

void ottla_zookeeper_silence(void) { zoo_set_debug_level((ZooLogLevel)0); }

static void drop_line(const char *message) { (void)message; }

zhandle_t *ottla_zookeeper_open(const char *servers, int timeout_ms, watcher_fn watcher, void *context) {
  return zookeeper_init2(servers, watcher, timeout_ms, NULL, context, ZOO_NO_LOG_CLIENTENV, drop_line);
}

int ottla_zookeeper_login(zhandle_t *handle, const char *credentials, int length) {
  return zoo_add_auth(handle, "digest", credentials, length, NULL, NULL);
}

/* Lives from the call to its completion: the library writes the results into it. */
typedef struct change {
  ottla_zookeeper_completion completion;
  void *context;
  int count;
  zoo_op_result_t results[];
} change;

static void complete(int code, const void *data) {
  change *done = (change *)data;
  int part = 0;
  if (code != ZOK) {
    for (int index = 0; index < done->count; index++) {
      if (done->results[index].err == code) {
        part = index;
        break;
      }
    }
  }
  done->completion(code, part, done->context);
  free(done);
}

static void prepare(zoo_op_t *operation, const ottla_zookeeper_write *write, const struct ACL_vector *acl) {
  switch (write->kind) {
    case OTTLA_ZOOKEEPER_CHECK:
      zoo_check_op_init(operation, write->path, write->version);
      break;
    case OTTLA_ZOOKEEPER_CREATE:
      zoo_create_op_init(operation, write->path, write->data, write->length, acl,
                         write->is_ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT, NULL, 0);
      break;
    case OTTLA_ZOOKEEPER_SET:
      zoo_set_op_init(operation, write->path, write->data, write->length, write->version, NULL);
      break;
    case OTTLA_ZOOKEEPER_DELETE:
      zoo_delete_op_init(operation, write->path, write->version);
      break;
  }
}

int ottla_zookeeper_change(zhandle_t *handle, int count, const ottla_zookeeper_write *writes, int is_private,
                           ottla_zookeeper_completion completion, void *context) {
  if (count <= 0) return ZBADARGUMENTS;
  change *begun = calloc(1, sizeof(change) + (size_t)count * sizeof(zoo_op_result_t));
  zoo_op_t *operations = calloc((size_t)count, sizeof(zoo_op_t));
  if (!begun || !operations) {
    free(begun);
    free(operations);
    return ZSYSTEMERROR;
  }
  begun->completion = completion;
  begun->context = context;
  begun->count = count;
  const struct ACL_vector *acl = is_private ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE;
  for (int index = 0; index < count; index++) prepare(&operations[index], &writes[index], acl);
  int code = zoo_amulti(handle, count, operations, begun->results, complete, begun);
  free(operations);
  if (code != ZOK) free(begun);
  return code;
}

ottla_zookeeper_event ottla_zookeeper_event_of(int type, int state) {
  if (type == ZOO_SESSION_EVENT) {
    if (state == ZOO_CONNECTED_STATE) return OTTLA_ZOOKEEPER_CONNECTED;
    if (state == ZOO_EXPIRED_SESSION_STATE) return OTTLA_ZOOKEEPER_EXPIRED;
    if (state == ZOO_AUTH_FAILED_STATE) return OTTLA_ZOOKEEPER_LOGIN_REFUSED;
    return OTTLA_ZOOKEEPER_DISCONNECTED;
  }
  if (type == ZOO_NOTWATCHING_EVENT) return OTTLA_ZOOKEEPER_NOTHING;
  return OTTLA_ZOOKEEPER_CHANGED;
}
