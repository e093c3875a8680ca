#ifndef OTTLA_CHECKSUM_H
#define OTTLA_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `length` bytes, continuing from `seed` (0 for the first piece).
uint32_t ottla_crc32c(uint32_t seed, const void *bytes, size_t length);

/// The same by the portable table, so that tests can compare the two.
uint32_t ottla_crc32c_portable(uint32_t seed, const void *bytes, size_t length);
#endif
