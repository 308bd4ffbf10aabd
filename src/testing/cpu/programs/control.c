/* Ways through a program that are not plain calls: setjmp, function pointers, variable arguments, deep recursion, computed jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf back;

static int dive(int depth) {
  volatile char frame[64];
  frame[depth & 63] = (char)depth;
  if (depth == 500) longjmp(back, 42);
  return dive(depth + 1) + frame[depth & 63];
}

static long add(int count, ...) {
  va_list list;
  va_start(list, count);
  long sum = 0;
  for (int i = 0; i < count; i++) sum += i & 1 ? va_arg(list, long) : va_arg(list, int);
  va_end(list);
  return sum;
}

static int twice(int x) { return 2 * x; }
static int square(int x) { return x * x; }
static int less(int x) { return x - 1; }

static void bye(void) { printf("bye\n"); }

static int threaded(const unsigned char *code) {
  static void *const table[] = {&&stop, &&increment, &&multiply, &&negate};
  int a = 1;
  goto *table[*code++];
increment:
  a++;
  goto *table[*code++];
multiply:
  a *= 3;
  goto *table[*code++];
negate:
  a = -a;
  goto *table[*code++];
stop:
  return a;
}

int main(int argc, char **argv) {
  atexit(bye);
  printf("%d %s\n", argc, argv[1]);
  int value = setjmp(back);
  if (value == 0) dive(0);
  printf("back with %d\n", value);
  printf("%ld\n", add(8, 1, 20l, 3, 40l, 5, 60l, 7, -80l));
  int (*const functions[])(int) = {twice, square, less};
  int x = 3;
  for (int i = 0; i < 7; i++) x = functions[i % 3](x) & 0xffff;
  printf("%d\n", x);
  printf("%d\n", threaded((const unsigned char[]){1, 2, 2, 3, 1, 2, 1, 3, 2, 0}));
  exit(3);
}
