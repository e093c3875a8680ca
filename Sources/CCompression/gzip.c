// gzip over zlib. A stream may be several members one after the other, as `cat a.gz b.gz` makes it.
#include "codecs.h"
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16)  // zlib's way to ask for gzip headers, and no others

typedef struct {
  ottla_decoder base;
  z_stream stream;
} gzip_decoder;

static uInt clipped(size_t length) { return length > UINT_MAX ? UINT_MAX : (uInt)length; }

static void begin(ottla_decoder *base) { inflateReset(&((gzip_decoder *)base)->stream); }

static int step(ottla_decoder *base, uint8_t *output, size_t room, size_t *written) {
  z_stream *stream = &((gzip_decoder *)base)->stream;
  while (*written < room) {
    uInt offered = clipped(base->left), space = clipped(room - *written);
    stream->next_in = (Bytef *)base->next;
    stream->avail_in = offered;
    stream->next_out = output + *written;
    stream->avail_out = space;
    int result = inflate(stream, Z_NO_FLUSH);
    size_t consumed = offered - stream->avail_in, produced = space - stream->avail_out;
    base->next += consumed;
    base->left -= consumed;
    *written += produced;
    if (result == Z_STREAM_END) {
      if (base->left == 0) return OTTLA_STEP_DONE;
      if (inflateReset(stream) != Z_OK) return OTTLA_STEP_CORRUPT;
    } else if (result == Z_MEM_ERROR) {
      return OTTLA_STEP_NO_MEMORY;
    } else if (result != Z_OK || (consumed == 0 && produced == 0)) {
      return OTTLA_STEP_CORRUPT;
    }
  }
  return OTTLA_STEP_MORE;
}

static size_t held(const ottla_decoder *base) {
  (void)base;
  return 0;
}

static void destroy_decoder(ottla_decoder *base) {
  inflateEnd(&((gzip_decoder *)base)->stream);
  free(base);
}

ottla_decoder *ottla_gzip_decoder_new(void) {
  gzip_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  if (inflateInit2(&decoder->stream, GZIP_WINDOW_BITS) != Z_OK) {
    free(decoder);
    return NULL;
  }
  decoder->base = (ottla_decoder){.begin = begin, .step = step, .held = held, .destroy = destroy_decoder};
  return &decoder->base;
}

typedef struct {
  ottla_encoder base;
  z_stream stream;
  int level;
  int ready;
} gzip_encoder;

// The deflate state belongs to a level; it is made again only when another level is asked for.
static int prepare(gzip_encoder *encoder, int level) {
  if (encoder->ready && encoder->level == level) return deflateReset(&encoder->stream) == Z_OK;
  if (encoder->ready) deflateEnd(&encoder->stream);
  encoder->stream = (z_stream){0};
  encoder->ready = deflateInit2(&encoder->stream, level, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  encoder->level = level;
  return encoder->ready;
}

static size_t bound(ottla_encoder *base, size_t length, int level) {
  gzip_encoder *encoder = (gzip_encoder *)base;
  return prepare(encoder, level) ? deflateBound(&encoder->stream, length) : 0;
}

static size_t run(ottla_encoder *base, int level, const void *input, size_t length, void *output, size_t room) {
  gzip_encoder *encoder = (gzip_encoder *)base;
  if (length > UINT_MAX || room > UINT_MAX || !prepare(encoder, level)) return 0;
  encoder->stream.next_in = (Bytef *)input;
  encoder->stream.avail_in = (uInt)length;
  encoder->stream.next_out = output;
  encoder->stream.avail_out = (uInt)room;
  if (deflate(&encoder->stream, Z_FINISH) != Z_STREAM_END) return 0;
  return room - encoder->stream.avail_out;
}

static void destroy_encoder(ottla_encoder *base) {
  gzip_encoder *encoder = (gzip_encoder *)base;
  if (encoder->ready) deflateEnd(&encoder->stream);
  free(encoder);
}

ottla_encoder *ottla_gzip_encoder_new(void) {
  gzip_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  encoder->base = (ottla_encoder){.bound = bound, .run = run, .destroy = destroy_encoder};
  return &encoder->base;
}

uint32_t ottla_crc32(const void *bytes, size_t length) { return (uint32_t)crc32_z(0, bytes, length); }
