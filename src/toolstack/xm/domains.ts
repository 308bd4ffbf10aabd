/** The listing commands: list, vcpu-list, uptime, domid, domname. */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { eprint, readFile } from '#user/libc/stdio.ts'
import { clock_gettime } from '#user/libc/syscall.ts'
import { strftime, time } from '#user/libc/time.ts'
import { prettyPrint } from '../sxp/pretty-print.ts'
import { pyStr } from '../sxp/python-text.ts'
import { children, childValue, isElement, isList, type Sxp } from '../sxp/sxp.ts'
import { OptionError } from './errors.ts'
import { given, lastValue } from './getopt.ts'
import { floatOf, intOf, left, listOf, pyFloat, pyInt, right, sxpOf, textOf, type Xm } from './xm.ts'

export interface DomainRow {
  readonly domid: string
  readonly name: string
  readonly state: string
  readonly vcpus: number
  readonly mem: number
  readonly cpuTime: number
  /** -1: it never started. */
  readonly startTime: number
  readonly label: string
}

export function parseDomain(sxp: Sxp): DomainRow {
  return {
    domid: textOf(sxp, 'domid', ''),
    name: textOf(sxp, 'name', '??'),
    state: textOf(sxp, 'state', ''),
    vcpus: intOf(sxp, 'online_vcpus', intOf(sxp, 'vcpus', 0)),
    mem: intOf(sxp, 'memory', 0),
    cpuTime: floatOf(sxp, 'cpu_time', 0),
    startTime: floatOf(sxp, 'start_time', -1),
    label: textOf(sxp, 'security_label', ''),
  }
}

/** Those named, or all of a state. */
export function* getDomains(xm: Xm, names: readonly string[], state: string, full = 0): Sys<Sxp[]> {
  if (names.length === 0) return [...listOf(yield* xm.ask('xend.domains_with_state', true, state, full))]
  const found: Sxp[] = []
  for (const name of names) found.push(yield* xm.domain(name, full))
  return found
}

export function* list(xm: Xm, args: readonly string[]): Sys<void> {
  const parsed = yield* xm.options(args, 'list', 'lv', ['long', 'vcpus', 'label', 'state='])
  const { params } = parsed
  const state = lastValue(parsed, '--state') ?? 'all'
  if (state !== 'all' && params.length > 0)
    throw new OptionError('You may specify either a state or a particular VM, but not both')
  if (given(parsed, '-v', '--vcpus')) {
    yield* eprint('xm list -v is deprecated.  Please use xm vcpu-list.\n')
    return yield* vcpuList(xm, params)
  }
  const long = given(parsed, '-l', '--long')
  const domains = yield* getDomains(xm, params, state, long ? 1 : 0)
  if (long) for (const one of domains) yield* xm.out.print(prettyPrint(one))
  else if (given(parsed, '--label')) yield* labelList(xm, domains)
  else {
    yield* xm.print(HEADER)
    for (const one of domains) yield* xm.print(row(parseDomain(one)))
  }
}

/** As CentOS 5's own xm shows them (design D13). */
const HEADER = `${left('Name', 40)} ${right('ID', 3)} ${right('Mem(MiB)', 8)} ${right('VCPUs', 5)} ${right('State', 5)} ${right('Time(s)', 9)}`

const row = ({ name, domid, mem, vcpus, state, cpuTime }: DomainRow): string =>
  `${left(name, 40)} ${right(domid, 3)} ${right(mem, 8)} ${right(vcpus, 5)} ${right(state, 5)} ${right(cpuTime.toFixed(1), 8)}`

function* labelList(xm: Xm, domains: readonly Sxp[]): Sys<void> {
  yield* xm.print(`${HEADER} ${left('Label', 10)}`)
  const rows: { line: string; label: string }[] = []
  for (const one of domains) {
    const parsed = parseDomain(one)
    let { label } = parsed
    if (label === '') {
      label = pyStr((yield* xm.ask('xend.security.get_domain_label', parsed.name)) as never)
      if (label.startsWith("'")) label = label.slice(1)
    }
    rows.push({ line: `${row(parsed)} ${right(label, 10)}`, label: label.toLowerCase() })
  }
  rows.sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0))
  for (const { line } of rows) yield* xm.print(line)
}

/** `0-2,4`; everything there is: `any cpu`. */
function cpuMap(map: Sxp, nrCpus: number): string {
  const cpus = [...new Set(listOf(map).map(pyInt))].filter((cpu) => cpu < nrCpus).sort((a, b) => a - b)
  if (cpus.length === nrCpus) return 'any cpu'
  const ranges: [number, number][] = []
  for (const cpu of cpus) {
    const last = ranges.at(-1)
    if (last && cpu === last[1] + 1) last[1] = cpu
    else ranges.push([cpu, cpu])
  }
  return ranges.length === 0 ? 'no cpus' : ranges.map(([a, b]) => (a === b ? String(a) : `${a}-${b}`)).join(',')
}

export function* vcpuList(xm: Xm, args: readonly string[]): Sys<void> {
  const names =
    args.length > 0 ? args : listOf(yield* xm.ask('xend.domains_with_state', false, 'all', false)).map(String)
  const domains: Sxp[] = []
  for (const name of names) domains.push(sxpOf(yield* xm.ask('xend.domain.getVCPUInfo', name)))
  yield* xm.print(
    `${left('Name', 32)} ${right('ID', 5)} ${right('VCPU', 5)} ${right('CPU', 5)} ${right('State', 5)} ${right('Time(s)', 9)} CPU Affinity`,
  )
  for (const domain of domains) {
    const domid = childValue(domain, 'domid')
    const id = domid === undefined || domid === null ? '' : pyStr(domid as never)
    for (const vcpu of children(domain, 'vcpu')) {
      let nrCpus = 0
      for (const entry of listOf(yield* xm.ask('xend.node.info')))
        if (isElement(entry, 'nr_cpus') && isList(entry)) nrCpus = pyInt(entry[1])
      const cpu = intOf(vcpu, 'cpu', -1)
      const flag = (name: string, letter: string): string => (intOf(vcpu, name, 0) ? letter : '-')
      const online = intOf(vcpu, 'online', 0) !== 0
      const state = cpu < 0 ? '' : online ? `${flag('running', 'r')}${flag('blocked', 'b')}-` : '--p'
      const on = cpu < 0 ? '' : online ? String(cpu) : '-'
      const seconds = pyFloat(childValue(vcpu, 'cpu_time')).toFixed(1)
      yield* xm.print(
        `${left(textOf(domain, 'name', '??'), 32)} ${right(id, 5)} ${right(intOf(vcpu, 'number', 0), 5)} ${right(on, 5)} ${right(state, 5)}  ${right(seconds, 8)} ${cpuMap(childValue(vcpu, 'cpumap'), nrCpus)}`,
      )
    }
  }
}

export function* uptime(xm: Xm, args: readonly string[]): Sys<void> {
  const parsed = yield* xm.options(args, 'uptime', 's', ['short'])
  const short = given(parsed, '-s', '--short')
  const domains = yield* getDomains(xm, parsed.params, 'all')
  if (!short) yield* xm.print(`${left('Name', 33)} ${right('ID', 4)} Uptime `)
  for (const one of domains) {
    const { name, domid, startTime } = parseDomain(one)
    let seconds = 0
    if (domid === '0') seconds = Math.round(Number((yield* readFile('/proc/uptime')).split(' ')[0]))
    else if (domid !== '') {
      const [now, ns] = yield* clock_gettime(CLOCK_REALTIME)
      seconds = startTime === -1 ? -1 : Math.round(now + ns / 1e9 - startTime)
    }
    const days = Math.trunc(seconds / 86400)
    const rest = seconds - days * 86400
    const two = (n: number): string => String(n).padStart(2, '0')
    let text = days > 0 ? `${days} day${days > 1 ? 's' : ''}, ` : ''
    text += `${right(Math.trunc(rest / 3600), 2)}:${two(Math.trunc((rest % 3600) / 60))}`
    if (short) yield* xm.print(`${strftime(' %H:%M:%S', yield* time())} up ${text}, ${name} (${domid})`)
    else yield* xm.print(`${left(name, 32)} ${right(domid, 5)} ${text}:${two(rest % 60)}`)
  }
}

export function* domid(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'domid', 1)
  const value = childValue(yield* xm.domain(args[0]!), 'domid')
  yield* xm.print(pyStr((value ?? null) as never))
}

export function* domname(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'domname', 1)
  yield* xm.print(textOf(yield* xm.domain(args[0]!), 'name', 'None'))
}
