/** Colon commands about lines: deleting, moving, joining, marking them, and undoing that. */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { clock_gettime } from '../../libc/syscall.ts'
import { type Editor, ViError } from './editor.ts'
import type { ExCall } from './ex.ts'
import { address } from './ex-range.ts'
import { firstNonBlank } from './motions.ts'
import { shift } from './operate.ts'

export function goTo(ed: Editor, line: number): void {
  const at = Math.max(0, Math.min(line, ed.lines.length - 1))
  ed.buffer.marks.set("'", ed.cursor)
  ed.moveTo({ line: at, col: firstNonBlank(ed.lines[at]!) })
}

export function* deleteLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  const count = to - Math.max(0, from) + 1
  ed.setRegister(/^[a-z"]/i.exec(argument)?.[0], { lines: ed.lines.slice(from, to + 1), linewise: true }, true)
  ed.buffer.replace(from, count, [])
  goTo(ed, from)
  if (ed.buffer.empty) ed.say('--No lines in buffer--')
  else ed.sayLines(count, 'fewer lines')
}

export function* yankLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  ed.setRegister(/^[a-z"]/i.exec(argument)?.[0], { lines: ed.lines.slice(from, to + 1), linewise: true }, false)
  ed.sayLines(to - from + 1, 'lines yanked')
}

export function* joinLines(ed: Editor, { from, to }: ExCall): Sys<void> {
  const last = Math.min(ed.lines.length - 1, to === from ? to + 1 : to)
  const parts = ed.lines.slice(from, last + 1).map((line, i) => (i === 0 ? line : line.trimStart()))
  ed.buffer.replace(from, parts.length, [parts.filter((part, i) => i === 0 || part !== '').join(' ')])
  goTo(ed, from)
}

function target(ed: Editor, text: string): number {
  const [line, rest] = address(ed, text, ed.cursor.line)
  if (line === undefined || rest !== '') throw new ViError('E14: Invalid address')
  if (line < -1 || line >= ed.lines.length) throw new ViError('E16: Invalid range')
  return line
}

export function* moveLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  const after = target(ed, argument)
  if (after >= from && after < to) throw new ViError('E134: Move lines into themselves')
  const lines = ed.lines.slice(from, to + 1)
  if (after === to) return
  if (after > to) {
    ed.buffer.replace(after + 1, 0, lines)
    ed.buffer.replace(from, lines.length, [])
  } else {
    ed.buffer.replace(from, lines.length, [])
    ed.buffer.replace(after + 1, 0, lines)
  }
  goTo(ed, after > to ? after : after + lines.length)
  ed.sayLines(lines.length, 'lines moved')
}

export function* copyLines(ed: Editor, { from, to, argument }: ExCall): Sys<void> {
  const after = target(ed, argument)
  const lines = ed.lines.slice(from, to + 1)
  ed.buffer.replace(after + 1, 0, lines)
  goTo(ed, after + lines.length)
}

export function* shiftLines(ed: Editor, { from, to, argument }: ExCall, right: boolean): Sys<void> {
  const more = /^[<>]*/.exec(argument)![0].length
  shift(ed, { start: { line: from, col: 0 }, end: { line: to, col: 0 }, linewise: true }, right, 1 + more)
}

export function* undo(ed: Editor): Sys<void> {
  const [seconds] = yield* clock_gettime(CLOCK_REALTIME)
  const done = ed.buffer.undo(seconds)
  if (done) ed.moveTo(done[0])
  ed.say(done?.[1] ?? 'Already at oldest change')
}

export function* redo(ed: Editor): Sys<void> {
  const [seconds] = yield* clock_gettime(CLOCK_REALTIME)
  const done = ed.buffer.redo(seconds)
  if (done) ed.moveTo(done[0])
  ed.say(done?.[1] ?? 'Already at newest change')
}

export function* mark(ed: Editor, { to, argument }: ExCall): Sys<void> {
  const name = argument.trim()
  if (!/^[a-zA-Z']$/.test(name)) throw new ViError('E191: Argument must be a letter or forward/backward quote')
  ed.buffer.marks.set(name, { line: to, col: 0 })
}
