// CRC-32C three ways at once on x86-64: three independent streams hide the latency of the crc32 instruction, and a
// carry-less multiplication joins them. Chosen at run time; the portable table serves every other machine.
#include "checksum.h"
#include <string.h>

#define POLYNOMIAL 0x82f63b78u

static uint32_t table[8][256];

__attribute__((constructor)) static void make_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
    table[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; byte++)
    for (int slice = 1; slice < 8; slice++)
      table[slice][byte] = (table[slice - 1][byte] >> 8) ^ table[0][table[slice - 1][byte] & 0xff];
}

uint32_t ottla_crc32c_portable(uint32_t seed, const void *bytes, size_t length) {
  const uint8_t *p = bytes;
  uint32_t crc = ~seed;
  while (length >= 8) {
    uint32_t low, high;
    memcpy(&low, p, 4);
    memcpy(&high, p + 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    low = __builtin_bswap32(low);
    high = __builtin_bswap32(high);
#endif
    low ^= crc;
    crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^
          table[3][high & 0xff] ^ table[2][(high >> 8) & 0xff] ^ table[1][(high >> 16) & 0xff] ^ table[0][high >> 24];
    p += 8;
    length -= 8;
  }
  while (length--) crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xff];
  return ~crc;
}

#if defined(__x86_64__)
#include <immintrin.h>

// A block is three streams of STREAM bytes. Joining stream A to the ones after it multiplies its crc by
// x^(8 * distance - 33) mod P, which pclmul and one more crc32 instruction do.
#define STREAM 1024

static uint32_t shift_one, shift_two;  // the factors for a distance of one and two streams
static int fast;

static uint32_t multiply(uint32_t a, uint32_t b) {  // a * b mod P, bits reflected
  uint32_t product = 0;
  for (int bit = 0; bit < 32; bit++) {
    if (b & 0x80000000u) product ^= a;
    b <<= 1;
    a = (a & 1) ? (a >> 1) ^ POLYNOMIAL : a >> 1;
  }
  return product;
}

static uint32_t power_of_x(uint64_t exponent) {  // x^exponent mod P, bits reflected (x^0 is the top bit)
  uint32_t result = 0x80000000u, square = 0x40000000u;
  while (exponent) {
    if (exponent & 1) result = multiply(result, square);
    square = multiply(square, square);
    exponent >>= 1;
  }
  return result;
}

__attribute__((constructor)) static void prepare(void) {
  __builtin_cpu_init();
  fast = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
  shift_one = power_of_x(8ull * STREAM - 33);
  shift_two = power_of_x(16ull * STREAM - 33);
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t shifted(uint32_t crc, uint32_t factor) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)factor), 0);
  return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t crc32c_fast(uint32_t seed, const void *bytes, size_t length) {
  const uint8_t *p = bytes;
  uint64_t crc = (uint32_t)~seed;
  while (length >= 3 * STREAM) {
    uint64_t a = crc, b = 0, c = 0, word;
    for (size_t i = 0; i < STREAM; i += 8) {
      memcpy(&word, p + i, 8);
      a = _mm_crc32_u64(a, word);
      memcpy(&word, p + STREAM + i, 8);
      b = _mm_crc32_u64(b, word);
      memcpy(&word, p + 2 * STREAM + i, 8);
      c = _mm_crc32_u64(c, word);
    }
    crc = shifted((uint32_t)a, shift_two) ^ shifted((uint32_t)b, shift_one) ^ c;
    p += 3 * STREAM;
    length -= 3 * STREAM;
  }
  while (length >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    crc = _mm_crc32_u64(crc, word);
    p += 8;
    length -= 8;
  }
  while (length--) crc = _mm_crc32_u8((uint32_t)crc, *p++);
  return ~(uint32_t)crc;
}

uint32_t ottla_crc32c(uint32_t seed, const void *bytes, size_t length) {
  return fast ? crc32c_fast(seed, bytes, length) : ottla_crc32c_portable(seed, bytes, length);
}
#else
uint32_t ottla_crc32c(uint32_t seed, const void *bytes, size_t length) {
  return ottla_crc32c_portable(seed, bytes, length);
}
#endif
