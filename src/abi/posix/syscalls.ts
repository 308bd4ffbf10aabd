/**
 * System calls: what a program (image kind `program`) asks of its kernel. A program is a generator; each call is a yield of
 * `[number, ...arguments]`, and the resumption brings the result. A yield of `undefined` is preemption: cc put it in (docs/adr/0004).
 *
 * Numbers are Linux's for x86_64 (asm/unistd.h). Where life passes a pointer to be filled, the data is the result. Every path, argument
 * and name is a *byte string* (lib/utf8.ts): characters 0 to 255, NUL ends nothing and is refused with EINVAL.
 * A failed call answers a negative errno, whatever type its success has. The kernel believes nothing it is given.
 */
import type { Rusage } from './resource.ts'
import type { Dirent, Stat, StatFs } from './stat.ts'
import type { Waited } from './wait.ts'

export type SyscallArg = number | string | Uint8Array | readonly string[] | readonly number[] | UserBody | SignalHandler
export type Syscall = readonly [nr: number, ...args: readonly SyscallArg[]]
/** Negative errno, or whatever the call's row says. */
export type SyscallResult = unknown
/** User code that may make system calls. */
export type Sys<T> = Generator<Syscall | undefined, T, SyscallResult>
/** What a forked child runs; its value is the exit status. */
export type UserBody = () => Sys<number>
/** Runs on top of whatever the process was doing. */
export type SignalHandler = (signo: number) => Sys<void>

export interface Utsname {
  readonly sysname: string
  readonly nodename: string
  readonly release: string
  readonly version: string
  readonly machine: string
}

export interface Sysinfo {
  readonly uptimeSeconds: number
  /** 1, 5, 15 minutes, times 65536. */
  readonly loads: readonly [number, number, number]
  /** Bytes. */
  readonly totalram: number
  readonly freeram: number
  readonly bufferram: number
  readonly totalswap: number
  readonly freeswap: number
  readonly procs: number
}

/** Seconds and ns. */
export type Timespec = readonly [seconds: number, ns: number]

export const CLOCK_REALTIME = 0
export const CLOCK_MONOTONIC = 1

/** `syslog` actions (klogctl). */
export const SYSLOG_ACTION_READ = 2
export const SYSLOG_ACTION_READ_ALL = 3
export const SYSLOG_ACTION_READ_CLEAR = 4
export const SYSLOG_ACTION_CLEAR = 5
export const SYSLOG_ACTION_CONSOLE_OFF = 6
export const SYSLOG_ACTION_CONSOLE_ON = 7
export const SYSLOG_ACTION_CONSOLE_LEVEL = 8
export const SYSLOG_ACTION_SIZE_BUFFER = 10

/** Each call's arguments and the result of its success. libc has a function of the same name for each. */
export interface Syscalls {
  /** At most `count` bytes; none at the end of the file. */
  read(fd: number, count: number): Uint8Array
  write(fd: number, bytes: Uint8Array): number
  open(path: string, flags: number, mode: number): number
  close(fd: number): number
  stat(path: string): Stat
  fstat(fd: number): Stat
  lstat(path: string): Stat
  /** `fds` is fd, events, fd, events, ...; the result has one revents for each pair. -1: for ever. */
  poll(fds: readonly number[], timeoutMs: number): readonly number[]
  lseek(fd: number, offset: number, whence: number): number
  /**
   * `length` bytes of addresses: fresh frames full of zeros (MAP_ANONYMOUS), or what the file's driver puts there. The result is the address. What
   * is mapped is reached by `load` and `store` alone.
   */
  mmap(length: number, prot: number, flags: number, fd: number, offset: number): number
  munmap(address: number, length: number): number
  /** What in life is an instruction that reads memory: bytes of what the process has mapped. EFAULT where it has not (in life SIGSEGV). */
  load(address: number, count: number): Uint8Array
  /** An instruction that writes memory. */
  store(address: number, bytes: Uint8Array): number
  /** Two of them, the one right behind the other: no signal, and no other task, comes between. */
  store2(address: number, bytes: Uint8Array, then: number, more: Uint8Array): number
  /**
   * The heap is to be so many bytes: programs call it before they keep what grows without bound. 0 asks. The frames are real: ENOMEM, or
   * the OOM killer, is what a program meets that wants too much.
   */
  brk(bytes: number): number
  /** `handler`: SIG_DFL, SIG_IGN or a generator function. The result is the old one. */
  rt_sigaction(signo: number, handler: number | SignalHandler, flags: number, mask: number): number | SignalHandler
  /** The result is the old mask. */
  rt_sigprocmask(how: number, set: number): number
  /** Bytes or a number, by request: see ioctl.ts. */
  ioctl(fd: number, request: number, arg: number | Uint8Array): number | Uint8Array
  access(path: string, mode: number): number
  /** Reading end, writing end. */
  pipe(): readonly [number, number]
  sched_yield(): number
  dup(fd: number): number
  dup2(fd: number, to: number): number
  /** Until a signal: always EINTR. */
  pause(): number
  /** EINTR if a signal came first. */
  nanosleep(ns: number): number
  /** Seconds that were left of the last one. */
  alarm(seconds: number): number
  getpid(): number
  /** Addresses are the bytes of a struct sockaddr (abi/posix/socket.ts). */
  socket(family: number, type: number, protocol: number): number
  connect(fd: number, address: Uint8Array): number
  /** A descriptor for the next connection. */
  accept(fd: number): number
  bind(fd: number, address: Uint8Array): number
  listen(fd: number, backlog: number): number
  getsockname(fd: number): Uint8Array
  getpeername(fd: number): Uint8Array
  socketpair(family: number, type: number, protocol: number): readonly [number, number]
  shutdown(fd: number, how: number): number
  setsockopt(fd: number, level: number, name: number, value: Uint8Array): number
  getsockopt(fd: number, level: number, name: number): Uint8Array
  /**
   * A child that runs `body` and shares the parent's memory: it must not change what the parent still uses. All else is as after fork: file
   * descriptors, directory, signal actions and mask are copies.
   */
  fork(body: UserBody): number
  /** Does not return. */
  execve(path: string, argv: readonly string[], envp: readonly string[]): number
  exit(status: number): number
  wait4(pid: number, options: number): Waited
  kill(pid: number, signo: number): number
  uname(): Utsname
  fcntl(fd: number, command: number, arg: number): number
  flock(fd: number, operation: number): number
  fsync(fd: number): number
  truncate(path: string, bytes: number): number
  ftruncate(fd: number, bytes: number): number
  /** Some entries, `.` and `..` among them; none at the end. */
  getdents(fd: number): readonly Dirent[]
  getcwd(): string
  chdir(path: string): number
  fchdir(fd: number): number
  rename(from: string, to: string): number
  mkdir(path: string, mode: number): number
  rmdir(path: string): number
  link(existing: string, path: string): number
  unlink(path: string): number
  symlink(target: string, path: string): number
  readlink(path: string): string
  chmod(path: string, mode: number): number
  fchmod(fd: number, mode: number): number
  chown(path: string, uid: number, gid: number): number
  fchown(fd: number, uid: number, gid: number): number
  lchown(path: string, uid: number, gid: number): number
  /** The result is the old one. */
  umask(mask: number): number
  clock_gettime(clock: number): Timespec
  clock_settime(clock: number, seconds: number, ns: number): number
  getrlimit(resource: number): readonly [soft: number, hard: number]
  setrlimit(resource: number, soft: number, hard: number): number
  getrusage(who: number): Rusage
  sysinfo(): Sysinfo
  /** utime, stime, cutime, cstime, in ns. */
  times(): readonly [number, number, number, number]
  getuid(): number
  getgid(): number
  geteuid(): number
  getegid(): number
  setuid(uid: number): number
  setgid(gid: number): number
  getgroups(): readonly number[]
  setgroups(gids: readonly number[]): number
  setpgid(pid: number, pgid: number): number
  getpgid(pid: number): number
  getppid(): number
  setsid(): number
  getsid(pid: number): number
  rt_sigpending(): number
  /** Until a signal, with `mask` meanwhile: always EINTR. */
  rt_sigsuspend(mask: number): number
  /** Seconds since 1970. */
  utime(path: string, atime: number, mtime: number): number
  /** `mode` with its S_IFMT. */
  mknod(path: string, mode: number, dev: number): number
  statfs(path: string): StatFs
  fstatfs(fd: number): StatFs
  getpriority(which: number, who: number): number
  setpriority(which: number, who: number, nice: number): number
  mount(source: string, target: string, type: string, flags: number, data: string): number
  umount2(target: string, flags: number): number
  chroot(path: string): number
  sync(): number
  reboot(command: number): number
  sethostname(name: string): number
  setdomainname(name: string): number
  init_module(image: Uint8Array, parameters: string): number
  delete_module(name: string, flags: number): number
  /** Bytes for the reads, numbers otherwise. */
  syslog(action: number, length: number): number | Uint8Array
}

export const SYSCALL_NR: { readonly [K in keyof Syscalls]: number } = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  stat: 4,
  fstat: 5,
  lstat: 6,
  poll: 7,
  lseek: 8,
  mmap: 9,
  munmap: 11,
  brk: 12,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  ioctl: 16,
  access: 21,
  pipe: 22,
  sched_yield: 24,
  dup: 32,
  dup2: 33,
  pause: 34,
  nanosleep: 35,
  alarm: 37,
  getpid: 39,
  socket: 41,
  connect: 42,
  accept: 43,
  shutdown: 48,
  bind: 49,
  listen: 50,
  getsockname: 51,
  getpeername: 52,
  socketpair: 53,
  setsockopt: 54,
  getsockopt: 55,
  fork: 57,
  execve: 59,
  exit: 60,
  wait4: 61,
  kill: 62,
  uname: 63,
  fcntl: 72,
  flock: 73,
  fsync: 74,
  truncate: 76,
  ftruncate: 77,
  getdents: 78,
  getcwd: 79,
  chdir: 80,
  fchdir: 81,
  rename: 82,
  mkdir: 83,
  rmdir: 84,
  link: 86,
  unlink: 87,
  symlink: 88,
  readlink: 89,
  chmod: 90,
  fchmod: 91,
  chown: 92,
  fchown: 93,
  lchown: 94,
  umask: 95,
  getrlimit: 97,
  getrusage: 98,
  sysinfo: 99,
  times: 100,
  getuid: 102,
  syslog: 103,
  getgid: 104,
  setuid: 105,
  setgid: 106,
  geteuid: 107,
  getegid: 108,
  setpgid: 109,
  getppid: 110,
  setsid: 112,
  getgroups: 115,
  setgroups: 116,
  getpgid: 121,
  getsid: 124,
  rt_sigpending: 127,
  rt_sigsuspend: 130,
  utime: 132,
  mknod: 133,
  statfs: 137,
  fstatfs: 138,
  getpriority: 140,
  setpriority: 141,
  setrlimit: 160,
  chroot: 161,
  sync: 162,
  mount: 165,
  umount2: 166,
  reboot: 169,
  sethostname: 170,
  setdomainname: 171,
  init_module: 175,
  delete_module: 176,
  clock_settime: 227,
  clock_gettime: 228,
  // No numbers of Linux's: there these are instructions.
  load: 4096,
  store: 4097,
  store2: 4098,
}

/** A program image's entry module exports `main: ProgramEntry`. The value is the exit status. */
export type ProgramEntry = (argv: readonly string[], envp: readonly string[]) => Sys<number>
