/** System calls as functions of the same names: each yields its request, and turns a negative errno into an OsError. */
import { SYSCALL_NR, type Sys, type Syscall, type SyscallArg, type Syscalls } from '#abi/posix/syscalls.ts'
import { OsError } from './errno.ts'

type Libc = {
  readonly [K in keyof Syscalls]: (...args: Parameters<Syscalls[K]>) => Sys<ReturnType<Syscalls[K]>>
}

/** The call, without judging its result. */
export function* raw(nr: number, ...args: readonly SyscallArg[]): Sys<unknown> {
  const request: Syscall = [nr, ...args]
  return yield request
}

function wrap<K extends keyof Syscalls>(name: K): Libc[K] {
  const nr = SYSCALL_NR[name]
  // What the call is about, for error texts: the path it names.
  return function* (...args: readonly SyscallArg[]) {
    const result = yield [nr, ...args]
    if (typeof result === 'number' && result < 0)
      throw new OsError(-result, name, typeof args[0] === 'string' ? args[0] : undefined)
    return result
  } as Libc[K]
}

export const read = wrap('read')
export const write = wrap('write')
export const open = wrap('open')
export const close = wrap('close')
export const stat = wrap('stat')
export const fstat = wrap('fstat')
export const lstat = wrap('lstat')
export const poll = wrap('poll')
export const lseek = wrap('lseek')
export const brk = wrap('brk')
export const rt_sigaction = wrap('rt_sigaction')
export const rt_sigprocmask = wrap('rt_sigprocmask')
export const ioctl = wrap('ioctl')
export const access = wrap('access')
export const pipe = wrap('pipe')
export const sched_yield = wrap('sched_yield')
export const dup = wrap('dup')
export const dup2 = wrap('dup2')
export const pause = wrap('pause')
export const nanosleep = wrap('nanosleep')
export const alarm = wrap('alarm')
export const getpid = wrap('getpid')
export const fork = wrap('fork')
export const execve = wrap('execve')
export const exit = wrap('exit')
export const wait4 = wrap('wait4')
export const kill = wrap('kill')
export const uname = wrap('uname')
export const fcntl = wrap('fcntl')
export const flock = wrap('flock')
export const fsync = wrap('fsync')
export const truncate = wrap('truncate')
export const ftruncate = wrap('ftruncate')
export const getdents = wrap('getdents')
export const getcwd = wrap('getcwd')
export const chdir = wrap('chdir')
export const fchdir = wrap('fchdir')
export const rename = wrap('rename')
export const mkdir = wrap('mkdir')
export const rmdir = wrap('rmdir')
export const link = wrap('link')
export const unlink = wrap('unlink')
export const symlink = wrap('symlink')
export const readlink = wrap('readlink')
export const chmod = wrap('chmod')
export const fchmod = wrap('fchmod')
export const chown = wrap('chown')
export const fchown = wrap('fchown')
export const lchown = wrap('lchown')
export const umask = wrap('umask')
export const getrlimit = wrap('getrlimit')
export const getrusage = wrap('getrusage')
export const sysinfo = wrap('sysinfo')
export const times = wrap('times')
export const getuid = wrap('getuid')
export const syslog = wrap('syslog')
export const getgid = wrap('getgid')
export const setuid = wrap('setuid')
export const setgid = wrap('setgid')
export const geteuid = wrap('geteuid')
export const getegid = wrap('getegid')
export const setpgid = wrap('setpgid')
export const getppid = wrap('getppid')
export const setsid = wrap('setsid')
export const getgroups = wrap('getgroups')
export const setgroups = wrap('setgroups')
export const getpgid = wrap('getpgid')
export const getsid = wrap('getsid')
export const rt_sigpending = wrap('rt_sigpending')
export const rt_sigsuspend = wrap('rt_sigsuspend')
export const utime = wrap('utime')
export const mknod = wrap('mknod')
export const statfs = wrap('statfs')
export const fstatfs = wrap('fstatfs')
export const getpriority = wrap('getpriority')
export const setpriority = wrap('setpriority')
export const setrlimit = wrap('setrlimit')
export const chroot = wrap('chroot')
export const sync = wrap('sync')
export const mount = wrap('mount')
export const umount2 = wrap('umount2')
export const reboot = wrap('reboot')
export const sethostname = wrap('sethostname')
export const setdomainname = wrap('setdomainname')
export const init_module = wrap('init_module')
export const delete_module = wrap('delete_module')
export const clock_settime = wrap('clock_settime')
export const clock_gettime = wrap('clock_gettime')
