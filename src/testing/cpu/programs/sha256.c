/* SHA-256 (FIPS 180-4) of a few messages. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t k[64], h[8];

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* The first 32 bits of the fractional part of a root of a prime, by whole numbers alone. */
static uint32_t root(unsigned prime, int cubic) {
  unsigned __int128 low = 0, high = (unsigned __int128)20 << 32;
  while (high - low > 1) {
    unsigned __int128 mid = (low + high) / 2;
    unsigned __int128 power = cubic ? ((mid * mid) >> 32) * mid : mid * mid;
    if (power <= (unsigned __int128)prime << 64) low = mid;
    else high = mid;
  }
  return (uint32_t)low;
}

static void constants(void) {
  static const uint32_t exact[4] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5};
  int n = 0;
  for (unsigned candidate = 2; n < 64; candidate++) {
    int prime = 1;
    for (unsigned d = 2; d * d <= candidate; d++) prime &= candidate % d != 0;
    if (!prime) continue;
    if (n < 8) h[n] = root(candidate, 0);
    k[n] = n < 4 ? exact[n] : root(candidate, 1);
    n++;
  }
}

static void block(uint32_t *s, const uint8_t *p) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  memcpy(v, s, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t e = v[4], a = v[0];
    uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + k[i] + w[i];
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) s[i] += v[i];
}

static void print(const char *text) {
  uint8_t padded[256] = {0};
  size_t length = strlen(text), total = (length + 9 + 63) / 64 * 64;
  memcpy(padded, text, length);
  padded[length] = 0x80;
  for (int i = 0; i < 8; i++) padded[total - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
  uint32_t s[8];
  memcpy(s, h, sizeof s);
  for (size_t at = 0; at < total; at += 64) block(s, padded + at);
  for (int i = 0; i < 8; i++) printf("%08x", s[i]);
  printf("\n");
}

int main(void) {
  constants();
  print("");
  print("abc");
  print("The quick brown fox jumps over the lazy dog, and then over a second one that has been asleep for a while.");
  return 0;
}
