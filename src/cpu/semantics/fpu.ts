/** All instructions of the FPU's state, which are #NM while CR0.TS is set: x87, MMX, and SSE to SSSE3, by mnemonic. */
import type { Semantics } from './emitter.ts'
import { FXSAVE } from './fxsave.ts'
import { PACKED } from './packed.ts'
import { SSE_CONVERSIONS } from './sse-convert.ts'
import { SSE_FLOAT } from './sse-float.ts'
import { SSE_MOVES } from './sse-moves.ts'
import { SSSE3 } from './ssse3.ts'
import { X87_SEMANTICS } from './x87.ts'

export const FPU: readonly (readonly [string, Semantics])[] = Object.entries({
  ...X87_SEMANTICS,
  ...PACKED,
  ...SSE_MOVES,
  ...SSE_FLOAT,
  ...SSE_CONVERSIONS,
  ...SSSE3,
  ...FXSAVE,
})
