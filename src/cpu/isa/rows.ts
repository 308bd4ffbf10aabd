/** The instruction table. */
import type { Row } from './insn.ts'
import { parseRows } from './row.ts'
import { ARITHMETIC_ROWS } from './rows-arithmetic.ts'
import { GENERAL_ROWS } from './rows-general.ts'
import { MMX_ROWS } from './rows-mmx.ts'
import { SSE_ROWS } from './rows-sse.ts'
import { SSE3_ROWS } from './rows-sse3.ts'
import { SYSTEM_ROWS } from './rows-system.ts'
import { X87_ROWS } from './rows-x87.ts'

export const ROWS: readonly Row[] = parseRows(
  ARITHMETIC_ROWS + GENERAL_ROWS + SYSTEM_ROWS + X87_ROWS + MMX_ROWS + SSE_ROWS + SSE3_ROWS,
)
