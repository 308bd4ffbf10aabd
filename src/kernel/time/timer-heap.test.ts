import { expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { TimerHeap } from './timer-heap.ts'

test('timers come in the order of their times, those of one time in the order in which they were set', () => {
  const heap = new TimerHeap()
  const rng = createRng(1)
  const came: number[] = []
  const wanted: { due: number; id: number }[] = []
  for (let id = 0; id < 2000; id++) {
    const due = rng.below(300)
    const timer = heap.add(due, () => came.push(id))
    if (rng.below(3) > 0) heap.cancel(timer)
    else wanted.push({ due, id })
  }
  for (let now = 0; now < 300; now += 7)
    for (let timer = heap.takeDue(now); timer; timer = heap.takeDue(now)) timer.expired()
  for (let timer = heap.takeDue(300); timer; timer = heap.takeDue(300)) timer.expired()
  expect(came).toEqual(wanted.sort((a, b) => a.due - b.due || a.id - b.id).map(({ id }) => id))
  expect(heap.first).toBeUndefined()
})
