/* Ciphers and digests, each with a published result: AES-128 (FIPS 197), ChaCha20 (RFC 8439), MD5 (RFC 1321), SHA-512 (FIPS 180-4), CRC-32; and RSA of 512 bits with its own arithmetic. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hex(const char *name, const uint8_t *bytes, int count) {
  printf("%s ", name);
  for (int i = 0; i < count; i++) printf("%02x", bytes[i]);
  printf("\n");
}

static uint8_t box[256];
static uint8_t twice(uint8_t x) { return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b); }

static void makeBox(void) {
  uint8_t p = 1, q = 1;
  do {
    p = (uint8_t)(p ^ twice(p));
    q ^= (uint8_t)(q << 1), q ^= (uint8_t)(q << 2), q ^= (uint8_t)(q << 4);
    if (q & 0x80) q ^= 9;
    uint8_t x = q;
    for (int i = 1; i < 5; i++) x ^= (uint8_t)(q << i | q >> (8 - i));
    box[p] = x ^ 0x63;
  } while (p != 1);
  box[0] = 0x63;
}

static void aes(const uint8_t *key, uint8_t *state) {
  uint8_t keys[176], turn = 1;
  memcpy(keys, key, 16);
  for (int i = 16; i < 176; i += 4) {
    uint8_t word[4];
    memcpy(word, keys + i - 4, 4);
    if (i % 16 == 0) {
      uint8_t first = word[0];
      for (int j = 0; j < 3; j++) word[j] = box[word[j + 1]];
      word[3] = box[first];
      word[0] ^= turn;
      turn = twice(turn);
    }
    for (int j = 0; j < 4; j++) keys[i + j] = keys[i + j - 16] ^ word[j];
  }
  for (int i = 0; i < 16; i++) state[i] ^= keys[i];
  for (int round = 1; round <= 10; round++) {
    uint8_t next[16];
    for (int i = 0; i < 16; i++) next[i] = box[state[(i + 4 * (i % 4)) % 16]];
    for (int c = 0; c < 16 && round < 10; c += 4) {
      uint8_t *a = next + c, all = a[0] ^ a[1] ^ a[2] ^ a[3], first = a[0];
      for (int i = 0; i < 4; i++) a[i] ^= all ^ twice(a[i] ^ (i < 3 ? a[i + 1] : first));
    }
    for (int i = 0; i < 16; i++) state[i] = next[i] ^ keys[16 * round + i];
  }
}

static uint32_t left(uint32_t x, int n) { return x << n | x >> (32 - n); }

static void quarter(uint32_t *x, int a, int b, int c, int d) {
  x[a] += x[b], x[d] = left(x[d] ^ x[a], 16), x[c] += x[d], x[b] = left(x[b] ^ x[c], 12);
  x[a] += x[b], x[d] = left(x[d] ^ x[a], 8), x[c] += x[d], x[b] = left(x[b] ^ x[c], 7);
}

static void chacha(const uint32_t *input, uint32_t *x) {
  memcpy(x, input, 64);
  for (int i = 0; i < 10; i++) {
    for (int j = 0; j < 4; j++) quarter(x, j, 4 + j, 8 + j, 12 + j);
    for (int j = 0; j < 4; j++) quarter(x, j, 4 + (j + 1) % 4, 8 + (j + 2) % 4, 12 + (j + 3) % 4);
  }
  for (int i = 0; i < 16; i++) x[i] += input[i];
}

static void md5(const uint8_t *bytes, size_t length, uint8_t *digest) {
  static const uint8_t shifts[] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
  uint32_t h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  size_t total = (length + 72) / 64 * 64;
  uint8_t *padded = calloc(total, 1);
  memcpy(padded, bytes, length);
  padded[length] = 0x80;
  uint64_t bits = length * 8;
  memcpy(padded + total - 8, &bits, 8);
  for (size_t at = 0; at < total; at += 64) {
    uint32_t m[16], a = h[0], b = h[1], c = h[2], d = h[3];
    memcpy(m, padded + at, 64);
    for (int i = 0; i < 64; i++) {
      uint32_t f = i < 16 ? (b & c) | (~b & d) : i < 32 ? (d & b) | (~d & c) : i < 48 ? b ^ c ^ d : c ^ (b | ~d);
      int g = i < 16 ? i : i < 32 ? 5 * i + 1 : i < 48 ? 3 * i + 5 : 7 * i;
      uint32_t constant = (uint32_t)(int64_t)floor(fabs(sin(i + 1)) * 4294967296.0);
      f += a + constant + m[g & 15];
      a = d, d = c, c = b;
      b += left(f, shifts[i / 16 * 4 + i % 4]);
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d;
  }
  memcpy(digest, h, 16);
  free(padded);
}

static uint64_t right(uint64_t x, int n) { return x >> n | x << (64 - n); }

/* The first 64 bits of a root's fractional part: of r*r = prime or r*r*r = prime, r in units of 2^-64. */
static uint64_t root(unsigned prime, int cubic) {
  uint64_t whole = 0, fraction = 0;
  while ((cubic ? (whole + 1) * (whole + 1) : whole + 1) * (whole + 1) <= prime) whole++;
  for (int bit = 63; bit >= 0; bit--) {
    uint64_t tried = fraction | (uint64_t)1 << bit;
    /* (whole + tried * 2^-64), powered in units of 2^-64, in words of 32 bits. */
    uint32_t r[3] = {(uint32_t)tried, (uint32_t)(tried >> 32), (uint32_t)whole}, power[9] = {1};
    for (int n = 0; n < (cubic ? 3 : 2); n++) {
      uint32_t next[9] = {0};
      for (int i = 0; i < 7; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 3 && i + j < 9; j++) {
          carry += (uint64_t)power[i] * r[j] + next[i + j];
          next[i + j] = (uint32_t)carry;
          carry >>= 32;
        }
        for (int j = i + 3; carry && j < 9; j++) carry += next[j], next[j] = (uint32_t)carry, carry >>= 32;
      }
      memcpy(power, next, sizeof power);
    }
    if (power[cubic ? 6 : 4] < prime) fraction = tried;
  }
  return fraction;
}

static void sha512(const char *text, uint8_t *digest) {
  static uint64_t k[80], start[8];
  for (unsigned n = 0, candidate = 2; n < 80 && !k[79]; candidate++) {
    int prime = 1;
    for (unsigned d = 2; d * d <= candidate; d++) prime &= candidate % d != 0;
    if (!prime) continue;
    if (n < 8) start[n] = root(candidate, 0);
    k[n++] = root(candidate, 1);
  }
  uint8_t block[128] = {0};
  size_t length = strlen(text);
  memcpy(block, text, length);
  block[length] = 0x80;
  block[127] = (uint8_t)(length * 8), block[126] = (uint8_t)(length >> 5);
  uint64_t w[80], v[8], h[8];
  for (int i = 0; i < 16; i++) w[i] = __builtin_bswap64(((uint64_t *)(void *)block)[i]);
  for (int i = 16; i < 80; i++) {
    uint64_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (right(a, 1) ^ right(a, 8) ^ a >> 7) + (right(b, 19) ^ right(b, 61) ^ b >> 6);
  }
  memcpy(h, start, sizeof h);
  memcpy(v, h, sizeof v);
  for (int i = 0; i < 80; i++) {
    uint64_t e = v[4], a = v[0];
    uint64_t t1 = v[7] + (right(e, 14) ^ right(e, 18) ^ right(e, 41)) + ((e & v[5]) ^ (~e & v[6])) + k[i] + w[i];
    uint64_t t2 = (right(a, 28) ^ right(a, 34) ^ right(a, 39)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) {
    uint64_t word = __builtin_bswap64(h[i] + v[i]);
    memcpy(digest + 8 * i, &word, 8);
  }
}

static uint32_t crc(const uint8_t *bytes, size_t length) {
  uint32_t sum = ~0u;
  while (length--) {
    sum ^= *bytes++;
    for (int i = 0; i < 8; i++) sum = sum >> 1 ^ (0xedb88320u & -(sum & 1));
  }
  return ~sum;
}

enum { WORDS = 8 };
typedef struct {
  uint64_t word[WORDS];
} Big;

static int below(const Big *a, const Big *b) {
  for (int i = WORDS - 1; i >= 0; i--)
    if (a->word[i] != b->word[i]) return a->word[i] < b->word[i];
  return 0;
}

static uint64_t take(Big *a, const Big *b) {
  uint64_t borrow = 0;
  for (int i = 0; i < WORDS; i++) {
    unsigned __int128 d = (unsigned __int128)a->word[i] - b->word[i] - borrow;
    a->word[i] = (uint64_t)d;
    borrow = (uint64_t)(d >> 64) & 1;
  }
  return borrow;
}

/* Montgomery's product, a * b / 2^512 modulo m. */
static Big times(const Big *a, const Big *b, const Big *m, uint64_t inverse) {
  uint64_t t[WORDS + 2] = {0};
  for (int i = 0; i < WORDS; i++) {
    unsigned __int128 sum = 0;
    for (int j = 0; j < WORDS; j++) sum += (unsigned __int128)a->word[j] * b->word[i] + t[j], t[j] = (uint64_t)sum, sum >>= 64;
    sum += t[WORDS], t[WORDS] = (uint64_t)sum, t[WORDS + 1] = (uint64_t)(sum >> 64);
    uint64_t factor = t[0] * inverse;
    sum = (unsigned __int128)factor * m->word[0] + t[0], sum >>= 64;
    for (int j = 1; j < WORDS; j++) sum += (unsigned __int128)factor * m->word[j] + t[j], t[j - 1] = (uint64_t)sum, sum >>= 64;
    sum += t[WORDS], t[WORDS - 1] = (uint64_t)sum, t[WORDS] = t[WORDS + 1] + (uint64_t)(sum >> 64);
  }
  Big result;
  memcpy(&result, t, sizeof result);
  if (t[WORDS] || !below(&result, m)) take(&result, m);
  return result;
}

/* base^exponent modulo m, by squares. */
static Big power(Big base, const Big *exponent, const Big *m) {
  uint64_t inverse = 1;
  for (int i = 0; i < 6; i++) inverse *= 2 - m->word[0] * inverse;
  inverse = -inverse;
  Big result = {{1}}, one = {{1}};
  for (Big *x = &base; x; x = x == &base ? &result : 0) {
    for (int i = 0; i < 64 * WORDS; i++) {
      uint64_t carry = x->word[WORDS - 1] >> 63;
      for (int j = WORDS - 1; j > 0; j--) x->word[j] = x->word[j] << 1 | x->word[j - 1] >> 63;
      x->word[0] <<= 1;
      if (carry || !below(x, m)) take(x, m);
    }
  }
  for (int i = 64 * WORDS - 1; i >= 0; i--) {
    result = times(&result, &result, m, inverse);
    if (exponent->word[i / 64] >> (i % 64) & 1) result = times(&result, &base, m, inverse);
  }
  return times(&result, &one, m, inverse);
}

static void fermat(void) {
  /* 2^512 - 569 is prime: what is not 0 is 1 after so many multiplications, less one. */
  Big prime, exponent, base = {{0x0123456789abcdefull, 5, 7, 11, 13, 17, 19, 23}};
  memset(&prime, 0xff, sizeof prime);
  prime.word[0] -= 568;
  exponent = prime;
  exponent.word[0]--;
  Big result = power(base, &exponent, &prime);
  printf("fermat %016llx %016llx\n", (unsigned long long)result.word[0], (unsigned long long)result.word[7]);
  Big few = {{65537}};
  result = power(base, &few, &prime);
  hex("power", (const uint8_t *)&result, 64);
}

int main(void) {
  uint8_t key[16], block[16], digest[64];
  for (int i = 0; i < 16; i++) key[i] = (uint8_t)i, block[i] = (uint8_t)(i * 17);
  makeBox();
  aes(key, block);
  hex("aes 69c4e0d8...", block, 16);
  for (int i = 0; i < 300; i++) aes(key, block);
  hex("aes", block, 16);
  uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, stream[16];
  for (uint32_t i = 0; i < 8; i++) input[4 + i] = (4 * i) | (4 * i + 1) << 8 | (4 * i + 2) << 16 | (4 * i + 3) << 24;
  input[12] = 1, input[13] = 0x09000000, input[14] = 0x4a000000;
  chacha(input, stream);
  hex("chacha20 10f1e7e4...", (uint8_t *)stream, 64);
  md5((const uint8_t *)"message digest", 14, digest);
  hex("md5 f96b697d...", digest, 16);
  sha512("abc", digest);
  hex("sha512 ddaf35a1...", digest, 64);
  printf("crc cbf43926 %08x\n", crc((const uint8_t *)"123456789", 9));
  fermat();
  return 0;
}
