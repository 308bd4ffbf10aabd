/* Whole numbers of all sizes: sorting, a linked list, a matrix, a sieve, division, shifts, switch tables, recursion, bit tricks. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252ull;
static uint64_t dice(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int ackermann(int m, int n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static unsigned interpret(const char *program) {
  unsigned a = 1;
  for (; *program; program++) {
    switch (*program) {
    case '+': a += 7; break;
    case '-': a -= 3; break;
    case '*': a *= 31; break;
    case '/': a /= 5; break;
    case '%': a %= 1000003; break;
    case '^': a ^= a >> 11; break;
    case '<': a = a << 5 | a >> 27; break;
    case '~': a = ~a; break;
    case 'b': a = __builtin_bswap32(a); break;
    default: a++;
    }
  }
  return a;
}

struct node {
  struct node *next;
  int16_t value;
};

int main(void) {
  int64_t numbers[300];
  for (int i = 0; i < 300; i++) numbers[i] = (int64_t)dice() >> (i % 50);
  qsort(numbers, 300, sizeof *numbers, compare);
  uint64_t hash = 0;
  for (int i = 0; i < 300; i++) hash = hash * 1099511628211ull ^ (uint64_t)numbers[i];
  printf("sorted %016llx\n", (unsigned long long)hash);

  struct node *list = 0;
  for (int i = 0; i < 200; i++) {
    struct node *node = malloc(sizeof *node);
    node->value = (int16_t)dice();
    node->next = list;
    list = node;
  }
  int sum = 0;
  for (struct node *node = list; node; node = node->next) sum += node->value * (node->value & 1 ? 3 : -1);
  printf("list %d\n", sum);

  static uint8_t sieve[2000];
  int primes = 0;
  for (int i = 2; i < 2000; i++) {
    if (sieve[i]) continue;
    primes++;
    for (int j = 2 * i; j < 2000; j += i) sieve[j] = 1;
  }
  printf("primes %d\n", primes);

  for (int i = 0; i < 6; i++) {
    uint64_t a = dice(), b = dice() >> (8 * i) | 1;
    int32_t c = (int32_t)a, d = (int32_t)b | 1;
    printf("%llu %llu %d %d %lld\n", (unsigned long long)(a / b), (unsigned long long)(a % b), c / d, c % d,
           (long long)((int64_t)a / (int64_t)b));
    unsigned __int128 wide = (unsigned __int128)a * b;
    printf("%llx %llx\n", (unsigned long long)(wide >> 64), (unsigned long long)(wide / (b >> 3 | 1)));
    printf("%d %d %d\n", __builtin_popcountll(a), __builtin_clzll(b), __builtin_ctzll(a | 1ull << 63));
  }
  printf("ackermann %d\n", ackermann(2, 9));
  printf("interpreted %u\n", interpret("+*^<~b+*/%-x^*+<<b~*^+*^<~b+*"));

  char text[200] = "";
  for (int i = 0; i < 12; i++) snprintf(text + strlen(text), sizeof text - strlen(text), "%c%x,", 'a' + i, i * i);
  printf("%s %zu %s %d\n", text, strlen(text), strchr(text, 'k'), strcmp(text, "a0,b1,c5"));
  char copy[200];
  memset(copy, 'z', sizeof copy);
  memcpy(copy + 3, text, 50);
  memmove(copy + 10, copy, 60);
  copy[80] = 0;
  printf("%s %d\n", copy, memcmp(copy, text, 9) > 0);
  return 7;
}
