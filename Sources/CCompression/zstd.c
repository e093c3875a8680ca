// Zstandard frames. A frame may ask for a window of 128 MiB at most (zstd's own limit for streams, and what its highest
// level uses); the pages of a window are touched only as far as output is made.
#include "codecs.h"
#include <stdlib.h>
#include <zstd.h>

#define WINDOW_LOG_MAX 27

typedef struct {
  ottla_decoder base;
  ZSTD_DCtx *context;
} zstd_decoder;

static void begin(ottla_decoder *base) {
  ZSTD_DCtx_reset(((zstd_decoder *)base)->context, ZSTD_reset_session_only);
}

static int step(ottla_decoder *base, uint8_t *output, size_t room, size_t *written) {
  while (*written < room) {
    ZSTD_inBuffer in = {base->next, base->left, 0};
    ZSTD_outBuffer out = {output + *written, room - *written, 0};
    size_t result = ZSTD_decompressStream(((zstd_decoder *)base)->context, &out, &in);
    if (ZSTD_isError(result)) return OTTLA_STEP_CORRUPT;
    base->next += in.pos;
    base->left -= in.pos;
    *written += out.pos;
    if (result == 0 && base->left == 0) return OTTLA_STEP_DONE;
    if (in.pos == 0 && out.pos == 0) return OTTLA_STEP_CORRUPT;
  }
  return OTTLA_STEP_MORE;
}

static size_t held(const ottla_decoder *base) { return ZSTD_sizeof_DCtx(((const zstd_decoder *)base)->context); }

static void destroy_decoder(ottla_decoder *base) {
  ZSTD_freeDCtx(((zstd_decoder *)base)->context);
  free(base);
}

ottla_decoder *ottla_zstd_decoder_new(void) {
  zstd_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  decoder->context = ZSTD_createDCtx();
  if (!decoder->context) {
    free(decoder);
    return NULL;
  }
  ZSTD_DCtx_setParameter(decoder->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
  decoder->base = (ottla_decoder){.begin = begin, .step = step, .held = held, .destroy = destroy_decoder};
  return &decoder->base;
}

typedef struct {
  ottla_encoder base;
  ZSTD_CCtx *context;
} zstd_encoder;

static size_t bound(ottla_encoder *base, size_t length, int level) {
  (void)base;
  (void)level;
  return ZSTD_compressBound(length);
}

static size_t run(ottla_encoder *base, int level, const void *input, size_t length, void *output, size_t room) {
  size_t result = ZSTD_compressCCtx(((zstd_encoder *)base)->context, output, room, input, length, level);
  return ZSTD_isError(result) ? 0 : result;
}

static void destroy_encoder(ottla_encoder *base) {
  ZSTD_freeCCtx(((zstd_encoder *)base)->context);
  free(base);
}

ottla_encoder *ottla_zstd_encoder_new(void) {
  zstd_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  encoder->context = ZSTD_createCCtx();
  if (!encoder->context) {
    free(encoder);
    return NULL;
  }
  encoder->base = (ottla_encoder){.bound = bound, .run = run, .destroy = destroy_encoder};
  return &encoder->base;
}
