/*
 * Memory as the kernel gives it: on demand, taken away, moved, copied, shared with files, with rights that change; and programs that write programs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static uint32_t hashOf(const uint8_t *bytes, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static void fill(uint8_t *bytes, size_t size, uint32_t seed) {
  for (size_t i = 0; i < size; i++) {
    seed = seed * 1664525u + 1013904223u;
    bytes[i] = (uint8_t)(seed >> 24);
  }
}

static void *area(size_t size, int rights) { return mmap(0, size, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

static sigjmp_buf back;
static void refused(int signal) { siglongjmp(back, signal); }
/* 1: it may be read, 2: it may be written. */
static int rightsOf(volatile uint8_t *at) {
  volatile int rights = 0;
  signal(SIGSEGV, refused);
  if (sigsetjmp(back, 1) == 0) (void)*at, rights = 1;
  if (sigsetjmp(back, 1) == 0) *at = *at, rights |= 2;
  signal(SIGSEGV, SIG_DFL);
  return rights;
}

static void maps(void) {
  uint8_t *at = area(64 * PAGE, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 64; i += 3) at[i * PAGE + i] = (uint8_t)i;
  printf("on demand %08x\n", hashOf(at, 64 * PAGE));
  madvise(at + 16 * PAGE, 32 * PAGE, MADV_DONTNEED);
  printf("some given up %08x\n", hashOf(at, 64 * PAGE));
  mprotect(at + 8 * PAGE, 8 * PAGE, PROT_READ);
  mprotect(at + 24 * PAGE, 8 * PAGE, PROT_NONE);
  munmap(at + 40 * PAGE, 8 * PAGE);
  printf("rights ");
  for (int i = 4; i < 64; i += 8) printf("%d", rightsOf(at + i * PAGE));
  mprotect(at + 8 * PAGE, 32 * PAGE, PROT_READ | PROT_WRITE);
  printf(" then ");
  for (int i = 4; i < 64; i += 8) printf("%d", rightsOf(at + i * PAGE));
  printf("\n");
  fill(at, 16 * PAGE, 7);
  uint8_t *moved = mremap(at, 16 * PAGE, 200 * PAGE, MREMAP_MAYMOVE);
  printf("moved %08x, rights of what was there %d\n", hashOf(moved, 200 * PAGE), moved == at ? 0 : rightsOf(at));
  /* Much more than is ever touched. */
  size_t huge = (size_t)1 << 36;
  uint8_t *sparse = mmap(0, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  uint64_t sum = 0;
  for (size_t i = 0; i < huge - PAGE; i += huge / 50) sparse[i] = (uint8_t)(i >> 30), sum += sparse[i] + sparse[i + PAGE];
  printf("sparse %llu\n", (unsigned long long)sum);
  munmap(sparse, huge);
  uint8_t *low = mmap((void *)0x200000, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  uint8_t *high = mmap((void *)0x7ffffffed000, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *(volatile uint64_t *)(low + PAGE - 3) = 0x1122334455667788ull;
  *high = 1;
  printf("across pages %llx, high %d\n", (unsigned long long)*(volatile uint64_t *)(low + PAGE - 3), *high);
}

static void files(void) {
  char name[] = "/tmp/memory-XXXXXX";
  int file = mkstemp(name);
  unlink(name);
  uint8_t *bytes = malloc(10 * PAGE);
  fill(bytes, 10 * PAGE, 1);
  if (write(file, bytes, 10 * PAGE - 100) < 0) return;
  uint8_t *shared = mmap(0, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  uint8_t *private = mmap(0, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  printf("mapped %d %d, end %d\n", memcmp(shared, bytes, 10 * PAGE - 100), memcmp(private, shared, 10 * PAGE),
         shared[10 * PAGE - 1]);
  private[5000] = 1, shared[5000] = 2, shared[9000] = 3;
  uint8_t read[2];
  if (pread(file, read, 1, 5000) < 0 || pread(file, read + 1, 1, 9000) < 0) return;
  printf("private %d %d, shared %d %d, read %d %d\n", private[5000], private[9000], shared[5000], shared[9000], read[0],
         read[1]);
  pid_t pid = fork();
  if (pid == 0) {
    shared[20000] = 200, private[20000] = 100;
    _exit(private[5000] + shared[5000]);
  }
  int status;
  waitpid(pid, &status, 0);
  printf("child %d, shared %d, private %d\n", WEXITSTATUS(status), shared[20000], private[20000] == bytes[20000]);
}

static void heap(void) {
  void *parts[200] = {0};
  uint32_t dice = 5, hash = 0;
  for (int i = 0; i < 4000; i++) {
    dice = dice * 1103515245u + 12345u;
    unsigned n = dice >> 8 & 127;
    size_t size = (dice >> 16) % (i % 50 == 0 ? 200000 : 600) + 4;
    if (parts[n]) hash = hash * 31 + *(uint32_t *)parts[n];
    parts[n] = realloc(parts[n], size);
    *(uint32_t *)parts[n] = dice;
    if (i % 7 == 0) free(parts[n]), parts[n] = 0;
  }
  char *start = sbrk(0);
  sbrk(100 * PAGE);
  start[50 * PAGE] = 1;
  sbrk(-60 * PAGE);
  printf("heap %08x, brk %ld\n", hash, (long)((char *)sbrk(0) - start) / PAGE);
}

static int __attribute__((noinline)) recurse(int depth) {
  volatile uint8_t frame[2000];
  frame[depth % 2000] = (uint8_t)depth;
  return depth == 0 ? 0 : recurse(depth - 1) + frame[depth % 2000];
}

/* mov $n, %eax; ret */
static void writeProgram(uint8_t *at, uint32_t n) {
  at[0] = 0xb8;
  memcpy(at + 1, &n, 4);
  at[5] = 0xc3;
}

typedef uint32_t Program(void);
static uint32_t run(uint8_t *at) { return ((Program *)(uintptr_t)at)(); }

static void programs(void) {
  uint8_t *at = area(4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  uint64_t sum = 0;
  for (uint32_t n = 0; n < 300; n++) {
    writeProgram(at, n);
    for (int i = 0; i < (n % 100 ? 3 : 200); i++) sum = sum * 3 + run(at);
  }
  printf("written and run %016llx\n", (unsigned long long)sum);
  /* The operand lies in the next page, and is all that changes. */
  uint8_t *across = at + 2 * PAGE - 1;
  writeProgram(across, 5);
  for (int i = 0; i < 200; i++) sum += run(across);
  across[1] = 6;
  for (int i = 0; i < 200; i++) sum += run(across);
  across[3] = 1;
  sum += run(across);
  printf("across pages %016llx\n", (unsigned long long)sum);
  /* A loop that changes its own next instruction. */
  uint32_t result;
  static const uint8_t changing[] = {
      0xb9, 50, 0, 0, 0,                   /* mov $50, %ecx */
      0x31, 0xc0,                          /* xor %eax, %eax */
      0x48, 0x8d, 0x15, 1, 0, 0, 0,        /* lea 1(%rip), %rdx: the operand of add */
      0x05, 1, 0, 0, 0,                    /* add $1, %eax */
      0xff, 0x02,                          /* incl (%rdx) */
      0x90,                                /* nop */
      0xff, 0xc9,                          /* dec %ecx */
      0x75, 0xf4,                          /* jnz add */
      0xc3,
  };
  memcpy(at, changing, sizeof changing);
  result = run(at);
  printf("changes itself %u\n", result);
  /* Rights in turn, and two addresses for one page of a file. */
  uint8_t *turn = area(PAGE, PROT_READ | PROT_WRITE);
  sum = 0;
  for (uint32_t n = 0; n < 40; n++) {
    mprotect(turn, PAGE, PROT_READ | PROT_WRITE);
    writeProgram(turn, n * n);
    mprotect(turn, PAGE, PROT_READ | PROT_EXEC);
    for (int i = 0; i < 30; i++) sum = sum * 7 + run(turn);
  }
  int file = memfd_create("program", 0);
  if (ftruncate(file, PAGE) != 0) return;
  uint8_t *writing = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  uint8_t *running = mmap(0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  for (uint32_t n = 0; n < 40; n++) {
    writeProgram(writing, n);
    for (int i = 0; i < 30; i++) sum = sum * 7 + run(running);
  }
  printf("in turn, and by another address %016llx\n", (unsigned long long)sum);
  /* Two processes run different programs at one address, of frames that were one. */
  writeProgram(at, 1000);
  for (int i = 0; i < 100; i++) sum += run(at);
  pid_t pid = fork();
  if (pid == 0) {
    writeProgram(at, 33);
    uint32_t own = 0;
    for (int i = 0; i < 100; i++) own += run(at);
    _exit(own == 3300 ? 33 : 1);
  }
  uint32_t own = 0;
  for (int i = 0; i < 100; i++) own += run(at);
  int status;
  waitpid(pid, &status, 0);
  for (int i = 0; i < 100; i++) own += run(at);
  munmap(at, 4 * PAGE);
  uint8_t *anew = mmap(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  writeProgram(anew, 3);
  printf("parent %u, child %d, anew %u\n", own, WEXITSTATUS(status), run(anew));
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  maps();
  files();
  heap();
  printf("recursion %d\n", recurse(2500));
  programs();
  return 6;
}
