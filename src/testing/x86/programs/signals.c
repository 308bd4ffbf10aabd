/*
 * Signals that come from elsewhere: timers, other processes, the program itself; what they interrupt, when they are held back, on which stack they come, and that what was being
 * computed is none the wiser.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static volatile double noise = 1.5;
static volatile long double wideNoise = 2.5L;

static void on(int signal, void (*act)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = act, .sa_flags = SA_SIGINFO | flags};
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, &action, 0) != 0) printf("sigaction(%d) fails\n", signal);
}

static void timer(int which, long us) {
  struct itimerval value = {{0, us}, {0, us}};
  setitimer(which, &value, 0);
}

/* Leaves nothing of the registers of floating point as it was. */
static void spoil(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  for (int i = 0; i < 20; i++) noise = noise * 1.000001 + 1 / noise;
  wideNoise = wideNoise * 3.7L - 1 / wideNoise;
  asm volatile("fninit; fldpi; fld1; fld1; fld1; fld1; fld1; fld1; fld1" : : :);
  asm volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1; pcmpeqd %%xmm8, %%xmm8; pcmpeqd %%xmm15, %%xmm15"
               : : : "xmm0", "xmm1", "xmm8", "xmm15");
  uint32_t mxcsr = 0x7f80;
  asm volatile("ldmxcsr %0" : : "m"(mxcsr));
  caught++;
}

static double __attribute__((noipa)) compute(int turns) {
  double a = 1, b = 2, c = 3, d = 4, e = 5;
  long double w = 1;
  for (int i = 1; i <= turns; i++) {
    a += 1 / (b + i), b = b * 0.999 + a * 0.5, c += a * b / (d + 1), d = d * 0.25 + 1 / c, e = e * 0.5 + a - b;
    w = w * 0.99999L + 1 / (w + i);
  }
  return a + b + c + d + e + (double)w;
}

static void floatingPoint(void) {
  double quiet = compute(2000);
  on(SIGALRM, spoil, SA_RESTART);
  timer(ITIMER_REAL, 500);
  int same = 1;
  for (int round = 0; round < 4000 && (round < 5 || caught < 5); round++) same &= compute(2000) == quiet;
  timer(ITIMER_REAL, 0);
  printf("floating point: %s, enough alarms %d\n", same ? "kept" : "SPOILED", caught >= 5);
}

/* All sixteen registers and the stack of x87, held by nobody else. */
static void registers(void) {
  static uint64_t before[32], after[32];
  for (int i = 0; i < 32; i++) before[i] = 0x0102030405060708ull * (unsigned)(i + 1);
  caught = 0;
  timer(ITIMER_REAL, 3000);
  uint64_t general = 0;
  asm volatile(
      "movups 0(%1), %%xmm0; movups 16(%1), %%xmm1; movups 128(%1), %%xmm8; movups 240(%1), %%xmm15\n"
      "mov $0x1111, %%r12; mov $0x2222, %%r13; mov $0x3333, %%r14; mov $0x4444, %%r15; stc\n"
      "1: pause; cmpl $3, %3; jl 1b\n"
      "movups %%xmm0, 0(%2); movups %%xmm1, 16(%2); movups %%xmm8, 128(%2); movups %%xmm15, 240(%2)\n"
      "lea (%%r12, %%r13, 2), %0; shl $16, %%r14; add %%r14, %0; shl $32, %%r15; add %%r15, %0"
      : "=&r"(general)
      : "r"(before), "r"(after), "m"(caught)
      : "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm8", "xmm15", "memory", "cc");
  timer(ITIMER_REAL, 0);
  static const int used[] = {0, 1, 2, 3, 16, 17, 30, 31};
  int same = 1;
  for (unsigned i = 0; i < 8; i++) same &= before[used[i]] == after[used[i]];
  printf("registers: %s %llx\n", same ? "kept" : "SPOILED", (unsigned long long)general);
}

static void count(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  caught++;
}

static int ends[2];
static void feed(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  if (caught++ == 0 && write(ends[1], "fed", 3) != 3) caught = -1000;
}

/* The timer goes on: on a busy machine its first signal may come before there is anything to interrupt. */
static void soon(void (*act)(int, siginfo_t *, void *), int flags) {
  caught = 0;
  on(SIGALRM, act, flags);
  timer(ITIMER_REAL, 10000);
}

static void told(const char *name, long result, int error) {
  timer(ITIMER_REAL, 0);
  printf("%s: %ld, EINTR %d, caught %d\n", name, result, result < 0 && error == EINTR, caught > 0);
}

static void interrupted(void) {
  char text[4] = "";
  if (pipe(ends) != 0) return;
  soon(count, 0);
  long got = read(ends[0], text, 3);
  told("read", got, errno);
  soon(feed, SA_RESTART);
  got = read(ends[0], text, 3);
  told("read, restarted", got, errno);
  printf("it was %s\n", text);
  soon(count, SA_RESTART);
  struct timespec wanted = {50, 0}, left = {0, 0};
  got = nanosleep(&wanted, &left);
  told("nanosleep", got, errno);
  printf("much left %d\n", left.tv_sec >= 10);
  soon(count, SA_RESTART);
  struct pollfd poller = {ends[0], POLLIN, 0};
  got = poll(&poller, 1, 50000);
  told("poll", got, errno);
  soon(count, SA_RESTART);
  got = pause();
  told("pause", got, errno);
}

static void burn(int which, int signal, const char *name) {
  caught = 0;
  on(signal, count, SA_RESTART);
  timer(which, 4000);
  while (caught < 3) noise = noise * 0.5 + 1;
  timer(which, 0);
  printf("%s: %d\n", name, caught >= 3);
}

static char order[64];
static void note(int signal, siginfo_t *info, void *context) {
  (void)context;
  char *end = order + strlen(order);
  sprintf(end, "%d:%d ", signal - SIGRTMIN, info->si_value.sival_int);
}

static void nested(int signal, siginfo_t *info, void *context) {
  (void)info, (void)context;
  strcat(order, signal == SIGUSR1 ? "<1" : "<2");
  if (strlen(order) < 3) raise(SIGUSR2), raise(SIGUSR1);
  strcat(order, signal == SIGUSR1 ? "1>" : "2>");
}

static void masks(void) {
  sigset_t set, waiting;
  sigemptyset(&set);
  for (int i = 0; i < 3; i++) {
    on(SIGRTMIN + i, note, 0);
    sigaddset(&set, SIGRTMIN + i);
  }
  sigprocmask(SIG_BLOCK, &set, 0);
  for (int i = 0; i < 6; i++) sigqueue(getpid(), SIGRTMIN + 2 - i % 3, (union sigval){.sival_int = i});
  sigpending(&waiting);
  printf("pending %d%d%d, so far '%s'\n", sigismember(&waiting, SIGRTMIN), sigismember(&waiting, SIGRTMIN + 1),
         sigismember(&waiting, SIGRTMIN + 2), order);
  siginfo_t info;
  int which = sigwaitinfo(&set, &info);
  printf("waited for: %d with %d, code %d\n", which - SIGRTMIN, info.si_value.sival_int, info.si_code);
  sigprocmask(SIG_UNBLOCK, &set, 0);
  /* The last to be set up is the first to run: each begins in the one before. */
  printf("then %s\n", order);
  struct timespec nap = {0, 1000000};
  which = sigtimedwait(&set, &info, &nap);
  printf("and no more: %d, EAGAIN %d\n", which, errno == EAGAIN);

  *order = 0;
  on(SIGUSR1, nested, 0);
  on(SIGUSR2, nested, 0);
  raise(SIGUSR1);
  printf("nested %s\n", order);
  *order = 0;
  on(SIGUSR1, nested, SA_RESETHAND);
  raise(SIGUSR2);
  printf("plain %s\n", order);
  struct sigaction old;
  on(SIGUSR1, count, SA_RESETHAND);
  raise(SIGUSR1);
  sigaction(SIGUSR1, 0, &old);
  printf("reset %d\n", old.sa_handler == SIG_DFL);

  caught = 0;
  on(SIGUSR1, count, 0);
  sigset_t none, one;
  sigemptyset(&none);
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  sigprocmask(SIG_BLOCK, &one, 0);
  raise(SIGUSR1);
  printf("held back: %d, ", (int)caught);
  int result = sigsuspend(&none);
  printf("sigsuspend: %d, EINTR %d, caught %d\n", result, errno == EINTR, (int)caught);
  sigprocmask(SIG_UNBLOCK, &one, 0);
}

static sigjmp_buf back;
static char other[1 << 16];
static volatile int onOther;
static uintptr_t stackTop;

static void overflow(int signal, siginfo_t *info, void *context) {
  (void)context;
  char here;
  onOther = &here >= other && &here < other + sizeof other;
  uintptr_t depth = stackTop - (uintptr_t)info->si_addr;
  siglongjmp(back, signal * 10 + (depth > 200 * 1024 && depth < 300 * 1024));
}

static int deeper(int depth) {
  if (depth < 0) return 0;
  volatile char room[1000];
  room[depth % 1000] = 1;
  return deeper(depth + 1) + room[depth % 1000];
}

static void stacks(void) {
  struct rlimit limit = {256 * 1024, 256 * 1024};
  setrlimit(RLIMIT_STACK, &limit);
  char here;
  stackTop = (uintptr_t)&here;
  stack_t stack = {.ss_sp = other, .ss_size = sizeof other};
  sigaltstack(&stack, 0);
  on(SIGSEGV, overflow, SA_ONSTACK);
  int value = sigsetjmp(back, 1);
  if (value == 0) deeper(0);
  printf("stack overflow: %d, on the other stack %d\n", value, onOther);
  onOther = 0;
  value = sigsetjmp(back, 1);
  if (value == 0) deeper(0);
  printf("and again: %d, on the other stack %d\n", value, onOther);
}

static void truncated(int signal, siginfo_t *info, void *context) {
  (void)context;
  siglongjmp(back, signal * 10 + info->si_code);
}

static void files(void) {
  char name[] = "/tmp/signals-XXXXXX";
  int file = mkstemp(name);
  unlink(name);
  if (ftruncate(file, 4096) != 0) return;
  char *at = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  at[5] = 'x';
  on(SIGBUS, truncated, 0);
  int value = sigsetjmp(back, 1);
  if (value == 0) at[4096] = 'y';
  char byte = 0;
  long got = pread(file, &byte, 1, 5);
  printf("behind the file's end: %d, before it %ld %c\n", value, got, byte);
  int broken[2];
  if (pipe(broken) != 0) return;
  close(broken[0]);
  caught = 0;
  on(SIGPIPE, count, 0);
  long put = write(broken[1], "x", 1);
  printf("broken pipe: %ld, EPIPE %d, caught %d\n", put, errno == EPIPE, (int)caught);
}

static void child(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  caught += info->si_code == CLD_EXITED ? info->si_status : info->si_code == CLD_KILLED ? 100 * info->si_status : 10000;
}

static void children(void) {
  caught = 0;
  on(SIGCHLD, child, SA_RESTART);
  int status = 0;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) _exit(7);
  waitpid(pid, &status, 0);
  printf("exited %d %d\n", WIFEXITED(status), WEXITSTATUS(status));
  pid = fork();
  if (pid == 0) {
    for (;;) pause();
  }
  kill(pid, SIGTERM);
  waitpid(pid, &status, 0);
  printf("killed %d %d\n", WIFSIGNALED(status), WTERMSIG(status));
  pid = fork();
  if (pid == 0) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  }
  waitpid(pid, &status, 0);
  printf("crashed %d %d\n", WIFSIGNALED(status), WTERMSIG(status));
  on(SIGCHLD, child, SA_RESTART | SA_NOCLDSTOP);
  pid = fork();
  if (pid == 0) {
    for (;;) noise += 1;
  }
  kill(pid, SIGSTOP);
  waitpid(pid, &status, WUNTRACED);
  printf("stopped %d %d\n", WIFSTOPPED(status), WSTOPSIG(status));
  kill(pid, SIGCONT);
  waitpid(pid, &status, WCONTINUED);
  printf("continued %d\n", WIFCONTINUED(status));
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  printf("killed %d %d, of all that %d\n", WIFSIGNALED(status), WTERMSIG(status), (int)caught);
}

int main(void) {
  floatingPoint();
  registers();
  interrupted();
  burn(ITIMER_VIRTUAL, SIGVTALRM, "virtual timer");
  burn(ITIMER_PROF, SIGPROF, "profiling timer");
  masks();
  stacks();
  files();
  children();
  signal(SIGABRT, SIG_DFL);
  fflush(stdout);
  abort();
}
