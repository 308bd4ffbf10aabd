/** What the interpreter prints of an exception that nobody caught. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OsError } from '#user/libc/errno.ts'
import { readFile } from '#user/libc/stdio.ts'
import { Instance, PyClass, type PyError, type TraceEntry, type Value } from './objects.ts'
import { str } from './text.ts'
import type { Vm } from './vm.ts'

/** The line of a file, without what surrounds it; undefined if there is none. */
function* sourceLine(file: string, line: number): Sys<string | undefined> {
  if (file.startsWith('<')) return undefined
  try {
    return (yield* readFile(file)).split('\n')[line - 1]?.trim()
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
}

export function* formatTrace(trace: readonly TraceEntry[]): Sys<string> {
  let text = ''
  for (const { file, line, name } of trace) {
    text += `  File "${file}", line ${line}, in ${name}\n`
    const source = yield* sourceLine(file, line)
    if (source) text += `    ${source}\n`
  }
  return text
}

/** `ValueError: text`, with a SyntaxError's place before it. */
export function* formatException(vm: Vm, type: Value, value: Value): Sys<string> {
  if (!(type instanceof PyClass))
    return `${yield* str(vm, type)}${value === null ? '' : `: ${yield* str(vm, value)}`}\n`
  const module = type.dict.get('__module__')
  const name = module === undefined || module === 'exceptions' ? type.name : `${String(module)}.${type.name}`
  let text = ''
  let message: string
  if (value instanceof Instance && type.mro.includes(vm.class('SyntaxError')) && value.dict.has('lineno')) {
    text = place(value)
    message = yield* str(vm, value.dict.get('msg') ?? null)
  } else {
    try {
      message = yield* str(vm, value)
    } catch (thrown) {
      vm.caught(thrown)
      message = `<unprintable ${vm.typeName(value)} object>`
    }
  }
  return text + (message === '' ? `${name}\n` : `${name}: ${message}\n`)
}

function place(value: Instance): string {
  const file = value.dict.get('filename')
  const line = value.dict.get('lineno')
  const offset = value.dict.get('offset')
  const source = value.dict.get('text')
  let text = `  File "${typeof file === 'string' ? file : '<string>'}", line ${String(line)}\n`
  if (typeof source !== 'string') return text
  const stripped = source.replace(/^[ \t\f]+/, '')
  text += `    ${stripped.replace(/\n$/, '')}\n`
  if (typeof offset !== 'number') return text
  // The newline does not count; what was stripped counts neither.
  const column = (offset > 0 && offset === source.length ? offset - 1 : offset) - (source.length - stripped.length)
  return `${text}    ${' '.repeat(Math.max(0, column - 1))}^\n`
}

/** All of it, as it goes to standard error. */
export function* formatError(vm: Vm, error: PyError): Sys<string> {
  const trace = error.trace.length > 0 ? `Traceback (most recent call last):\n${yield* formatTrace(error.trace)}` : ''
  return trace + (yield* formatException(vm, error.type, error.value))
}
