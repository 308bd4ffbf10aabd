/**
 * The emitter that translates: semantics become a block's statements and nodes. A block is one straight way with side exits: a conditional jump leaves it, or it goes on.
 * Registers and flags are in slot-builder.ts, vectors and their lanes in vector-builder.ts.
 */
import { GP, NM } from '../fault.ts'
import type { Size } from '../isa/insn.ts'
import type { Calculation, Emitter, Helper, Modified, Native, Quickly } from '../semantics/emitter.ts'
import {
  DF,
  Exit,
  S_EXIT,
  S_EXIT_ADDRESS,
  S_EXIT_CODE,
  S_EXIT_VECTOR,
  S_FLAGS,
  S_LEAVE,
  S_SEGMENT_BASES,
  S_TS,
  TF,
} from '../state.ts'
import { I32, I64, Op, V128, type ValueType } from '../wasm/opcodes.ts'
import { isConstant, type Node } from './node.ts'
import type { Translatable } from './region.ts'
import { LOG2, SlotBuilder, typeOf } from './slot-builder.ts'
import type { Slots } from './slots.ts'
import { Spans } from './span.ts'
import { type AccessBytes, LEAVE_EXIT, type Site } from './statement.ts'

export class BlockBuilder extends SlotBuilder implements Emitter<Node> {
  rip = 0n
  nextRip = 0n
  /** Instructions of the block that have been added. */
  done = 0
  readonly #start: bigint
  readonly #spans = new Spans(this.nodes)
  /** Of the instruction and the next one, from the region's start. */
  #at = 0
  #nextAt = 0
  #likely: readonly number[] = []
  #returns = false
  /** A helper has run within this instruction. */
  #helped = false
  /** An instruction that has just been added may have set TF. */
  #flagsWritten = false

  /** `start`: of the region. */
  constructor(slots: Slots, start: bigint) {
    super(slots)
    this.#start = start
  }

  /** Adds one instruction, which begins so far from the region's start. `likely`: where a jump to an address that is not known may lead to. */
  instruction(at: number, { length, run, returns }: Translatable, likely: readonly number[] = []): void {
    this.#likely = likely
    this.#returns = returns
    this.#at = at
    this.#nextAt = at + length
    this.rip = this.#start + BigInt(at)
    this.nextRip = this.rip + BigInt(length)
    this.#helped = false
    this.mayHaveEnded = false
    this.#flagsWritten = false
    run(this)
    this.done++
    if (this.ended) return
    this.mayHaveEnded = false
    if (!this.#helped && !this.#flagsWritten) return
    const site = { ...this.#site(), at: this.#nextAt }
    if (this.#helped) this.append({ kind: 'asked', site })
    // With TF set the interpreter has to go on.
    this.if(this.and(4, this.otherFlags(), this.imm(4, TF)), () => {
      this.append({ kind: 'leave', site, writes: [] })
      this.ended = true
    })
  }

  /** The block is over without a jump. */
  continueAt(at: number): void {
    this.mayHaveEnded = false
    this.list.push({
      kind: 'goto',
      target: this.#start + BigInt(at),
      at,
      done: this.done,
      pending: this.pending,
    })
    this.ended = true
  }

  #site(): Site {
    return { at: this.#at, done: this.done, pending: this.pending }
  }

  load(size: Size, address: Node, stack = false): Node {
    return this.#load(typeOf(size), size, address, stack)
  }
  #load(type: ValueType, bytes: AccessBytes, address: Node, stack: boolean): Node {
    const node = this.nodes.pinned(type)
    this.needFlags()
    const place = this.#spans.place(address, bytes, false, this.list === this.statements)
    this.append({ kind: 'load', node, address, bytes, stack, site: this.#site(), place })
    return node
  }
  #host(bytes: number, address: Node, stack: boolean): Node {
    const node = this.nodes.pinned(I32)
    this.needFlags()
    const place = this.#spans.place(address, bytes, true, this.list === this.statements)
    this.append({ kind: 'host', node, address, bytes, stack, site: this.#site(), place })
    return node
  }
  store(size: Size, address: Node, value: Node, stack = false): void {
    const host = this.#host(size, address, stack)
    const lane = this.laneOf(size, value)
    if (lane) this.append({ kind: 'store-host', host, value: value.a!, bytes: size, lane: lane[0]! })
    else this.append({ kind: 'store-host', host, value, bytes: size })
  }
  modify(size: Size, address: Node, stack = false): Modified<Node> {
    const host = this.#host(size, address, stack)
    const value = this.nodes.pinned(typeOf(size))
    this.append({ kind: 'load-host', node: value, host, bytes: size })
    return { value, store: (next) => this.append({ kind: 'store-host', host, value: next, bytes: size }) }
  }
  writable(bytes: number, address: Node, stack = false): void {
    this.#host(bytes, address, stack)
  }
  loadScalar(size: 4 | 8, address: Node, stack = false): Node {
    return this.#load(V128, size, address, stack)
  }
  load128(address: Node, aligned: boolean, stack = false): Node {
    if (aligned) this.#faultIfUnaligned(address)
    return this.#load(V128, 16, address, stack)
  }
  store128(address: Node, value: Node, aligned: boolean, stack = false): void {
    if (aligned) this.#faultIfUnaligned(address)
    this.append({ kind: 'store-host', host: this.#host(16, address, stack), value, bytes: 16 })
  }
  #faultIfUnaligned(address: Node): void {
    const low = this.and(4, this.trunc(8, 4, address), this.imm(4, 15))
    this.if(low, () => this.fault(GP, 0))
  }

  bulk(size: Size, count: Node, to: Node, source: { readonly value: Node } | { readonly from: Node }): Node {
    const least = (a: Node, b: Node): Node => this.select(4, this.ltu(4, a, b), a, b)
    const and = (a: Node, b: Node): Node => this.and(4, a, b)
    const isThere = (host: Node): Node => this.ne(4, host, this.imm(4, 0))
    const inPage = (address: Node): Node =>
      this.sub(4, this.imm(4, 4096), and(this.trunc(8, 4, address), this.imm(4, 4095)))
    const host = this.#probe(to, true)
    let possible = and(isThere(host), this.eq(4, and(this.otherFlags(), this.imm(4, DF)), this.imm(4, 0)))
    let bytes = inPage(to)
    let from: Node | undefined
    if ('from' in source) {
      from = this.#probe(source.from, false)
      possible = and(possible, isThere(from))
      // As far as nothing is read that has been written.
      bytes = least(least(bytes, inPage(source.from)), this.sub(4, host, from))
    } else if (size > 1) {
      const repeated = this.mul(
        size,
        this.and(size, source.value, this.imm(size, 0xff)),
        this.imm(size, 0x0101010101010101n),
      )
      possible = and(possible, this.eq(size, source.value, repeated))
    }
    const others = this.sub(8, count, this.imm(8, 1))
    const left = this.select(4, this.ltu(8, others, this.imm(8, 4096)), this.trunc(8, 4, others), this.imm(4, 4096))
    const shift = this.imm(4, LOG2[size])
    const fitting = least(least(this.shr(4, bytes, shift), left), this.#budget())
    const done = this.select(4, possible, fitting, this.imm(4, 0))
    this.if(done, () => {
      const length = this.shl(4, done, shift)
      if ('from' in source) this.append({ kind: 'copy', to: host, from: from!, bytes: length })
      else this.append({ kind: 'fill', to: host, value: this.trunc(size, 4, source.value), bytes: length })
      this.append({ kind: 'spend', count: done })
    })
    return this.zext(4, 8, done)
  }
  #probe(address: Node, write: boolean): Node {
    const node = this.nodes.pinned(I32)
    this.append({ kind: 'probe', node, address, write })
    return node
  }
  #budget(): Node {
    const node = this.nodes.pinned(I32)
    this.append({ kind: 'budget', node })
    return node
  }

  otherFlags(): Node {
    return this.loadState(I32, S_FLAGS)
  }
  setOtherFlags(value: Node): void {
    this.#flagsWritten = true
    this.append({ kind: 'store-state', offset: S_FLAGS, value })
  }
  segmentBase(n: number): Node {
    return this.loadState(I64, S_SEGMENT_BASES + 8 * n)
  }

  jump(target: Node): void {
    if (isConstant(target)) this.#goto(target.value as bigint)
    else {
      for (const at of this.#likely) {
        const address = this.#start + BigInt(at)
        this.if(this.eq(8, target, this.imm(8, address)), () => this.#goto(address))
        this.mayHaveEnded = false
      }
      this.append({ kind: 'jump', target, returns: this.#returns, done: this.done + 1, pending: this.pending })
      this.#end()
    }
  }
  branch(condition: Node, target: bigint): void {
    if (target === this.nextRip) return
    this.if(condition, () => this.#goto(target))
  }
  again(): void {
    this.#goto(this.rip)
  }
  #goto(target: bigint): void {
    const at = Number(target - this.#start)
    this.append({ kind: 'goto', target, at, done: this.done + 1, pending: this.pending })
    this.#end()
  }
  /** In an arm it may be that this was not the way. */
  #end(): void {
    this.ended = true
    this.mayHaveEnded = true
  }

  fpu(): void {
    if (this.fpuUsable) return
    this.if(this.loadState(I32, S_TS), () => this.fault(NM))
    this.fpuUsable = true
  }
  fault(vector: number, code = -1): void {
    const details = [
      [S_EXIT_CODE, code],
      [S_EXIT_ADDRESS, 0],
      [S_EXIT_ADDRESS + 4, 0],
    ] as const
    this.#leave(this.#site(), Exit.fault, vector, details)
  }
  exit(exit: number, number = 0): void {
    const site = this.#site()
    if (exit === Exit.privileged) {
      this.#leave(site, exit, 0)
      return
    }
    this.#leave({ ...site, at: this.#nextAt, done: this.done + 1 }, exit, number)
    this.mayHaveEnded = true
  }
  #leave(site: Site, exit: number, vector: number, details: readonly (readonly [number, number])[] = []): void {
    const writes = [[S_EXIT, exit], [S_EXIT_VECTOR, vector], [S_LEAVE, LEAVE_EXIT], ...details] as const
    this.append({ kind: 'leave', site, writes })
    this.ended = true
  }

  #native(): Native<Node> {
    return {
      op: (name, a, b) => this.float(name, a, b),
      quotient: (isSigned, a, b) => this.nodes.binary(isSigned ? Op.i64_div_s : Op.i64_div_u, a, b),
      remainder: (isSigned, a, b) => this.nodes.binary(isSigned ? Op.i64_rem_s : Op.i64_rem_u, a, b),
      constant: (bits) => this.constant128(bits),
      mxcsrIs: (mask, bits) => this.mxcsrIs(mask, bits),
      calculate: (calculation, a, b, number) => this.#calculate(calculation, a, b, number),
    }
  }
  #calculate(calculation: Calculation, a: Node, b: Node, number: number): Node {
    const node = this.nodes.pinned(V128)
    const args = [a, b, this.imm(4, number)]
    this.append({ kind: 'calculate', calculation, args, node, site: this.#site() })
    return node
  }

  /** Helpers that only calculate neither ask for a pause nor set TF: nothing has to be looked at behind them. */
  quickly(fast: (native: Native<Node>) => Quickly<Node>, otherwise: () => void): void {
    const { condition, act, otherwise: calculated = otherwise } = fast(this.#native())
    const helped = this.#helped
    this.if(condition, act, calculated)
    this.#helped = helped
  }

  helper(helper: Helper, size: Size | 0, ...args: Node[]): Node {
    this.flush()
    const node = size === 0 ? undefined : this.nodes.pinned(typeOf(size))
    this.append({ kind: 'helper', helper, rip: this.rip, args, node, site: this.#site() })
    this.#helped = true
    this.#spans.close()
    this.forget()
    return node ?? this.imm(4, 0)
  }
}
