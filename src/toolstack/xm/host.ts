/** Commands about the host and Xen itself: info, dmesg, log, debug-keys, the schedulers, serve. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Fault, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { getenv } from '#user/libc/env.ts'
import { OsError } from '#user/libc/errno.ts'
import { eprint, readFile } from '#user/libc/stdio.ts'
import { pyReprOf, pyStr } from '../sxp/python-text.ts'
import { isList, parseSxp, type Sxp } from '../sxp/sxp.ts'
import { getDomains, parseDomain } from './domains.ts'
import { Unsupported } from './errors.ts'
import { given, lastValue } from './getopt.ts'
import { left, listOf, pyFloat, pyInt, right, type Xm } from './xm.ts'

/** `name`, padded, a colon, and the value; `(none)` where there is none. */
function* pairs(xm: Xm, rows: readonly Sxp[], width: number): Sys<void> {
  for (const entry of rows) {
    if (!isList(entry)) continue
    const [name, value] = entry
    const label = left(pyStr((name ?? null) as never), width)
    yield* xm.print(entry.length < 2 ? `${label}: (none)` : `${label}: ${pyText(value)}`)
  }
}

const pyText = (value: Sxp): string => (isList(value) ? pyReprOf(value as never) : pyStr((value ?? null) as never))

export function* info(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'info', 0, 1)
  const parsed = yield* xm.options(args, 'info', 'c', ['config'])
  if (given(parsed, '-c', '--config')) yield* xendConfig(xm)
  else yield* pairs(xm, listOf(yield* xm.ask('xend.node.info')).slice(1), 23)
}

/** The attributes of XendOptions, by name; `config` is the file's entries. */
const XEND_OPTIONS: readonly (readonly [string, string])[] = [
  ['__doc__', 'Configuration options.'],
  ['__module__', 'xen.xend.XendOptions'],
  ['block_script_dir', '/etc/xen/scripts'],
  ['config', ''],
  ['config_default', '/etc/xen/xend-config.sxp'],
  ['config_path', ''],
  ['config_var', 'XEND_CONFIG'],
  ['dom0_min_mem_default', '0'],
  ['dom0_vcpus_default', '0'],
  ['external_migration_tool_default', ''],
  ['logfile_default', '/var/log/xen/xend.log'],
  ['loglevel_default', 'DEBUG'],
  ['network_script_dir', '/etc/xen/scripts'],
  ['qemu_dm_logrotate_count', '10'],
  ['vif_script', 'vif-bridge'],
  ['vncpasswd_default', 'None'],
  ['xen_api_server_default', "[['unix']]"],
  ['xend_address_default', ''],
  ['xend_domains_path_default', '/var/lib/xend/domains'],
  ['xend_http_server_default', 'no'],
  ['xend_port_default', '8000'],
  ['xend_relocation_address_default', ''],
  ['xend_relocation_hosts_allow_default', ''],
  ['xend_relocation_port_default', '8002'],
  ['xend_relocation_server_default', 'no'],
  ['xend_relocation_ssl_port_default', '8003'],
  ['xend_relocation_ssl_server_default', 'no'],
  ['xend_security_path_default', '/var/lib/xend/security'],
  ['xend_state_path_default', '/var/lib/xend/state'],
  ['xend_storage_path_default', '/var/lib/xend/storage'],
  ['xend_tcp_xmlrpc_server_address_default', 'localhost'],
  ['xend_tcp_xmlrpc_server_default', 'no'],
  ['xend_tcp_xmlrpc_server_port_default', '8006'],
  ['xend_unix_path_default', '/var/lib/xend/xend-socket'],
  ['xend_unix_server_default', 'no'],
  ['xend_unix_xmlrpc_server_default', 'yes'],
  ['xend_vnc_listen_default', '127.0.0.1'],
  ['xend_vnc_tls', '0'],
  ['xend_vnc_x509_cert_dir', '/etc/xen/vnc'],
  ['xend_vnc_x509_verify', '0'],
]

function* xendConfig(xm: Xm): Sys<void> {
  const path = getenv(xm.env, 'XEND_CONFIG') ?? '/etc/xen/xend-config.sxp'
  let config: readonly Sxp[] = []
  try {
    config = parseSxp(yield* readFile(path))
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`xend [ERROR] Config file does not exist: ${path}\n`)
  }
  for (const [name, value] of XEND_OPTIONS) {
    if (name === 'config') yield* pairs(xm, config, 38)
    else yield* xm.print(`${left(name, 38)}: ${name === 'config_path' ? path : value}`)
  }
}

export function* dmesg(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'dmesg', 0, 1)
  const parsed = yield* xm.options(args, 'dmesg', 'c', ['clear'])
  if (parsed.params.length > 0) {
    yield* xm.err('No parameter required')
    yield* xm.usage('dmesg')
  }
  const clear = given(parsed, '-c', '--clear')
  yield* xm.out.print(pyStr((yield* xm.ask(clear ? 'xend.node.dmesg.clear' : 'xend.node.dmesg.info')) as never))
}

export function* log(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'log', 0)
  yield* xm.print(pyStr((yield* xm.ask('xend.node.log')) as never))
}

export function* debugKeys(xm: Xm, args: readonly string[]): Sys<void> {
  yield* xm.argCheck(args, 'debug-keys', 1)
  yield* xm.ask('xend.node.send_debug_keys', args[0]!)
}

/** Each scheduler has a command of its own, which refuses to work under the other. */
function* checkScheduler(xm: Xm, wanted: string): Sys<void> {
  let current = 'unknown'
  for (const entry of listOf(yield* xm.ask('xend.node.info')).slice(1))
    if (isList(entry) && entry[0] === 'xen_scheduler' && entry.length > 1) current = pyText(entry[1])
  if (current !== wanted) yield* xm.fail(`Xen is running with the ${current} scheduler`)
}

const matching = (wanted: string | undefined, domain: { name: string; domid: string }): boolean =>
  wanted === undefined || wanted === domain.name || wanted === domain.domid

export function* schedCredit(xm: Xm, args: readonly string[]): Sys<void> {
  yield* checkScheduler(xm, 'credit')
  const parsed = yield* xm.options(args, 'sched-credit', 'd:w:c:', ['domain=', 'weight=', 'cap='], true)
  const wanted = lastValue(parsed, '-d', '--domain')
  const number = (...names: string[]): number | null => {
    const value = lastValue(parsed, ...names)
    return value === undefined ? null : pyInt(value)
  }
  const weight = number('-w', '--weight')
  const cap = number('-c', '--cap')
  const domains = (yield* getDomains(xm, [], 'all')).map(parseDomain).filter((one) => matching(wanted, one))
  if (weight !== null || cap !== null) {
    if (wanted === undefined) {
      yield* xm.err('No domain given.')
      yield* xm.usage('sched-credit')
    }
    const result = yield* xm.ask('xend.domain.sched_credit_set', wanted!, weight, cap)
    if (result !== 0) yield* xm.err(pyText(result as Sxp))
    return
  }
  if (wanted !== undefined && domains.length === 0) {
    yield* xm.err(`Domain '${wanted}' does not exist.`)
    yield* xm.usage('sched-credit')
  }
  yield* xm.print(`${left('Name', 33)} ${right('ID', 4)} ${right('Weight', 6)} ${right('Cap', 4)}`)
  // What one domain answered stays for those that answer nothing.
  let answer: XmlRpcValue = {}
  for (const one of domains) {
    try {
      answer = yield* xm.ask('xend.domain.sched_credit_get', one.name)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
    const { weight: w = -1, cap: c = -1 } = (answer ?? {}) as { weight?: Sxp; cap?: Sxp }
    yield* xm.print(`${left(one.name, 32)} ${right(one.domid, 5)} ${right(pyInt(w), 6)} ${right(pyInt(c), 4)}`)
  }
}

export function* schedSedf(xm: Xm, args: readonly string[]): Sys<void> {
  yield* checkScheduler(xm, 'sedf')
  const wanted = args[0]
  if (args.length > 0) yield* xm.argCheck(args, 'sched-sedf', 1, 11)
  const parsed = yield* xm.options(args.slice(1), 'sched-sedf', 'p:s:l:e:w:', [
    'period=',
    'slice=',
    'latency=',
    'weight=',
    'extratime=',
  ])
  const NAMES = ['period', 'slice', 'latency', 'extratime', 'weight'] as const
  const set = new Map<string, number>()
  for (const name of NAMES) {
    const value = lastValue(parsed, `-${name[0]}`, `--${name}`)
    if (value === undefined) continue
    set.set(name, ['extratime', 'weight'].includes(name) ? pyInt(value) : Math.trunc(pyFloat(value) / 0.000001))
  }
  const domains = (yield* getDomains(xm, [], 'running')).map(parseDomain).filter((one) => matching(wanted, one))
  if (wanted !== undefined && domains.length === 0) {
    yield* xm.err(`Domain '${wanted}' does not exist.`)
    yield* xm.usage('sched-sedf')
  }
  if (set.size === 0)
    yield* xm.print(
      `${left('Name', 33)} ${right('ID', 4)} ${left('Period(ms)', 4)} ${left('Slice(ms)', 4)} ${left('Lat(ms)', 7)} ${left('Extra', 5)} ${left('Weight', 6)}`,
    )
  for (const one of domains) {
    let rows: readonly Sxp[] = []
    try {
      rows = listOf(yield* xm.ask('xend.domain.cpu_sedf_get', one.domid))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
    const values = NAMES.map((name) => {
      const row = rows.find((entry) => isList(entry) && entry[0] === name)
      return set.get(name) ?? (isList(row) ? pyInt(row[1]) : -1)
    }) as [number, number, number, number, number]
    if (set.size > 0) {
      const result = pyInt((yield* xm.ask('xend.domain.cpu_sedf_set', one.domid, ...values)) as Sxp)
      if (result !== 0) yield* xm.err(`Failed to set sedf parameters (rv=${result}).`)
    } else {
      const [period, slice, latency, extra, weight] = values
      const ms = (ns: number, width: number): string => right((ns * 0.000001).toFixed(1), width)
      yield* xm.print(
        `${left(one.name, 32)} ${right(one.domid, 5)} ${ms(period, 9)} ${ms(slice, 9)} ${ms(latency, 7)} ${right(extra, 6)} ${right(weight, 6)}`,
      )
    }
  }
}

export function* eventMonitor(xm: Xm): Sys<void> {
  yield* xm.err('Event monitoring not supported unless using Xen-API.')
}

/** network-new, network-del, network-show. */
export function* xenApiOnly(): Sys<void> {
  throw new Unsupported('This function is only supported by Xen-API')
}

/** labels, resources, dumppolicy: without a security module there is nothing to list. */
export function* nothing(): Sys<void> {}

/** The commands that need the ACM module, which this Xen is built without (its XSM module is `dummy`). */
export function* noAcm(): Sys<void> {
  throw new Unsupported('ACM policy type not supported.')
}
