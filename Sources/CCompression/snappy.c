// Raw snappy blocks; the framing that Java puts around them is read and written in Swift.
#include "compression.h"
#include <snappy-c.h>

int64_t ottla_snappy_decoded_length(const void *input, size_t length) {
  size_t decoded = 0;
  if (snappy_uncompressed_length(input, length, &decoded) != SNAPPY_OK) return -1;
  return (int64_t)decoded;
}

int ottla_snappy_decode(const void *input, size_t length, void *output, size_t room) {
  size_t decoded = room;
  return snappy_uncompress(input, length, output, &decoded) == SNAPPY_OK && decoded == room;
}

size_t ottla_snappy_bound(size_t length) { return snappy_max_compressed_length(length); }

size_t ottla_snappy_encode(const void *input, size_t length, void *output, size_t room) {
  size_t encoded = room;
  return snappy_compress(input, length, output, &encoded) == SNAPPY_OK ? encoded : 0;
}
