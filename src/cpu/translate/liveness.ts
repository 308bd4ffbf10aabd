/**
 * Which of a region's blocks need the flags in their slots when they begin: the others set them before anybody could look. Whoever leaves looks, and every jump may leave,
 * since the budget may be used up there.
 */
import { S_CC_OP } from '../state.ts'
import type { Pending, Statement } from './statement.ts'

/** Of a block whose nodes' hot uses have been counted. */
export function needsFlags(statements: readonly Statement[]): boolean {
  return new FlagsReader().walk(statements, true)
}

class FlagsReader {
  /** The flags' slots are this block's own from here on. */
  #own = false

  #isFromBefore(pending: Pending | undefined): boolean {
    if (!pending) return !this.#own
    return !pending.isStored && (pending.src.lazy || pending.dst.lazy)
  }

  walk(statements: readonly Statement[], isTop: boolean): boolean {
    return statements.some((statement) => this.#reads(statement, isTop))
  }

  #reads(statement: Statement, isTop: boolean): boolean {
    switch (statement.kind) {
      case 'flags': {
        const { dst, src, isStored } = statement.pending
        if (!isStored) return false
        this.#own ||= isTop
        return dst.lazy || src.lazy
      }
      case 'helper':
        return !this.#own
      case 'load':
      case 'host':
      case 'leave':
      case 'asked':
      case 'calculate':
        return this.#isFromBefore(statement.site.pending)
      case 'goto':
      case 'jump':
        return this.#isFromBefore(statement.pending)
      case 'if':
        return this.walk(statement.yes, false) || this.walk(statement.no, false)
      case 'hold':
        return !this.#own && statement.nodes.some(({ hot, slot }) => hot && slot!.offset === S_CC_OP)
      default:
        return false
    }
  }
}
