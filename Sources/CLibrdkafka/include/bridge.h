#ifndef OTTLA_LIBRDKAFKA_BRIDGE_H
#define OTTLA_LIBRDKAFKA_BRIDGE_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>
#include <stdint.h>

/* Swift imports no variadic function: this is rd_kafka_producev for a record with headers, or with a time of its own
   (timestamp_ms < 0: now). The library copies key and value, and owns `headers` once it returned no error. A null `key`
   or `value` is a null in the record; `opaque` comes back with the delivery report. */
rd_kafka_resp_err_t ottla_rdkafka_produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition,
                                          const void *key, size_t key_length, const void *value, size_t value_length,
                                          rd_kafka_headers_t *headers, int64_t timestamp_ms, void *opaque);

/* Makes the library drop its log lines instead of writing them to stderr. */
void ottla_rdkafka_silence(rd_kafka_conf_t *configuration);

#endif
