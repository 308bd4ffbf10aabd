/** What waits to be sent: in order, whole, and called back at once. */
import { expect, test } from 'vitest'
import { SendQueue } from './send-queue.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (taken: Uint8Array): string => new TextDecoder().decode(taken)

test('parts leave in the order in which they came, cut wherever there is no more room', () => {
  const queue = new SendQueue()
  for (const part of ['hello ', '', 'world', '!']) queue.push(bytes(part))
  expect(queue.pending).toBe(12)
  expect([4, 4, 0, 3, 100, 1].map((count) => text(queue.take(count)))).toEqual(['hell', 'o wo', '', 'rld', '!', ''])
  expect(queue.progress).toBeUndefined()
})

test('a megabyte leaves byte for byte', () => {
  const queue = new SendQueue()
  const megabyte = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) & 255)
  queue.push(megabyte.subarray(0, 1000))
  queue.push(megabyte.subarray(1000))
  const got = new Uint8Array(megabyte.length)
  for (let at = 0; queue.pending > 0; ) {
    const part = queue.take(2304)
    got.set(part, at)
    at += part.length
  }
  expect(got.every((byte, i) => byte === megabyte[i])).toBe(true)
})

test('progress is of all that was pushed since it was last empty; who looks is told', () => {
  const queue = new SendQueue()
  const seen: (string | undefined)[] = []
  const stop = queue.subscribe(() => seen.push(queue.progress && `${queue.progress.sent}/${queue.progress.total}`))
  queue.push(bytes('abcd'))
  queue.take(1)
  queue.push(bytes('ef'))
  queue.take(5)
  queue.push(bytes('g'))
  queue.cancel()
  expect(seen).toEqual(['0/4', '1/4', '1/6', undefined, '0/1', undefined])
  expect(text(queue.take(10))).toBe('')
  stop()
  queue.push(bytes('h'))
  expect(seen).toHaveLength(6)
})
