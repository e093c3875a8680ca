// rdkafka_bench: what an ordinary client, librdkafka with its defaults, costs a broker.
//   rdkafka_bench produce|consume --address HOST:PORT --topic T --partitions P --records N [--record-bytes B]
//                 [--pid PID] [--time-limit SECONDS] [-X NAME=VALUE ...]    any property of librdkafka
//   rdkafka_bench mock --partitions P --topic T     librdkafka's own mock broker, to try the two modes against
// Prints one JSON object. `consume` reads the topic from its start.
#define _GNU_SOURCE
#include "measure.h"
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IDLE_MS_MAX = 20000, POLL_MS = 100, FLUSH_MS = 30000, PROPERTIES_MAX = 32 };

typedef struct {
  const char *address, *topic;
  unsigned partitions, record_bytes, time_limit_seconds;
  uint64_t records;
  pid_t pid;
  unsigned property_count;
  char *properties[PROPERTIES_MAX];
} options_t;

typedef struct { uint64_t delivered, failed; } deliveries_t;

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client;
  deliveries_t *deliveries = opaque;
  if (message->err) {
    if (!deliveries->failed++) fprintf(stderr, "error: delivery: %s\n", rd_kafka_err2str(message->err));
  } else {
    deliveries->delivered++;
  }
}

static rd_kafka_t *open_client(const options_t *o, rd_kafka_type_t type, deliveries_t *deliveries) {
  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", o->address, error, sizeof error);
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, deliveries);
  } else {
    rd_kafka_conf_set(conf, "group.id", "rdkafka_bench", error, sizeof error);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", error, sizeof error);
  }
  for (unsigned i = 0; i < o->property_count; i++) {
    char *value = strchr(o->properties[i], '=');
    if (!value) fail("-X takes NAME=VALUE, not %s", o->properties[i]);
    *value = 0;
    if (rd_kafka_conf_set(conf, o->properties[i], value + 1, error, sizeof error) != RD_KAFKA_CONF_OK) fail("%s", error);
    *value = '=';
  }
  rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
  if (!client) fail("librdkafka: %s", error);
  return client;
}

static void print_result(const options_t *o, const char *mode, uint64_t records, uint64_t ns, uint64_t target,
                         uint64_t own) {
  printf("{\"mode\": \"rdkafka %s\", \"records\": %lu, \"seconds\": %.4f, \"records_per_s\": %.0f, \"own_cpu_s\": %.4f",
    mode, records, (double)ns / 1e9, (double)records / ((double)ns / 1e9), (double)own / 1e9);
  if (o->pid)
    printf(", \"target_cpu_s\": %.6f, \"target_s_per_million_records\": %.6f", (double)target / 1e9,
      (double)target / 1e3 / (double)records);
  puts("}");
}

static void produce(const options_t *o) {
  deliveries_t deliveries = {0};
  rd_kafka_t *client = open_client(o, RD_KAFKA_PRODUCER, &deliveries);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, o->topic, NULL);
  const struct rd_kafka_metadata *metadata;
  if (rd_kafka_metadata(client, 0, topic, &metadata, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR)
    rd_kafka_metadata_destroy(metadata);
  char *value = malloc(o->record_bytes);
  for (unsigned i = 0; i < o->record_bytes; i++) value[i] = (char)('a' + (i * 7 + i / 13) % 26);
  uint64_t started = now_ns(), target = o->pid ? process_cpu_ns(o->pid) : 0, own = process_cpu_ns(0);
  for (uint64_t i = 0; i < o->records; i++) {
    int32_t partition = (int32_t)(i % o->partitions);
    while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value, o->record_bytes, NULL, 0, NULL) < 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        fail("produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(client, 10);
    }
    if (i % 1024 == 0) rd_kafka_poll(client, 0);
  }
  rd_kafka_flush(client, FLUSH_MS);
  uint64_t ended = now_ns();
  target = o->pid ? process_cpu_ns(o->pid) - target : 0;
  own = process_cpu_ns(0) - own;
  if (deliveries.failed || deliveries.delivered != o->records)
    fail("%lu of %lu records delivered, %lu failed", deliveries.delivered, o->records, deliveries.failed);
  print_result(o, "produce", o->records, ended - started, target, own);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
  free(value);
}

static void consume(const options_t *o) {
  rd_kafka_t *client = open_client(o, RD_KAFKA_CONSUMER, NULL);
  rd_kafka_topic_partition_list_t *assigned = rd_kafka_topic_partition_list_new((int)o->partitions);
  for (unsigned i = 0; i < o->partitions; i++)
    rd_kafka_topic_partition_list_add(assigned, o->topic, (int32_t)i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  uint64_t started = 0, target = 0, own = 0;
  if (rd_kafka_assign(client, assigned)) fail("assign");
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
  uint64_t records = 0, last = now_ns();
  rd_kafka_message_t *messages[1000];
  while (records < o->records) {
    ssize_t n = rd_kafka_consume_batch_queue(queue, POLL_MS, messages, 1000);
    if (n < 0) fail("consume: %s", rd_kafka_err2str(rd_kafka_last_error()));
    // From the first record on: before it librdkafka waits for a clock of half a second.
    if (n && !started) started = now_ns(), target = o->pid ? process_cpu_ns(o->pid) : 0, own = process_cpu_ns(0);
    for (ssize_t i = 0; i < n; i++) {
      if (messages[i]->err) fail("consume: %s", rd_kafka_message_errstr(messages[i]));
      if (messages[i]->len != o->record_bytes) fail("consume: a value of %zu bytes", messages[i]->len);
      rd_kafka_message_destroy(messages[i]);
    }
    records += (uint64_t)n;
    uint64_t now = now_ns();
    if (n) last = now;
    else if (now - last > IDLE_MS_MAX * 1000000ull) fail("consume: %lu of %lu records came", records, o->records);
  }
  uint64_t ended = now_ns();
  target = o->pid ? process_cpu_ns(o->pid) - target : 0;
  own = process_cpu_ns(0) - own;
  print_result(o, "consume", records, ended - started, target, own);
  rd_kafka_topic_partition_list_destroy(assigned);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
}

static void mock(const options_t *o) {
  char error[512];
  rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof error);
  if (!client) fail("librdkafka: %s", error);
  rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
  rd_kafka_mock_topic_create(cluster, o->topic, (int)o->partitions, 1);
  printf("ready kafka=%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
  fflush(stdout);
  for (;;) pause();
}

int main(int argc, char **argv) {
  options_t o = {.topic = "bench", .partitions = 6, .record_bytes = 100, .records = 1000000, .time_limit_seconds = 120};
  static const struct option table[] = {{"address", 1, 0, 'a'}, {"topic", 1, 0, 't'}, {"partitions", 1, 0, 'p'},
    {"records", 1, 0, 'n'}, {"record-bytes", 1, 0, 'b'}, {"pid", 1, 0, 'i'}, {"time-limit", 1, 0, 'l'}, {0, 0, 0, 0}};
  const char *mode = argc > 1 ? argv[1] : "";
  for (int got; argc > 1 && (got = getopt_long(argc - 1, argv + 1, "X:", table, NULL)) != -1;) {
    if (got == 'a') o.address = optarg;
    else if (got == 't') o.topic = optarg;
    else if (got == 'p') o.partitions = (unsigned)atoi(optarg);
    else if (got == 'n') o.records = strtoull(optarg, NULL, 10);
    else if (got == 'b') o.record_bytes = (unsigned)atoi(optarg);
    else if (got == 'i') o.pid = (pid_t)atoi(optarg);
    else if (got == 'l') o.time_limit_seconds = (unsigned)atoi(optarg);
    else if (got == 'X' && o.property_count < PROPERTIES_MAX) o.properties[o.property_count++] = optarg;
    else return 2;
  }
  alarm(o.time_limit_seconds);
  bool needs_address = !strcmp(mode, "produce") || !strcmp(mode, "consume");
  if ((needs_address && !o.address) || !o.partitions || !o.records) {
    fputs("rdkafka_bench: --address, and a number of partitions and records\n", stderr);
    return 2;
  }
  if (!strcmp(mode, "produce")) produce(&o);
  else if (!strcmp(mode, "consume")) consume(&o);
  else if (!strcmp(mode, "mock")) mock(&o);
  else { fputs("rdkafka_bench produce|consume|mock\n", stderr); return 2; }
  return 0;
}
