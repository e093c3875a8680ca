#include "bridge.h"

#include <string.h>

rd_kafka_resp_err_t ottla_rdkafka_produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition,
                                          const void *key, size_t key_length, const void *value, size_t value_length,
                                          rd_kafka_headers_t *headers, int64_t timestamp_ms, void *opaque) {
  rd_kafka_vu_t fields[8];
  size_t count = 0;
  memset(fields, 0, sizeof fields);

  fields[count].vtype = RD_KAFKA_VTYPE_RKT;
  fields[count++].u.rkt = topic;
  fields[count].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[count++].u.i32 = partition;
  fields[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[count++].u.i = RD_KAFKA_MSG_F_COPY;
  fields[count].vtype = RD_KAFKA_VTYPE_KEY;
  fields[count].u.mem.ptr = (void *)key;
  fields[count++].u.mem.size = key_length;
  fields[count].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[count].u.mem.ptr = (void *)value;
  fields[count++].u.mem.size = value_length;
  if (opaque) {
    fields[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    fields[count++].u.ptr = opaque;
  }
  if (headers) {
    fields[count].vtype = RD_KAFKA_VTYPE_HEADERS;
    fields[count++].u.headers = headers;
  }
  if (timestamp_ms >= 0) {
    fields[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    fields[count++].u.i64 = timestamp_ms;
  }

  rd_kafka_error_t *failure = rd_kafka_produceva(client, fields, count);
  if (!failure) return RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_resp_err_t code = rd_kafka_error_code(failure);
  rd_kafka_error_destroy(failure);
  return code;
}

static void drop_line(const rd_kafka_t *client, int level, const char *facility, const char *line) {
  (void)client, (void)level, (void)facility, (void)line;
}

void ottla_rdkafka_silence(rd_kafka_conf_t *configuration) { rd_kafka_conf_set_log_cb(configuration, drop_line); }
