/** Arguments come from scripts of others: each is looked at before it has any effect, and refused in plain words. */
import type { DomainAct } from '#protocol/domains.ts'
import { MEMORY_MIB_MAX } from '#protocol/machine.ts'
import type { MachineOptions } from '#protocol/messages.ts'
import { WAIT_MS } from './wait.ts'

const TIMEOUT_MS_MAX = 2 ** 31 - 1
const SECONDS_MAX = 365 * 24 * 3600
const NAME_MAX = 256

const SHOWN_MAX = 100
/** Of text or bytes sent at once. */
const SENT_MAX = 16 * 1024 * 1024

/** For an error's text: a name that nothing has. */
export const named = (value: unknown): string => (typeof value === 'string' ? value.slice(0, SHOWN_MAX) : shown(value))

/** For an error's text. What an object looks like is never asked: a small one that holds itself many times over is endless as text. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, SHOWN_MAX))
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : String(value).slice(0, SHOWN_MAX)
}

export function text(what: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${what}: text is expected, not ${shown(value)}`)
  return value
}

export function bytes(what: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${what}: a Uint8Array is expected, not ${shown(value)}`)
  return value
}

/** What a console is sent. */
export function sent<T extends string | Uint8Array>(what: string, value: T): T {
  if (value.length > SENT_MAX) throw new RangeError(`${what}: more than ${SENT_MAX} at once`)
  return value
}

export function listener<T extends (...values: never[]) => unknown>(value: T): T {
  if (typeof value !== 'function') throw new TypeError(`a function is expected, not ${shown(value)}`)
  return value
}

export function pattern(value: unknown): RegExp | string {
  if (typeof value !== 'string' && !(value instanceof RegExp))
    throw new TypeError(`a pattern is text or a regular expression, not ${shown(value)}`)
  return value
}

export function timeout(options: { readonly timeoutMs?: number } | undefined): number {
  const { timeoutMs = WAIT_MS } = options ?? {}
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= TIMEOUT_MS_MAX))
    throw new RangeError(`timeoutMs: ${shown(timeoutMs)} is not between 0 and ${TIMEOUT_MS_MAX}`)
  return timeoutMs
}

export function seconds(value: unknown): number {
  if (!(typeof value === 'number' && value >= 0 && value <= SECONDS_MAX))
    throw new RangeError(`seconds: ${shown(value)} is not between 0 and ${SECONDS_MAX}`)
  return value
}

export function oneOf<const T extends string>(what: string, value: unknown, ...allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value)
  if (found === undefined) throw new RangeError(`${what}: ${shown(value)} is none of ${allowed.join(', ')}`)
  return found
}

export function absolutePath(value: unknown): string {
  const path = text('path', value)
  if (!path.startsWith('/') || path.includes('\0')) throw new RangeError(`path: ${shown(path)} is no absolute path`)
  return path
}

export function domainName(value: unknown): string {
  const name = text('domain', value)
  if (name === '' || name.length > NAME_MAX) throw new RangeError(`domain: ${shown(name)} is no domain's name`)
  return name
}

const OPTIONS = ['memoryMiB', 'seed', 'clock', 'guests']

export function machineOptions(next: Partial<MachineOptions>): Partial<MachineOptions> {
  if (typeof next !== 'object' || next === null)
    throw new TypeError(`options: an object is expected, not ${shown(next)}`)
  for (const name of Object.keys(next))
    if (!OPTIONS.includes(name)) throw new RangeError(`options: there is no ${name}, only ${OPTIONS.join(', ')}`)
  const { memoryMiB, seed, clock, guests } = next
  // Less than a guest starts in is allowed, and fails as in life.
  if (memoryMiB !== undefined && !(Number.isInteger(memoryMiB) && memoryMiB >= 1 && memoryMiB <= MEMORY_MIB_MAX))
    throw new RangeError(`memoryMiB: ${shown(memoryMiB)} is not between 1 and ${MEMORY_MIB_MAX}`)
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new RangeError(`seed: ${shown(seed)} is not a 32-bit number`)
  if (clock !== undefined) oneOf('clock', clock, 'live', 'turbo')
  if (guests !== undefined && typeof guests !== 'boolean')
    throw new TypeError(`guests: ${shown(guests)} is neither true nor false`)
  return next
}

export function domainAct(act: DomainAct): DomainAct {
  if (typeof act !== 'object' || act === null) throw new TypeError(`act: an object is expected, not ${shown(act)}`)
  const kind = oneOf('act', act.kind, 'pause', 'unpause', 'shutdown', 'reboot', 'destroy', 'mem-set')
  const domain = domainName(act.domain)
  if (kind !== 'mem-set') return { kind, domain }
  const { mib } = act as { readonly mib?: unknown }
  if (!(Number.isInteger(mib) && (mib as number) >= 1))
    throw new RangeError(`mib: ${shown(mib)} is no whole number of MiB`)
  return { kind, domain, mib: mib as number }
}
