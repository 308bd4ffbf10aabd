/**
 * Writes a region as a WebAssembly function of (base, budget). It gives what is left of the budget if the run goes on at S_RIP, and its complement if something else
 * comes first: the interpreter (the budget does not suffice for a block, or S_LEAVE says so), or the end of the run.
 *
 * Registers are loaded when it begins and stored where it ends, at one place. What leaves out of the middle says where and how many of its block's instructions have not
 * happened in one number (`site`).
 */

import type { Helper } from '../semantics/emitter.ts'
import { S_LEAVE } from '../state.ts'
import type { Bytes } from '../wasm/bytes.ts'
import type { Signature } from '../wasm/module.ts'
import { Op, type ValueType, VOID } from '../wasm/opcodes.ts'
import { isChecked } from './accounts.ts'
import { CALCULATION_SIGNATURE } from './calculation.ts'
import { needsFlags } from './liveness.ts'
import type { Node, Slot } from './node.ts'
import type { Region } from './region.ts'
import { BASE, BUDGET, type Imports, isNear, OWN_LOCALS, StateWriter } from './state-writer.ts'
import { LEAVE_ASKED, LEAVE_EXIT, type Site, type Statement } from './statement.ts'
import { type Goto, type Placed, type Structure, structureOf } from './structure.ts'
import { countCold, countHot, needsOf } from './uses.ts'

export interface Written {
  readonly locals: readonly ValueType[]
  readonly code: Uint8Array
}

/** Where a jump goes to in the text; `undefined`: an `if` or the like in between. */
type Label = Placed | 'leave' | 'site' | 'out' | undefined

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
    this.#out = new StateWriter(region.slots, imports, (site, debt, depth) => this.#leaveIf(site, debt, depth), code)
    for (const { block } of this.#structure.placed) countHot(block.statements)
    this.#needsFlags = new Set(this.#structure.placed.filter(({ block }) => needsFlags(block.statements)))
    for (const { block } of this.#structure.placed) countCold(block.statements)
  }

  write(): Written {
    const out = this.#out
    out.enter(this.#structure.entry.longest)
    this.#open('out')
    this.#open('site')
    this.#open('leave')
    this.#tree(this.#structure.entry)
    this.#close()
    out.markLeft()
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
  #branch(label: Label, depth = 0, op: number = Op.br): void {
    this.#out.op(op)
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
    switch (statement.kind) {
      case 'hold':
        out.hold(statement.nodes)
        break
      case 'set':
        out.set(statement.slot, statement.node)
        break
      case 'load':
      case 'host':
        out.access(statement, placed.debt)
        break
      case 'load-host':
        out.push(statement.host)
        out.loadHost(statement.node, statement.bytes, statement.host.offset)
        break
      case 'store-host':
        out.push(statement.host)
        out.push(statement.value)
        out.storeHost(statement.bytes, statement.host.offset, statement.lane)
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
        out.pushBudget(placed.debt + placed.longest)
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
        if (statement.pending.isStored) out.flags(statement.pending)
        break
      case 'if':
        this.#if(placed, statement)
        break
      case 'goto':
        this.#goto(placed, statement)
        break
      case 'jump':
        out.settle(placed.debt + statement.done)
        out.coldFlags(statement.pending)
        out.jump(statement)
        this.#branch('out')
        break
      case 'leave':
        for (const [offset, value] of statement.writes) out.storeConstant(offset, value)
        this.#leave(statement.site, placed.debt)
        break
      case 'helper':
        this.#helper(statement, placed.debt)
        break
      case 'calculate':
        this.#calculate(statement, placed.debt)
        break
      case 'asked':
        this.#leaveIfAsked(statement.site, placed.debt, LEAVE_ASKED)
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

  #goto(placed: Placed, { target, at, done, pending }: Goto): void {
    const out = this.#out
    const debt = placed.debt + done
    const to = this.#structure.edge(placed, at)
    if (!to) {
      out.coldFlags(pending)
      this.#exit(target, at, debt)
      return
    }
    const handsOn = this.#needsFlags.has(to)
    if (handsOn) out.coldFlags(pending)
    if (isChecked(placed, to, done)) {
      out.pushBudget(debt)
      if (to.isSettled) out.tee(BUDGET)
      out.const32(to.longest)
      out.op(Op.i32_lt_s)
      const site = { at: to.block.start, done: 0, pending: handsOn ? undefined : pending }
      this.#leaveIf(site, to.isSettled ? 0 : debt)
    } else if (to.isSettled) out.settle(debt)
    if (to.number <= placed.number || this.#labels.includes(to)) this.#branch(to)
    else this.#tree(to)
  }

  /** To another region, perhaps. */
  #exit(target: bigint, at: number, debt: number): void {
    const out = this.#out
    if (isNear(at)) {
      out.markSite(at, debt)
      this.#branch('site')
      return
    }
    out.settle(debt)
    out.storeRip(target)
    this.#branch('out')
  }

  /** Out of the middle of a block with this debt. */
  #leave({ at, done, pending }: Site, debt: number, depth = 0): void {
    this.#out.coldFlags(pending)
    this.#out.markSite(at, debt + done)
    this.#branch('leave', depth)
  }
  /** The same if what is on the stack is not 0. */
  #leaveIf(site: Site, debt: number, depth = 0): void {
    const out = this.#out
    if (site.pending && !site.pending.isStored) {
      this.#open(undefined, Op.if)
      this.#leave(site, debt, depth)
      this.#close()
    } else {
      out.markSite(site.at, debt + site.done)
      this.#branch('leave', depth, Op.br_if)
    }
  }
  /** For what S_LEAVE says from `least` on. */
  #leaveIfAsked(site: Site, debt: number, least: number): void {
    this.#out.get(BASE)
    this.#out.memory(Op.i32_load, S_LEAVE)
    this.#out.const32(least)
    this.#out.op(Op.i32_lt_s)
    this.#out.op(Op.i32_eqz)
    this.#leaveIf(site, debt)
  }

  #call(helper: Helper, args: readonly Node[], signature: Signature, node: Node | undefined): void {
    for (const arg of args) this.#out.push(arg)
    this.#out.op(Op.call)
    this.#out.code.unsigned(this.#imports.helper(helper, signature))
    if (node) this.#out.define(node)
  }
  #calculate({ calculation, args, node, site }: Extract<Statement, { kind: 'calculate' }>, debt: number): void {
    this.#out.get(BASE)
    this.#call(calculation, args, CALCULATION_SIGNATURE, node)
    this.#leaveIfAsked(site, debt, LEAVE_EXIT)
  }
  #helper({ helper, rip, args, node, site }: Extract<Statement, { kind: 'helper' }>, debt: number): void {
    const out = this.#out
    out.storeAll()
    out.storeRip(rip)
    out.storeBudget(debt + site.done)
    this.#call(helper, args, [args.map(({ type }) => type), node ? [node.type] : []], node)
    this.#leaveIfAsked({ ...site, pending: undefined }, debt, LEAVE_EXIT)
    out.keepAll(out.kept)
    out.loadAll()
  }
}
