/** return, break and continue: on their way out of a block, finally clauses run first. */
import { typeError } from './errors.ts'
import type { Value } from './objects.ts'
import { FINALLY, type Frame, LOOP, Unwind, type Vm } from './vm.ts'

/** Leave a block for the reason given; true if a finally clause comes first. */
function through(f: Frame, unwind: Unwind, until: 'loop' | 'all'): boolean {
  for (;;) {
    const block = f.blocks.at(-1)
    if (!block) return false
    if (block.kind === LOOP && until === 'loop') return false
    f.blocks.pop()
    f.stack.length = Math.min(f.stack.length, block.level)
    if (block.kind === FINALLY) {
      f.stack.push(unwind)
      f.ip = block.handler
      return true
    }
  }
}

export function leave(vm: Vm, f: Frame, value: Value): void {
  if (f.blocks.length > 0 && through(f, new Unwind('return', value), 'all')) return
  vm.pop()
  let result = value
  if (f.made) {
    if (value !== null) throw typeError('__init__() should return None')
    result = f.made
  }
  f.done = true
  f.result = result
  if (!f.base) vm.frame!.stack.push(result)
}

export function breakLoop(f: Frame): void {
  if (through(f, new Unwind('break'), 'loop')) return
  const block = f.blocks.pop()!
  f.stack.length = block.level
  f.ip = block.handler
}

export function continueLoop(f: Frame, target: number): void {
  if (!through(f, new Unwind('continue', target), 'loop')) f.ip = target
}
