/**
 * Operands as the decoder makes them. Whatever its kind, each has all fields in one order, those that are not its own undefined: to an engine they are one kind of object, so that the
 * interpreter, who looks at a few for every instruction, finds each field where it was in the last one.
 */
import type { FileOperand, ImmOperand, MemOperand, Operand, RegOperand, RelOperand, Size } from './insn.ts'

interface Fields {
  readonly kind: Operand['kind']
  readonly size: number | undefined
  readonly n: number | undefined
  readonly base: number | undefined
  readonly index: number | undefined
  readonly scale: MemOperand['scale'] | undefined
  readonly disp: bigint | undefined
  readonly ripRelative: boolean | undefined
  readonly segment: number | undefined
  readonly value: bigint | undefined
}

function plain(
  kind: Operand['kind'],
  size: number | undefined,
  n: number | undefined,
  value: bigint | undefined,
): Fields {
  return {
    kind,
    size,
    n,
    base: undefined,
    index: undefined,
    scale: undefined,
    disp: undefined,
    ripRelative: undefined,
    segment: undefined,
    value,
  }
}

/** AH to BH included. */
const REGISTERS_MAX = 20

const registersOf = (size: Size): RegOperand[] =>
  Array.from({ length: REGISTERS_MAX }, (_, n) => plain('reg', size, n, undefined) as RegOperand)
const BYTES = registersOf(1)
const WORDS = registersOf(2)
const DOUBLES = registersOf(4)
const QUADS = registersOf(8)

/** A general register: the same object each time. */
export function register(size: Size, n: number): RegOperand {
  return (size === 8 ? QUADS : size === 4 ? DOUBLES : size === 1 ? BYTES : WORDS)[n]!
}

export const file = (kind: FileOperand['kind'], n: number): FileOperand =>
  plain(kind, undefined, n, undefined) as FileOperand

export const immediate = (size: Size, value: bigint): ImmOperand => plain('imm', size, undefined, value) as ImmOperand

export const distance = (value: bigint): RelOperand => plain('rel', undefined, undefined, value) as RelOperand

export function memory(
  size: number,
  base: number,
  index: number,
  scale: MemOperand['scale'],
  disp: bigint,
  ripRelative: boolean,
  segment: number,
): MemOperand {
  const made: Fields = {
    kind: 'mem',
    size,
    n: undefined,
    base,
    index,
    scale,
    disp,
    ripRelative,
    segment,
    value: undefined,
  }
  return made as MemOperand
}
