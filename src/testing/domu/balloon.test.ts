/** Memory moved between a guest and the host: every place that tells of it tells the same. */
import { beforeAll, expect, test } from 'vitest'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host } from '../dom0-host.ts'
import { frames, info, row } from './host-facts.ts'

let base: { bytes: Uint8Array; known: string[] }
beforeAll(async () => {
  base = await buildDiskAndKnown()
}, 120_000)

const pagesOf = (host: Dom0Host, id: number): number | undefined =>
  frames(host).domains.find(([found]) => found === id)?.[1]

test('mem-set, and the target written by hand', () => {
  const host = new Dom0Host({ base })
  host.boot()
  expect(host.run('xm create sebastian').status).toBe(0)
  host.inGuest('sebastian', 'sebastian', () => {})
  const free = Number(info(host, 'free_memory'))

  const balloon = (): string =>
    host.inGuest(
      'sebastian',
      'sebastian',
      () => host.run("sed -n 's/^Current allocation: *//p' /proc/xen/balloon").output,
    )

  expect(host.run('xm mem-set sebastian 112')).toEqual({ output: '', status: 0 })
  host.runFor(2)
  expect(row(host, 'sebastian')?.mem).toBe(112)
  expect(pagesOf(host, 1)).toBe(112 * 256)
  expect(balloon()).toBe('114688 kB')
  expect(Number(info(host, 'free_memory')) - free).toBe(16)

  expect(host.run('xm mem-set sebastian 128').status).toBe(0)
  host.runFor(2)
  expect(row(host, 'sebastian')?.mem).toBe(128)
  expect(pagesOf(host, 1)).toBe(128 * 256)
  expect(balloon()).toBe('131072 kB')
  expect(Number(info(host, 'free_memory'))).toBe(free)

  // Whoever may write the target moves the memory; xend's record is its own.
  expect(host.run('xenstore-write /local/domain/1/memory/target 98304').status).toBe(0)
  host.runFor(2)
  expect(pagesOf(host, 1)).toBe(96 * 256)
  expect(row(host, 'sebastian')?.mem).toBe(128)
  expect(balloon()).toBe('98304 kB')
})
