/*
 * Runs instructions on this machine's own processor, one a case: registers, flags and memory come from standard input, what became of them goes to standard output (layout.ts has
 * the layout of both). Everything happens in one signal handler: with TF set the processor traps after a single instruction, and returning from a signal loads all registers at
 * once. Faults are signals as well, and the kernel tells which.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, WINDOW = 128, FX = 512 };
#define CODE 0x10000000ul
#define INSTRUCTION (CODE + 0x800)
#define DATA 0x20000000ul
#define DATA_WINDOW (DATA + PAGE - WINDOW)
#define STACK 0x30000000ul
#define STACK_WINDOW (STACK + 0x800)

struct in {
  uint8_t code[16];
  uint32_t mode, has_fx;
  uint64_t gpr[16], flags;
  uint8_t data[WINDOW], stack[WINDOW], fx[FX];
};

struct out {
  uint32_t vector, error;
  uint64_t cr2, rip, flags;
  uint64_t gpr[16];
  uint8_t data[WINDOW], stack[WINDOW], fx[FX];
};

static struct in *cases;
static struct out *results;
static long count, current = -1;

/* Their numbers, as instructions have them. */
static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void segments(unsigned selector) {
  __asm__ volatile("mov %0,%%ds; mov %0,%%es" : : "r"(selector));
}

static void finish(void) {
  segments(0);
  size_t left = count * sizeof *results;
  const char *from = (const char *)results;
  while (left > 0) {
    ssize_t n = write(1, from, left);
    if (n <= 0) _exit(2);
    from += n;
    left -= n;
  }
  _exit(0);
}

static void keep(struct out *out, const struct in *in, const ucontext_t *uc) {
  const greg_t *g = uc->uc_mcontext.gregs;
  out->vector = g[REG_TRAPNO] == 1 ? 255 : g[REG_TRAPNO];
  out->error = g[REG_TRAPNO] == 1 ? 0 : g[REG_ERR];
  out->cr2 = g[REG_TRAPNO] == 14 ? g[REG_CR2] : 0;
  out->rip = g[REG_RIP];
  out->flags = g[REG_EFL] & ~0x10000ul;
  for (int i = 0; i < 16; i++) out->gpr[i] = g[order[i]];
  memcpy(out->data, (void *)DATA_WINDOW, WINDOW);
  memcpy(out->stack, (void *)STACK_WINDOW, WINDOW);
  if (in->has_fx) memcpy(out->fx, uc->uc_mcontext.fpregs, FX);
}

static void set_up(const struct in *in, ucontext_t *uc) {
  greg_t *g = uc->uc_mcontext.gregs;
  memset((void *)DATA, 0, PAGE);
  memset((void *)STACK, 0, PAGE);
  memcpy((void *)DATA_WINDOW, in->data, WINDOW);
  memcpy((void *)STACK_WINDOW, in->stack, WINDOW);
  memset((void *)INSTRUCTION, 0xcc, 32);
  memcpy((void *)INSTRUCTION, in->code, 16);
  for (int i = 0; i < 16; i++) g[order[i]] = in->gpr[i];
  g[REG_RIP] = INSTRUCTION;
  g[REG_EFL] = in->flags | 0x100;
  g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xfffful) | (in->mode == 64 ? 0x33 : 0x23);
  g[REG_CSGSFS] = (g[REG_CSGSFS] & 0xfffffffffffful) | 0x2bul << 48;
  segments(in->mode == 64 ? 0 : 0x2b);
  if (in->has_fx) {
    char *fp = (char *)uc->uc_mcontext.fpregs;
    memcpy(fp, in->fx, 416);
    /* XSTATE_BV: x87 and SSE are there, not in their initial state. */
    *(uint64_t *)(fp + 512) |= 3;
  }
}

static void handler(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  /* What an instruction may have left in flags that the kernel does not clear: NT, AC, ID. */
  __asm__ volatile("pushfq; andq $~0x244000,(%%rsp); popfq" : : : "memory", "cc");
  if (current >= 0) keep(&results[current], &cases[current], context);
  if (++current == count) finish();
  set_up(&cases[current], context);
}

static void map(unsigned long at, int protection) {
  void *got = mmap((void *)at, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
  if (got != (void *)at) {
    perror("mmap");
    exit(2);
  }
}

int main(void) {
  uint32_t header;
  if (fread(&header, sizeof header, 1, stdin) != 1) return 2;
  count = header;
  cases = calloc(count, sizeof *cases);
  results = calloc(count, sizeof *results);
  if (fread(cases, sizeof *cases, count, stdin) != (size_t)count) return 2;
  map(CODE, PROT_READ | PROT_WRITE | PROT_EXEC);
  memset((void *)CODE, 0xcc, PAGE);
  map(DATA, PROT_READ | PROT_WRITE);
  map(DATA + PAGE, PROT_READ);
  map(STACK, PROT_READ | PROT_WRITE);
  syscall(SYS_arch_prctl, ARCH_SET_GS, DATA);
  stack_t alternative = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigaltstack(&alternative, 0);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  int signals[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  raise(SIGTRAP);
  return 2;
}
