/** Checking a disk that lies in memory. */
import { type BlockStore, SECTOR_BYTES } from '../../block-store.ts'
import { type CheckResult, checkExt2, openSuperblock, restoreSuperblock } from './check.ts'
import type { CheckIo, Step } from './io.ts'

/** All text goes to `say`. */
export function storeIo(store: BlockStore, say: (text: string) => void): CheckIo<never> {
  return {
    *read(block, count, blockBytes): Step<never, Uint8Array> {
      const perBlock = blockBytes / SECTOR_BYTES
      return store.read(block * perBlock, count * perBlock)
    },
    *write(block, bytes, blockBytes): Step<never, void> {
      store.write((block * blockBytes) / SECTOR_BYTES, bytes)
    },
    *say(text): Step<never, void> {
      say(text)
    },
  }
}

/** A whole check. `result` is undefined where it was aborted, or there is no file system. */
export function checkStore(
  store: BlockStore,
  answer: 'yes' | 'no' | 'preen',
  now: number,
): { result: CheckResult | undefined; text: string } {
  let text = ''
  const io = storeIo(store, (part) => {
    text += part
  })
  const run = function* (): Step<never, CheckResult | undefined> {
    const opened = yield* openSuperblock(io)
    const found = typeof opened === 'string' && answer !== 'no' ? yield* restoreSuperblock(io) : opened
    if (!found || typeof found === 'string') return undefined
    return yield* checkExt2(io, found, { answer, name: '/', now })
  }
  const step = run().next()
  return { result: step.done ? step.value : undefined, text }
}
