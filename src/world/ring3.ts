/**
 * Metal.ring3 (abi/pc/ring3.ts) over the x86-64 core of src/cpu: vCPUs in the memory that is the machine's own, and one translator for
 * all of them. What an image gets is plain functions over a vCPU, which it never sees.
 */
import { CPU_HZ } from '#abi/pc/cpu.ts'
import type { CpuidLeaf } from '#abi/pc/metal.ts'
import { type Ring3, Trap } from '#abi/pc/ring3.ts'
import { Fault, GP } from '#cpu/fault.ts'
import { statusFlags } from '#cpu/flags.ts'
import { CS } from '#cpu/isa/insn.ts'
import { restoreFrom, saveInto } from '#cpu/semantics/fxsave.ts'
import { codeSegment, setCode, setSegment } from '#cpu/semantics/segments.ts'
import {
  AC_FLAG,
  DF,
  Exit,
  ID,
  IF,
  IOPL,
  NT,
  OSZAPC,
  RF,
  S_BYTES,
  S_DR,
  S_DR_END,
  S_EXIT_CODE,
  S_EXIT_VECTOR,
  S_FCW,
  S_FTW,
  S_MXCSR,
  S_RFLAGS,
  S_TRANSLATOR,
  TF,
} from '#cpu/state.ts'
import { otherFlags, setOtherFlags, setStatusFlags } from '#cpu/state-access.ts'
import { Library } from '#cpu/translate/library.ts'
import { Translator } from '#cpu/translate/translator.ts'
import { Vcpu } from '#cpu/vcpu.ts'
import type { Digest } from '#lib/digest.ts'
import type { ProcessorMemory } from '#machine/processor-memory.ts'
import { registerFile } from './register-file.ts'
import { INSTRUCTION_NS, INTERPRETED_WORK, TRANSLATED_WORK, TRANSLATING_WORK } from './time.ts'

/** Taken now: an image cannot put another in its place. */
const { isInteger } = Number
const { ceil, floor, max, min } = Math

const PAGE_BYTES = 4096
const AREA_BYTES = ceil(S_BYTES / PAGE_BYTES) * PAGE_BYTES
const FXSAVE_BYTES = 512
const XMM_REGISTERS = 16
const DESCRIPTORS_PER_FRAME = 512
const TABLE_FRAMES_MAX = 16
/** At a stretch, however late the deadline is: the processors' owner wants to look around. */
const INSTRUCTIONS_MAX = 2 ** 21
/** Bits of RFLAGS that ring 3 may be entered with. */
const RFLAGS_BITS = OSZAPC | TF | IF | DF | IOPL | NT | RF | AC_FLAG | ID
const RFLAGS_ONES = 2
/** After a reset (Intel SDM volume 3, table 10-1). */
const RESET_FCW = 0x40
const RESET_FTW = 0xff
const RESET_MXCSR = 0x1f80

/** The processor that is running; the world's, or a test's. */
export interface Ring3Clock {
  readonly index: () => number
  /** Its virtual time. */
  readonly now: () => number
  readonly charge: (ns: number) => void
  /** Real work, as so much fuel. */
  readonly worked: (fuel: number) => void
}

export interface Ring3Machine {
  readonly processorMemory: ProcessorMemory
  cpuid(cpu: number, leaf: number, subleaf?: number): CpuidLeaf
}

/** How machine code is executed, which makes no difference to what it does. */
export interface Ring3Options {
  /** Blocks are translated when they have been interpreted so often; Infinity: never. */
  readonly threshold?: number
  /** Translated code that need not be made anew. */
  readonly library?: Library
  /** Regions to a module, none of which is urgent: whoever records what others are to have is in no hurry. */
  readonly batch?: number
}

export interface Ring3s {
  /** Metal.ring3. */
  create(): Ring3 | undefined
  /** The machine is reset: whatever there was is gone. */
  reset(): void
  /** All registers that are in use. */
  digestInto(digest: Digest): void
}

interface Table {
  readonly frames: readonly number[]
  readonly entries: number
}
const NO_TABLE: Table = { frames: [], entries: 0 }

export type CreateRing3s = typeof createRing3s

export function createRing3s(machine: Ring3Machine, clock: Ring3Clock, options: Ring3Options = {}): Ring3s {
  const memory = machine.processorMemory
  const { threshold, batch, library = new Library() } = options
  let translator: Translator | undefined
  /** Areas in use, those that were given back, and the first that never was in use. */
  const used = new Set<number>()
  let free: number[] = []
  let nextAt = memory.reserve.at
  /** So often there has been a reset: what was made before is dead. */
  let life = 0

  function takeArea(): number | undefined {
    let area = free.pop()
    if (area === undefined) {
      if (nextAt + AREA_BYTES > memory.reserve.at + memory.reserve.bytes) return undefined
      area = nextAt
      nextAt += AREA_BYTES
    }
    used.add(area)
    return area
  }

  function translating(): Translator | undefined {
    if (threshold === Number.POSITIVE_INFINITY) return undefined
    if (!translator) {
      const made = new Translator(memory.wasm, { guarding: memory.markCode, library, batch })
      memory.codeWritten = (at, length) => made.written(at, length)
      translator = made
    }
    return translator
  }

  function create(): Ring3 | undefined {
    const area = takeArea()
    if (area === undefined) return undefined
    const tables = { gdt: NO_TABLE, ldt: NO_TABLE }
    const view = new DataView(memory.wasm.buffer)
    let startedNs = 0
    const host = {
      pageOf: memory.hold,
      descriptor(selector: number): bigint | undefined {
        const { frames, entries } = (selector & 4) === 0 ? tables.gdt : tables.ldt
        const index = selector >> 3
        const frame = index < entries ? (frames[floor(index / DESCRIPTORS_PER_FRAME)] ?? 0) : 0
        const page = frame === 0 ? -1 : memory.hold(frame)
        return page < 0 ? undefined : view.getBigUint64(page + (index % DESCRIPTORS_PER_FRAME) * 8, true)
      },
      cpuid(leaf: number, subleaf: number): readonly [number, number, number, number] {
        const { eax, ebx, ecx, edx } = machine.cpuid(clock.index(), leaf, subleaf)
        return [eax, ebx, ecx, edx]
      },
      tsc: () => BigInt(floor(((startedNs + vcpu.executed * INSTRUCTION_NS) / 1e9) * CPU_HZ)),
    }
    const shared = translating()
    const vcpu = new Vcpu(memory.wasm.buffer, area, host, shared, threshold)
    view.setUint16(area + S_FCW, RESET_FCW, true)
    view.setUint8(area + S_FTW, RESET_FTW)
    view.setUint32(area + S_MXCSR, RESET_MXCSR, true)
    view.setBigUint64(area + S_RFLAGS, BigInt(RFLAGS_ONES), true)

    const born = life
    let released = false
    let entered = false
    const check = (): void => {
      if (released || born !== life) throw new RangeError('ring3: it has been released')
      if (entered) throw new RangeError('ring3: it is running')
    }

    function enter(deadlineNs: number): Trap {
      check()
      if (typeof deadlineNs !== 'number') throw new RangeError('ring3: not a number')
      const { view, base } = vcpu
      const flags = view.getUint32(base + S_RFLAGS, true) & RFLAGS_BITS
      setStatusFlags(vcpu, flags & OSZAPC)
      setOtherFlags(vcpu, (flags & ~OSZAPC) | RFLAGS_ONES)
      startedNs = clock.now()
      const left = floor((deadlineNs - startedNs) / INSTRUCTION_NS) || 0
      const interpretedBefore = vcpu.interpreted
      const translatedBefore = shared?.counts.instructions ?? 0
      entered = true
      let exit: Exit
      try {
        exit = vcpu.run(max(1, min(left, INSTRUCTIONS_MAX)))
      } finally {
        entered = false
      }
      const { executed } = vcpu
      const interpreted = vcpu.interpreted - interpretedBefore
      const translated = (shared?.counts.instructions ?? 0) - translatedBefore
      clock.charge(ceil(executed * INSTRUCTION_NS))
      clock.worked(
        ceil(
          interpreted * INTERPRETED_WORK + (executed - interpreted) * TRANSLATED_WORK + translated * TRANSLATING_WORK,
        ),
      )
      const rflags = statusFlags(vcpu) | otherFlags(vcpu)
      setStatusFlags(vcpu, rflags & OSZAPC)
      view.setBigUint64(base + S_RFLAGS, BigInt(rflags), true)
      return trapOf(exit)
    }

    function trapOf(exit: Exit): Trap {
      const { view, base } = vcpu
      if (exit === Exit.fault) return Trap.exception
      if (exit === Exit.syscall) return Trap.syscall
      if (exit === Exit.interrupt) {
        view.setInt32(base + S_EXIT_CODE, -1, true)
        return Trap.interrupt
      }
      if (exit !== Exit.privileged) return Trap.none
      view.setUint32(base + S_EXIT_VECTOR, GP, true)
      view.setInt32(base + S_EXIT_CODE, 0, true)
      return Trap.privileged
    }

    return {
      registers: registerFile(vcpu.view, vcpu.base, check),
      selectSpace(space) {
        check()
        vcpu.selectContext(number(space) === 1 ? 1 : 0)
      },
      setRoot(space, mfn) {
        check()
        vcpu.setRoot(number(space) === 1 ? 1 : 0, number(mfn))
      },
      flush() {
        check()
        vcpu.flushAll()
      },
      flushPage(va) {
        check()
        vcpu.flushPage(BigInt.asUintN(64, BigInt(number(va))))
      },
      setGdt(frames, entries) {
        check()
        tables.gdt = table(frames, entries)
      },
      setLdt(frames, entries) {
        check()
        tables.ldt = table(frames, entries)
      },
      loadSegment(segment, selector) {
        check()
        return loadSegment(vcpu, number(segment), number(selector) & 0xffff)
      },
      debugRegister(n) {
        check()
        return vcpu.debugRegisters.get(debugNumber(n))
      },
      setDebugRegister(n, value) {
        check()
        if (typeof value !== 'bigint') throw new RangeError('ring3: not a word')
        vcpu.debugRegisters.set(debugNumber(n), value)
      },
      fxsave() {
        check()
        const image = new Uint8Array(FXSAVE_BYTES)
        saveInto(vcpu, image, true, XMM_REGISTERS)
        return image
      },
      fxrstor(image) {
        const copy = Uint8Array.from({ length: FXSAVE_BYTES }, (_, i) => image[i]!)
        check()
        restoreFrom(vcpu, copy, true, XMM_REGISTERS)
      },
      enter,
      release() {
        check()
        released = true
        shared?.detach(vcpu)
        used.delete(area)
        free.push(area)
      },
    }
  }

  return {
    create,
    reset() {
      life++
      translator = undefined
      memory.codeWritten = () => {}
      memory.letGo()
      used.clear()
      free = []
      nextAt = memory.reserve.at
    },
    digestInto(digest) {
      const bytes = new Uint8Array(memory.wasm.buffer)
      for (const area of [...used].sort((a, b) => a - b))
        digest
          .number(area)
          .bytes(bytes.subarray(area, area + S_TRANSLATOR))
          .bytes(bytes.subarray(area + S_DR, area + S_DR_END))
    },
  }
}

/** An image's object would be asked for its number, in its own code. */
function number(value: number): number {
  if (!isInteger(value)) throw new RangeError('ring3: not a number')
  return value
}

function debugNumber(n: number): number {
  if (number(n) < 0 || n > 7 || n === 4 || n === 5) throw new RangeError('ring3: no such debug register')
  return n
}

function table(frames: readonly number[], entries: number): Table {
  const copy: number[] = []
  const length = min(number(frames.length), TABLE_FRAMES_MAX)
  for (let i = 0; i < length; i++) copy.push(number(frames[i]!))
  return { frames: copy, entries: number(entries) }
}

function loadSegment(vcpu: Vcpu, segment: number, selector: number): boolean {
  if (segment < 0 || segment > 5) throw new RangeError('ring3: no such segment register')
  try {
    if (segment === CS) setCode(vcpu, selector, codeSegment(vcpu, selector))
    else setSegment(vcpu, segment, selector)
    return true
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return false
  }
}
