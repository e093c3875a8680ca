// What the codecs have in common: an input cursor and a table of functions.
#ifndef OTTLA_CODECS_H
#define OTTLA_CODECS_H
#include "compression.h"

struct ottla_decoder {
  void (*begin)(ottla_decoder *);
  int (*step)(ottla_decoder *, uint8_t *output, size_t room, size_t *written);
  size_t (*held)(const ottla_decoder *);
  void (*destroy)(ottla_decoder *);
  const uint8_t *next;
  size_t left;
};

struct ottla_encoder {
  size_t (*bound)(ottla_encoder *, size_t length, int level);
  size_t (*run)(ottla_encoder *, int level, const void *input, size_t length, void *output, size_t room);
  void (*destroy)(ottla_encoder *);
};
#endif
