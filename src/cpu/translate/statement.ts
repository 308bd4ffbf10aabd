/** What a block does, in order: everything that has an effect, may fault, or ends the block. Values are nodes. */
import type { Calculation, Helper } from '../semantics/emitter.ts'
import type { Node, Slot } from './node.ts'
import type { Place } from './span.ts'

/** Lazy flags that need not be in their slots: CC_OP's number, and nodes of 64 bits. */
export interface Pending {
  readonly code: number
  readonly dst: Node
  readonly src: Node
  /** They are put there as soon as they are known. Settled when the block has been built. */
  isStored: boolean
}

/** Where in the block something may leave the region, so that the state is right there. */
export interface Site {
  /** The address that counts then, from the region's start. */
  readonly at: number
  /** How many instructions of the block have happened. */
  readonly done: number
  /** Undefined or stored: the flags are in their slots. */
  readonly pending: Pending | undefined
}

/** What S_LEAVE says: somebody has asked for a pause behind this instruction; S_EXIT and so on tell why the run ended; the interpreter is to do this instruction. */
export const LEAVE_ASKED = 1
export const LEAVE_EXIT = 2
export const LEAVE_INTERPRET = 3

export type AccessBytes = 1 | 2 | 4 | 8 | 16

export type Statement =
  /** From here on these nodes are what the slots hold. Filled while the block is built. */
  | { readonly kind: 'hold'; readonly nodes: Node[] }
  | { readonly kind: 'set'; readonly slot: Slot; readonly node: Node }
  | {
      readonly kind: 'load'
      readonly node: Node
      readonly address: Node
      readonly bytes: AccessBytes
      readonly stack: boolean
      readonly site: Site
      readonly place: Place | undefined
    }
  /** Where in the memory a store to that address goes; faults as the store would. */
  | {
      readonly kind: 'host'
      readonly node: Node
      readonly address: Node
      readonly bytes: number
      readonly stack: boolean
      readonly site: Site
      readonly place: Place | undefined
    }
  | { readonly kind: 'load-host'; readonly node: Node; readonly host: Node; readonly bytes: AccessBytes }
  | {
      readonly kind: 'store-host'
      readonly host: Node
      readonly value: Node
      readonly bytes: AccessBytes
      /** Of 4 or 8 bytes, and a vector: that lane of it. */
      readonly lane?: number
    }
  /** Where in the memory an address lies if the TLB has it for such an access, else 0. */
  | { readonly kind: 'probe'; readonly node: Node; readonly address: Node; readonly write: boolean }
  /** What nobody is waiting for of the budget, and less of it. */
  | { readonly kind: 'budget'; readonly node: Node }
  | { readonly kind: 'spend'; readonly count: Node }
  /** Bytes within the memory. */
  | { readonly kind: 'copy'; readonly to: Node; readonly from: Node; readonly bytes: Node }
  | { readonly kind: 'fill'; readonly to: Node; readonly value: Node; readonly bytes: Node }
  /** A word of the vCPU's state that no slot has. */
  | { readonly kind: 'load-state'; readonly node: Node; readonly offset: number }
  | { readonly kind: 'store-state'; readonly offset: number; readonly value: Node }
  | {
      readonly kind: 'if'
      readonly condition: Node
      readonly yes: Statement[]
      readonly no: Statement[]
      /** Nodes below this number are from before. */
      readonly first: number
    }
  /** Puts the flags into their slots, if they are to be stored. */
  | { readonly kind: 'flags'; readonly pending: Pending }
  /** On at an address that is known; `done` instructions of the block have happened. */
  | {
      readonly kind: 'goto'
      readonly target: bigint
      /** The same from the region's start. */
      readonly at: number
      readonly done: number
      readonly pending: Pending | undefined
    }
  | {
      readonly kind: 'jump'
      readonly target: Node
      readonly returns: boolean
      readonly done: number
      readonly pending: Pending | undefined
    }
  /** Leaves the region for good; `writes` go to the state before. */
  | {
      readonly kind: 'leave'
      readonly site: Site
      readonly writes: readonly (readonly [offset: number, value: number])[]
    }
  | {
      readonly kind: 'helper'
      readonly helper: Helper
      readonly rip: bigint
      readonly args: readonly Node[]
      readonly node: Node | undefined
      readonly site: Site
    }
  /** Out of line: registers stay where they are. */
  | {
      readonly kind: 'calculate'
      readonly calculation: Calculation
      readonly args: readonly Node[]
      readonly node: Node
      readonly site: Site
    }
  /** Leaves if somebody has asked for it within a helper. */
  | { readonly kind: 'asked'; readonly site: Site }

export type Access = Extract<Statement, { kind: 'load' | 'host' }>
