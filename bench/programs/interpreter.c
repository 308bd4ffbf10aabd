/* A bytecode machine that counts primes by trial division: jumps that nobody can foretell. */
#include "start.h"

enum { PUSH, LOAD, STORE, ADD, SUB, MOD, LESS, EQUAL, JUMP, IFNOT, HALT };
enum { LIMIT = 250000 };

static const s32 code[] = {
  /* 0 */ PUSH, 2, STORE, 0,
  /* 4: outer */ LOAD, 0, PUSH, LIMIT, LESS, IFNOT, 73,
  /* 11 */ PUSH, 2, STORE, 1,
  /* 15: inner */ LOAD, 1, LOAD, 0, LESS, IFNOT, 50,
  /* 22 */ LOAD, 1, PUSH, 200, LESS, IFNOT, 50,
  /* 29 */ LOAD, 0, LOAD, 1, MOD, PUSH, 0, EQUAL, IFNOT, 41,
  /* 39 */ JUMP, 64,
  /* 41: nextd */ LOAD, 1, PUSH, 1, ADD, STORE, 1, JUMP, 15,
  /* 50: prime */ LOAD, 2, PUSH, 1, ADD, STORE, 2,
  /* 57 */ LOAD, 3, LOAD, 0, ADD, STORE, 3,
  /* 64: nextn */ LOAD, 0, PUSH, 1, ADD, STORE, 0, JUMP, 4,
  /* 73: end */ HALT,
};

static u32 run(void) {
  s32 stack[16], variables[4] = {0}, *top = stack;
  const s32 *at = code;
  for (;;)
    switch (*at++) {
    case PUSH: *top++ = *at++; break;
    case LOAD: *top++ = variables[*at++]; break;
    case STORE: variables[*at++] = *--top; break;
    case ADD: top--; top[-1] += *top; break;
    case SUB: top--; top[-1] -= *top; break;
    case MOD: top--; top[-1] %= *top; break;
    case LESS: top--; top[-1] = top[-1] < *top; break;
    case EQUAL: top--; top[-1] = top[-1] == *top; break;
    case JUMP: at = code + *at; break;
    case IFNOT: at = *--top ? at + 1 : code + *at; break;
    case HALT: return (u32)(variables[2] ^ variables[3]);
    }
}
