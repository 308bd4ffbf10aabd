/** RAM as processors that execute machine code have it: the bytes themselves, in one WebAssembly.Memory with what belongs to the machine. */
import { CODE, HELD, HOLE, PAGE_BYTES, RAM, STALE } from './frame-kind.ts'

/** What the machine keeps for itself above the guest's RAM: vCPUs' registers and TLBs. */
export const MACHINE_RESERVE_MIB = 64

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

export interface ProcessorMemory {
  /** RAM from 0 on, and behind it what is the machine's own. */
  readonly wasm: WasmMemory
  readonly reserve: { readonly at: number; readonly bytes: number }
  /** Where a frame's bytes lie, from now on as they should be, until `letGo`; -1: it is no RAM. */
  hold(frame: number): number
  /** Nobody reaches the bytes by himself any more. */
  letGo(): void
  /** A held page (by its offset) has translated code, or none any more. */
  markCode(page: number, hasCode: boolean): void
  /** Who is told that others have written to bytes of pages with code. */
  codeWritten: (at: number, length: number) => void
}

interface Frames {
  readonly wasm: WasmMemory
  readonly kinds: Uint8Array
  readonly ramBytes: number
  /** The frame's bytes as they should be; then it is of another kind. */
  soil(frame: number, kind: number): void
}

export function processorMemory({ wasm, kinds, ramBytes, soil }: Frames): ProcessorMemory {
  const ramFrames = ramBytes / PAGE_BYTES
  return {
    wasm,
    reserve: { at: ramBytes, bytes: MACHINE_RESERVE_MIB * 2 ** 20 },
    hold(frame) {
      const kind = frame >= 0 && frame < ramFrames ? kinds[frame]! : HOLE
      if (kind !== HELD && kind !== CODE) {
        if (kind > STALE) return -1
        soil(frame, HELD)
      }
      return frame * PAGE_BYTES
    },
    letGo() {
      for (let frame = 0; frame < ramFrames; frame++) if (kinds[frame]! <= CODE) kinds[frame] = RAM
    },
    markCode(page, hasCode) {
      kinds[page / PAGE_BYTES] = hasCode ? CODE : HELD
    },
    codeWritten() {},
  }
}
