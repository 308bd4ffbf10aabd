/** python(1): runs a file, `-c` text, or standard input; at a terminal it asks line by line. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { dirname } from '#user/libc/path.ts'
import { program } from '#user/libc/program.ts'
import { describe, eprint, isatty, readFile, STDIN } from '#user/libc/stdio.ts'
import { PyDict } from './dict.ts'
import { SyntaxProblem } from './errors.ts'
import { addStandardModules } from './modules.ts'
import { Instance, Module, PyClass, type PyError, PyList, type Value } from './objects.ts'
import { parse } from './parse.ts'
import { compileText, runCode } from './run.ts'
import { str } from './text.ts'
import { formatError } from './traceback.ts'
import { Vm } from './vm.ts'

/** A machine with the standard modules and an empty `__main__`. */
export function newVm(env: readonly string[], argv: readonly string[]): { vm: Vm; main: PyDict } {
  const vm = new Vm(env, argv)
  addStandardModules(vm)
  const main = PyDict.of([
    ['__name__', '__main__'],
    ['__doc__', null],
  ])
  vm.modules.set('__main__', new Module('__main__', main))
  return { vm, main }
}

/** Print what nobody caught. SystemExit is no error: its value is the exit status. */
export function* reportError(vm: Vm, error: PyError): Sys<number> {
  yield* vm.stdout.flush()
  if (error.type instanceof PyClass && error.type.mro.includes(vm.class('SystemExit'))) {
    const code: Value = error.value instanceof Instance ? (error.value.dict.get('code') ?? null) : null
    if (code === null) return 0
    if (typeof code === 'number') return code & 255
    yield* eprint(`${yield* str(vm, code)}\n`)
    return 1
  }
  yield* eprint(yield* formatError(vm, error))
  return 1
}

function* runText(vm: Vm, main: PyDict, source: string, file: string): Sys<number> {
  let status = 0
  try {
    yield* runCode(vm, compileText(vm, source, file, 'exec'), main, main)
  } catch (thrown) {
    status = yield* reportError(vm, vm.caught(thrown))
  }
  yield* finish(vm)
  return status
}

function* finish(vm: Vm): Sys<void> {
  try {
    yield* vm.stdout.flush()
  } catch (error) {
    if (!(error instanceof OsError)) throw error
    yield* eprint(`close failed: ${strerror(error.errno)}\n`)
  }
}

/** What the prompt has so far: is it a whole statement, or does more belong to it? */
function wantsMore(source: string): boolean {
  try {
    parse(source)
    return /^\s+\S.*\n$/m.test(source.slice(source.trimEnd().lastIndexOf('\n') + 1)) && !source.endsWith('\n\n')
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    const last = source.split('\n').length
    return error.line >= last && !source.endsWith('\n\n')
  }
}

function* interact(vm: Vm, main: PyDict): Sys<number> {
  yield* vm.stdout.put('Python 2.4.3\nType "help", "copyright", "credits" or "license" for more information.\n')
  let source = ''
  for (;;) {
    yield* vm.stdout.put(source === '' ? '>>> ' : '... ')
    yield* vm.stdout.flush()
    const line = yield* vm.stdin.readLine()
    if (line === '') break
    source += line
    if (source.trim() === '') source = ''
    else if (!wantsMore(source)) {
      try {
        yield* runCode(vm, compileText(vm, source, '<stdin>', 'single'), main, main)
      } catch (thrown) {
        const error = vm.caught(thrown)
        const status = yield* reportError(vm, error)
        if (error.type === vm.class('SystemExit')) return status
      }
      source = ''
    }
  }
  yield* vm.stdout.put('\n')
  yield* finish(vm)
  return 0
}

export const python = program({
  name: 'python',
  usage: 'python [option] ... [-c cmd | file | -] [arg] ...',
  help: `Run a Python program: FILE, the text after -c, or standard input.

  -c cmd     program passed in as string
  -E, -O, -S, -u  accepted; they change nothing here
  -V         print the Python version number and exit
  -h         print this help message and exit`,
  *main(argv, env) {
    let at = 1
    for (; at < argv.length; at++) {
      const word = argv[at]!
      if (!word.startsWith('-') || word === '-') break
      if (word === '-V' || word === '--version') {
        yield* eprint('Python 2.4.3\n')
        return 0
      }
      if (word === '-h' || word === '--help') {
        const { vm } = newVm(env, [''])
        yield* vm.stdout.put(`usage: ${python.usage}\n${python.help}\n`)
        yield* vm.stdout.flush()
        return 0
      }
      if (word.startsWith('-c')) {
        const text = word.length > 2 ? word.slice(2) : argv[++at]
        if (text === undefined) {
          yield* eprint(
            `Argument expected for the -c option\nusage: ${python.usage}\nTry \`python -h' for more information.\n`,
          )
          return 2
        }
        const { vm, main } = newVm(env, ['-c', ...argv.slice(at + 1)])
        return yield* runText(vm, main, `${text}\n`, '<string>')
      }
      if (!/^-[EOSu]+$/.test(word)) {
        yield* eprint(
          `Unknown option: ${word.slice(0, 2)}\nusage: ${python.usage}\nTry \`python -h' for more information.\n`,
        )
        return 2
      }
    }
    const file = argv[at]
    const { vm, main } = newVm(env, file === undefined ? [''] : argv.slice(at))
    if (file === undefined || file === '-') {
      if (yield* isatty(STDIN)) return yield* interact(vm, main)
      return yield* runText(vm, main, yield* vm.stdin.readAll(), '<stdin>')
    }
    let source: string
    try {
      source = yield* readFile(file)
    } catch (error) {
      describe(error)
      const { errno } = error as OsError
      yield* eprint(`python: can't open file '${file}': [Errno ${errno}] ${strerror(errno)}\n`)
      return 2
    }
    const path = vm.sys.get('path')
    if (path instanceof PyList) path.items.splice(0, 1, file.includes('/') ? dirname(file) : '')
    main.set('__file__', file)
    return yield* runText(vm, main, source, file)
  },
})
