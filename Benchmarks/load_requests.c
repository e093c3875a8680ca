// Produce v9 and Fetch v12, of one topic and one partition, and the checks of their answers.
#include "load.h"
#include "setup.h"

void put_produce(writer_t *w, const char *topic, unsigned partition, const uint8_t *batch, size_t length, int acks) {
  begin_request(w, 0, 9, 0, true);
  put_unsigned(w, 0);  // no transactional id
  put16(w, (uint16_t)acks);
  put32(w, 30000);     // timeout
  put_unsigned(w, 2);
  put_compact_string(w, topic);
  put_unsigned(w, 2);
  put32(w, partition);
  put_unsigned(w, length + 1);
  put_bytes(w, batch, length);
  put8(w, 0);
  put8(w, 0);
  put8(w, 0);
  end_request(w);
}

uint64_t check_produce_answer(const uint8_t *answer, size_t length, uint32_t correlation, unsigned partition) {
  reader_t r = {answer, answer + length, false};
  uint32_t answered = get32(&r);
  if (answered != correlation) fail("Produce: answer %u where %u was due", answered, correlation);
  skip_tags(&r);
  if (get_compact_count(&r) != 1) fail("Produce: not one topic in the answer");
  get_compact(&r);
  if (get_compact_count(&r) != 1) fail("Produce: not one partition in the answer");
  uint32_t answered_partition = get32(&r);
  int16_t error = (int16_t)get16(&r);
  uint64_t base_offset = get64(&r);
  get64(&r);
  get64(&r);
  for (uint32_t left = get_compact_count(&r); left && !r.failed; left--) {
    get32(&r), get_compact(&r), skip_tags(&r);
  }
  slice_t message = get_compact(&r);
  skip_tags(&r);
  skip_tags(&r);
  get32(&r);
  skip_tags(&r);
  const char *text = message.null ? "" : (const char *)message.bytes;
  if (error) fail("Produce: error %d %.*s", error, (int)message.length, text);
  if (r.failed || r.at != r.end) fail("Produce: malformed answer");
  if (answered_partition != partition) fail("Produce: partition %u where %u was due", answered_partition, partition);
  return base_offset;
}

size_t put_fetch(writer_t *w, const char *topic, unsigned partition, uint64_t offset, unsigned wait_ms,
                 unsigned max_bytes) {
  begin_request(w, 1, 12, 0, true);
  put32(w, (uint32_t)-1);  // a consumer
  put32(w, wait_ms);
  put32(w, 1);             // min bytes
  put32(w, max_bytes);
  put8(w, 0);              // read uncommitted
  put32(w, 0);             // no session
  put32(w, (uint32_t)-1);
  put_unsigned(w, 2);
  put_compact_string(w, topic);
  put_unsigned(w, 2);
  put32(w, partition);
  put32(w, (uint32_t)-1);  // current leader epoch: not known
  size_t offset_at = w->length;
  put64(w, offset);
  put32(w, (uint32_t)-1);  // last fetched epoch
  put64(w, (uint64_t)-1);  // log start offset: a consumer has none
  put32(w, max_bytes);
  put8(w, 0);
  put8(w, 0);
  put_unsigned(w, 1);      // nothing forgotten
  put_unsigned(w, 1);      // rack ""
  put8(w, 0);
  end_request(w);
  return offset_at;
}

fetched_t check_fetch_answer(const uint8_t *answer, size_t length, uint32_t correlation, unsigned partition) {
  reader_t r = {answer, answer + length, false};
  fetched_t f = {0};
  uint32_t answered = get32(&r);
  if (answered != correlation) fail("Fetch: answer %u where %u was due", answered, correlation);
  skip_tags(&r);
  get32(&r);
  int16_t error = (int16_t)get16(&r);
  if (error) fail("Fetch: error %d", error);
  get32(&r);
  uint32_t topics = get_compact_count(&r);
  if (topics == 1) {
    get_compact(&r);
    if (get_compact_count(&r) != 1) fail("Fetch: not one partition in the answer");
    uint32_t answered_partition = get32(&r);
    if (answered_partition != partition) fail("Fetch: partition %u where %u was due", answered_partition, partition);
    f.error = (int16_t)get16(&r);
    f.high_watermark = get64(&r);
    get64(&r);
    f.log_start_offset = get64(&r);
    for (uint32_t left = get_compact_count(&r); left && !r.failed; left--) {
      get64(&r), get64(&r), skip_tags(&r);
    }
    get32(&r);
    f.records = get_compact(&r);
    skip_tags(&r);
    skip_tags(&r);
  } else if (topics != 0) {
    fail("Fetch: %u topics in the answer", topics);
  }
  skip_tags(&r);
  if (f.error) fail("Fetch: partition error %d", f.error);
  if (r.failed || r.at != r.end) fail("Fetch: malformed answer");
  return f;
}
