#include "batch.h"
#include "checksum.h"
#include "measure.h"
#include <lz4frame.h>

static const char *const words[] = {"order", "customer", "amount", "currency", "created", "shipped", "warehouse",
  "quantity", "price", "status", "pending", "address", "reference", "invoice", "region", "carrier"};

static void put_words(writer_t *w, unsigned length, uint64_t *random) {
  while (length) {
    *random = *random * 6364136223846793005ull + 1442695040888963407ull;
    char text[48];
    int n = snprintf(text, sizeof text, "%s=%06u ", words[*random >> 60], (unsigned)(*random >> 40) % 1000000);
    unsigned piece = (unsigned)n < length ? (unsigned)n : length;
    put_bytes(w, text, piece);
    length -= piece;
  }
}

static void put_record(
  writer_t *w, writer_t *scratch, unsigned delta, unsigned value_bytes, uint64_t *random, bool keyed) {
  scratch->length = 0;
  put8(scratch, 0);              // attributes
  put_zigzag(scratch, 0);        // timestamp delta
  put_zigzag(scratch, delta);    // offset delta
  put_zigzag(scratch, keyed ? 8 : -1);
  if (keyed) put64(scratch, *random);
  put_zigzag(scratch, value_bytes);
  put_words(scratch, value_bytes, random);
  put_zigzag(scratch, 0);        // no headers
  put_zigzag(w, (int64_t)scratch->length);
  put_bytes(w, scratch->bytes, scratch->length);
}

static void put_lz4(writer_t *w, const writer_t *plain) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  size_t bound = LZ4F_compressFrameBound(plain->length, &preferences);
  size_t n = LZ4F_compressFrame(writer_room(w, bound), bound, plain->bytes, plain->length, &preferences);
  if (LZ4F_isError(n)) fail("lz4: %s", LZ4F_getErrorName(n));
  w->length += n;
}

void put_batch(writer_t *w, unsigned records, unsigned value_bytes, uint64_t timestamp_ms, bool lz4) {
  put_variant(w, records, value_bytes, timestamp_ms, lz4, 0);
}

void put_variant(
  writer_t *w, unsigned records, unsigned value_bytes, uint64_t timestamp_ms, bool lz4, unsigned variant) {
  size_t start = w->length;
  put64(w, 0);             // base offset: the leader's
  put32(w, 0);             // batch length: below
  put32(w, (uint32_t)-1);  // partition leader epoch: the leader's
  put8(w, 2);              // magic
  put32(w, 0);             // crc: below
  put16(w, lz4 ? 3 : 0);   // attributes: the codec
  put32(w, records - 1);   // last offset delta
  put64(w, timestamp_ms);
  put64(w, timestamp_ms);
  put64(w, (uint64_t)-1);  // producer id, epoch, base sequence: none
  put16(w, (uint16_t)-1);
  put32(w, (uint32_t)-1);
  put32(w, records);
  writer_t plain = {0}, scratch = {0}, *target = lz4 ? &plain : w;
  uint64_t random = 20260101 + variant;
  for (unsigned i = 0; i < records; i++) put_record(target, &scratch, i, value_bytes, &random, variant != 0);
  if (lz4) put_lz4(w, &plain);
  store32(w->bytes + start + 8, (uint32_t)(w->length - start - 12));
  seal_batch(w->bytes + start, w->length - start);
  free(plain.bytes);
  free(scratch.bytes);
}

void seal_batch(uint8_t *batch, size_t length) {
  store32(batch + BATCH_CRC_AT, ottla_crc32c(0, batch + BATCH_CRC_FROM, length - BATCH_CRC_FROM));
}

static size_t batch_bytes_of(unsigned records, unsigned value_bytes) {
  writer_t w = {0};
  put_batch(&w, records, value_bytes, 0, false);
  free(w.bytes);
  return w.length;
}

unsigned records_within(unsigned batch_bytes, unsigned value_bytes) {
  unsigned records = batch_bytes / (value_bytes + 4) + 1;
  while (records > 1 && batch_bytes_of(records, value_bytes) > batch_bytes) records--;
  return records;
}
