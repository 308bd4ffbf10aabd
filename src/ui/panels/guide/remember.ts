/** What the browser keeps of the guide: whether the strip was put away, and the ticks. */
import { load, save } from '../../saved.ts'
import type { PlaygroundStore } from '../../store/store.ts'

const ticksMax = 500

/** Take up what an earlier visit left, and keep what changes from now on. Returns what undoes it. */
export function remember(store: PlaygroundStore): () => void {
  store.dispatch({ type: 'strip', shown: load('strip') !== 'hidden' })
  const done = (load('guide-done') ?? '').split(' ').filter((id) => /^[\w-]+$/.test(id))
  store.dispatch({ type: 'guide-progress', done: done.slice(0, ticksMax) })
  return store.subscribe((state, before) => {
    if (state.stripShown !== before.stripShown) save('strip', state.stripShown ? 'shown' : 'hidden')
    if (state.guideDone !== before.guideDone) save('guide-done', state.guideDone.join(' '))
  })
}
