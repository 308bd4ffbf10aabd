/** Trees become programs of a non-deterministic automaton (Thompson 1968). */
import { type Assertion, type Node, RegexError } from './syntax.ts'

export const Op = {
  /** Consume a byte of set `x`. */
  set: 0,
  /** Go to `x` or `y`; `x` is preferred. */
  split: 1,
  jump: 2,
  /** Note the position in slot `x`. */
  save: 3,
  /** Go on if assertion `x` holds. */
  assert: 4,
  backref: 5,
  match: 6,
} as const

const ASSERTIONS: readonly Assertion[] = [
  'bol',
  'eol',
  'text-begin',
  'text-end',
  'word-begin',
  'word-end',
  'word-edge',
  'no-word-edge',
  'no-word-before',
  'no-word-after',
]

/** What is on one side of a position, as far as assertions care. */
export const Side = { edge: 0, newline: 1, word: 2, other: 3 } as const

export interface RegexProgram {
  readonly op: Uint8Array
  readonly x: Int32Array
  readonly y: Int32Array
  readonly sets: readonly Uint8Array[]
  readonly multiline: boolean
}

/** Instructions of one program; intervals multiply. */
const PROGRAM_MAX = 60_000

export function generate(root: Node, multiline: boolean): RegexProgram {
  const op: number[] = []
  const x: { to: number }[] = []
  const y: number[] = []
  const sets: Uint8Array[] = []

  const emit = (operation: number, first = 0, second = 0): number => {
    if (op.length >= PROGRAM_MAX) throw new RegexError('Regular expression too big')
    op.push(operation)
    x.push({ to: first })
    y.push(second)
    return op.length - 1
  }
  /** Where the instruction goes second: plain arrays are slow to store into, and patching is rare. */
  const later = new Map<number, number>()

  function walk(node: Node): void {
    switch (node.kind) {
      case 'empty':
        return
      case 'set':
        sets.push(node.set)
        emit(Op.set, sets.length - 1)
        return
      case 'cat':
        for (const part of node.nodes) walk(part)
        return
      case 'alt':
        alternatives(node.nodes)
        return
      case 'group':
        emit(Op.save, node.index * 2)
        walk(node.node)
        emit(Op.save, node.index * 2 + 1)
        return
      case 'repeat':
        repeat(node.node, node.min, node.max)
        return
      case 'assert':
        emit(Op.assert, ASSERTIONS.indexOf(node.what))
        return
      case 'backref':
        emit(Op.backref, node.index)
    }
  }

  function alternatives(nodes: readonly Node[]): void {
    const exits: number[] = []
    for (const [index, node] of nodes.entries()) {
      if (index === nodes.length - 1) walk(node)
      else {
        const split = emit(Op.split)
        x[split]!.to = op.length
        walk(node)
        exits.push(emit(Op.jump))
        later.set(split, op.length)
      }
    }
    for (const exit of exits) x[exit]!.to = op.length
  }

  function repeat(node: Node, min: number, max: number): void {
    for (let i = 0; i < min - (max < 0 ? 1 : 0); i++) walk(node)
    if (max < 0) {
      if (min > 0) {
        // At least once more: the body, then perhaps again.
        const body = op.length
        walk(node)
        const split = emit(Op.split, body)
        later.set(split, op.length)
      } else {
        const split = emit(Op.split)
        x[split]!.to = op.length
        walk(node)
        emit(Op.jump, split)
        later.set(split, op.length)
      }
      return
    }
    const splits: number[] = []
    for (let i = min; i < max; i++) {
      const split = emit(Op.split)
      x[split]!.to = op.length
      splits.push(split)
      walk(node)
    }
    for (const split of splits) later.set(split, op.length)
  }

  walk(root)
  emit(Op.match)
  const second = Int32Array.from(y)
  for (const [split, to] of later) second[split] = to
  return { op: Uint8Array.from(op), x: Int32Array.from(x, ({ to }) => to), y: second, sets, multiline }
}

/** Whether an assertion holds between two sides. */
export function holds(what: number, before: number, after: number, multiline: boolean): boolean {
  switch (ASSERTIONS[what]) {
    case 'bol':
      return before === Side.edge || (multiline && before === Side.newline)
    case 'eol':
      return after === Side.edge || (multiline && after === Side.newline)
    case 'text-begin':
      return before === Side.edge
    case 'text-end':
      return after === Side.edge
    case 'word-begin':
      return before !== Side.word && after === Side.word
    case 'word-end':
      return before === Side.word && after !== Side.word
    case 'word-edge':
      return (before === Side.word) !== (after === Side.word)
    case 'no-word-edge':
      return (before === Side.word) === (after === Side.word)
    case 'no-word-before':
      return before !== Side.word
    default:
      return after !== Side.word
  }
}
