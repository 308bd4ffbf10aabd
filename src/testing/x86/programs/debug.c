/*
 * A debugger's view of the processor: breakpoints and watchpoints in the debug registers of a process under ptrace, single steps, TF in a program's own hands, and a breakpoint
 * as a counter of perf's. Addresses differ from run to run: what is shown are distances.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { EXECUTE = 0, WRITE = 1, ACCESS = 3 };
enum { TF = 0x100, RF = 0x10000 };

static uint8_t data[128] __attribute__((aligned(64)));
static uint8_t source[128] __attribute__((aligned(64)));
static uint8_t image[512] __attribute__((aligned(64)));

/* Accesses of every kind to `data`; labels are where breakpoints go. */
extern char accesses[], accessesEnd[], copy[], looped[], behindStack[], loadsStack[], called[];
void walk(void);
asm(".text\n"
    "walk:\n push %rbx\n push %rbp\n lea data(%rip), %rbx\n lea source(%rip), %rsi\n mov $1, %eax\n"
    "accesses:\n"
    " mov %al, (%rbx)\n mov %ax, 2(%rbx)\n mov %eax, 4(%rbx)\n mov %rax, 8(%rbx)\n"
    " mov (%rbx), %al\n mov 2(%rbx), %ax\n mov 4(%rbx), %eax\n mov 8(%rbx), %rax\n"
    " mov %eax, 1(%rbx)\n mov %rax, 5(%rbx)\n mov 3(%rbx), %ecx\n mov %ax, 7(%rbx)\n"
    " addl $1, 4(%rbx)\n lock xaddl %ecx, 8(%rbx)\n testb $1, 9(%rbx)\n cmpb $1, 4(%rbx)\n"
    " mov $-1, %eax\n cmpxchg %ecx, (%rbx)\n xchg %ecx, 4(%rbx)\n btsl $33, (%rbx)\n btl $33, (%rbx)\n setc 6(%rbx)\n"
    " mov $5, %ecx\n cmovz (%rbx), %edx\n nopl 4(%rbx)\n lea 4(%rbx), %rdi\n"
    " movaps (%rbx), %xmm0\n movaps %xmm0, (%rbx)\n movups %xmm0, 9(%rbx)\n movq %xmm0, 16(%rbx)\n movss (%rbx), %xmm1\n"
    " pushq 8(%rbx)\n popq 8(%rbx)\n fldl 8(%rbx)\n fstpt 16(%rbx)\n fnstcw 4(%rbx)\n"
    "copy:\n cld\n rep movsb\n lea (%rbx), %rdi\n mov $3, %ecx\n rep stosl\n"
    " lea 15(%rbx), %rdi\n mov $16, %ecx\n std\n rep stosb\n cld\n"
    " lea (%rbx), %rsi\n lea source(%rip), %rdi\n mov $4, %ecx\n rep movsl\n"
    " lea (%rbx), %rdi\n mov $16, %ecx\n xor %eax, %eax\n repe scasb\n lea 4(%rbx), %rsi\n lodsl\n stosb\n cmpsb\n"
    " mov %rsp, %rbp\n lea 16(%rbx), %rsp\n call called\n push %rax\n pop %rax\n mov %rbp, %rsp\n"
    " mov $3, %ecx\n"
    "looped:\n incb 12(%rbx)\n dec %ecx\n jnz looped\n"
    " mov %ss, 4(%rbx)\n"
    "loadsStack:\n mov 4(%rbx), %ss\n"
    "behindStack:\n nop\n nop\n"
    " mov %ss, %eax\n mov %eax, %ss\n movb $1, 3(%rbx)\n nop\n"
    "accessesEnd:\n pop %rbp\n pop %rbx\n ret\n"
    "called:\n ret\n");

static long poke(pid_t child, int n, uintptr_t value) {
  errno = 0;
  return ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg) + n * sizeof(long), value);
}
static unsigned long peek(pid_t child, int n) {
  return (unsigned long)ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, u_debugreg) + n * sizeof(long), 0);
}
static void wanted(long result) { printf(" %s", result == 0 ? "taken" : errno == EINVAL ? "EINVAL" : errno == EIO ? "EIO" : "refused"); }

/* What of DR7 one breakpoint is: L, R/W and LEN. */
static unsigned long control(int n, int kind, int bytes) {
  unsigned long length = bytes == 8 ? 2 : bytes - 1;
  return 1ul << (2 * n) | (unsigned long)kind << (16 + 4 * n) | length << (18 + 4 * n);
}

static pid_t traced(void (*run)(void)) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    run();
    _exit(7);
  }
  int status;
  waitpid(child, &status, 0);
  return child;
}

/* Goes on until the next stop. False: it has exited. */
static int stops(pid_t child, int how) {
  int status;
  ptrace(how, child, 0, 0);
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) {
    printf(" exit %d\n", WEXITSTATUS(status));
    return 0;
  }
  if (WIFSIGNALED(status)) {
    printf(" killed by %d\n", WTERMSIG(status));
    return 0;
  }
  if (WSTOPSIG(status) != SIGTRAP) printf(" signal %d", WSTOPSIG(status));
  return 1;
}
static long placeOf(pid_t child) {
  struct user_regs_struct regs;
  ptrace(PTRACE_GETREGS, child, 0, &regs);
  return (long)(regs.rip - (uintptr_t)accesses);
}
static void show(pid_t child) {
  struct user_regs_struct regs;
  siginfo_t info;
  ptrace(PTRACE_GETREGS, child, 0, &regs);
  ptrace(PTRACE_GETSIGINFO, child, 0, &info);
  printf(" %ld:%lx/%d", (long)(regs.rip - (uintptr_t)accesses), peek(child, 6) & 0xe00f, info.si_code);
  if (regs.rcx < 64 && ((uint8_t *)regs.rip)[0] == 0xf3) printf("(%lld)", regs.rcx);
  poke(child, 6, 0);
}
static void untilExit(pid_t child) {
  while (stops(child, PTRACE_CONT)) show(child);
}

static void watch(int kind, int bytes, int offset) {
  pid_t child = traced(walk);
  printf("%s %d at %d:", kind == WRITE ? "writes" : "accesses", bytes, offset);
  poke(child, 0, (uintptr_t)(data + offset));
  poke(child, 7, control(0, kind, bytes));
  untilExit(child);
}

static void breakAt(const char *name, const char *at) {
  pid_t child = traced(walk);
  printf("breakpoint %s:", name);
  poke(child, 2, (uintptr_t)at);
  poke(child, 7, control(2, EXECUTE, 1));
  while (stops(child, PTRACE_CONT)) {
    show(child);
    printf("%s", ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, regs.eflags), 0) & RF ? " RF" : "");
  }
}

static void several(void) {
  pid_t child = traced(walk);
  printf("four:");
  poke(child, 0, (uintptr_t)data);
  poke(child, 1, (uintptr_t)(data + 4));
  poke(child, 2, (uintptr_t)copy);
  poke(child, 3, (uintptr_t)data);
  poke(child, 7, control(0, WRITE, 1) | control(1, ACCESS, 4) | control(2, EXECUTE, 1) | control(3, ACCESS, 8));
  untilExit(child);
  child = traced(walk);
  printf("taken away:");
  poke(child, 0, (uintptr_t)data);
  poke(child, 7, control(0, WRITE, 4));
  if (stops(child, PTRACE_CONT)) show(child);
  poke(child, 7, 0);
  untilExit(child);
}

/* Steps over everything, with a watchpoint. */
static void steps(void) {
  pid_t child = traced(walk);
  poke(child, 0, (uintptr_t)accesses);
  poke(child, 7, control(0, EXECUTE, 1));
  printf("steps:");
  stops(child, PTRACE_CONT);
  show(child);
  poke(child, 0, (uintptr_t)data);
  poke(child, 7, 0);
  poke(child, 0, (uintptr_t)(data + 4));
  poke(child, 7, control(0, ACCESS, 4));
  for (int n = 0; n < 200 && placeOf(child) != accessesEnd - accesses; n++) {
    stops(child, PTRACE_SINGLESTEP);
    show(child);
  }
  untilExit(child);
}

static void refused(void) {
  pid_t child = traced(walk);
  printf("refused:");
  wanted(poke(child, 0, (uintptr_t)data + 1));
  wanted(poke(child, 7, control(0, WRITE, 4)));
  wanted(poke(child, 7, control(0, WRITE, 1)));
  wanted(poke(child, 0, (uintptr_t)data + 3));
  wanted(poke(child, 7, control(0, ACCESS, 2)));
  wanted(poke(child, 1, 0xffff800000000000ul));
  wanted(poke(child, 1, 0xffffffff81000000ul));
  wanted(poke(child, 4, 0));
  wanted(poke(child, 5, 0));
  printf(" %lx %lx", peek(child, 0) - (uintptr_t)data, peek(child, 7));
  untilExit(child);
}

/* The kernel's accesses on behalf of a program stop nobody; its own do. */
static void readsPipe(void) {
  int ends[2];
  char text[8] = "ABCDEFG";
  if (pipe(ends) != 0 || write(ends[1], text, 8) != 8) _exit(1);
  syscall(SYS_gettid);
  if (read(ends[0], data + 8, 8) != 8) _exit(2);
  if (write(ends[1], data + 8, 8) != 8) _exit(3);
  data[8]++;
}
static void kernels(void) {
  pid_t child = traced(readsPipe);
  printf("the kernel's:");
  poke(child, 1, (uintptr_t)(data + 8));
  poke(child, 7, control(1, WRITE, 8));
  for (int n = 0; stops(child, PTRACE_CONT); n++) {
    uint8_t value = (uint8_t)ptrace(PTRACE_PEEKDATA, child, data + 8, 0);
    printf(" %lx %c", peek(child, 6) & 0xe00f, value);
    poke(child, 6, 0);
  }
}

static void softwareBreakpoint(void) {
  asm volatile("int3");
  asm volatile("nop; int3");
}
static void software(void) {
  pid_t child = traced(softwareBreakpoint);
  printf("int3:");
  while (stops(child, PTRACE_CONT)) {
    struct user_regs_struct regs;
    ptrace(PTRACE_GETREGS, child, 0, &regs);
    printf(" behind %x dr6 %lx", ((uint8_t *)regs.rip)[-1], peek(child, 6) & 0xe00f);
  }
}

/* TF as a program sets it itself. */
extern char stepped[];
static volatile int count, last;
static void onTrap(int signal, siginfo_t *info, void *context) {
  const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (count++ < 40) printf(" %lld/%d%s", regs[REG_RIP] - (greg_t)stepped, info->si_code, regs[REG_EFL] & TF ? "" : " no TF");
  last = signal;
}
static void ownSteps(void) {
  struct sigaction action = {.sa_sigaction = onTrap, .sa_flags = SA_SIGINFO};
  sigaction(SIGTRAP, &action, NULL);
  printf("own steps:");
  uint8_t *to = data, *from = source;
  long number = 4, id = SYS_getpid;
  asm volatile("pushf; orl $0x100, (%%rsp); popf\n"
               "stepped: nop; rep movsb; mov %%ss, %%edx; mov %%edx, %%ss; nop; cpuid; nop\n"
               "mov %3, %%rax; syscall; nop; pushf; andl $~0x100, (%%rsp); popf; nop"
               : "+S"(from), "+D"(to), "+c"(number)
               : "r"(id)
               : "rax", "rbx", "rdx", "r11", "memory", "cc");
  printf(" count %d signal %d\n", count, last);
}

static long breakpointCounter(void *at, int kind, int bytes) {
  struct perf_event_attr attributes = {
      .type = PERF_TYPE_BREAKPOINT,
      .size = sizeof attributes,
      .bp_type = kind,
      .bp_addr = (uintptr_t)at,
      .bp_len = bytes,
      .exclude_kernel = 1,
      .exclude_hv = 1,
  };
  return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}
static void counters(void) {
  const struct { const char *name; void *at; int kind, bytes; } wanted[] = {
      {"writes", data + 4, HW_BREAKPOINT_W, HW_BREAKPOINT_LEN_4},
      {"accesses", data + 8, HW_BREAKPOINT_RW, HW_BREAKPOINT_LEN_8},
      {"executions", looped, HW_BREAKPOINT_X, sizeof(long)},
  };
  int files[3];
  for (int n = 0; n < 3; n++) files[n] = (int)breakpointCounter(wanted[n].at, wanted[n].kind, wanted[n].bytes);
  for (int n = 0; n < 100; n++) walk();
  printf("counters:");
  for (int n = 0; n < 3; n++) {
    uint64_t value = 0;
    if (files[n] < 0 || read(files[n], &value, sizeof value) != sizeof value) printf(" no %s", wanted[n].name);
    else printf(" %s %llu", wanted[n].name, (unsigned long long)value);
    close(files[n]);
  }
  printf("\n");
}

int main(void) {
  for (int kind = WRITE; kind <= ACCESS; kind += 2)
    for (int bytes = 1; bytes <= 8; bytes *= 2)
      for (int offset = 0; offset < 24; offset += bytes < 4 ? 9 * bytes : 8) watch(kind, bytes, offset);
  breakAt("at the first", accesses);
  breakAt("at a string instruction", copy + 1);
  breakAt("in a loop", looped);
  breakAt("within an instruction", copy + 2);
  breakAt("at a load of SS", loadsStack);
  breakAt("two behind a load of SS", behindStack + 1);
  breakAt("in a subroutine", called);
  several();
  steps();
  refused();
  kernels();
  software();
  ownSteps();
  counters();
  return 0;
}
