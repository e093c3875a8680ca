// Record batches, format v2 (magic 2), with a valid CRC-32C.
#ifndef BENCH_BATCH_H
#define BENCH_BATCH_H
#include "wire.h"

enum { BATCH_HEADER_BYTES = 61, BATCH_CRC_AT = 17, BATCH_CRC_FROM = 21, BATCH_COUNT_AT = 57 };

/// Appends a batch of `records` records without key and headers, each with a value of `value_bytes` bytes of words
/// (lz4 leaves a little over half). `timestamp_ms` is every record's timestamp. `lz4` compresses with the frame format.
void put_batch(writer_t *w, unsigned records, unsigned value_bytes, uint64_t timestamp_ms, bool lz4);
/// The same with keys of 8 bytes, others for each `variant`; 0 for none.
void put_variant(
  writer_t *w, unsigned records, unsigned value_bytes, uint64_t timestamp_ms, bool lz4, unsigned variant);
/// Computes the CRC of the batch of `length` bytes anew, after a patch of what it covers.
void seal_batch(uint8_t *batch, size_t length);
/// How many records of `value_bytes` an uncompressed batch of at most `batch_bytes` holds; at least 1.
unsigned records_within(unsigned batch_bytes, unsigned value_bytes);
#endif
