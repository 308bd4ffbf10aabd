import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import * as call from '#user/libc/syscall.ts'
import { gmtime, strftime, timegm } from '#user/libc/time.ts'
import { EXCEPTION_NAMES } from './classes.ts'
import type { PyDict } from './dict.ts'
import { typeError } from './errors.ts'
import { moduleOf, text, whole } from './module.ts'
import { plain, sleeping } from './native.ts'
import { floatOf } from './numbers.ts'
import { Module, Native, type PyClass, PyFloat, PyList, PyTraceback, PyTuple, type Value } from './objects.ts'
import { osModule, osPathOf } from './os-module.ts'
import { handledBy } from './raise.ts'
import { STRING_METHODS } from './string-methods.ts'
import type { Vm } from './vm.ts'

const sysModule = (vm: Vm): Module => {
  const dict = vm.sys
  const set = (name: string, value: Value): void => {
    if (!dict.has(name)) dict.set(name, value)
  }
  set('__name__', 'sys')
  set('path', new PyList(['', '/usr/lib/python2.4', '/usr/lib/python2.4/site-packages']))
  set('modules', vm.modules)
  set('stdin', vm.stdin)
  set('stdout', vm.stdout)
  set('stderr', vm.stderr)
  set('version', '2.4.3')
  set('version_info', new PyTuple([2, 4, 3, 'final', 0]))
  set('hexversion', 0x020403f0)
  set('platform', 'linux2')
  set('executable', '/usr/bin/python')
  set('prefix', '/usr')
  set('byteorder', 'little')
  set('maxint', (1n << 63n) - 1n)
  for (const one of [
    plain('exit', 0, 1, ([status], vm) => {
      throw exitError(vm, status)
    }),
    plain('exc_info', 0, 0, (_args, vm) => {
      const error = handledBy(vm.frame)
      return new PyTuple(error ? [error.type, error.value, new PyTraceback(error)] : [null, null, null])
    }),
    plain('exc_clear', 0, 0, (_args, vm) => {
      for (let f = vm.frame; f; f = f.back) f.handled = undefined
      return null
    }),
    plain('getrecursionlimit', 0, 0, () => 1000),
    plain('getdefaultencoding', 0, 0, () => 'ascii'),
  ])
    set(one.name, one)
  return new Module('sys', dict)
}

export function exitError(vm: Vm, status: Value | undefined): unknown {
  const error = vm.error('SystemExit', ...(status === undefined ? [] : [status]))
  const { value } = error
  if (value !== null && typeof value === 'object' && 'dict' in value) (value.dict as PyDict).set('code', status ?? null)
  return error
}

const timeTuple = (seconds: number): PyTuple => {
  const t = gmtime(seconds)
  return new PyTuple([t.year, t.month + 1, t.day, t.hour, t.minute, t.second, (t.wday + 6) % 7, t.yday + 1, 0])
}

function* now(): Sys<number> {
  const [seconds, ns] = yield* call.clock_gettime(CLOCK_REALTIME)
  return seconds + Math.floor(ns / 1000) / 1e6
}

const secondsOf = function* (value: Value | undefined): Sys<number> {
  return value === undefined || value === null ? Math.floor(yield* now()) : Math.floor(floatOf(value) ?? 0)
}

function secondsFrom(value: Value): number {
  const [year, month, day, hour, minute, second] = (value instanceof PyTuple ? value.items : []).map(whole)
  return timegm({
    year: year ?? 1970,
    month: (month ?? 1) - 1,
    day: day ?? 1,
    hour: hour ?? 0,
    minute: minute ?? 0,
    second: second ?? 0,
  })
}

const timeModule = (): Module =>
  moduleOf(
    'time',
    [
      sleeping('time', 0, 0, function* () {
        return new PyFloat(yield* now())
      }),
      sleeping('sleep', 1, 1, function* ([value], vm) {
        const seconds = floatOf(value!)
        if (seconds === undefined) throw typeError('a float is required')
        yield* vm.stdout.flush()
        yield* call.nanosleep(Math.floor(seconds * 1e9))
        return null
      }),
      sleeping('localtime', 0, 1, function* ([value]) {
        return timeTuple(yield* secondsOf(value))
      }),
      sleeping('gmtime', 0, 1, function* ([value]) {
        return timeTuple(yield* secondsOf(value))
      }),
      sleeping('ctime', 0, 1, function* ([value]) {
        return strftime('%a %b %e %H:%M:%S %Y', yield* secondsOf(value))
      }),
      plain('asctime', 1, 1, ([value]) => strftime('%a %b %e %H:%M:%S %Y', secondsFrom(value!))),
      plain('mktime', 1, 1, ([value]) => new PyFloat(secondsFrom(value!))),
      sleeping('strftime', 1, 2, function* ([format, value]) {
        return strftime(text(format), value === undefined ? Math.floor(yield* now()) : secondsFrom(value))
      }),
    ],
    { timezone: 0, daylight: 0, tzname: new PyTuple(['UTC', 'UTC']) },
  )

/** The old functions are str's methods. */
const stringModule = (): Module => {
  const lowercase = 'abcdefghijklmnopqrstuvwxyz'
  const letters = lowercase + lowercase.toUpperCase()
  const digits = '0123456789'
  const asFunction = ({ name, least, most, plain: fn, sleeping: slow }: Native): Native =>
    new Native(name, least + 1, most + 1, fn, slow)
  const module = moduleOf('string', STRING_METHODS.map(asFunction), {
    lowercase,
    uppercase: lowercase.toUpperCase(),
    letters,
    ascii_letters: letters,
    ascii_lowercase: lowercase,
    ascii_uppercase: lowercase.toUpperCase(),
    digits,
    hexdigits: `${digits}abcdefABCDEF`,
    octdigits: '01234567',
    whitespace: '\t\n\x0b\x0c\r ',
    punctuation: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
  })
  const join = STRING_METHODS.find(({ name }) => name === 'join')!
  const joinWords = sleeping('join', 1, 2, ([words, separator = ' '], vm) =>
    join.sleeping!([separator, words!], vm, undefined),
  )
  for (const [name, fn] of [
    ['join', joinWords],
    ['joinfields', joinWords],
  ] as const)
    module.dict.set(name, fn)
  for (const [name, type] of [
    ['atoi', 'int'],
    ['atol', 'long'],
    ['atof', 'float'],
  ] as const)
    module.dict.set(
      name,
      sleeping(name, 1, 2, (args, vm) => vm.call(vm.class(type), args)),
    )
  return module
}

const TYPES: Readonly<Record<string, string>> = {
  StringType: 'str',
  UnicodeType: 'unicode',
  IntType: 'int',
  LongType: 'long',
  FloatType: 'float',
  BooleanType: 'bool',
  ListType: 'list',
  TupleType: 'tuple',
  DictType: 'dict',
  DictionaryType: 'dict',
  NoneType: 'NoneType',
  FunctionType: 'function',
  LambdaType: 'function',
  MethodType: 'instancemethod',
  ModuleType: 'module',
  InstanceType: 'instance',
  ClassType: 'classobj',
  TypeType: 'type',
  FileType: 'file',
  BuiltinFunctionType: 'builtin_function_or_method',
  GeneratorType: 'generator',
}

export function addStandardModules(vm: Vm): void {
  const natives: Readonly<Record<string, (vm: Vm) => Module>> = {
    sys: sysModule,
    os: osModule,
    'os.path': osPathOf,
    posixpath: osPathOf,
    time: timeModule,
    string: stringModule,
    types: (vm) => {
      const constants = Object.fromEntries(Object.entries(TYPES).map(([name, type]) => [name, vm.class(type)]))
      return moduleOf('types', [], { ...constants, StringTypes: new PyTuple([vm.class('str'), vm.class('unicode')]) })
    },
    exceptions: (vm) =>
      moduleOf(
        'exceptions',
        [],
        Object.fromEntries(EXCEPTION_NAMES.map((name): [string, PyClass] => [name, vm.class(name)])),
      ),
  }
  for (const [name, make] of Object.entries(natives)) vm.natives.set(name, make)
  vm.modules.set('sys', sysModule(vm))
}
