// The requests `load` sends: Produce v9, Fetch v12 (one thread only), and minimal ApiVersions, Metadata, CreateTopics
// and DeleteTopics, whose topics all are the same logs.
#define _GNU_SOURCE
#include "checksum.h"
#include "floor.h"
#include "measure.h"

enum { PRODUCE = 0, FETCH = 1, METADATA = 3, API_VERSIONS = 18, CREATE_TOPICS = 19, DELETE_TOPICS = 20 };
enum { CORRUPT_MESSAGE = 2, UNKNOWN_TOPIC_OR_PARTITION = 3, UNSUPPORTED_VERSION = 35 };
enum { BATCH_HEADER_BYTES = 61 };

static connection_t *fetches_waiting;  // only with one thread

static size_t begin_answer(writer_t *out, uint32_t correlation, bool flexible) {
  size_t start = out->length;
  put32(out, 0);
  put32(out, correlation);
  if (flexible) put8(out, 0);
  return start;
}

static void end_answer(writer_t *out, size_t start, size_t bytes_to_follow) {
  store32(out->bytes + start, (uint32_t)(out->length - start - 4 + bytes_to_follow));
}

static void put_same_string(writer_t *out, slice_t s) {
  put16(out, (uint16_t)s.length);
  put_bytes(out, s.bytes, s.length);
}

static void send_batches(connection_t *c, uint32_t correlation, slice_t topic, uint32_t partition, uint64_t offset,
                         size_t bytes_max) {
  log_t *log = &c->home->floor->logs[partition];
  uint64_t position = 0;
  size_t bytes = offset < log->next_offset ? find_batches(log, offset, bytes_max, &position) : 0;
  size_t start = begin_answer(&c->out, correlation, true);
  put32(&c->out, 0);
  put16(&c->out, 0);
  put32(&c->out, 0);
  put_unsigned(&c->out, 2);
  put_unsigned(&c->out, topic.length + 1);
  put_bytes(&c->out, topic.bytes, topic.length);
  put_unsigned(&c->out, 2);
  put32(&c->out, partition);
  put16(&c->out, offset < log->start_offset || offset > log->next_offset ? 1 : 0);
  put64(&c->out, log->next_offset);
  put64(&c->out, log->next_offset);
  put64(&c->out, log->start_offset);
  put_unsigned(&c->out, 0);
  put32(&c->out, (uint32_t)-1);
  put_unsigned(&c->out, bytes + 1);
  end_answer(&c->out, start, bytes + 3);
  c->sending = log;
  c->sending_from = (off_t)position;
  c->sending_left = bytes;
}

static outcome_t answer_fetch(connection_t *c, reader_t *r, uint32_t correlation) {
  floor_t *floor = c->home->floor;
  get32(r);
  uint32_t wait_ms = get32(r);
  get32(r), get32(r), get8(r), get32(r), get32(r);
  if (get_compact_count(r) != 1) return BROKEN;
  slice_t topic = get_compact(r);
  if (get_compact_count(r) != 1) return BROKEN;
  uint32_t partition = get32(r);
  get32(r);
  uint64_t offset = get64(r);
  get32(r), get64(r);
  uint32_t bytes_max = get32(r);
  if (r->failed || partition >= floor->partitions || floor->threads > 1 || !floor->writes) return BROKEN;
  if (offset != floor->logs[partition].next_offset || wait_ms == 0) {
    send_batches(c, correlation, topic, partition, offset, bytes_max);
    return ANSWERED;
  }
  c->waiting = true;
  c->awaited = &floor->logs[partition];
  c->awaited_partition = partition;
  c->awaited_offset = offset;
  c->awaited_bytes_max = bytes_max;
  c->awaited_topic = topic;
  c->awaited_correlation = correlation;
  c->deadline_ns = now_ns() + wait_ms * 1000000ull;
  c->next = fetches_waiting;
  fetches_waiting = c;
  return PAUSED;
}

static void finish_fetch(connection_t *c) {
  c->waiting = false;
  send_batches(c, c->awaited_correlation, c->awaited_topic, c->awaited_partition, c->awaited_offset,
    c->awaited_bytes_max);
  progress(c);
}

static void wake_fetches(const log_t *log) {
  for (connection_t **link = &fetches_waiting; *link;) {
    connection_t *c = *link;
    if (c->awaited != log || c->awaited_offset >= log->next_offset) { link = &c->next; continue; }
    *link = c->next;
    finish_fetch(c);
  }
}

int expire_fetches(void) {
  if (!fetches_waiting) return -1;
  uint64_t now = now_ns(), next = UINT64_MAX;
  for (connection_t **link = &fetches_waiting; *link;) {
    connection_t *c = *link;
    if (c->deadline_ns > now) {
      if (c->deadline_ns < next) next = c->deadline_ns;
      link = &c->next;
      continue;
    }
    *link = c->next;
    finish_fetch(c);
  }
  return next == UINT64_MAX ? -1 : (int)((next - now) / 1000000) + 1;
}

static int16_t append(floor_t *floor, uint32_t partition, slice_t batch, uint64_t *base_offset) {
  if (partition >= floor->partitions) return UNKNOWN_TOPIC_OR_PARTITION;
  if (batch.length < BATCH_HEADER_BYTES || batch.bytes[16] != 2) return CORRUPT_MESSAGE;
  if (floor->writes && load32(batch.bytes + 17) != ottla_crc32c(0, batch.bytes + 21, batch.length - 21))
    return CORRUPT_MESSAGE;
  *base_offset = append_batch(&floor->logs[partition], (uint8_t *)batch.bytes, batch.length);
  return 0;
}

outcome_t answer_produce(connection_t *c, const uint8_t *frame, size_t length) {
  reader_t r = {frame + 4, frame + length, false};
  uint32_t correlation = get32(&r);
  get_string(&r), skip_tags(&r);
  get_compact(&r), get16(&r), get32(&r);
  if (get_compact_count(&r) != 1) return BROKEN;
  slice_t topic = get_compact(&r);
  if (get_compact_count(&r) != 1) return BROKEN;
  uint32_t partition = get32(&r);
  slice_t batch = get_compact(&r);
  if (r.failed) return BROKEN;
  uint64_t base_offset = UINT64_MAX;
  int16_t error = append(c->home->floor, partition, batch, &base_offset);
  size_t start = begin_answer(&c->out, correlation, true);
  put_unsigned(&c->out, 2);
  put_unsigned(&c->out, topic.length + 1);
  put_bytes(&c->out, topic.bytes, topic.length);
  put_unsigned(&c->out, 2);
  put32(&c->out, partition);
  put16(&c->out, (uint16_t)error);
  put64(&c->out, base_offset);
  put64(&c->out, UINT64_MAX);
  put64(&c->out, 0);
  put_unsigned(&c->out, 1);  // no record errors
  put_unsigned(&c->out, 0);  // no message
  put_bytes(&c->out, "\0", 2);
  put32(&c->out, 0);
  put8(&c->out, 0);
  end_answer(&c->out, start, 0);
  if (fetches_waiting && !error) wake_fetches(&c->home->floor->logs[partition]);
  return ANSWERED;
}

static outcome_t answer_api_versions(connection_t *c, uint16_t version, uint32_t correlation) {
  static const uint16_t ranges[][3] = {{PRODUCE, 9, 9}, {FETCH, 12, 12}, {METADATA, 4, 4}, {API_VERSIONS, 0, 0},
    {CREATE_TOPICS, 4, 4}, {DELETE_TOPICS, 3, 3}};
  size_t start = begin_answer(&c->out, correlation, false);
  put16(&c->out, version ? UNSUPPORTED_VERSION : 0);
  put32(&c->out, sizeof ranges / sizeof *ranges);
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    for (int field = 0; field < 3; field++) put16(&c->out, ranges[i][field]);
  end_answer(&c->out, start, 0);
  return ANSWERED;
}

static void put_metadata_topic(writer_t *out, slice_t name, unsigned partitions) {
  put16(out, 0);
  put_same_string(out, name);
  put8(out, 0);
  put32(out, partitions);
  for (unsigned i = 0; i < partitions; i++) {
    put16(out, 0);
    put32(out, i);
    for (int field = 0; field < 5; field++) put32(out, 1);  // leader 1, replicas [1], isr [1]
  }
}

static outcome_t answer_metadata(connection_t *c, reader_t *r, uint32_t correlation) {
  uint32_t topics = get32(r);
  size_t start = begin_answer(&c->out, correlation, false);
  put32(&c->out, 0);
  put32(&c->out, 1);
  put32(&c->out, 1);
  put_string(&c->out, "127.0.0.1");
  put32(&c->out, c->home->floor->port);
  put16(&c->out, (uint16_t)-1);
  put_string(&c->out, "floor");
  put32(&c->out, 1);
  if (topics == UINT32_MAX) topics = 0;
  put32(&c->out, topics);
  for (; topics && !r->failed; topics--) put_metadata_topic(&c->out, get_string(r), c->home->floor->partitions);
  end_answer(&c->out, start, 0);
  return r->failed ? BROKEN : ANSWERED;
}

// Both change nothing but, for DeleteTopics, begin all logs anew. One topic a request.
static outcome_t answer_topic_change(connection_t *c, reader_t *r, uint32_t correlation, bool deletes) {
  if (get32(r) != 1) return BROKEN;
  slice_t name = get_string(r);
  if (r->failed) return BROKEN;
  for (unsigned i = 0; deletes && i < c->home->floor->partitions; i++) reset_log(&c->home->floor->logs[i]);
  size_t start = begin_answer(&c->out, correlation, false);
  put32(&c->out, 0);
  put32(&c->out, 1);
  put_same_string(&c->out, name);
  put16(&c->out, 0);
  if (!deletes) put16(&c->out, (uint16_t)-1);
  end_answer(&c->out, start, 0);
  return ANSWERED;
}

outcome_t answer(connection_t *c, const uint8_t *frame, size_t length) {
  reader_t r = {frame, frame + length, false};
  uint16_t key = get16(&r), version = get16(&r);
  if (key == PRODUCE && version == 9) {
    if (!c->home->floor->cross || (c->hops++ & 1)) return answer_produce(c, frame, length);
    c->frame = frame;
    c->frame_length = length;
    c->hopping = true;
    return PAUSED;
  }
  uint32_t correlation = get32(&r);
  get_string(&r);
  if (key == FETCH && version == 12) { skip_tags(&r); return answer_fetch(c, &r, correlation); }
  if (key == METADATA && version == 4) return answer_metadata(c, &r, correlation);
  if (key == CREATE_TOPICS && version == 4) return answer_topic_change(c, &r, correlation, false);
  if (key == DELETE_TOPICS && version == 3) return answer_topic_change(c, &r, correlation, true);
  if (key == API_VERSIONS) return answer_api_versions(c, version, correlation);
  return BROKEN;
}
