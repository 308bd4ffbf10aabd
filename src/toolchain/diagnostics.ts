/** What cc and ld say when they refuse, in the words and the layout of gcc and GNU ld. */
import { lineIndex } from './ast.ts'

/** `path:line:col: error: text`, the source line and a caret, as gcc prints them. Line and column count from 1. */
export function diagnostic(path: string, source: string, line: number, column: number, text: string): string {
  const sourceLine = source.split('\n', line)[line - 1]?.replace(/\r$/, '') ?? ''
  const lead = sourceLine.slice(0, column - 1).replace(/[^\t]/g, ' ')
  return `${path}:${line}:${column}: error: ${text}\n${sourceLine}\n${lead}^`
}

/** A build that failed. `messages` are complete, one per fault, in source order; `message` is all of them. */
export class CompileError extends Error {
  readonly messages: readonly string[]
  constructor(messages: readonly string[]) {
    super(messages.join('\n'))
    this.messages = messages
  }
}

export type FaultList = ReturnType<typeof faultList>

/** Collects the faults of one file, so that a build names several at once. */
export function faultList(path: string, source: string, compiled: string) {
  const faults: { line: number; column: number; text: string }[] = []
  const positionOf = lineIndex(compiled)
  const inSource = (at: number): { line: number; column: number } => {
    const { line, column } = positionOf(at)
    return { line, column: sourceColumn(compiled, source, at, line, column) }
  }
  return {
    /** Where in the source `at` of the compiled text stands: the same line; the column is looked up. */
    inSource,
    /** A fault at `at` of the compiled text. */
    at(at: number, text: string): void {
      faults.push({ ...inSource(at), text })
    },
    /** Throws if there was any. */
    done(): void {
      if (faults.length === 0) return
      faults.sort((a, b) => a.line - b.line || a.column - b.column)
      const most = faults.slice(0, FAULTS_MAX)
      throw new CompileError(most.map((f) => diagnostic(path, source, f.line, f.column, f.text)))
    },
  }
}

const FAULTS_MAX = 20

/**
 * Erased types shift columns, never lines. The word at the fault is looked for in the source line, at or right of where it stands
 * in the compiled one.
 */
function sourceColumn(compiled: string, source: string, at: number, line: number, column: number): number {
  const word = /^(?:[\w$#]+|'[^'\n]*'|"[^"\n]*"|\S)/.exec(compiled.slice(at, at + 80))?.[0]
  const sourceLine = source.split('\n', line)[line - 1] ?? ''
  if (!word) return Math.min(column, sourceLine.length + 1)
  const found = sourceLine.indexOf(word, column - 1)
  return found < 0 ? Math.min(column, sourceLine.length + 1) : found + 1
}
