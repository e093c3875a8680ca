#ifndef OTTLA_COMPRESSION_H
#define OTTLA_COMPRESSION_H
#include <stddef.h>
#include <stdint.h>

// The codecs of record batches over zlib, lz4, zstd and snappy. Nothing here keeps state between calls but the contexts,
// which one thread at a time may use again and again.

/// What a step of a decompressor came to.
enum {
  OTTLA_STEP_MORE = 0,      ///< the room is full, or more output follows: call again with room
  OTTLA_STEP_DONE = 1,      ///< all input is consumed and the stream is whole
  OTTLA_STEP_CORRUPT = -1,  ///< the input is no such stream, or ends in the middle of one
  OTTLA_STEP_NO_MEMORY = -2
};

/// One stream format of gzip (concatenated members too), lz4 frames or zstd frames, decoded into room that the caller
/// gives piece by piece: never more output is made than there is room for.
typedef struct ottla_decoder ottla_decoder;

/// NULL without memory, as for all that follow.
ottla_decoder *ottla_gzip_decoder_new(void);
ottla_decoder *ottla_lz4_decoder_new(void);
ottla_decoder *ottla_zstd_decoder_new(void);
void ottla_decoder_free(ottla_decoder *decoder);

/// Starts a stream. `input` must stay where it is until the last step.
void ottla_decoder_begin(ottla_decoder *decoder, const void *input, size_t length);

/// Decodes into `room` bytes at `output`; `written` tells how many were used. `room` must not be 0.
int ottla_decoder_step(ottla_decoder *decoder, void *output, size_t room, size_t *written);

/// Bytes of memory that the decoder holds on to between streams, where the codec can tell; else 0.
size_t ottla_decoder_held(const ottla_decoder *decoder);

/// A compressor of one of the three stream formats, in one call.
typedef struct ottla_encoder ottla_encoder;

ottla_encoder *ottla_gzip_encoder_new(void);
ottla_encoder *ottla_lz4_encoder_new(void);
ottla_encoder *ottla_zstd_encoder_new(void);
void ottla_encoder_free(ottla_encoder *encoder);

/// Most bytes that `length` bytes compress to at `level`; 0 without memory.
size_t ottla_encoder_bound(ottla_encoder *encoder, size_t length, int level);

/// Compresses all of `input` into at least `ottla_encoder_bound` bytes at `output`. The bytes written; 0 on failure.
size_t ottla_encoder_run(ottla_encoder *encoder, int level, const void *input, size_t length, void *output,
                         size_t room);

/// What a raw snappy block says it decodes to; -1 if it is none.
int64_t ottla_snappy_decoded_length(const void *input, size_t length);
/// Decodes a raw snappy block into exactly the `room` bytes it says it needs. 1 on success.
int ottla_snappy_decode(const void *input, size_t length, void *output, size_t room);
size_t ottla_snappy_bound(size_t length);
/// Encodes one raw snappy block into at least `ottla_snappy_bound` bytes. The bytes written; 0 on failure.
size_t ottla_snappy_encode(const void *input, size_t length, void *output, size_t room);
/// CRC-32 as gzip has it (not CRC-32C): the checksum of messages in formats 0 and 1.
uint32_t ottla_crc32(const void *bytes, size_t length);

#endif
