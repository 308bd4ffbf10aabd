/** xm shutdown and xm reboot (xm/shutdown.py). */
import type { Sys } from '#abi/posix/syscalls.ts'
import type { XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { nanosleep } from '#user/libc/syscall.ts'
import { type OptionSpec, Opts } from './opts.ts'
import { listOf, textOf, type Xm } from './xm.ts'

const USAGE = '[options] [DOM]\n\nShutdown one or more domains gracefully.\n'

const flag = (name: string, short: string, text: string): OptionSpec => ({
  name,
  short,
  kind: 'true',
  initial: 0,
  text,
})

const SPECS: readonly OptionSpec[] = [
  flag('help', 'h', 'Print this help.'),
  flag('all', 'a', 'Shutdown all domains.'),
  flag('wait', 'w', 'Wait for shutdown to complete.'),
  flag('halt', 'H', 'Shutdown without reboot.'),
  flag('reboot', 'R', 'Shutdown and reboot.'),
]

/** Polls, a second each, after which a domain that went away counts as lost. */
const RECREATING_TIMEOUT = 30
const SECOND = 1e9

function* alive(xm: Xm): Sys<readonly string[]> {
  return listOf(yield* xm.ask('xend.domains', 0)).map(String)
}

function* waitShutdown(xm: Xm, names: readonly string[]): Sys<void> {
  let left = names
  while (left.length > 0) {
    const running = yield* alive(xm)
    for (const name of left) if (!running.includes(name)) yield* xm.print(`Domain ${name} terminated`)
    left = left.filter((name) => running.includes(name))
    yield* nanosleep(SECOND)
  }
  yield* xm.print('All domains terminated')
}

function* waitReboot(xm: Xm, names: readonly string[], counts: ReadonlyMap<string, XmlRpcValue>): Sys<void> {
  const gone = new Map<string, number>()
  let left = [...names]
  while (left.length > 0) {
    const running = yield* alive(xm)
    const done = new Set<string>()
    for (const name of left) {
      if (running.includes(name)) {
        if ((yield* xm.ask('xend.domain.getRestartCount', name)) !== counts.get(name)) done.add(name)
        continue
      }
      // Probably it is being made again.
      const polls = gone.has(name) ? gone.get(name)! + 1 : 0
      gone.set(name, polls)
      if (polls > RECREATING_TIMEOUT) {
        yield* xm.print(`Domain ${name} destroyed for failing to reboot`)
        left = left.filter((one) => one !== name)
      }
    }
    for (const name of done) yield* xm.print(`Domain ${name} rebooted`)
    left = left.filter((name) => !done.has(name))
    yield* nanosleep(SECOND)
  }
  yield* xm.print('All domains rebooted')
}

function* main(xm: Xm, args: readonly string[]): Sys<void> {
  const opts = new Opts(USAGE, SPECS)
  const params = yield* opts.parse(xm, args)
  if (opts.isSet('help')) return
  let names: string[]
  if (opts.isSet('all')) {
    const dom0 = textOf(yield* xm.domain(0), 'name', '')
    names = (yield* alive(xm)).filter((name) => name !== dom0)
  } else {
    if (params.length === 0) yield* xm.fail('No domain parameter given')
    if (params.length > 1) yield* xm.fail('No multiple domain parameters allowed')
    names = [textOf(yield* xm.domain(params[0]!), 'name', '')]
  }
  if (opts.isSet('halt') && opts.isSet('reboot')) yield* xm.fail("Can't specify halt and reboot")
  const mode = opts.isSet('halt') ? 'halt' : opts.isSet('reboot') ? 'reboot' : 'poweroff'
  const counts = new Map<string, XmlRpcValue>()
  for (const name of names) {
    counts.set(name, yield* xm.ask('xend.domain.getRestartCount', name))
    yield* xm.ask('xend.domain.shutdown', name, mode)
  }
  if (!opts.isSet('wait')) return
  if (mode === 'reboot') yield* waitReboot(xm, names, counts)
  else yield* waitShutdown(xm, names)
}

export function* shutdown(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'shutdown', 1, 4)
  yield* main(xm, args)
}

export function* reboot(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'reboot', 1, 3)
  yield* main(xm, ['-R', ...args])
}
