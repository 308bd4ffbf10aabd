/** What executes machine code comes after the machine has begun: who wants it before stands still, and then goes on as if it had been there. */
import { describe, expect, test } from 'vitest'
import { packDisk } from '#lib/ondisk/disk-container.ts'
import { sectorDisk } from '#testing/sector-disk.ts'
import { Bench } from './bench.ts'

/** A page that is its own page tables, with inc %eax; syscall: then COM1 says 64 more than EAX. */
const PROGRAM =
  'export function start({io,mem,ring3}){let r;return{run(d){if(!r){io.out8(1016,60);r=ring3();mem.write32(65536,65543);' +
  'mem.write32(65600,0x050fc0ff);r.setRoot(0,16);r.registers.write32(128,64);r.enter(d);io.out8(1016,64+r.registers.read8(0))}' +
  "return{kind:'pause',untilNs:Infinity,forInput:true}},interrupt(){},nmi(){}}}"

function powered(): Bench {
  const bench = new Bench()
  bench.powerOn(undefined, { disk: packDisk(sectorDisk(PROGRAM)).slice().buffer as ArrayBuffer })
  return bench
}

describe('machine code', () => {
  test('that is wanted too early waits, and nothing is said twice', () => {
    const bench = powered()
    expect(bench.until('A', 2000)).toBe(false)
    const asked = bench.request({ kind: 'digest' })
    expect(asked.reply).toBeUndefined()
    bench.machineCode()
    expect(bench.until('A')).toBe(true)
    expect(asked.reply).toMatchObject({ reply: { ok: true } })
    expect([bench.com1, bench.faults]).toEqual(['<A', []])
  })

  test('comes in time, and once', () => {
    const bench = powered()
    bench.machineCode()
    bench.machineCode()
    expect(bench.until('A')).toBe(true)
    expect([bench.com1, bench.faults]).toEqual(['<A', []])
  })
})
