/** Addresses of ModRM and SIB. AMD APM volume 3, section 1.4; of two bytes: table A-33, "ModRM Memory References, 16-Bit Addressing". */
import type { Decoding } from './decoding.ts'
import { RBP, RBX, RDI, RSI, RSP } from './insn.ts'

/** Reads what belongs to ModRM where mod is not 3. */
export function readAddress(d: Decoding): void {
  d.hasMemory = true
  if (d.addressSize === 2) readAddress16(d)
  else readAddress32(d)
}

/** Of four and eight bytes. */
function readAddress32(d: Decoding): void {
  const mod = d.modrm >> 6
  let base = d.modrm & 7
  const hasSib = base === RSP
  if (hasSib) {
    const sib = d.bytes.u8()
    base = sib & 7
    const index = ((sib >> 3) & 7) | ((d.rex & 2) << 2)
    d.index = index === RSP ? -1 : index
    d.scale = (1 << (sib >> 6)) as 1 | 2 | 4 | 8
  }
  if (mod === 0 && base === RBP) {
    d.ripRelative = !hasSib && d.mode === 64
    d.disp = d.bytes.signed(4)
  } else {
    d.base = base | ((d.rex & 1) << 3)
    if (mod !== 0) d.disp = d.bytes.signed(mod === 1 ? 1 : 4)
  }
}

/** BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP or an address, BX. */
const BASES = [RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX]
const INDEXES = [RSI, RDI, RSI, RDI]

function readAddress16(d: Decoding): void {
  const mod = d.modrm >> 6
  const rm = d.modrm & 7
  if (mod === 0 && rm === 6) d.disp = d.bytes.signed(2)
  else {
    d.base = BASES[rm]!
    d.index = INDEXES[rm] ?? -1
    if (mod !== 0) d.disp = d.bytes.signed(mod)
  }
}
