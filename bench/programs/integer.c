/* Integers as in CoreMark's mix: a list that is sorted and searched, a matrix, a parser of numbers as a state machine, and a CRC over what comes out. */
#include "start.h"

enum { NODES = 256, SIDE = 24, ROUNDS = 8000 };

struct node { struct node *next; s16 key, value; };
static struct node nodes[NODES];
static s16 a[SIDE][SIDE], b[SIDE][SIDE];
static s32 c[SIDE][SIDE];

static u16 crc16(u32 value, u16 crc) {
  for (int bit = 0; bit < 32; bit++) {
    u32 out = (crc ^ value) & 1;
    crc >>= 1;
    value >>= 1;
    if (out) crc ^= 0xa001;
  }
  return crc;
}

static struct node *merge(struct node *x, struct node *y) {
  struct node first, *last = &first;
  while (x && y) {
    struct node **least = x->key <= y->key ? &x : &y;
    last->next = *least;
    last = *least;
    *least = (*least)->next;
  }
  last->next = x ? x : y;
  return first.next;
}

static struct node *sort(struct node *list) {
  struct node *parts[10] = {0};
  while (list) {
    struct node *next = list->next;
    int n = 0;
    list->next = 0;
    while (n < 9 && parts[n]) {
      list = merge(parts[n], list);
      parts[n++] = 0;
    }
    parts[n] = list;
    list = next;
  }
  for (int n = 0; n < 10; n++) list = merge(parts[n], list);
  return list;
}

static u16 lists(u32 seed, u16 crc) {
  for (int n = 0; n < NODES; n++) {
    seed = seed * 1103515245 + 12345;
    nodes[n].key = (s16)(seed >> 16);
    nodes[n].value = (s16)n;
    nodes[n].next = n + 1 < NODES ? &nodes[n + 1] : 0;
  }
  struct node *list = sort(nodes);
  for (int wanted = 0; wanted < 32; wanted++) {
    struct node *at = list;
    while (at && at->value != wanted * 7) at = at->next;
    if (at) crc = crc16((u16)at->key, crc);
  }
  return crc;
}

static u16 matrices(u32 seed, u16 crc) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      seed = seed * 1103515245 + 12345;
      a[i][j] = (s16)(seed >> 20);
      b[i][j] = (s16)(seed >> 8 & 255);
    }
  s32 sum = 0;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      s32 product = 0;
      for (int k = 0; k < SIDE; k++) product += a[i][k] * b[k][j];
      c[i][j] = product;
      sum += product > 4096 ? 10 : product;
    }
  return crc16((u32)sum ^ (u32)c[SIDE - 1][1], crc);
}

static u16 states(u32 seed, u16 crc) {
  static const char *const words[] = {"5012", "1234.5", "-874", "+122", "35.54400", ".1234500", "-110.700", "+0.64400", "5.500e+3", "-.123e-2", "T0.3e-1F", "12.4E7x"};
  u32 counts[8] = {0};
  for (int n = 0; n < 48; n++) {
    seed = seed * 1103515245 + 12345;
    int state = 0;
    for (const char *at = words[(seed >> 16) % 12]; *at && state != 7; at++) {
      char ch = *at;
      int digit = ch >= '0' && ch <= '9';
      switch (state) {
      case 0: state = digit ? 2 : ch == '+' || ch == '-' ? 1 : ch == '.' ? 3 : 7; break;
      case 1: state = digit ? 2 : ch == '.' ? 3 : 7; break;
      case 2: state = digit ? 2 : ch == '.' ? 3 : 7; break;
      case 3: state = digit ? 3 : ch == 'e' || ch == 'E' ? 4 : 7; break;
      case 4: state = ch == '+' || ch == '-' ? 5 : 7; break;
      case 5: state = digit ? 6 : 7; break;
      case 6: state = digit ? 6 : 7; break;
      }
      counts[state]++;
    }
  }
  for (int n = 0; n < 8; n++) crc = crc16(counts[n], crc);
  return crc;
}

static u32 run(void) {
  u16 crc = 0xffff;
  for (u32 round = 0; round < ROUNDS; round++) crc = states(round, matrices(round, lists(round, crc)));
  return crc;
}
