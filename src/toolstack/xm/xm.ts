/** What a subcommand works with: xend, the two outputs, Python's ways with numbers and text. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { Float } from '#lib/xmlrpc/float.ts'
import type { XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { eprint, Out, STDOUT } from '#user/libc/stdio.ts'
import { exit } from '#user/libc/syscall.ts'
import { pyStr } from '../sxp/python-text.ts'
import { childValue, isList, type Sxp } from '../sxp/sxp.ts'
import { call, XML_RPC_SOCKET } from '../xmlrpc/client.ts'
import { ExitXm, InvalidArgument } from './errors.ts'
import { type GetoptError, getopt, type Parsed } from './getopt.ts'
import { commandHelp } from './help.ts'

/** How xend is asked: tests answer themselves. */
export type Ask = (method: string, ...params: readonly XmlRpcValue[]) => Sys<XmlRpcValue>

export class Xm {
  readonly env: readonly string[]
  readonly out: Out
  readonly ask: Ask
  /** A configuration is being read. */
  reading = false
  /** Option lists of the commands that parse for themselves. */
  readonly parsers: Readonly<Record<string, () => string>>

  constructor(env: readonly string[], parsers: Readonly<Record<string, () => string>>, ask: Ask = legacyXmlRpc) {
    this.env = env
    this.out = new Out(STDOUT)
    this.ask = ask
    this.parsers = parsers
  }

  print(text: string): Sys<void> {
    return this.out.print(`${text}\n`)
  }

  /** `Error: text` on standard error. */
  err(text: string): Sys<void> {
    return eprint(`Error: ${text}\n`)
  }

  /** KeyboardInterrupt, and the end. While a configuration is read it is one of the StandardErrors that are reported, which has no text. */
  *interrupted(): Sys<void> {
    if (this.reading) yield* this.err('')
    else yield* this.print('Interrupted.')
    yield* this.out.flush()
    yield* exit(1)
  }

  /** The same, and the end. */
  *fail(text: string): Sys<never> {
    yield* this.err(text)
    throw new ExitXm(1)
  }

  help(command: string): Sys<void> {
    return this.out.print(commandHelp(command, this.parsers))
  }

  /** Help, and the end. */
  *usage(command: string): Sys<never> {
    yield* this.help(command)
    throw new ExitXm(1)
  }

  /** Refuse a wrong number of arguments; `--` counts for nothing. */
  *argCheck(args: readonly string[], name: string, least: number, most?: number): Sys<void> {
    const n = args.filter((arg) => arg !== '--').length
    if (n >= least && n <= (most ?? least)) return
    const wanted =
      most === undefined ? `${least} argument${least === 1 ? '' : 's'}` : `between ${least} and ${most} arguments`
    yield* this.err(`'xm ${name}' requires ${wanted}.\n`)
    yield* this.usage(name)
  }

  /** gnu_getopt; a bad option ends in the command's help. */
  *options(args: readonly string[], name: string, short: string, long: readonly string[], stop = false): Sys<Parsed> {
    try {
      return getopt(args, short, long, stop)
    } catch (error) {
      yield* this.err((error as GetoptError).message)
      return yield* this.usage(name)
    }
  }

  /** A domain's record; Fault if there is none. */
  *domain(name: XmlRpcValue, full: XmlRpcValue = 0): Sys<Sxp> {
    return sxpOf(yield* this.ask('xend.domain', name, full))
  }

  /** Of a running domain; -1 if it is not. */
  *domid(name: string): Sys<number> {
    const domid = childValue(yield* this.domain(name), 'domid')
    return domid === undefined ? -1 : pyInt(domid)
  }
}

function* legacyXmlRpc(method: string, ...params: readonly XmlRpcValue[]): Sys<XmlRpcValue> {
  return yield* call(XML_RPC_SOCKET, method, ...params)
}

export const sxpOf = (value: XmlRpcValue): Sxp => value as Sxp
export const listOf = (value: XmlRpcValue | Sxp): readonly Sxp[] => (isList(value) ? (value as readonly Sxp[]) : [])

/** int(): of text, whole numbers only. */
export function pyInt(value: Sxp): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Math.trunc(Number(value))
  if (value instanceof Float) return Math.trunc(value.value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string' || !/^\s*[-+]?\d+\s*$/.test(value)) throw new InvalidArgument('Invalid argument.')
  return Number(value)
}

/** float(). */
export function pyFloat(value: Sxp): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  if (value instanceof Float) return value.value
  if (typeof value !== 'string' || !/^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(value))
    throw new InvalidArgument('Invalid argument.')
  return Number(value)
}

/** child_value with a conversion and a default. */
export const intOf = (sxp: Sxp, name: string, missing: number): number => {
  const value = childValue(sxp, name)
  return value === undefined || value === null ? missing : pyInt(value)
}
export const floatOf = (sxp: Sxp, name: string, missing: number): number => {
  const value = childValue(sxp, name)
  return value === undefined || value === null ? missing : pyFloat(value)
}
export const textOf = (sxp: Sxp, name: string, missing: string): string => {
  const value = childValue(sxp, name)
  return value === undefined ? missing : pyStr(value as never)
}

export const left = (value: string | number, width: number): string => String(value).padEnd(width)
export const right = (value: string | number, width: number): string => String(value).padStart(width)
