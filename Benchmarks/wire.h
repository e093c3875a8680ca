// Big-endian fields and the compact forms of Kafka's protocol: a growing writer, and a reader with a sticky error.
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void store16(uint8_t *p, uint16_t v) { v = __builtin_bswap16(v); memcpy(p, &v, 2); }
static inline void store32(uint8_t *p, uint32_t v) { v = __builtin_bswap32(v); memcpy(p, &v, 4); }
static inline void store64(uint8_t *p, uint64_t v) { v = __builtin_bswap64(v); memcpy(p, &v, 8); }
static inline uint16_t load16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return __builtin_bswap16(v); }
static inline uint32_t load32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
static inline uint64_t load64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return __builtin_bswap64(v); }

typedef struct { uint8_t *bytes; size_t length, capacity; } writer_t;

static inline uint8_t *writer_room(writer_t *w, size_t n) {
  if (w->capacity - w->length < n) {
    size_t capacity = w->capacity ? w->capacity : 256;
    while (capacity - w->length < n) capacity *= 2;
    w->bytes = realloc(w->bytes, capacity);
    if (!w->bytes) { fputs("out of memory\n", stderr); exit(1); }
    w->capacity = capacity;
  }
  return w->bytes + w->length;
}

static inline void put_bytes(writer_t *w, const void *p, size_t n) {
  if (n) memcpy(writer_room(w, n), p, n);
  w->length += n;
}
static inline void put8(writer_t *w, uint8_t v) { *writer_room(w, 1) = v; w->length += 1; }
static inline void put16(writer_t *w, uint16_t v) { store16(writer_room(w, 2), v); w->length += 2; }
static inline void put32(writer_t *w, uint32_t v) { store32(writer_room(w, 4), v); w->length += 4; }
static inline void put64(writer_t *w, uint64_t v) { store64(writer_room(w, 8), v); w->length += 8; }
static inline void put_unsigned(writer_t *w, uint64_t v) {
  for (; v >= 0x80; v >>= 7) put8(w, (uint8_t)(v | 0x80));
  put8(w, (uint8_t)v);
}
static inline void put_zigzag(writer_t *w, int64_t v) { put_unsigned(w, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63)); }
static inline void put_string(writer_t *w, const char *s) {
  put16(w, (uint16_t)strlen(s));
  put_bytes(w, s, strlen(s));
}
static inline void put_compact_string(writer_t *w, const char *s) {
  put_unsigned(w, strlen(s) + 1);
  put_bytes(w, s, strlen(s));
}

// Reads past the end, or anything else that cannot be, set `failed` and answer zero from then on.
typedef struct { const uint8_t *at, *end; bool failed; } reader_t;

static inline const uint8_t *take(reader_t *r, size_t n) {
  if (r->failed || (size_t)(r->end - r->at) < n) { r->failed = true; return NULL; }
  const uint8_t *p = r->at;
  r->at += n;
  return p;
}
static inline uint8_t get8(reader_t *r) { const uint8_t *p = take(r, 1); return p ? *p : 0; }
static inline uint16_t get16(reader_t *r) { const uint8_t *p = take(r, 2); return p ? load16(p) : 0; }
static inline uint32_t get32(reader_t *r) { const uint8_t *p = take(r, 4); return p ? load32(p) : 0; }
static inline uint64_t get64(reader_t *r) { const uint8_t *p = take(r, 8); return p ? load64(p) : 0; }
static inline uint32_t get_unsigned(reader_t *r) {
  uint64_t v = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    uint8_t byte = get8(r);
    v |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      if (v > UINT32_MAX) r->failed = true;
      return (uint32_t)v;
    }
  }
  r->failed = true;
  return 0;
}

typedef struct { const uint8_t *bytes; size_t length; bool null; } slice_t;

static inline slice_t get_string(reader_t *r) {  // int16 length, -1 null
  int16_t length = (int16_t)get16(r);
  if (length < 0) return (slice_t){NULL, 0, true};
  const uint8_t *p = take(r, (size_t)length);
  return (slice_t){p, p ? (size_t)length : 0, false};
}
static inline slice_t get_compact(reader_t *r) {  // length + 1 as an unsigned varint, 0 null
  uint32_t length = get_unsigned(r);
  if (length == 0) return (slice_t){NULL, 0, true};
  const uint8_t *p = take(r, length - 1);
  return (slice_t){p, p ? length - 1 : 0, false};
}
static inline uint32_t get_compact_count(reader_t *r) {  // of an array; null counts as empty
  uint32_t count = get_unsigned(r);
  return count ? count - 1 : 0;
}
static inline void skip_tags(reader_t *r) {
  for (uint32_t left = get_unsigned(r); left && !r->failed; left--) {
    get_unsigned(r);
    take(r, get_unsigned(r));
  }
}
#endif
