// The lz4 frame format, with or without a content size, blocks linked or not.
#include "codecs.h"
#include <lz4frame.h>
#include <stdlib.h>

typedef struct {
  ottla_decoder base;
  LZ4F_dctx *context;
  int is_clean;  // the last frame came to its end
} lz4_decoder;

// lz4 1.9.4 does not reset the bytes that a content size still promises: a frame without one that follows a broken frame
// with one is refused. So a context is used again only after a frame that was whole.
static void begin(ottla_decoder *base) {
  lz4_decoder *decoder = (lz4_decoder *)base;
  if (!decoder->is_clean) {
    LZ4F_freeDecompressionContext(decoder->context);
    decoder->context = NULL;
    LZ4F_createDecompressionContext(&decoder->context, LZ4F_VERSION);
  } else {
    LZ4F_resetDecompressionContext(decoder->context);
  }
  decoder->is_clean = 0;
}

static int step(ottla_decoder *base, uint8_t *output, size_t room, size_t *written) {
  lz4_decoder *decoder = (lz4_decoder *)base;
  if (!decoder->context) return OTTLA_STEP_NO_MEMORY;
  while (*written < room) {
    size_t produced = room - *written, consumed = base->left;
    size_t result = LZ4F_decompress(decoder->context, output + *written, &produced, base->next, &consumed, NULL);
    if (LZ4F_isError(result)) return OTTLA_STEP_CORRUPT;
    base->next += consumed;
    base->left -= consumed;
    *written += produced;
    if (result == 0 && base->left == 0) {
      decoder->is_clean = 1;
      return OTTLA_STEP_DONE;
    }
    if (consumed == 0 && produced == 0) return OTTLA_STEP_CORRUPT;
  }
  return OTTLA_STEP_MORE;
}

static size_t held(const ottla_decoder *base) {
  (void)base;
  return 0;
}

static void destroy_decoder(ottla_decoder *base) {
  LZ4F_freeDecompressionContext(((lz4_decoder *)base)->context);
  free(base);
}

ottla_decoder *ottla_lz4_decoder_new(void) {
  lz4_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&decoder->context, LZ4F_VERSION))) {
    free(decoder);
    return NULL;
  }
  decoder->is_clean = 1;
  decoder->base = (ottla_decoder){.begin = begin, .step = step, .held = held, .destroy = destroy_decoder};
  return &decoder->base;
}

typedef struct {
  ottla_encoder base;
  LZ4F_cctx *context;
} lz4_encoder;

// As Kafka's own producer writes it: independent blocks of 64 KiB, no checksums, no content size.
static LZ4F_preferences_t preferences(int level) {
  LZ4F_preferences_t result = LZ4F_INIT_PREFERENCES;
  result.frameInfo.blockSizeID = LZ4F_max64KB;
  result.frameInfo.blockMode = LZ4F_blockIndependent;
  result.compressionLevel = level;
  return result;
}

static size_t bound(ottla_encoder *base, size_t length, int level) {
  (void)base;
  LZ4F_preferences_t wanted = preferences(level);
  return LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(length, &wanted);
}

static size_t run(ottla_encoder *base, int level, const void *input, size_t length, void *output, size_t room) {
  LZ4F_cctx *context = ((lz4_encoder *)base)->context;
  LZ4F_preferences_t wanted = preferences(level);
  uint8_t *start = output, *next = output, *end = start + room;
  size_t result = LZ4F_compressBegin(context, next, (size_t)(end - next), &wanted);
  if (LZ4F_isError(result)) return 0;
  next += result;
  result = LZ4F_compressUpdate(context, next, (size_t)(end - next), input, length, NULL);
  if (LZ4F_isError(result)) return 0;
  next += result;
  result = LZ4F_compressEnd(context, next, (size_t)(end - next), NULL);
  if (LZ4F_isError(result)) return 0;
  return (size_t)(next + result - start);
}

static void destroy_encoder(ottla_encoder *base) {
  LZ4F_freeCompressionContext(((lz4_encoder *)base)->context);
  free(base);
}

ottla_encoder *ottla_lz4_encoder_new(void) {
  lz4_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  if (LZ4F_isError(LZ4F_createCompressionContext(&encoder->context, LZ4F_VERSION))) {
    free(encoder);
    return NULL;
  }
  encoder->base = (ottla_encoder){.bound = bound, .run = run, .destroy = destroy_encoder};
  return &encoder->base;
}
