// load: prepared Kafka requests over epoll, and what the answers cost. `load --help` says how.
#define _GNU_SOURCE
#include "load.h"
#include "batch.h"
#include "setup.h"
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

static const char usage[] =
  "load produce|consume|latency|create|delete --address HOST:PORT [options]\n"
  "  --topic NAME (bench)  --partitions N (6)  --create  --config NAME=VALUE (repeated)\n"
  "  --connections N (16)  --depth N (1; produce: requests in flight on a connection)\n"
  "  --record-bytes N (100)  --records-per-batch N (1) | --batch-bytes N  --lz4\n"
  "  --requests N | --records N (consume) | --seconds N   what is measured;  --warmup N requests before (1000)\n"
  "  --acks 1|all (1)  --keyed (produce: keys, the same few thousand again and again)\n"
  "  --max-bytes N (1048576; consume: a fetch)  --rate N (1000; latency: records a second)\n"
  "  --pid PID  reports the CPU time of that process over what is measured\n"
  "  --no-verify  reads answers without looking into them  --json  --time-limit SECONDS (120)\n";

static unsigned long number(const char *text) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text == '-' || end == text || *end) fail("not a number: %s", text);
  return value;
}

static unsigned positive(const char *text) {
  unsigned long value = number(text);
  if (value == 0 || value > 1u << 30) fail("out of range: %s", text);
  return (unsigned)value;
}

static int acks(const char *text) {
  if (!strcmp(text, "1")) return 1;
  if (strcmp(text, "all") && strcmp(text, "-1")) fail("acks is 1 or all: %s", text);
  return -1;
}

static void split_address(options_t *o, char *address) {
  char *colon = strrchr(address, ':');
  if (!colon) fail("not HOST:PORT: %s", address);
  *colon = 0;
  o->host = address;
  o->port = colon + 1;
}

static void apply_option(options_t *o, const char *name, char *value) {
  if (!strcmp(name, "address")) split_address(o, value);
  else if (!strcmp(name, "topic")) o->topic = value;
  else if (!strcmp(name, "partitions")) o->partitions = positive(value);
  else if (!strcmp(name, "connections")) o->connections = positive(value);
  else if (!strcmp(name, "depth")) o->depth = positive(value);
  else if (!strcmp(name, "record-bytes")) o->record_bytes = positive(value);
  else if (!strcmp(name, "records-per-batch")) o->records_per_batch = positive(value);
  else if (!strcmp(name, "batch-bytes")) o->batch_bytes = positive(value);
  else if (!strcmp(name, "requests")) o->requests = number(value);
  else if (!strcmp(name, "records")) o->records = number(value);
  else if (!strcmp(name, "seconds")) o->seconds = positive(value);
  else if (!strcmp(name, "warmup")) o->warmup_requests = number(value);
  else if (!strcmp(name, "max-bytes")) o->max_bytes = positive(value);
  else if (!strcmp(name, "rate")) o->rate = positive(value);
  else if (!strcmp(name, "pid")) o->pid = (pid_t)positive(value);
  else if (!strcmp(name, "time-limit")) o->time_limit_seconds = positive(value);
  else if (!strcmp(name, "acks")) o->acks = acks(value);
  else if (!strcmp(name, "lz4")) o->lz4 = true;
  else if (!strcmp(name, "create")) o->create = true;
  else if (!strcmp(name, "keyed")) o->keyed = true;
  else if (!strcmp(name, "no-verify")) o->verify = false;
  else if (!strcmp(name, "json")) o->json = true;
  else if (!strcmp(name, "config")) {
    if (o->config_count == sizeof o->configs / sizeof *o->configs) fail("too many --config");
    o->configs[o->config_count++] = value;
  }
}

static options_t parse_options(int argc, char **argv) {
  options_t o = {.topic = "bench", .partitions = 6, .connections = 16, .depth = 1, .record_bytes = 100,
    .records_per_batch = 1, .warmup_requests = 1000, .rate = 1000, .acks = 1, .max_bytes = 1 << 20, .time_limit_seconds = 120,
    .verify = true};
  static const struct option table[] = {
    {"address", 1, 0, 0}, {"topic", 1, 0, 0}, {"partitions", 1, 0, 0}, {"connections", 1, 0, 0}, {"depth", 1, 0, 0},
    {"record-bytes", 1, 0, 0}, {"records-per-batch", 1, 0, 0}, {"batch-bytes", 1, 0, 0}, {"requests", 1, 0, 0},
    {"records", 1, 0, 0}, {"seconds", 1, 0, 0}, {"warmup", 1, 0, 0}, {"max-bytes", 1, 0, 0}, {"rate", 1, 0, 0},
    {"acks", 1, 0, 0}, {"pid", 1, 0, 0}, {"time-limit", 1, 0, 0}, {"config", 1, 0, 0}, {"lz4", 0, 0, 0}, {"keyed", 0, 0, 0}, {"create", 0, 0, 0},
    {"no-verify", 0, 0, 0}, {"json", 0, 0, 0}, {"help", 0, 0, 'h'}, {0, 0, 0, 0}};
  int index, got;
  while ((got = getopt_long(argc, argv, "h", table, &index)) != -1) {
    if (got == 'h') { fputs(usage, stdout); exit(0); }
    if (got == '?') { fputs(usage, stderr); exit(2); }
    apply_option(&o, table[index].name, optarg);
  }
  if (!o.host) { fputs(usage, stderr); exit(2); }
  if (o.batch_bytes) o.records_per_batch = records_within(o.batch_bytes, o.record_bytes);
  if (!o.seconds && !o.requests && !o.records) o.seconds = 5;
  return o;
}

bracket_t take_bracket(const options_t *o) {
  return (bracket_t){now_ns(), o->pid ? process_cpu_ns(o->pid) : 0, process_cpu_ns(0)};
}

void set_elapsed(result_t *result, bracket_t from, bracket_t to) {
  result->elapsed_ns = to.wall - from.wall;
  result->target_cpu_ns = to.target - from.target;
  result->own_cpu_ns = to.own - from.own;
}

static void print_quantiles(const options_t *o, const char *name, const histogram_t *h) {
  double p50 = (double)histogram_quantile(h, 0.5) / 1e3, p99 = (double)histogram_quantile(h, 0.99) / 1e3;
  double p999 = (double)histogram_quantile(h, 0.999) / 1e3, max = (double)h->max / 1e3;
  printf(o->json ? ", \"%s_us\": {\"p50\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f}"
                 : "%s: p50 %.1f us, p99 %.1f us, p99.9 %.1f us, worst %.1f us\n", name, p50, p99, p999, max);
}

void print_result(const options_t *o, const result_t *r) {
  double seconds = (double)r->elapsed_ns / 1e9;
  printf(o->json ? "{\"mode\": \"%s\", \"records\": %lu, \"requests\": %lu, \"bytes\": %lu, \"seconds\": %.4f"
                 : "%s: %lu records, %lu requests, %lu bytes in %.3f s\n",
    r->mode, r->records, r->requests, r->bytes, seconds);
  printf(o->json ? ", \"records_per_s\": %.0f, \"requests_per_s\": %.0f, \"mb_per_s\": %.1f, \"own_cpu_s\": %.4f"
                 : "%.0f records/s, %.0f requests/s, %.1f MB/s, own CPU %.3f s\n",
    (double)r->records / seconds, (double)r->requests / seconds, (double)r->bytes / seconds / 1e6,
    (double)r->own_cpu_ns / 1e9);
  if (o->pid)
    printf(o->json ? ", \"target_cpu_s\": %.6f, \"target_us_per_request\": %.4f, \"target_s_per_million_records\": %.6f"
                   : "server CPU %.3f s, %.3f us a request, %.4f s per million records\n",
      (double)r->target_cpu_ns / 1e9, (double)r->target_cpu_ns / 1e3 / (double)r->requests,
      (double)r->target_cpu_ns / 1e3 / (double)r->records);
  if (r->latency) print_quantiles(o, "latency", r->latency);
  if (r->ack_latency) print_quantiles(o, "ack_latency", r->ack_latency);
  if (o->json) puts("}");
}

static void out_of_time(int signal) {
  (void)signal;
  static const char message[] = "error: time limit reached\n";
  if (write(2, message, sizeof message - 1) < 0) _exit(3);
  _exit(3);
}

int main(int argc, char **argv) {
  if (argc < 2 || !strcmp(argv[1], "--help")) { fputs(usage, argc < 2 ? stderr : stdout); return argc < 2 ? 2 : 0; }
  const char *mode = argv[1];
  options_t o = parse_options(argc - 1, argv + 1);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, out_of_time);
  alarm(o.time_limit_seconds);
  if (!strcmp(mode, "create") || o.create) {
    int fd = connect_to(o.host, o.port);
    create_topic(fd, o.topic, o.partitions, o.configs, o.config_count);
    close(fd);
  }
  if (!strcmp(mode, "produce")) run_produce(&o);
  else if (!strcmp(mode, "consume")) run_consume(&o);
  else if (!strcmp(mode, "latency")) run_latency(&o);
  else if (!strcmp(mode, "delete")) delete_topic(connect_to(o.host, o.port), o.topic);
  else if (strcmp(mode, "create")) { fputs(usage, stderr); return 2; }
  return 0;
}
