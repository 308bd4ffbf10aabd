/** Domain configuration files are Python programs: their variables become options (xm/opts.py, load). */
import { EISDIR } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { PyDict } from '#python/dict.ts'
import { valueError } from '#python/errors.ts'
import { moduleOf } from '#python/module.ts'
import { addStandardModules } from '#python/modules.ts'
import { plain } from '#python/native.ts'
import {
  Instance,
  type Module,
  PyClass,
  type PyError,
  PyFloat,
  PyFunction,
  PyList,
  PyUnicode,
  type Value,
} from '#python/objects.ts'
import { compileText, execFile, runCode } from '#python/run.ts'
import { str } from '#python/text.ts'
import { Vm } from '#python/vm.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { readFile } from '#user/libc/stdio.ts'
import { stat } from '#user/libc/syscall.ts'
import { ExitXm, OptionError } from './errors.ts'
import type { Opts } from './opts.ts'
import type { Xm } from './xm.ts'

/** A Python exception of the file, as text: StandardError is reported so. */
export class ConfigError extends Error {}
/** The file is XML: only Xen-API reads that. */
export class XmlConfig extends Error {}

/** xen.util.ip: arithmetic on dotted addresses. */
function ipModule(): Module {
  const parse = (value: Value | undefined): number => {
    const parts = typeof value === 'string' ? value.split('.') : []
    if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255))
      throw valueError('illegal IP address string passed to inet_aton')
    return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
  }
  const show = (n: number): string => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.')
  return moduleOf('xen.util.ip', [
    plain('inet_aton', 1, 1, ([address]) => parse(address)),
    plain('inet_ntoa', 1, 1, ([n]) => show(Number(n))),
    plain('add_offset_to_ip', 2, 2, ([address, offset]) => show(parse(address) + Number(offset))),
    plain(
      'check_subnet',
      3,
      3,
      ([ip, network, mask]) => (parse(ip) & parse(mask)) >>> 0 === (parse(network) & parse(mask)) >>> 0,
    ),
  ])
}

/** What every file finds imported, and `xm_vars`, by which it declares and checks its own variables. */
const PROLOGUE = `import sys
import os
import os.path
from xen.util.ip import *
class _Variables:
    def __init__(self, env, help):
        self.env = env
        self.help = help
        self.all = []
    def var(self, name, use=None, check=None):
        self.all.append((name, use or '', check))
    def check(self):
        if self.help:
            return
        for name, use, check in self.all:
            if not check: continue
            try:
                self.env[name] = check(name, self.env.get(name))
            except StandardError, ex:
                raise ex.__class__, name + " - " + str(ex)
xm_vars = _Variables(locals(), xm_help)
del _Variables
`

function newVm(env: readonly string[]): Vm {
  const vm = new Vm(env, ['/usr/sbin/xm'])
  addStandardModules(vm)
  for (const name of ['xen', 'xen.util']) vm.natives.set(name, () => moduleOf(name, []))
  vm.natives.set('xen.util.ip', ipModule)
  return vm
}

/** Whether something lies at `path`. */
function* exists(path: string): Sys<boolean> {
  try {
    yield* stat(path)
    return true
  } catch (error) {
    if (error instanceof OsError) return false
    throw error
  }
}

/** What is no file, or not for us, is IOError's to tell. */
function* contents(file: string): Sys<string> {
  try {
    return yield* readFile(file)
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    const what = error.errno === EISDIR ? '' : `: '${file}'`
    throw new ConfigError(`[Errno ${error.errno}] ${strerror(error.errno)}${what}`)
  }
}

/** Look for the file along `path`, say which it is, and run it. */
export function* loadDefconfig(xm: Xm, opts: Opts): Sys<void> {
  const name = String(opts.get('defconfig'))
  for (const dir of ['', ...String(opts.get('path')).split(':')]) {
    let file = dir === '' || name.startsWith('/') ? name : dir.endsWith('/') ? dir + name : `${dir}/${name}`
    if (!file.startsWith('/')) file = `./${file}`
    if (!(yield* exists(file))) continue
    if (!opts.isSet('quiet')) yield* xm.print(`Using config file "${file}".`)
    const source = yield* contents(file)
    if (source.startsWith('<')) throw new XmlConfig(file)
    yield* load(xm, opts, file)
    return
  }
  throw new OptionError(`Unable to open config file: ${name}`, opts.usage)
}

/** Run it, and take over its strings, lists, ints and floats, unless the command line said otherwise. */
function* load(xm: Xm, opts: Opts, file: string): Sys<void> {
  const vm = newVm(xm.env)
  const globals = new PyDict()
  const locals = new PyDict()
  for (const [name, value] of opts.vars) locals.set(name, value)
  locals.set('xm_file', file)
  locals.set('xm_help', 0)
  try {
    yield* runCode(vm, compileText(vm, PROLOGUE, '<string>', 'exec'), globals, locals)
    yield* xm.out.flush()
    yield* execFile(vm, file, globals, locals)
  } catch (thrown) {
    yield* vm.stdout.flush()
    throw yield* asFailure(vm, vm.caught(thrown), file)
  }
  yield* vm.stdout.flush()
  for (const { key, value } of locals.entries()) {
    const taken =
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'bigint' ||
      value instanceof PyList ||
      value instanceof PyFloat
    if (taken && typeof key === 'string' && !opts.specified(key)) opts.values.set(key, value)
  }
}

function* asFailure(vm: Vm, error: PyError, file: string): Sys<Error> {
  const is = (name: string): boolean => error.type instanceof PyClass && error.type.mro.includes(vm.class(name))
  if (is('SystemExit')) {
    const code: Value = error.value instanceof Instance ? (error.value.dict.get('code') ?? null) : null
    return new ExitXm(typeof code === 'number' ? code & 255 : code === null ? 0 : 1)
  }
  if (is('SyntaxError') && error.value instanceof Instance) {
    const { dict } = error.value
    return new ConfigError(
      `Errors were found at line ${String(dict.get('lineno'))} while processing ${file}:\n\t${String(dict.get('text'))}`,
    )
  }
  return new ConfigError(yield* str(vm, error.value))
}

/** The type that Python's complaints name. */
export const typeName = (value: Value): string => {
  if (value === null) return 'NoneType'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  if (typeof value === 'boolean') return 'bool'
  return value instanceof PyFunction ? 'function' : value instanceof PyUnicode ? 'unicode' : value.kind
}
