/**
 * Writes a region as a WebAssembly function of (base, budget). It gives what is left of the budget if the run goes on at S_RIP, and its complement if something else
 * comes first: the interpreter (the budget does not suffice for a block, or S_LEAVE says so), or the end of the run.
 *
 * Registers are loaded when it begins and stored where it ends, at one place. What leaves out of the middle says where and how many of its block's instructions have not
 * happened in one number (`site`).
 */

import { S_INDIRECT, S_LEAVE, S_RIP } from '../state.ts'
import type { Bytes } from '../wasm/bytes.ts'
import { I32, I64, Op, type ValueType, VOID } from '../wasm/opcodes.ts'
import { needsFlags } from './liveness.ts'
import type { Node, Slot } from './node.ts'
import type { Block, Region } from './region.ts'
import { BASE, BUDGET, type Imports, LONG, OWN_LOCALS, StateWriter } from './state-writer.ts'
import { LEAVE_ASKED, LEAVE_EXIT, type Site, type Statement } from './statement.ts'
import { type Placed, type Structure, structureOf } from './structure.ts'
import { countCold, countHot, needsOf } from './uses.ts'

export interface Written {
  readonly locals: readonly ValueType[]
  readonly code: Uint8Array
}

/** Where a jump goes to in the text; `undefined`: an `if` or the like in between. */
type Label = Placed | 'leave' | 'out' | undefined

/** `scratch`: where the code is put together; what was there is lost. */
export function writeRegion(region: Region, imports: Imports, scratch: Bytes): Written {
  scratch.clear()
  return new RegionWriter(region, imports, scratch).write()
}

class RegionWriter {
  readonly #region: Region
  readonly #imports: Imports
  readonly #structure: Structure
  readonly #out: StateWriter
  readonly #needsFlags: ReadonlySet<Placed>
  readonly #labels: Label[] = []

  constructor(region: Region, imports: Imports, code: Bytes) {
    this.#region = region
    this.#imports = imports
    this.#structure = structureOf(region)
    this.#out = new StateWriter(region.slots, imports, (site, count, depth) => this.#leave(site, count, depth), code)
    for (const { block } of this.#structure.placed) countHot(block.statements)
    this.#needsFlags = new Set(this.#structure.placed.filter(({ block }) => needsFlags(block.statements)))
    for (const { block } of this.#structure.placed) countCold(block.statements)
  }

  write(): Written {
    const out = this.#out
    out.enter(this.#structure.entry.block.count)
    this.#open('out')
    this.#open('leave')
    this.#tree(this.#structure.entry)
    this.#close()
    out.resolveSite(this.#region.start)
    this.#close()
    out.storeAll()
    out.result()
    const slotTypes = this.#region.slots.all.map(({ type }) => type)
    return { locals: [...OWN_LOCALS, ...slotTypes, ...out.temps], code: out.code.view.slice() }
  }

  #open(label: Label, op: number = Op.block): void {
    this.#out.op(op)
    this.#out.op(VOID)
    this.#labels.push(label)
  }
  #close(): void {
    this.#out.op(Op.end)
    this.#labels.pop()
  }
  #branch(label: Label, depth = 0): void {
    this.#out.op(Op.br)
    this.#out.code.unsigned(depth + this.#labels.length - 1 - this.#labels.lastIndexOf(label))
  }

  /** A block and all that it dominates. */
  #tree(placed: Placed): void {
    if (placed.isLoop) this.#open(placed, Op.loop)
    this.#within(placed, 0)
    if (placed.isLoop) {
      this.#close()
      this.#out.op(Op.unreachable)
    }
  }
  #within(placed: Placed, merged: number): void {
    const merge = placed.merges[merged]
    if (!merge) {
      this.#out.inBlock(() => this.#statements(placed, placed.block.statements))
      this.#out.op(Op.unreachable)
      return
    }
    this.#open(merge)
    this.#within(placed, merged + 1)
    this.#close()
    this.#tree(merge)
  }

  #statements(placed: Placed, statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(placed, statement)
  }
  #statement(placed: Placed, statement: Statement): void {
    const out = this.#out
    const { block } = placed
    switch (statement.kind) {
      case 'hold':
        out.hold(statement.nodes)
        break
      case 'set':
        out.set(statement.slot, statement.node)
        break
      case 'load':
      case 'host':
        out.access(statement, block.count)
        break
      case 'load-host':
        out.push(statement.host)
        out.loadHost(statement.node, statement.bytes)
        break
      case 'store-host':
        out.push(statement.host)
        out.push(statement.value)
        out.storeHost(statement.bytes)
        break
      case 'load-state':
        out.get(BASE)
        out.loadFrom(statement.node.type, statement.offset)
        out.define(statement.node)
        break
      case 'store-state':
        out.get(BASE)
        out.push(statement.value)
        out.storeTo(statement.value.type, statement.offset)
        break
      case 'probe':
        out.probe(statement)
        break
      case 'budget':
        out.get(BUDGET)
        out.define(statement.node)
        break
      case 'spend':
        out.get(BUDGET)
        out.push(statement.count)
        out.op(Op.i32_sub)
        out.setLocal(BUDGET)
        break
      case 'copy':
      case 'fill':
        out.bulk(statement)
        break
      case 'flags':
        if (statement.active) out.flags(statement.pending)
        break
      case 'if':
        this.#if(placed, statement)
        break
      case 'goto':
        this.#goto(placed, statement)
        break
      case 'jump':
        out.refund(block.count - statement.done)
        out.coldFlags(statement.pending)
        this.#jump(statement)
        this.#branch('out')
        break
      case 'leave':
        for (const [offset, value] of statement.writes) out.storeConstant(offset, value)
        this.#leave(statement.site, block.count)
        break
      case 'helper':
        this.#helper(statement, block)
        break
      case 'asked':
        this.#leaveIfAsked(statement.site, block, LEAVE_ASKED)
        break
    }
  }

  #if(placed: Placed, statement: Extract<Statement, { kind: 'if' }>): void {
    const out = this.#out
    const changing = new Set<Slot>()
    const nodes: Node[] = []
    for (const arm of [statement.yes, statement.no])
      needsOf(arm, statement.first, this.#region.slots.all, changing, nodes)
    out.arms(changing, nodes, (nextArm) => {
      out.push(statement.condition)
      this.#open(undefined, Op.if)
      this.#statements(placed, statement.yes)
      if (statement.no.length > 0) {
        nextArm()
        out.op(Op.else)
        this.#statements(placed, statement.no)
      }
      this.#close()
    })
  }

  #goto(placed: Placed, { target, at, done, pending }: Extract<Statement, { kind: 'goto' }>): void {
    const out = this.#out
    const unused = placed.block.count - done
    const to = this.#structure.edge(placed, at)
    if (!to) {
      out.refund(unused)
      out.coldFlags(pending)
      out.storeRip(target)
      this.#branch('out')
      return
    }
    const handsOn = this.#needsFlags.has(to)
    if (handsOn) out.coldFlags(pending)
    const { count, start } = to.block
    out.refund(unused - count)
    if (count > unused) {
      out.get(BUDGET)
      out.const32(0)
      out.op(Op.i32_lt_s)
      this.#open(undefined, Op.if)
      this.#leave({ at: start, done: 0, pending: handsOn ? undefined : pending }, count)
      this.#close()
    }
    if (to.number <= placed.number || this.#labels.includes(to)) this.#branch(to)
    else this.#tree(to)
  }

  #jump({ target, returns }: Extract<Statement, { kind: 'jump' }>): void {
    const out = this.#out
    out.get(BASE)
    out.push(target)
    if (!returns) {
      out.tee(LONG)
      out.storeTo(I64, S_RIP)
      out.get(BASE)
      out.get(LONG)
      out.op(Op.i32_wrap_i64)
      out.storeTo(I32, S_INDIRECT)
    } else out.storeTo(I64, S_RIP)
  }

  /** Out of the middle of a block of `count` instructions, `done` of which have happened. */
  #leave({ at, done, pending }: Site, count: number, depth = 0): void {
    this.#out.coldFlags(pending)
    this.#out.markSite(at, count - done)
    this.#branch('leave', depth)
  }
  /** For what S_LEAVE says from `least` on. */
  #leaveIfAsked(site: Site, { count }: Block, least: number): void {
    this.#out.get(BASE)
    this.#out.memory(Op.i32_load, S_LEAVE)
    this.#out.const32(least)
    this.#out.op(Op.i32_lt_s)
    this.#out.op(Op.i32_eqz)
    this.#open(undefined, Op.if)
    this.#leave(site, count)
    this.#close()
  }

  #helper(statement: Extract<Statement, { kind: 'helper' }>, block: Block): void {
    const out = this.#out
    const { helper, args, node, site } = statement
    out.storeAll()
    out.storeRip(statement.rip)
    out.storeBudget(block.count - site.done)
    for (const arg of args) out.push(arg)
    out.op(Op.call)
    out.code.unsigned(this.#imports.helper(helper, [args.map(({ type }) => type), node ? [node.type] : []]))
    if (node) out.define(node)
    this.#leaveIfAsked({ ...site, pending: undefined }, block, LEAVE_EXIT)
    out.keepAll(out.kept)
    out.loadAll()
  }
}
