/* Copies: by the string instruction, as kernels clear and copy pages, and in a loop by words, as libraries do; 1 GB of each, aligned and not. */
#include "start.h"

enum { BYTES = 65536, ROUNDS = 8192 };

static u8 from[BYTES + 64], to[BYTES + 64];

static void words(u8 *out, const u8 *in, u32 n) {
  for (u32 i = 0; i < n; i += 4 * sizeof(long)) {
    typedef long word __attribute__((may_alias, aligned(1)));
    word *x = (word *)(out + i);
    const word *y = (const word *)(in + i);
    long p = y[0], q = y[1], r = y[2], s = y[3];
    x[0] = p, x[1] = q, x[2] = r, x[3] = s;
  }
}

static u32 run(void) {
  u32 sum = 0;
  for (int i = 0; i < BYTES; i++) from[i] = (u8)(i * 13);
  for (u32 round = 0; round < ROUNDS; round++) {
    memcpy(to + (round & 7), from, BYTES);
    sum = sum * 31 + to[round];
    words(to, from + (round & 7), BYTES);
    sum = sum * 31 + to[round + 1];
  }
  return sum;
}
