/** What observers are told: gathered, in order, and in messages that a page can take between two frames. */
import { expect, test } from 'vitest'
import type { FromWorker } from '#protocol/messages.ts'
import { createObserved } from './observed.ts'

function rig() {
  const sent: FromWorker[] = []
  const observed = createObserved((message) => void sent.push(message))
  return { sent, observed, say: (line: string, atNs: number) => observed.probe({ kind: 'xenstore', line, atNs }) }
}

test('XenStore’s lines go together, but no more than a thousand of them', () => {
  const { sent, observed, say } = rig()
  for (let i = 0; i < 2500; i++) say(`line ${i}`, i)
  expect(sent).toEqual([])
  observed.flush()
  const messages = sent.flatMap((message) => (message.type === 'xenstore' ? [message] : []))
  expect(messages.map(({ lines }) => lines.length)).toEqual([1000, 1000, 500])
  expect(messages.flatMap(({ lines }) => lines)).toEqual(Array.from({ length: 2500 }, (_, i) => `line ${i}`))
  expect(messages.flatMap(({ atNs }) => atNs)).toEqual(Array.from({ length: 2500 }, (_, i) => i))
  expect(observed.waits()).toBe(false)
  observed.flush()
  expect(sent).toHaveLength(3)
})

test('what was said before a state is sent before it; what a rehearsal’s earlier life said is not', () => {
  const { sent, observed, say } = rig()
  say('a', 1)
  observed.state('xen')
  expect(sent.map(({ type }) => type)).toEqual(['xenstore', 'state'])
  observed.rehearse()
  say('old', 1)
  observed.state('off')
  say('new', 2)
  observed.rehearsed()
  observed.flush()
  expect(sent.slice(2)).toEqual([{ type: 'xenstore', lines: ['new'], atNs: [2] }])
})
