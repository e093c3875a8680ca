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

/* Whether a consumed message surely has no headers; 0 where that is not known, and rd_kafka_message_headers has to be asked. Asking costs as
   much as half of all else, for it makes a buffer of its own to read one byte.

   librdkafka hands a value over where it lies in the broker's answer, and there the number of the headers follows it. (Batches of before
   Kafka 0.11 have none: whatever follows, the answer is right. The byte is looked at only where it shares a page with the value.) Of
   versions for which that was not checked it knows nothing, which costs time and nothing else. */
static inline int ottla_rdkafka_lacks_headers(const rd_kafka_message_t *message) {
  if (!message->payload || !message->len) return 0;
  const unsigned char *next = (const unsigned char *)message->payload + message->len;
  return ((uintptr_t)next & 4095) && !*next;
}

/* Whether ottla_rdkafka_lacks_headers may be asked of this version of librdkafka: 2.0.2, for which it was checked. */
static inline int ottla_rdkafka_reads_in_place(void) {
  return rd_kafka_version() == 0x020002ff;
}

/* Makes the library drop its log lines instead of writing them to stderr. */
void ottla_rdkafka_silence(rd_kafka_conf_t *configuration);

#endif
