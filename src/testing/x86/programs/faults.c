/*
 * What a processor refuses, and how the kernel tells a program of it: signal, code, address, vector, error code, and the instruction's address. Each case comes back by siglongjmp,
 * or is mended in the handler.
 */
#define _GNU_SOURCE
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static char *target;

/* Addresses differ from run to run: what they are of does not. */
static const char *place(const void *address, uintptr_t rip) {
  if (!address) return "none";
  if ((uintptr_t)address == rip) return "rip";
  if (address == target) return "target";
  return address == target - 4 ? "before target" : "elsewhere";
}

static void handler(int signal, siginfo_t *info, void *context) {
  const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  uintptr_t rip = (uintptr_t)regs[REG_RIP];
  printf("  signal %d code %d address %s vector %lld error %llx", signal, info->si_code, place(info->si_addr, rip),
         regs[REG_TRAPNO], regs[REG_ERR]);
  if (regs[REG_TRAPNO] == 14) printf(" cr2 %s", place((void *)regs[REG_CR2], rip));
  else printf(" at %02x %02x", ((uint8_t *)rip)[0], ((uint8_t *)rip)[1]);
  printf("\n");
  siglongjmp(back, signal);
}

static void readOf(void) { asm volatile("movb (%0), %%al" : : "r"(target) : "rax"); }
static void writeTo(void) { asm volatile("movb $1, (%0)" : : "r"(target) : "memory"); }
static void jumpTo(void) { asm volatile("jmp *%0" : : "r"(target)); }
static void pushTo(void) {
  asm volatile("mov %%rsp, %%rbx; lea 4(%0), %%rsp; push %%rax; mov %%rbx, %%rsp" : : "r"(target) : "rbx", "memory");
}
static void divide(void) { asm volatile("xor %%ecx, %%ecx; mov $1, %%eax; cltd; idivl %%ecx" : : : "rax", "rcx", "rdx"); }
static void divideLeast(void) {
  asm volatile("mov $-1, %%rcx; mov $1, %%rax; ror %%rax; cqto; idivq %%rcx" : : : "rax", "rcx", "rdx");
}
static void undefined(void) { asm volatile("ud2"); }
static void undefinedLock(void) { asm volatile(".byte 0xf0, 0x90"); }
static void undefinedHere(void) { asm volatile(".byte 0x06"); }
static void halt(void) { asm volatile("hlt"); }
static void maskInterrupts(void) { asm volatile("cli"); }
static void portIn(void) { asm volatile("inb $0x80, %%al" : : : "rax"); }
static void controlRegister(void) { asm volatile("mov %%cr0, %%rax" : : : "rax"); }
static void modelRegister(void) { asm volatile("xor %%ecx, %%ecx; rdmsr" : : : "rax", "rcx", "rdx"); }
static void interruptOf(void) { asm volatile("int $0x81"); }
static void badSegment(void) { asm volatile("mov %0, %%es" : : "r"(0x123)); }
static void misaligned(void) {
  static char words[32] __attribute__((aligned(16)));
  asm volatile("movaps (%0), %%xmm0" : : "r"(words + 1) : "xmm0");
}
static void breakpoint(void) { asm volatile("int3"); }
static void breakpointLong(void) { asm volatile(".byte 0xcd, 3"); }
static void sseDivide(void) {
  feenableexcept(FE_DIVBYZERO);
  asm volatile("divsd %1, %0" : : "x"(1.0), "x"(0.0));
}
static void sseInvalid(void) {
  feenableexcept(FE_INVALID);
  asm volatile("sqrtsd %0, %0" : : "x"(-1.0));
}
static void sseOverflow(void) {
  feenableexcept(FE_OVERFLOW);
  asm volatile("mulsd %0, %0" : : "x"(1e300));
}
static void sseInexact(void) {
  feenableexcept(FE_INEXACT);
  asm volatile("divsd %1, %0" : : "x"(1.0), "x"(3.0));
}
static void x87Divide(void) {
  feenableexcept(FE_DIVBYZERO);
  asm volatile("fld1; fldz; fdivrp; fwait; fstp %%st(0)" : : :);
}
static void x87Invalid(void) {
  feenableexcept(FE_INVALID);
  asm volatile("fldz; fldz; fdivrp; fwait; fstp %%st(0)" : : :);
}

static char *page(int protection) {
  char *at = mmap(0, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (protection & PROT_READ) (void)*(volatile char *)at;
  return at;
}

static void try(const char *name, void (*act)(void), char *address) {
  printf("%s\n", name);
  target = address;
  if (sigsetjmp(back, 1) == 0) {
    act();
    printf("  nothing\n");
  }
  fedisableexcept(FE_ALL_EXCEPT);
  feclearexcept(FE_ALL_EXCEPT);
}

/* The handler may change what it goes back to. */
static void mend(int signal, siginfo_t *info, void *context) {
  greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (signal == SIGSEGV) mprotect(info->si_addr, 4096, PROT_READ | PROT_WRITE);
  else {
    regs[REG_RIP] += 2;
    regs[REG_R12] *= 2;
    regs[REG_EFL] |= 1;
    for (int i = 0; i < 4; i++) ((ucontext_t *)context)->uc_mcontext.fpregs->_xmm[7].element[i] ^= 0x11111111u * (unsigned)i;
  }
}

static void mended(void) {
  struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGILL, &action, 0);
  char *at = page(PROT_NONE);
  *(volatile int *)at = 4711;
  *(volatile int *)at += 1;
  printf("written at the second try: %d\n", *(int *)at);
  uint64_t r12, carry;
  uint64_t pattern[2] = {0x0123456789abcdefull, 0xfedcba9876543210ull};
  asm volatile("movdqu %2, %%xmm7; mov $21, %%r12; clc; ud2; sbb %1, %1; mov %%r12, %0; movdqu %%xmm7, %2"
               : "=r"(r12), "=r"(carry), "+m"(pattern)
               :
               : "r12", "xmm7", "cc");
  printf("behind it: %llu %lld %016llx %016llx\n", (unsigned long long)r12, (long long)carry,
         (unsigned long long)pattern[0], (unsigned long long)pattern[1]);
}

static volatile int steps;
static void stepped(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  if (info->si_code == TRAP_TRACE) steps++;
}

/* A trap after every instruction: of a repeated one, after each iteration. */
static void singleSteps(void) {
  struct sigaction action = {.sa_sigaction = stepped, .sa_flags = SA_SIGINFO};
  sigaction(SIGTRAP, &action, 0);
  static char from[8] = "1234567", to[8];
  asm volatile("pushf; orl $0x100, (%%rsp); popf\n"
               "nop; nop; mov $100, %%eax\n"
               "1: dec %%eax; jnz 1b\n"
               "lea %0, %%rsi; lea %1, %%rdi; mov $5, %%ecx; rep movsb\n"
               "pushf; andl $~0x100, (%%rsp); popf\n"
               "nop"
               : "+m"(from), "+m"(to)
               :
               : "rax", "rcx", "rsi", "rdi", "cc", "memory");
  printf("%d single steps, %s\n", steps, to);
}

int main(void) {
  setvbuf(stdout, 0, _IOFBF, 1 << 16);
  /* One case has no stack. */
  stack_t stack = {.ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ};
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);

  char *noncanonical = (char *)0x8000000000001000ull;
  char *kernel = (char *)0xffffffff81000000ull;
  try("read of nothing", readOf, (char *)0x10);
  try("write to nothing", writeTo, (char *)0x10);
  try("jump to nothing", jumpTo, (char *)0x10);
  try("write to what is read-only", writeTo, page(PROT_READ));
  try("read without rights", readOf, page(PROT_NONE));
  try("jump to data", jumpTo, page(PROT_READ | PROT_WRITE));
  char *two = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(two, 4096, PROT_NONE);
  try("push across an end", pushTo, two + 4096);
  try("read of the kernel's", readOf, kernel);
  try("write to the kernel's", writeTo, kernel);
  try("jump to the kernel's", jumpTo, kernel);
  try("read of no address", readOf, noncanonical);
  try("write to no address", writeTo, noncanonical);
  try("division by zero", divide, 0);
  try("the least number by -1", divideLeast, 0);
  try("ud2", undefined, 0);
  try("lock nop", undefinedLock, 0);
  try("push es", undefinedHere, 0);
  try("hlt", halt, 0);
  try("cli", maskInterrupts, 0);
  try("in", portIn, 0);
  try("mov from cr0", controlRegister, 0);
  try("rdmsr", modelRegister, 0);
  try("int 0x81", interruptOf, 0);
  try("a selector that is not there", badSegment, 0);
  try("movaps at an odd address", misaligned, 0);
  try("int3", breakpoint, 0);
  try("int 3 of two bytes", breakpointLong, 0);
  try("SSE: division by zero", sseDivide, 0);
  try("SSE: root of -1", sseInvalid, 0);
  try("SSE: overflow", sseOverflow, 0);
  try("SSE: inexact", sseInexact, 0);
  try("x87: division by zero", x87Divide, 0);
  try("x87: zero by zero", x87Invalid, 0);
  mended();
  singleSteps();
  return 5;
}
