/*
 * Processes: fork with memory that is copied when somebody writes, pipes fuller than they are, sockets, memory in common, execve, vfork, sessions, and ptrace, which steps a child and
 * changes its registers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 1 << 16 };

static uint32_t hashOf(const uint32_t *words, int count) {
  uint32_t hash = 2166136261u;
  for (int i = 0; i < count; i++) hash = (hash ^ words[i]) * 16777619u;
  return hash;
}

static int statusOf(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR);
  return status;
}

/* Three generations write the same pages; nobody sees what another has written. */
static void copies(void) {
  uint32_t *words = mmap(0, WORDS * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint32_t *found = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < WORDS; i++) words[i] = (uint32_t)i * 2654435761u;
  pid_t pids[4];
  for (int n = 0; n < 4; n++) {
    pids[n] = fork();
    if (pids[n]) continue;
    for (int i = n; i < WORDS; i += 512 + n) words[i] ^= (uint32_t)(n + 1) << 20;
    pid_t grandchild = fork();
    if (grandchild == 0) {
      memset(words + 1000 * n, n, 40000);
      found[2 * n] = hashOf(words, WORDS);
      _exit(n);
    }
    int status = statusOf(grandchild);
    found[2 * n + 1] = hashOf(words, WORDS);
    _exit(WEXITSTATUS(status) + 10);
  }
  for (int n = 0; n < 4; n++) printf("child %d ends with %d\n", n, WEXITSTATUS(statusOf(pids[n])));
  for (int i = 0; i < 8; i++) printf("%08x ", found[i]);
  printf("%08x\n", hashOf(words, WORDS));
  munmap(words, WORDS * 4);
}

static void whole(int from, uint8_t *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    ssize_t got = read(from, bytes + at, size - at);
    if (got <= 0) break;
    at += (size_t)got;
  }
}

static void pipes(void) {
  enum { SIZE = 300000 };
  int ends[2];
  uint8_t *bytes = malloc(SIZE);
  if (pipe(ends) != 0) return;
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    for (int i = 0; i < SIZE; i++) bytes[i] = (uint8_t)(i * i >> 3);
    for (int at = 0; at < SIZE; at += 7777) {
      if (write(ends[1], bytes + at, (size_t)(SIZE - at < 7777 ? SIZE - at : 7777)) < 0) _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  memset(bytes, 0, SIZE);
  whole(ends[0], bytes, SIZE);
  uint8_t more;
  long end = read(ends[0], &more, 1);
  printf("pipe %08x, then %ld, status %d\n", hashOf((uint32_t *)bytes, SIZE / 4), end, statusOf(pid));
  free(bytes);
}

/* Turn and turn about: a switch of processes for each. */
static void turns(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
  uint64_t value = 1;
  double wave = 0.5;
  pid_t pid = fork();
  for (int i = 0; i < 300; i++) {
    if (pid == 0) {
      if (read(ends[1], &value, 8) != 8) _exit(1);
      wave = wave * 3.9 * (1 - wave);
      value = value * 3 + (uint64_t)(wave * 1000);
      if (write(ends[1], &value, 8) != 8) _exit(2);
    } else {
      value = value * 5 + (uint64_t)(wave * 1000);
      wave = wave * 3.7 * (1 - wave);
      if (write(ends[0], &value, 8) != 8 || read(ends[0], &value, 8) != 8) break;
    }
  }
  if (pid == 0) _exit(3);
  printf("turns %016llx %.15g %d\n", (unsigned long long)value, wave, WEXITSTATUS(statusOf(pid)));
}

static void shared(void) {
  _Atomic uint32_t *counter = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pids[3];
  for (int n = 0; n < 3; n++) {
    pids[n] = fork();
    if (pids[n]) continue;
    for (int i = 0; i < 20000; i++) {
      counter[0]++;
      if (i % 1000 == 0) sched_yield();
    }
    _exit(0);
  }
  for (int n = 0; n < 3; n++) statusOf(pids[n]);
  printf("shared %u\n", counter[0]);
}

static void programs(char **argv) {
  fflush(stdout);
  pid_t pid = vfork();
  if (pid == 0) {
    char *const arguments[] = {"again", "two", "words and more", 0};
    char *const environment[] = {"COLOUR=red", 0};
    execve("/proc/self/exe", arguments, environment);
    _exit(127);
  }
  printf("executed: %d\n", WEXITSTATUS(statusOf(pid)));
  pid = vfork();
  if (pid == 0) {
    execve("/nowhere", argv, 0);
    _exit(errno);
  }
  printf("not executed: %d\n", WEXITSTATUS(statusOf(pid)) == ENOENT);
  pid = fork();
  if (pid == 0) _exit(setsid() == getpid() && getpgrp() == getpid() ? 1 : 2);
  printf("session: %d\n", WEXITSTATUS(statusOf(pid)));
}

/* Loops ten times, then asks for a system call that the tracer answers. */
static void traced(void) {
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  raise(SIGSTOP);
  uint64_t result;
  asm volatile("int3; mov $10, %%ecx; 1: add $3, %%rbx; loop 1b; nop; int3; mov %%r12, %0" : "=r"(result) : : "rbx", "rcx", "r12", "cc");
  _exit((int)result);
}

static void tracer(void) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) traced();
  int status = statusOf(pid);
  printf("traced child stops by %d\n", WSTOPSIG(status));
  ptrace(PTRACE_CONT, pid, 0, 0);
  status = statusOf(pid);
  struct user_regs_struct regs;
  ptrace(PTRACE_GETREGS, pid, 0, &regs);
  regs.rbx = 1000;
  ptrace(PTRACE_SETREGS, pid, 0, &regs);
  unsigned long long start = regs.rip;
  printf("breakpoint: %d\n", WSTOPSIG(status));
  int steps = 0;
  for (; steps < 100; steps++) {
    ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
    status = statusOf(pid);
    ptrace(PTRACE_GETREGS, pid, 0, &regs);
    if (steps < 4) printf("  at +%llu rcx %llu rbx %llu\n", regs.rip - start, regs.rcx, regs.rbx);
    errno = 0;
    long word = ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, 0);
    if (errno != 0 || (word & 0xff) == 0xcc) break;
  }
  printf("%d steps to +%llu, rbx %llu\n", steps, regs.rip - start, regs.rbx);
  /* The breakpoint becomes a nop, in a page that nobody else sees changed. */
  long word = ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, 0);
  ptrace(PTRACE_POKETEXT, pid, (void *)regs.rip, (void *)((word & ~0xffl) | 0x90));
  regs.r12 = 77;
  ptrace(PTRACE_SETREGS, pid, 0, &regs);
  struct user_fpregs_struct floating;
  ptrace(PTRACE_GETFPREGS, pid, 0, &floating);
  printf("control words %x %x\n", floating.cwd, floating.mxcsr & ~0x3fu);
  ptrace(PTRACE_CONT, pid, 0, 0);
  status = statusOf(pid);
  printf("ends: %d %d\n", WIFEXITED(status), WEXITSTATUS(status));
}

int main(int argc, char **argv) {
  if (argc == 3) {
    printf("%s, %s, %s, %s\n", argv[0], argv[1], argv[2], getenv("COLOUR"));
    return 44;
  }
  setvbuf(stdout, 0, _IOFBF, 1 << 16);
  fflush(stdout);
  copies();
  fflush(stdout);
  pipes();
  fflush(stdout);
  turns();
  fflush(stdout);
  shared();
  programs(argv);
  tracer();
  return 9;
}
