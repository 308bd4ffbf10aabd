/** The modules os and os.path. */
import { F_OK, R_OK, W_OK, X_OK } from '#abi/posix/fcntl.ts'
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, type Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { namesIn } from '#user/libc/dirent.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { execvp, spawn, waitpid } from '#user/libc/process.ts'
import * as call from '#user/libc/syscall.ts'
import { PyDict } from './dict.ts'
import { PyFile } from './file.ts'
import { listOf } from './iterate.ts'
import { moduleOf, text, whole } from './module.ts'
import { plain, sleeping } from './native.ts'
import { Module, type Native, PyList, PyTuple, type Value } from './objects.ts'
import type { Vm } from './vm.ts'

/** A system call whose failure is an OSError. */
function* os<T>(vm: Vm, work: Sys<T>, name?: string): Sys<T> {
  try {
    return yield* work
  } catch (error) {
    if (error instanceof OsError) throw vm.osError('OSError', error, name)
    throw error
  }
}

const pathCall = (name: string, count: number, fn: (...args: string[]) => Sys<unknown>): Native =>
  sleeping(name, count, count, function* (args, vm) {
    const paths = args.map(text)
    yield* os(vm, fn(...paths), paths[0])
    return null
  })

const statTuple = (s: Stat): PyTuple =>
  new PyTuple(
    [s.mode, s.ino, s.dev, s.nlink, s.uid, s.gid, s.size, s.atime, s.mtime, s.ctime].map((one) => Number(one)),
  )

/** os.path's splits: pure text. */
const split = (path: string): [string, string] => {
  const at = path.lastIndexOf('/') + 1
  const head = path.slice(0, at)
  return [/^\/*$/.test(head) ? head : head.replace(/\/+$/, ''), path.slice(at)]
}
export const normpath = (path: string): string => {
  if (path === '') return '.'
  const root = path.startsWith('//') && !path.startsWith('///') ? '//' : path.startsWith('/') ? '/' : ''
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..' || (root === '' && parts.length === 0) || parts.at(-1) === '..') parts.push(part)
    else parts.pop()
  }
  return root + parts.join('/') || '.'
}
export const joinPath = (first: string, ...rest: string[]): string =>
  rest.reduce(
    (path, part) => (part.startsWith('/') ? part : path === '' || path.endsWith('/') ? path + part : `${path}/${part}`),
    first,
  )

function* statOrNone(path: string, how: (path: string) => Sys<Stat>): Sys<Stat | undefined> {
  try {
    return yield* how(path)
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

const isKind = (name: string, format: number | undefined, how: (path: string) => Sys<Stat> = call.stat): Native =>
  sleeping(name, 1, 1, function* ([path]) {
    const found = yield* statOrNone(text(path), how)
    return found !== undefined && (format === undefined || (found.mode & S_IFMT) === format)
  })

const osPath = (): Module =>
  moduleOf(
    'posixpath',
    [
      plain('join', 1, 1e9, (args) => joinPath(text(args[0]), ...args.slice(1).map(text))),
      plain('split', 1, 1, ([path]) => new PyTuple(split(text(path)))),
      plain('basename', 1, 1, ([path]) => split(text(path))[1]),
      plain('dirname', 1, 1, ([path]) => split(text(path))[0]),
      plain('splitext', 1, 1, ([path]) => {
        const match = /^(.*)(\.[^./]*)$/s.exec(text(path))
        return new PyTuple(match ? [match[1]!, match[2]!] : [text(path), ''])
      }),
      plain('isabs', 1, 1, ([path]) => text(path).startsWith('/')),
      plain('normpath', 1, 1, ([path]) => normpath(text(path))),
      sleeping('abspath', 1, 1, function* ([path]) {
        return normpath(text(path).startsWith('/') ? text(path) : joinPath(yield* call.getcwd(), text(path)))
      }),
      isKind('exists', undefined),
      isKind('isfile', S_IFREG),
      isKind('isdir', S_IFDIR),
      isKind('islink', S_IFLNK, call.lstat),
      sleeping('getsize', 1, 1, function* ([path], vm) {
        return Number((yield* os(vm, call.stat(text(path)), text(path))).size)
      }),
    ],
    { curdir: '.', pardir: '..', sep: '/', pathsep: ':' },
  )

/** os.system and os.popen's child: sh -c. */
const shell = (vm: Vm, command: string, setup?: () => Sys<void>): Sys<number> =>
  spawn('/bin/sh', ['sh', '-c', command], environment(vm), setup)

/** os.environ as it is now. */
function environment(vm: Vm): string[] {
  const module = vm.modules.get('os')
  const dict = module instanceof Module ? module.dict.get('environ') : undefined
  return dict instanceof PyDict
    ? dict.entries().map(({ key, value }) => `${String(key)}=${String(value)}`)
    : [...vm.env]
}

const exitStatus = (waited: { readonly status: number }): number => waited.status

function* popen([command, mode = 'r']: readonly Value[], vm: Vm): Sys<Value> {
  yield* vm.stdout.flush()
  const [readEnd, writeEnd] = yield* call.pipe()
  const reads = mode === 'r'
  const pid = yield* shell(vm, text(command), function* () {
    yield* call.dup2(reads ? writeEnd : readEnd, reads ? 1 : 0)
    yield* call.close(readEnd)
    yield* call.close(writeEnd)
  })
  yield* call.close(reads ? writeEnd : readEnd)
  const file = new PyFile(text(command), reads ? 'r' : 'w', reads ? readEnd : writeEnd)
  file.onClose = function* () {
    const status = exitStatus(yield* waitpid(pid))
    return status === 0 ? null : status
  }
  return file
}

export const osModule = (vm: Vm): Module => {
  const environ = new PyDict()
  for (const word of vm.env) {
    const at = word.indexOf('=')
    environ.set(word.slice(0, at), word.slice(at + 1))
  }
  return moduleOf(
    'os',
    [
      sleeping('getcwd', 0, 0, () => call.getcwd()),
      sleeping('getpid', 0, 0, () => call.getpid()),
      sleeping('getppid', 0, 0, () => call.getppid()),
      sleeping('getuid', 0, 0, () => call.getuid()),
      sleeping('geteuid', 0, 0, () => call.geteuid()),
      sleeping('getgid', 0, 0, () => call.getgid()),
      plain('getenv', 1, 2, ([name, missing]) => {
        const found = environ.get(name!)
        return found === undefined ? (missing ?? null) : found
      }),
      plain('putenv', 2, 2, ([name, value]) => {
        environ.set(name!, value!)
        return null
      }),
      plain('strerror', 1, 1, ([errno]) => strerror(whole(errno))),
      pathCall('chdir', 1, (path) => call.chdir(path!)),
      pathCall('unlink', 1, (path) => call.unlink(path!)),
      pathCall('remove', 1, (path) => call.unlink(path!)),
      pathCall('rmdir', 1, (path) => call.rmdir(path!)),
      pathCall('rename', 2, (from, to) => call.rename(from!, to!)),
      pathCall('symlink', 2, (from, to) => call.symlink(from!, to!)),
      pathCall('link', 2, (from, to) => call.link(from!, to!)),
      sleeping('mkdir', 1, 2, function* ([path, mode = 0o777], vm) {
        yield* os(vm, call.mkdir(text(path), whole(mode)), text(path))
        return null
      }),
      sleeping('chmod', 2, 2, function* ([path, mode], vm) {
        yield* os(vm, call.chmod(text(path), whole(mode)), text(path))
        return null
      }),
      sleeping('readlink', 1, 1, ([path], vm) => os(vm, call.readlink(text(path)), text(path))),
      sleeping('access', 2, 2, function* ([path, mode]) {
        try {
          yield* call.access(text(path), whole(mode))
          return true
        } catch (error) {
          if (error instanceof OsError) return false
          throw error
        }
      }),
      sleeping('listdir', 1, 1, function* ([path], vm) {
        return new PyList(yield* os(vm, namesIn(text(path)), text(path)))
      }),
      sleeping('stat', 1, 1, function* ([path], vm) {
        return statTuple(yield* os(vm, call.stat(text(path)), text(path)))
      }),
      sleeping('lstat', 1, 1, function* ([path], vm) {
        return statTuple(yield* os(vm, call.lstat(text(path)), text(path)))
      }),
      sleeping('kill', 2, 2, function* ([pid, signal], vm) {
        yield* os(vm, call.kill(whole(pid), whole(signal)))
        return null
      }),
      sleeping('system', 1, 1, function* ([command], vm) {
        yield* vm.stdout.flush()
        return exitStatus(yield* waitpid(yield* shell(vm, text(command))))
      }),
      sleeping('popen', 1, 3, popen),
      sleeping('execv', 2, 2, function* ([file, args], vm) {
        yield* vm.stdout.flush()
        return yield* os(vm, call.execve(text(file), (yield* listOf(vm, args!)).map(text), environment(vm)))
      }),
      sleeping('execvp', 2, 2, function* ([file, args], vm) {
        yield* vm.stdout.flush()
        return yield* os(vm, execvp(text(file), (yield* listOf(vm, args!)).map(text), environment(vm)))
      }),
      sleeping('_exit', 1, 1, function* ([status]) {
        return yield* call.exit(whole(status) & 255)
      }),
      sleeping('uname', 0, 0, function* () {
        const u = yield* call.uname()
        return new PyTuple([u.sysname, u.nodename, u.release, u.version, u.machine])
      }),
    ],
    {
      environ,
      path: osPathOf(vm),
      error: vm.class('OSError'),
      name: 'posix',
      curdir: '.',
      pardir: '..',
      sep: '/',
      linesep: '\n',
      F_OK,
      R_OK,
      W_OK,
      X_OK,
    },
  )
}

/** One os.path, however it is imported. */
export function osPathOf(vm: Vm): Module {
  const known = vm.modules.get('os.path')
  if (known instanceof Module) return known
  const made = osPath()
  vm.modules.set('os.path', made)
  return made
}
