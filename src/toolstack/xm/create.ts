/** xm create and xm new (xm/create.py, xm/new.py). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { WEXITSTATUS, WIFEXITED, WNOHANG } from '#abi/posix/wait.ts'
import { Fault, type XmlRpcValue } from '#lib/xmlrpc/values.ts'
import { getenv } from '#user/libc/env.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { readFile } from '#user/libc/stdio.ts'
import { fork, nanosleep, wait4 } from '#user/libc/syscall.ts'
import { prettyPrint } from '../sxp/pretty-print.ts'
import { parseSxp, type Sxp, SxpError } from '../sxp/sxp.ts'
import { ERROR_INVALID_DOMAIN } from '../xmlrpc/client.ts'
import { ConfigError, loadDefconfig, XmlConfig } from './config-file.ts'
import { CREATE_USAGE, createOptions } from './create-options.ts'
import { makeConfig, xauthority } from './domain-config.ts'
import { ExitXm, OptionError } from './errors.ts'
import { execConsole } from './lifecycle.ts'
import { Opts } from './opts.ts'
import { sxpOf, textOf, type Xm } from './xm.ts'

export const createHelp = (): string => new Opts(CREATE_USAGE, createOptions()).describe()

/** Options and the configuration; undefined: only help was asked for. */
function* parseCommandLine(xm: Xm, args: readonly string[]): Sys<{ opts: Opts; config: Sxp } | undefined> {
  const opts = new Opts(CREATE_USAGE, createOptions())
  const rest = yield* opts.parse(xm, args, 'defconfig')
  if (opts.isSet('help') || opts.isSet('help_config')) {
    if (opts.isSet('help_config')) yield* xm.print(opts.describeVariables())
    return undefined
  }
  if (!opts.isSet('display')) opts.values.set('display', getenv(xm.env, 'DISPLAY') ?? null)
  if (!opts.isSet('xauthority')) opts.values.set('xauthority', xauthority(xm.env))
  for (const word of rest) {
    const at = word.indexOf('=')
    if (at >= 0) opts.vars.set(word.slice(0, at).trim(), word.slice(at + 1).trim())
  }
  if (opts.isSet('config')) return { opts, config: yield* sxpFile(String(opts.get('config'))) }
  yield* loadDefconfig(xm, opts)
  return { opts, config: yield* makeConfig(xm, opts) }
}

/** --config: a file that is an S-expression already. */
function* sxpFile(path: string): Sys<Sxp> {
  try {
    return parseSxp(yield* readFile(path))[0]
  } catch (error) {
    if (error instanceof OsError) throw new OptionError(`Cannot read file ${path}: ${strerror(error.errno)}`)
    if (error instanceof SxpError) throw new ConfigError(error.message)
    throw error
  }
}

/** What the file did wrong, in one line; XML is for Xen-API. */
function* configured(xm: Xm, args: readonly string[]): Sys<{ opts: Opts; config: Sxp } | undefined> {
  xm.reading = true
  try {
    return yield* parseCommandLine(xm, args)
  } catch (error) {
    if (error instanceof ConfigError) return yield* xm.fail(error.message)
    // The real one goes on without a configuration, and so does nothing.
    if (error instanceof XmlConfig) return undefined
    throw error
  } finally {
    xm.reading = false
  }
}

function* refuse(xm: Xm, { code, message }: Fault): Sys<never> {
  return yield* xm.fail(code === ERROR_INVALID_DOMAIN ? `the domain '${message}' does not exist.` : message)
}

/** Create, wait for the devices, unpause. Whatever fails on the way destroys the domain again. */
function* makeDomain(xm: Xm, opts: Opts, config: Sxp): Sys<void> {
  let info: Sxp
  try {
    info = sxpOf(yield* xm.ask('xend.domain.create', config as XmlRpcValue))
  } catch (error) {
    if (error instanceof Fault) return yield* refuse(xm, error)
    throw error
  }
  const name = textOf(info, 'name', '')
  try {
    yield* xm.ask('xend.domain.waitForDevices', name)
  } catch (error) {
    yield* xm.ask('xend.domain.destroy', name)
    yield* xm.fail(error instanceof Fault ? error.message : `Device creation failed for domain ${name}`)
  }
  if (!opts.isSet('paused'))
    try {
      yield* xm.ask('xend.domain.unpause', name)
    } catch {
      yield* xm.ask('xend.domain.destroy', name)
      yield* xm.fail(`Failed to unpause domain ${name}`)
    }
  if (!opts.isSet('quiet')) yield* xm.print(`Started domain ${name}`)
}

/** How often, a second each, the domain is looked for. */
const CONSOLE_TRIES = 10

/** Two of us: the child makes the domain, this one becomes its console as soon as there is one. */
function* withConsole(xm: Xm, opts: Opts, config: Sxp): Sys<void> {
  yield* xm.out.flush()
  const child = yield* fork(function* () {
    try {
      yield* makeDomain(xm, opts, config)
      return 0
    } catch (error) {
      if (error instanceof ExitXm) return error.status
      yield* xm.err((error as Error).message)
      return 1
    } finally {
      yield* xm.out.flush()
    }
  })
  const name = textOf(config, 'name', '-1')
  let ended = false
  for (let i = 0; i < CONSOLE_TRIES; i++) {
    yield* nanosleep(1e9)
    if (!ended) {
      const { pid, status } = yield* wait4(child, WNOHANG)
      ended = pid === child
      if (ended && WIFEXITED(status) && WEXITSTATUS(status) !== 0) throw new ExitXm(WEXITSTATUS(status))
    }
    try {
      const domid = yield* xm.domid(name)
      if (domid >= 0) yield* execConsole(xm, domid)
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof OsError)) throw error
    }
  }
  yield* xm.print('Could not start console\n')
}

export function* create(xm: Xm, args: readonly string[]): Sys<void> {
  const found = yield* configured(xm, args)
  if (!found) return
  const { opts, config } = found
  if (opts.isSet('dryrun')) yield* xm.out.print(prettyPrint(config))
  if (opts.isSet('dryrun') || opts.isSet('xmldryrun')) return
  if (opts.isSet('console_autoconnect')) yield* withConsole(xm, opts, config)
  else yield* makeDomain(xm, opts, config)
}

export function* createNew(xm: Xm, args: readonly string[]): Sys<void> {
  const found = yield* configured(xm, args)
  if (!found) return
  const { opts, config } = found
  if (opts.isSet('dryrun')) {
    yield* xm.out.print(prettyPrint(config))
    return
  }
  try {
    yield* xm.ask('xend.domain.new', config as XmlRpcValue)
  } catch (error) {
    if (error instanceof Fault) yield* refuse(xm, error)
    throw error
  }
}
