/*
 * Corners of the processor that a program of Linux's may use: segments of its own, code of 32 bits, the other ways into the kernel, flags across all of these, clocks,
 * and registers of MMX.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint16_t selectorsOf(int which) {
  uint16_t value;
  if (which == 0) asm("mov %%cs, %0" : "=r"(value));
  else if (which == 1) asm("mov %%ss, %0" : "=r"(value));
  else if (which == 2) asm("mov %%ds, %0" : "=r"(value));
  else asm("mov %%fs, %0" : "=r"(value));
  return value;
}

static uint32_t gsWord(uint64_t offset) {
  uint32_t word;
  asm volatile("movl %%gs:(%1), %0" : "=r"(word) : "r"(offset));
  return word;
}

static sigjmp_buf back;
static volatile unsigned long faultCode;
static void caught(int signal, siginfo_t *info, void *context) {
  (void)info;
  faultCode = (unsigned long)((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR];
  siglongjmp(back, signal * 1000 + info->si_code);
}

static void segments(void) {
  static uint32_t words[1024] __attribute__((aligned(4096)));
  for (unsigned i = 0; i < 1024; i++) words[i] = i * 3;
  printf("selectors %x %x %x %x\n", selectorsOf(0), selectorsOf(1), selectorsOf(2), selectorsOf(3));
  struct user_desc own = {.entry_number = 5, .base_addr = (uint32_t)(uintptr_t)words, .limit = 4095, .seg_32bit = 1, .useable = 1};
  printf("modify_ldt %ld\n", syscall(SYS_modify_ldt, 1, &own, sizeof own));
  asm volatile("mov %0, %%gs" : : "r"(5 << 3 | 7));
  printf("by a segment of its own %u\n", gsWord(400));
  for (int i = 0; i < 50; i++) sched_yield();
  pid_t pid = fork();
  if (pid == 0) _exit((int)gsWord(200));
  int status;
  waitpid(pid, &status, 0);
  printf("in a child %d, still here %u\n", WEXITSTATUS(status), gsWord(4));
  uint32_t limit = 0, rights = 0;
  char found;
  asm volatile("lsl %2, %0; setz %1" : "=r"(limit), "=q"(found) : "r"(5 << 3 | 7) : "cc");
  asm volatile("lar %1, %0" : "+r"(rights) : "r"(5 << 3 | 7) : "cc");
  printf("limit %x %d rights %x\n", limit, found, rights);
  asm volatile("lsl %2, %0; setz %1" : "+r"(limit), "=q"(found) : "r"(9 << 3 | 7) : "cc");
  printf("one that is not there: %d\n", found);
  own.base_addr += 400;
  syscall(SYS_modify_ldt, 1, &own, sizeof own);
  asm volatile("mov %0, %%gs" : : "r"(5 << 3 | 7));
  printf("moved %u\n", gsWord(0));
  asm volatile("mov %0, %%gs" : : "r"(0));
  syscall(SYS_arch_prctl, ARCH_SET_GS, (uintptr_t)words + 40);
  printf("by a base %u", gsWord(0));
  unsigned long base;
  syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
  printf(", it is the one set: %d\n", base == (uintptr_t)words + 40);
  syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
}

/* Far return into code of 32 bits, which calls the kernel its own way, faults if it is asked to, and comes back. */
static uint32_t narrow(const uint8_t *code, size_t size, uint32_t argument) {
  static uint8_t *low;
  if (!low) low = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  memcpy(low, code, size);
  uint32_t result;
  asm volatile(
      "mov %%rsp, %%r15; mov %2, %%rsp\n"
      "lea 1f(%%rip), %%rcx; mov %%ecx, -16(%%rsp); movl $0x33, -12(%%rsp); sub $16, %%rsp\n"
      "pushq $0x23; pushq %1; lretq\n"
      "1: mov %%r15, %%rsp; mov %%eax, %0; xor %%ecx, %%ecx; mov %%ecx, %%ds; mov %%ecx, %%es"
      : "=&r"(result)
      : "r"((uint64_t)(uintptr_t)low), "r"((uint64_t)(uintptr_t)low + 8192), "a"(argument)
      : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r15", "memory", "cc");
  return result;
}

static void narrowCode(void) {
  static const uint8_t adding[] = {
      0x40,             /* inc %eax: a prefix in 64 bits */
      0x6b, 0xc0, 0x07, /* imul $7, %eax, %eax */
      0x60, 0x61,       /* pusha; popa */
      0xcb,             /* lret */
  };
  static const uint8_t pid[] = {0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xcb};
  static const uint8_t faulting[] = {0x8c, 0xca, 0x8e, 0xda, 0xa1, 0x10, 0, 0, 0, 0xcb};
  static const uint8_t aaa[] = {0xd4, 10, 0xcb};
  printf("32 bits: %u", narrow(adding, sizeof adding, 5));
  printf(", pid %d", narrow(pid, sizeof pid, 0) == (uint32_t)getpid());
  printf(", aam %x", narrow(aaa, sizeof aaa, 73));
  int value = sigsetjmp(back, 1);
  if (value == 0) narrow(faulting, sizeof faulting, 0);
  asm volatile("mov %0, %%ds" : : "r"(0));
  printf(", fault %d\n", value);
}

static void entries(void) {
  long result;
  asm volatile("int $0x80" : "=a"(result) : "a"(20) : "r8", "r9", "r10", "r11", "memory");
  printf("int 0x80 %d", result == getpid());
  uint64_t flags, kept;
  asm volatile("stc; pushf; pop %0; mov $39, %%eax; syscall; pushf; pop %1" : "=&r"(flags), "=&r"(kept) : : "rax", "rcx", "r11", "cc", "memory");
  printf(", flags kept %d", flags == kept);
  asm volatile("std; mov $39, %%eax; syscall; pushf; pop %0; cld" : "=&r"(kept) : : "rax", "rcx", "r11", "cc", "memory");
  printf(", direction kept %d\n", (kept >> 10 & 1) == 1);
  uint64_t r8 = 8, r9 = 9, r10 = 10;
  register uint64_t a asm("r8") = r8, b asm("r9") = r9, c asm("r10") = r10;
  asm volatile("mov $999, %%eax; syscall; mov %%rax, %0" : "=r"(result), "+r"(a), "+r"(b), "+r"(c) : : "rax", "rcx", "r11", "memory");
  printf("no such call: %d, %llu %llu %llu\n", result == -ENOSYS, (unsigned long long)a, (unsigned long long)b,
         (unsigned long long)c);
}

static void refusedOnes(void) {
  int stack = 0;
  for (volatile int i = 0; i < 6; i++) {
    faultCode = 0;
    int value = sigsetjmp(back, 1);
    if (value == 0) {
      if (i == 0) asm volatile("swapgs");
      if (i == 1) asm volatile("mov %0, %%ss" : : "r"(0x1234));
      if (i == 2) asm volatile("mov %0, %%gs" : : "r"(0x40));
      if (i == 3) asm volatile("wrmsr" : : "a"(0), "c"(0), "d"(0));
      if (i == 4) asm volatile("invlpg (%0)" : : "r"(&stack));
      if (i == 5) asm volatile("pushq $0x1235; pushq $0; lretq");
    }
    printf("%d:%d/%lx ", i, value, faultCode);
  }
  printf("\n");
}

static void clocks(void) {
  struct timespec a, b;
  struct timeval day;
  clock_gettime(CLOCK_MONOTONIC, &a);
  unsigned long backwards = 0, same = 0;
  uint64_t last = 0;
  for (int i = 0; i < 2000; i++) {
    clock_gettime(CLOCK_MONOTONIC, &b);
    uint64_t now = (uint64_t)b.tv_sec * 1000000000u + (uint64_t)b.tv_nsec;
    backwards += now < last;
    same += now == last;
    last = now;
    uint64_t tsc = __builtin_ia32_rdtsc(), later = __builtin_ia32_rdtsc();
    backwards += later < tsc;
  }
  struct timespec nap = {0, 3000000};
  clock_gettime(CLOCK_MONOTONIC, &a);
  nanosleep(&nap, 0);
  clock_gettime(CLOCK_MONOTONIC, &b);
  long us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
  gettimeofday(&day, 0);
  clock_gettime(CLOCK_REALTIME, &a);
  printf("clocks: backwards %lu, nap long enough %d, of one mind %d %d\n", backwards, us >= 3000, labs(a.tv_sec - day.tv_sec) <= 1,
         labs(a.tv_sec - time(0)) <= 1);
}

static void mmx(void) {
  uint64_t a = 0x0102030405060708ull, b = 0x1111111111111111ull, sum;
  asm volatile("movq %1, %%mm0; movq %2, %%mm7; paddb %%mm7, %%mm0; movq %%mm0, %%mm3" : "=m"(sum) : "m"(a), "m"(b));
  for (int i = 0; i < 20; i++) sched_yield();
  asm volatile("movq %%mm3, %0; emms" : "=m"(sum));
  printf("mmx %016llx\n", (unsigned long long)sum);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&stack, 0);
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL};
  for (int i = 0; i < 3; i++) sigaction(signals[i], &action, 0);
  setvbuf(stdout, 0, _IONBF, 0);
  segments();
  entries();
  narrowCode();
  refusedOnes();
  clocks();
  mmx();
  return 0;
}
