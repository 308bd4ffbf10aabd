/** Commands that act on one domain: destroy, pause, memory, vCPUs, rename, save and the like. */

import { R_OK, W_OK } from '#abi/posix/fcntl.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { Fault, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { OsError } from '#user/libc/errno.ts'
import { run } from '#user/libc/process.ts'
import { access, alarm, execve, getcwd, pause as sleep } from '#user/libc/syscall.ts'
import { ExitXm, InvalidArgument, OptionError } from './errors.ts'
import { getopt, given } from './getopt.ts'
import { absolute } from './paths.ts'
import { pyInt, type Xm } from './xm.ts'

type Command = (xm: Xm, args: readonly string[]) => Sys<void>

/** A command with one domain, and a method of the same kind. */
const simple = (name: string, method: string): Command =>
  function* (xm, args) {
    yield* xm.argCheck(args, name, 1)
    yield* xm.ask(method, args[0]!)
  }

export const destroy = simple('destroy', 'xend.domain.destroy')
export const pause = simple('pause', 'xend.domain.pause')
export const unpause = simple('unpause', 'xend.domain.unpause')
export const reset = simple('reset', 'xend.domain.reset')
export const remove = simple('delete', 'xend.domain.delete')
export const suspend = simple('suspend', 'xend.domain.suspend')

const UNITS: Readonly<Record<string, number>> = { g: 2 ** 30, m: 2 ** 20, k: 1024 }

/** A size with a letter, in MiB. Without one it is MiB already. */
function* megabytes(xm: Xm, text: string): Sys<number> {
  const letter = text.slice(-1)
  if (!/^[A-Za-z]$/.test(letter)) return pyInt(text)
  const base = UNITS[letter.toLowerCase()] ?? 1
  if (base === 1) yield* xm.print('ignoring unknown unit')
  const value = pyInt(text.slice(0, -1))
  return base < UNITS['m']! ? Math.floor(value / (UNITS['m']! / base)) : value * (base / UNITS['m']!)
}

const memory = (name: string, method: string): Command =>
  function* (xm, args) {
    yield* xm.argCheck(args, name, 2)
    yield* xm.ask(method, args[0]!, yield* megabytes(xm, args[1]!))
  }

export const memMax = memory('mem-max', 'xend.domain.maxmem_set')
export const memSet = memory('mem-set', 'xend.domain.setMemoryTarget')

export function* vcpuSet(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'vcpu-set', 2)
  yield* xm.ask('xend.domain.setVCpuCount', args[0]!, pyInt(args[1]!))
}

/** `0-3,^1,5`. */
function cpuList(text: string): number[] {
  let cpus: number[] = []
  for (const part of text.split(',')) {
    if (part.includes('-')) {
      const ends = part.split('-')
      if (ends.length !== 2) throw new InvalidArgument('Invalid argument.')
      const last = pyInt(ends[1]!)
      if (last > 65535) throw new InvalidArgument('Invalid argument.')
      for (let cpu = pyInt(ends[0]!); cpu <= last; cpu++) cpus.push(cpu)
    } else if (part.startsWith('^')) {
      const gone = pyInt(part.slice(1))
      cpus = cpus.filter((cpu) => cpu !== gone)
    } else cpus.push(pyInt(part))
  }
  return cpus.sort((a, b) => a - b)
}

export function* vcpuPin(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'vcpu-pin', 3)
  yield* xm.ask('xend.domain.pincpu', args[0]!, args[1]!, cpuList(args[2] === 'all' ? '0-63' : args[2]!))
}

export function* rename(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'rename', 2)
  yield* xm.ask('xend.domain.setName', args[0]!, args[1]!)
}

export function* sysrq(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'sysrq', 2)
  yield* xm.ask('xend.domain.send_sysrq', args[0]!, args[1]!)
}

export function* trigger(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'trigger', 2, 3)
  yield* xm.ask('xend.domain.send_trigger', args[0]!, args[1]!, args.length === 3 ? pyInt(args[2]!) : 0)
}

function* may(path: string, mode: number): Sys<boolean> {
  try {
    yield* access(path, mode)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

/** Exactly one parameter, besides one switch. */
function* oneWithSwitch(
  xm: Xm,
  args: readonly string[],
  name: string,
  letter: string,
  long: string,
): Sys<[string, boolean]> {
  const parsed = yield* xm.options(args, name, letter, [long])
  if (parsed.params.length !== 1) {
    yield* xm.err('Wrong number of parameters')
    yield* xm.usage(name)
  }
  return [parsed.params[0]!, given(parsed, `-${letter}`, `--${long}`)]
}

export function* save(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'save', 2, 3)
  let parsed: ReturnType<typeof getopt>
  try {
    parsed = getopt(args, 'c', ['checkpoint'])
  } catch (error) {
    return yield* xm.fail((error as Error).message)
  }
  if (parsed.params.length !== 2) {
    yield* xm.err('Wrong number of parameters')
    yield* xm.usage('save')
  }
  const file = absolute(yield* getcwd(), parsed.params[1]!)
  if (!(yield* may(file.slice(0, file.lastIndexOf('/')) || '/', W_OK)))
    yield* xm.fail(`xm save: Unable to create file ${file}`)
  yield* xm.ask('xend.domain.save', parsed.params[0]!, file, given(parsed, '-c', '--checkpoint'))
}

export function* restore(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'restore', 1, 2)
  const [name, paused] = yield* oneWithSwitch(xm, args, 'restore', 'p', 'paused')
  const file = absolute(yield* getcwd(), name)
  if (!(yield* may(file, R_OK))) yield* xm.fail(`xm restore: Unable to read file ${file}`)
  yield* xm.ask('xend.domain.restore', file, paused)
}

export function* resume(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'resume', 1, 2)
  const [name, paused] = yield* oneWithSwitch(xm, args, 'resume', 'p', 'paused')
  yield* xm.ask('xend.domain.resume', name, paused)
}

/** DOM_STATE_RUNNING. */
const RUNNING = 2

export function* dumpCore(xm: Xm, args: readonly string[]): Sys<void> {
  const parsed = getopt(args, 'LCR', ['live', 'crash', 'reset'])
  const { params } = parsed
  const live = given(parsed, '-L', '--live')
  const crash = given(parsed, '-C', '--crash')
  const again = given(parsed, '-R', '--reset')
  if (crash && again) throw new OptionError("You may not specify more than one '-CR' option")
  if (params.length !== 1 && params.length !== 2) throw new OptionError('Expects 1 or 2 argument(s)')
  const dom = params[0]!
  const file = params.length === 2 ? absolute(yield* getcwd(), params[1]!) : null
  let state: XmlRpcValue = null
  if (!live) state = yield* xm.ask('xend.domain.pause', dom, true)
  try {
    yield* xm.print(`Dumping core of domain: ${dom} ...`)
    yield* xm.ask('xend.domain.dump', dom, file, live, crash)
    if (crash) {
      yield* xm.print(`Destroying domain: ${dom} ...`)
      yield* xm.ask('xend.domain.destroy', dom)
    } else if (again) {
      yield* xm.print(`Resetting domain: ${dom} ...`)
      yield* xm.ask('xend.domain.reset', dom)
    }
  } finally {
    if (!live && !crash && !again && state === RUNNING) yield* xm.ask('xend.domain.unpause', dom)
  }
}

/** Become xenconsole. */
export function* execConsole(xm: Xm, domid: number): Sys<never> {
  yield* xm.out.flush()
  const path = '/usr/lib/xen/bin/xenconsole'
  yield* execve(path, [path, String(domid)], xm.env)
  throw new Error('execve came back')
}

const notStarted = (name: string): Fault => new Fault(0, `Domain '${name}' is not started`)

export function* console(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'console', 1, 2)
  const parsed = yield* xm.options(args, 'console', 'q', ['quiet'])
  const quiet = given(parsed, '-q', '--quiet')
  if (parsed.params.length !== 1) {
    yield* xm.err('No domain given')
    yield* xm.usage('console')
  }
  const name = parsed.params[0]!
  let domid: number
  try {
    domid = yield* xm.domid(name)
  } catch (error) {
    if (quiet) throw new ExitXm(1)
    throw error
  }
  if (domid === -1) throw quiet ? new ExitXm(1) : notStarted(name)
  yield* execConsole(xm, domid)
}

export function* start(xm: Xm, args: readonly string[]): Sys<void> {
  const parsed = yield* xm.options(args, 'start', 'cp', [
    'console_autoconnect',
    'paused',
    'vncviewer',
    'vncviewer-autopass',
  ])
  if (parsed.params.length !== 1) throw new OptionError('Expects 1 argument')
  const name = parsed.params[0]!
  yield* xm.ask('xend.domain.start', name, given(parsed, '-p', '--paused'))
  const domid = yield* xm.domid(name)
  if (domid === -1) throw notStarted(name)
  if (given(parsed, '-c', '--console_autoconnect')) yield* execConsole(xm, domid)
}

/** os.system: whatever the shell says goes to standard error, and xm ends well. */
export function* top(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'top', 0)
  yield* xm.out.flush()
  yield* run('/bin/sh', ['sh', '-c', 'xentop'], xm.env)
}

/** xm/console.py gives the domain so long to say where its framebuffer's VNC server is; the alarm then ends it. */
const VNC_PORT_SECONDS = 10

/** No domain of this host has a framebuffer yet: the port never comes, as with any domain without a vfb in life. */
export function* vncviewer(xm: Xm, args: readonly string[]): Sys<void> {
  const { params } = yield* xm.options(args, 'vncviewer', '', ['autopass', 'vncviewer-autopass'])
  if (params.length !== 1) {
    yield* xm.err('No domain given (or several parameters specified)')
    yield* xm.usage('vncviewer')
  }
  yield* xm.domid(params[0]!)
  yield* alarm(VNC_PORT_SECONDS)
  yield* sleep()
}
