/**
 * A small POSIX system in memory, for tests of programs: the calls of abi/posix/syscalls.ts as far as programs need them, deterministic,
 * in virtual time. It is no kernel of the playground's, only what a program can see of one.
 *
 *   const rig = posixRig({ packages: [coreutils, sh], files: { '/etc/motd': 'hello\n' } })
 *   rig.run(['sh', '-c', 'cat /etc/motd | wc -c'])      -> { stdout, stderr, status, signal }
 *   const s = rig.session(['sh']); s.type('echo hi\n'); s.output()
 *
 * Texts are byte strings. A file may be text, bytes, or { text | link | dir | fifo | device | generate, mode, uid, gid }.
 */
import { RLIM_INFINITY, RLIM_NLIMITS, RLIMIT_NOFILE } from '#abi/posix/resource.ts'
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from '#abi/posix/stat.ts'
import type { ProgramEntry } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFEXITED, WTERMSIG } from '#abi/posix/wait.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { multicall, type Package, type Program } from '#user/libc/program.ts'
import { fileCalls } from './posix-rig/calls-files.ts'
import { processCalls } from './posix-rig/calls-process.ts'
import { installFd, openFile } from './posix-rig/descriptors.ts'
import { contents, Errno, type Inode, isDir, isLink, ROOT, setContents } from './posix-rig/fs.ts'
import { type Calls, RigKernel } from './posix-rig/kernel.ts'
import { Pipe } from './posix-rig/pipe.ts'
import type { OpenFile, Process } from './posix-rig/process.ts'
import { RigTty } from './posix-rig/tty.ts'

export type { Call, Calls } from './posix-rig/kernel.ts'
export { RigKernel } from './posix-rig/kernel.ts'
export type { Process } from './posix-rig/process.ts'
export { BLOCKED, until } from './posix-rig/process.ts'

export type RigFile =
  | string
  | Uint8Array
  | {
      readonly text?: string | Uint8Array
      /** Contents made anew at each open: files as in /proc. */
      readonly generate?: () => string
      /** Target of a symbolic link. */
      readonly link?: string
      readonly dir?: true
      readonly fifo?: true
      readonly device?: readonly [kind: 'c' | 'b', dev: number]
      readonly mode?: number
      readonly uid?: number
      readonly gid?: number
      /** Seconds since 1970. */
      readonly mtime?: number
    }

export interface RigOptions {
  /** By path; a path ending in a slash is a directory. */
  readonly files?: Readonly<Record<string, RigFile>>
  readonly programs?: Readonly<Record<string, Program | ProgramEntry>>
  /** Their programs, where they are installed. */
  readonly packages?: readonly Package[]
  /** System calls that the rig has not, or shall do otherwise. */
  readonly calls?: Calls
  /** What all programs together may ask for with brk. */
  readonly memoryBytes?: number
  /** The first program's pid; 1 for tests of init, which then adopts orphans. Default 1000. */
  readonly firstPid?: number
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  readonly groups?: readonly number[]
  readonly umask?: number
  /** Default 2,000,000 resumptions; more is an error. */
  readonly steps?: number
}

export interface RunResult {
  readonly stdout: string
  readonly stderr: string
  /** Both, in the order in which they were written. */
  readonly output: string
  /** Exit status, or 128 + the signal that ended it. */
  readonly status: number
  readonly signal: number
}

export interface SessionOptions extends RunOptions {
  readonly rows?: number
  readonly columns?: number
}

export interface Session {
  /** Press these keys, then let the machine run until it waits for more (at most `ms` of virtual time, default 500, and `steps`). */
  type(keys: string, limits?: { readonly ms?: number; readonly steps?: number }): Session
  /** Let virtual time go by. */
  pass(ms: number): Session
  /** What was printed since the last call of `take`. */
  output(): string
  /** The same, and forgets it. */
  take(): string
  /** Everything so far. */
  readonly transcript: string
  /** Undefined while it runs. */
  readonly status: number | undefined
  readonly tty: RigTty
  readonly pid: number
  resize(rows: number, columns: number): void
  hangup(): void
}

export interface PosixRig {
  run(argv: readonly string[], options?: RunOptions): RunResult
  /** `argv` as leader of a session with a controlling terminal, /dev/ttyS0. */
  session(argv: readonly string[], options?: SessionOptions): Session
  /** Contents of a file, or undefined. */
  read(path: string): string | undefined
  put(path: string, file: RigFile): void
  /** Names in a directory, sorted. */
  list(path: string): string[]
  readonly kernel: RigKernel
}

const TTYS0 = 0x440
const DEVICES: Readonly<Record<string, number>> = {
  null: 0x103,
  zero: 0x105,
  full: 0x107,
  random: 0x108,
  urandom: 0x109,
  tty: 0x500,
}
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function posixRig(options: RigOptions = {}): PosixRig {
  const kernel = new RigKernel(
    { ...fileCalls, ...processCalls, ...options.calls },
    options.memoryBytes ?? 64 << 20,
    options.firstPid ?? 1000,
  )
  const { tree } = kernel

  const put = (path: string, file: RigFile): void => {
    const spec = typeof file === 'string' || file instanceof Uint8Array ? { text: file } : file
    const kind =
      spec.dir || path.endsWith('/')
        ? S_IFDIR
        : spec.link !== undefined
          ? S_IFLNK
          : spec.fifo
            ? S_IFIFO
            : spec.device
              ? spec.device[0] === 'c'
                ? S_IFCHR
                : S_IFBLK
              : S_IFREG
    const mode = spec.mode ?? (kind === S_IFDIR ? 0o755 : kind === S_IFLNK ? 0o777 : 0o644)
    const node = tree.make(kind | mode, { uid: spec.uid ?? 0, gid: spec.gid ?? 0, groups: [] }, spec.device?.[1] ?? 0)
    if (spec.text !== undefined) setContents(node, spec.text)
    node.generate = spec.generate
    node.target = spec.link ?? ''
    tree.put(path, node)
    if (spec.mtime !== undefined) node.mtime = spec.mtime
  }
  const install = (path: string, entry: ProgramEntry): void => {
    const node = tree.make(S_IFREG | 0o755, ROOT)
    setContents(node, `\x7fELF ${path}\n`)
    node.entry = entry
    tree.put(path, node)
  }

  for (const dir of ['/bin/', '/dev/', '/etc/', '/root/', '/sbin/', '/usr/bin/', '/usr/sbin/', '/var/']) put(dir, '')
  put('/tmp/', { dir: true, mode: 0o1777 })
  for (const [name, dev] of Object.entries(DEVICES)) put(`/dev/${name}`, { device: ['c', dev], mode: 0o666 })
  put('/dev/ttyS0', { device: ['c', TTYS0], mode: 0o600 })
  for (const [path, one] of Object.entries(options.programs ?? {}))
    install(path, typeof one === 'function' ? one : (argv, env) => one.main(argv, env))
  for (const pkg of options.packages ?? []) for (const [path] of pkg.programs) install(path, multicall(pkg))
  for (const [path, file] of Object.entries(options.files ?? {})) put(path, file)

  const find = (path: string): Inode | undefined => {
    try {
      return tree.get(path, tree.root, ROOT)
    } catch (error) {
      if (error instanceof Errno) return undefined
      throw error
    }
  }

  function launch(argv: readonly string[], run: RunOptions, tty: RigTty | undefined): Process {
    const cwd = find(run.cwd ?? '/') ?? tree.root
    const uid = run.uid ?? 0
    const gid = run.gid ?? uid
    const process = kernel.spawn({
      parent: undefined,
      pgid: 0,
      sid: 0,
      tty,
      uid,
      euid: uid,
      gid,
      egid: gid,
      groups: run.groups ?? [gid],
      name: '',
      argv: [],
      env: [],
      frames: [],
      fds: new Map(),
      cwd,
      umask: run.umask ?? 0o022,
      actions: new Map(),
      blocked: 0,
      pending: 0,
      stopped: false,
      stopSignal: 0,
      continued: false,
      zombie: false,
      status: 0,
      brk: 0,
      steps: 0,
      childSteps: 0,
      alarmAtNs: 0,
      nice: 0,
      limits: Array.from({ length: RLIM_NLIMITS }, (_, i) =>
        i === RLIMIT_NOFILE ? [1024, 1024] : [RLIM_INFINITY, RLIM_INFINITY],
      ),
      exec: false,
    })
    process.pgid = process.sid = process.pid
    if (tty) {
      tty.session = process.pid
      tty.pgrp = process.pid
    }
    const env = { PATH, HOME: '/root', ...run.env }
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const name = argv[0] ?? ''
    // A login shell's name begins with a dash.
    const bare = name.replace(/^-/, '')
    const path = bare.includes('/')
      ? bare
      : env.PATH.split(':')
          .map((dir) => `${dir}/${bare}`)
          .find((path) => find(path))
    if (path === undefined || !find(path)) throw new Error(`posix rig: no program ${name}`)
    kernel.exec(process, path, argv, words)
    process.exec = false
    return process
  }

  function run(argv: readonly string[], runOptions: RunOptions = {}): RunResult {
    const parts: [number, Uint8Array][] = []
    const process = launch(argv, runOptions, undefined)
    const input = new Pipe(Number.POSITIVE_INFINITY)
    const { stdin = '' } = runOptions
    input.push(typeof stdin === 'string' ? bytesOfString(stdin) : stdin)
    input.readers = 1
    const node = (): Inode => tree.make(S_IFIFO | 0o600, ROOT)
    installFd(process, openFile(node(), 0, 'stdin', { kind: 'pipe', pipe: input }))
    for (const fd of [1, 2]) {
      const sink = (bytes: Uint8Array): void => {
        parts.push([fd, bytes.slice()])
      }
      installFd(process, openFile(node(), 1, fd === 1 ? 'stdout' : 'stderr', { kind: 'sink', sink }))
    }
    const text = (only?: number): string =>
      parts
        .filter(([fd]) => only === undefined || fd === only)
        .map(([, bytes]) => byteString(bytes))
        .join('')
    // As `$(...)` does: the end is when nobody holds the outputs any more.
    const sinks = [process.fds.get(1)!.file, process.fds.get(2)!.file]
    const over = (): boolean => process.zombie && sinks.every((file: OpenFile) => file.users <= 0)
    const reason = kernel.run({ steps: runOptions.steps ?? 2_000_000, untilNs: Number.POSITIVE_INFINITY, done: over })
    const told = (): string => `${argv.join(' ')}\nstdout: ${text(1).slice(-500)}\nstderr: ${text(2).slice(-500)}`
    if (reason === 'steps') throw new Error(`posix rig: out of steps: ${told()}`)
    if (!process.zombie) throw new Error(`posix rig: waits for ever: ${told()}`)
    kernel.processes.delete(process.pid)
    return { stdout: text(1), stderr: text(2), output: text(), ...ending(process.status) }
  }

  function session(argv: readonly string[], sessionOptions: SessionOptions = {}): Session {
    const tty = new RigTty(sessionOptions.rows ?? 25, sessionOptions.columns ?? 80, (signo) => {
      if (tty.pgrp) kernel.sendGroup(tty.pgrp, signo)
    })
    kernel.ttys.set(TTYS0, tty)
    const process = launch(argv, sessionOptions, tty)
    const file = openFile(find('/dev/ttyS0')!, 2, '/dev/ttyS0', { kind: 'tty', tty })
    for (let i = 0; i < 3; i++) installFd(process, file)
    let seen = 0
    const go = (ms: number, steps = 300_000): void => {
      const untilNs = kernel.nowNs + ms * 1_000_000
      kernel.run({ steps, untilNs, done: () => process.zombie })
    }
    const self: Session = {
      type(keys, { ms = 500, steps } = {}) {
        for (let i = 0; i < keys.length; i++) tty.input(keys.charCodeAt(i))
        kernel.changed()
        go(ms, steps)
        return self
      },
      pass(ms) {
        const untilNs = kernel.nowNs + ms * 1_000_000
        go(ms)
        kernel.nowNs = Math.max(kernel.nowNs, untilNs)
        go(0)
        return self
      },
      output: () => tty.output.slice(seen),
      take() {
        const text = tty.output.slice(seen)
        seen = tty.output.length
        return text
      },
      get transcript() {
        return tty.output
      },
      get status() {
        return process.zombie ? ending(process.status).status : undefined
      },
      tty,
      pid: process.pid,
      resize(rows, columns) {
        tty.rows = rows
        tty.columns = columns
        kernel.sendGroup(tty.pgrp, 28)
        go(0)
      },
      hangup() {
        tty.hungUp = true
        kernel.sendGroup(process.pgid, 1)
        kernel.sendGroup(process.pgid, 18)
        go(500)
      },
    }
    go(500)
    return self
  }

  return {
    run,
    session,
    put,
    kernel,
    read: (path) => {
      const node = find(path)
      return node && !isDir(node) && !isLink(node) ? contents(node) : undefined
    },
    list: (path) => [...(find(path)?.entries.keys() ?? [])].sort(),
  }
}

const ending = (status: number): { status: number; signal: number } =>
  WIFEXITED(status)
    ? { status: WEXITSTATUS(status), signal: 0 }
    : { status: 128 + WTERMSIG(status), signal: WTERMSIG(status) }
