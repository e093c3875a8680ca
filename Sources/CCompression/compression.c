#include "codecs.h"

void ottla_decoder_free(ottla_decoder *decoder) {
  if (decoder) decoder->destroy(decoder);
}

void ottla_decoder_begin(ottla_decoder *decoder, const void *input, size_t length) {
  decoder->next = input;
  decoder->left = length;
  decoder->begin(decoder);
}

int ottla_decoder_step(ottla_decoder *decoder, void *output, size_t room, size_t *written) {
  *written = 0;
  return decoder->step(decoder, output, room, written);
}

size_t ottla_decoder_held(const ottla_decoder *decoder) { return decoder->held(decoder); }

void ottla_encoder_free(ottla_encoder *encoder) {
  if (encoder) encoder->destroy(encoder);
}

size_t ottla_encoder_bound(ottla_encoder *encoder, size_t length, int level) {
  return encoder->bound(encoder, length, level);
}

size_t ottla_encoder_run(ottla_encoder *encoder, int level, const void *input, size_t length, void *output,
                         size_t room) {
  return encoder->run(encoder, level, input, length, output, room);
}
