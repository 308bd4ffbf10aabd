/** What every row of the instruction table means. */
import type { Row } from '../isa/insn.ts'
import type { Semantics } from './emitter.ts'
import { FPU } from './fpu.ts'
import { INTEGER } from './integer.ts'
import { privileged } from './system.ts'

const BY_MNEMONIC: ReadonlyMap<string, Semantics> = new Map([...INTEGER, ...FPU])

/** Undefined: what is not implemented, which is #UD. */
export function semanticsOf(row: Row): Semantics | undefined {
  return row.attributes.has('priv') ? privileged : BY_MNEMONIC.get(row.mnemonic)
}
