/** The rules of world.ts's head, tried on the real machine with programs of a sector. */
import { describe, expect, test } from 'vitest'
import type { CrashReport, MachineState, WorldRecord } from '#protocol/machine.ts'
import { sectorDisk, sectorProgram } from '#testing/sector-disk.ts'
import { createRing3s } from './ring3.ts'
import { createWorld, type World } from './world.ts'

const SECOND = 1e9
const never = (): boolean => false

/** Prints on COM1 what is typed there, one character later in the alphabet, forever. */
const ECHO = sectorProgram(
  "if(io.in8(1021)&1){io.out8(1016,io.in8(1016)+1)}return{kind:'pause',untilNs:Infinity,forInput:true}",
  'io.out8(1020,3)',
)
const HLT = "return{kind:'hlt',interrupts:false}"

function world(source: string, options: { seed?: number } = {}): World {
  const disk = sectorDisk(source)
  return createWorld({
    disk,
    diskHash: disk.hash(),
    memoryMiB: 16,
    seed: options.seed ?? 1,
    build: 'test',
    createRing3s: () => createRing3s,
  })
}

function run(w: World, untilNs: number): void {
  while (w.runUntil(untilNs, never) === 'slice');
}

interface Watched {
  readonly world: World
  readonly states: MachineState[]
  readonly crashes: CrashReport[]
  text(): string
}

function watched(source: string): Watched {
  const w = world(source)
  const states: MachineState[] = []
  const crashes: CrashReport[] = []
  let text = ''
  w.onState((state) => states.push(state))
  w.onCrash((report) => crashes.push(report))
  w.onSerial((_, byte) => {
    text += String.fromCharCode(byte)
  })
  return { world: w, states, crashes, text: () => text }
}

const typed = (w: World, text: string): void =>
  w.input({ kind: 'serial', line: 'com1', bytes: [...text].map((c) => c.charCodeAt(0)) })

describe('a world', () => {
  test('is off, and idle, until the power button is pressed', () => {
    const { world: w, states } = watched(ECHO)
    expect(w.runUntil(Number.POSITIVE_INFINITY, never)).toBe('idle')
    expect(w.state()).toBe('off')
    w.powerOn()
    run(w, 3 * SECOND)
    expect(states).toEqual(['firmware', 'bootloader'])
    w.input({ kind: 'button', button: 'power' })
    run(w, 4 * SECOND)
    expect(states).toEqual(['firmware', 'bootloader', 'off'])
    expect(w.nextNs()).toBe(Number.POSITIVE_INFINITY)
  })

  test('answers on the serial line', () => {
    const { world: w, text } = watched(ECHO)
    w.powerOn()
    run(w, 3 * SECOND)
    typed(w, 'HAL')
    run(w, 4 * SECOND)
    expect(text()).toBe('IBM')
  })

  test('settles when only a person could make something happen', () => {
    const { world: w } = watched(ECHO)
    w.powerOn()
    while (w.runUntil(Number.POSITIVE_INFINITY, never, true) === 'slice');
    expect(w.settled()).toBe(true)
    expect(w.state()).toBe('bootloader')
  })

  test('stops at the very byte that its driver waits for', () => {
    const { world: w, text } = watched(ECHO)
    w.powerOn()
    run(w, 3 * SECOND)
    typed(w, 'abc')
    while (w.runUntil(9 * SECOND, () => text().endsWith('c')) === 'slice');
    expect(text()).toBe('bc')
    expect(w.nowNs()).toBeLessThan(4 * SECOND)
    expect(w.runUntil(9 * SECOND, () => text().endsWith('d'))).toBe('stopped')
    expect(text()).toBe('bcd')
  })

  test.each([
    ['a loop without end', 'for(;;);', 'fuel exhausted'],
    ['a recursion without end', `function f(){return f()+1}f();${HLT}`, 'stack overflow'],
    ['a throw', "throw Error('my words')", 'my words'],
    ['a catch that hides a loop', `try{for(;;);}catch(e){}${HLT}`, 'fuel exhausted'],
    ['no exit at all', 'return', 'TypeError'],
  ])('reports %s as a crash of that image, and goes on', (_, body, message) => {
    const { world: w, crashes } = watched(sectorProgram(body))
    w.powerOn()
    run(w, 3 * SECOND)
    expect(crashes).toHaveLength(1)
    expect(crashes[0]).toMatchObject({ image: 'test' })
    expect(crashes[0]!.message).toContain(message)
    expect(w.state()).toBe('halted')
    w.input({ kind: 'button', button: 'reset' })
    run(w, 6 * SECOND)
    expect(crashes).toHaveLength(2)
  })

  test('names file and line of a crash', () => {
    const source = `export function start(){\nreturn {\nrun(){\nfor(;;);\n},interrupt(){},nmi(){}}}`
    const { world: w, crashes } = watched(source)
    w.powerOn()
    run(w, 3 * SECOND)
    expect(crashes[0]).toMatchObject({ file: 'test.ts', message: 'fuel exhausted' })
  })

  test('comes back from a reset by the keyboard controller, at once', () => {
    const { world: w, states, crashes } = watched(sectorProgram('io.out8(100,254);for(;;);'))
    w.powerOn()
    run(w, 6 * SECOND)
    expect(crashes).toEqual([])
    expect(states.filter((state) => state === 'bootloader').length).toBeGreaterThan(1)
  })

  test('refuses to run what is no image', () => {
    const { world: w, crashes } = watched(sectorProgram("return{kind:'jump',to:32768,regs:{}}"))
    w.powerOn()
    run(w, 3 * SECOND)
    expect(crashes[0]!.message).toBe('no image header here')
  })
})

describe('determinism', () => {
  /** The same inputs, the run cut into calls of `strideNs`. */
  function story(strideNs: number, record?: WorldRecord): { digest: string; text: string; record: WorldRecord } {
    const { world: w, text } = watched(ECHO)
    const until = (ns: number): void => {
      for (let at = w.nowNs(); at < ns; at += strideNs) run(w, Math.min(at + strideNs, ns))
    }
    if (record) for (const _ of w.replay(record));
    else {
      w.powerOn()
      until(2 * SECOND)
      typed(w, 'the quick brown fox')
      until(2 * SECOND + 700_000)
      typed(w, ' jumps')
      w.input({ kind: 'keyboard', scancodes: [0x1e, 0x9e] })
      until(3 * SECOND)
    }
    return { digest: w.digest(), text: text(), record: w.record() }
  }

  test('the same seed and inputs give the same bytes, however the run is cut', () => {
    const whole = story(10 * SECOND)
    expect(whole.text.length).toBe('the quick brown fox jumps'.length)
    expect(story(10 * SECOND)).toEqual(whole)
    expect(story(123_457)).toEqual(whole)
  })

  test('a record replays to the same bytes, also one taken by a driver that stopped at bytes', () => {
    const whole = story(10 * SECOND)
    expect(story(1, whole.record)).toEqual(whole)

    const { world: w, text } = watched(ECHO)
    w.powerOn()
    run(w, 2 * SECOND)
    for (let i = 0; i < 20; i++) {
      typed(w, 'xy')
      while (w.runUntil(w.nowNs() + SECOND, () => text().endsWith('y')) === 'slice');
    }
    const record = w.record()
    const again = watched(ECHO)
    for (const _ of again.world.replay(record));
    expect(again.text()).toBe(text())
    expect(again.world.digest()).toBe(w.digest())
  })

  test('a record replays to the same bytes when inputs came between slices, in the middle of an instant', () => {
    // Never idle: a slice ends behind a step, and the reset button shows whether a replay puts it behind that step too.
    const { world: w } = watched(sectorProgram("return{kind:'run'}"))
    w.powerOn()
    while (w.state() !== 'bootloader') run(w, w.nowNs() + 1000)
    for (let slices = 0; slices < 10; slices++) {
      expect(w.runUntil(Number.POSITIVE_INFINITY, never)).toBe('slice')
      w.input({ kind: 'button', button: 'reset' })
      run(w, w.nowNs() + SECOND / 100)
      while (w.state() !== 'bootloader') run(w, w.nowNs() + 1000)
    }
    const again = watched(sectorProgram("return{kind:'run'}"))
    for (const _ of again.world.replay(w.record()));
    expect(again.world.digest()).toBe(w.digest())
  })

  test('another input gives another digest', () => {
    const digestOf = (w: World): string => {
      w.powerOn()
      run(w, SECOND)
      return w.digest()
    }
    const first = digestOf(world(ECHO))
    expect(digestOf(world(ECHO))).toBe(first)
    const typing = world(ECHO)
    typing.powerOn()
    run(typing, SECOND / 2)
    typed(typing, 'x')
    run(typing, SECOND)
    expect(typing.digest()).not.toBe(first)
  })
})

describe('machine code', () => {
  // A page that is its own page tables, with 1: rdtsc; add %eax,%ebx; jmp 1b.
  const SPIN =
    'export function start({mem,ring3}){const r=ring3();mem.write32(65536,65543);mem.write32(65600,0xc301310f);' +
    "mem.write16(65604,0xfaeb);r.setRoot(0,16);r.registers.write32(128,64);return{run(d){r.enter(d);return{kind:'run'}}," +
    'interrupt(){},nmi(){}}}'
  const made = (isThere: () => boolean): World => {
    const disk = sectorDisk(SPIN)
    const code = () => (isThere() ? createRing3s : undefined)
    return createWorld({ disk, diskHash: '', memoryMiB: 16, seed: 1, build: 'test', createRing3s: code })
  }
  const story = (w: World, stepNs: number): string => {
    w.powerOn()
    while (w.state() !== 'bootloader') run(w, w.nowNs() + 1_000_000)
    const endNs = w.nowNs() + 20_000
    for (let at = w.nowNs(); at < endNs; at = Math.min(at + stepNs, endNs)) run(w, at)
    run(w, endNs)
    return w.digest()
  }

  test('runs in its processor’s time, the same however the run is cut', () => {
    const whole = story(
      made(() => true),
      SECOND,
    )
    expect(
      story(
        made(() => true),
        1234,
      ),
    ).toBe(whole)
    const w = made(() => true)
    story(w, SECOND)
    run(w, w.nowNs() + 10_000)
    expect(w.digest()).not.toBe(whole)
    const again = made(() => true)
    for (const _ of again.replay(w.record()));
    expect(again.digest()).toBe(w.digest())
  })

  test('that is wanted before what executes it has come lets the world stand still, and goes on in the same world once more', () => {
    let isThere = false
    const w = made(() => isThere)
    w.powerOn()
    expect(w.waitsForRing3()).toBe(false)
    run(w, 5 * SECOND)
    expect([w.waitsForRing3(), w.runUntil(5 * SECOND, never)]).toEqual([true, 'disk'])
    const stoodAtNs = w.nowNs()
    isThere = true
    const again = made(() => isThere)
    for (const _ of again.replay(w.record()));
    expect([again.waitsForRing3(), again.nowNs()]).toEqual([false, stoodAtNs])
    run(again, stoodAtNs + 10_000)
    expect(again.state()).toBe('bootloader')
    expect(again.nowNs()).toBe(stoodAtNs + 10_000)
  })

  test('is forgotten by a reset', () => {
    const w = made(() => true)
    const whole = story(w, SECOND)
    w.input({ kind: 'button', button: 'power' })
    run(w, w.nowNs() + 1)
    const off = w.digest()
    expect(off).not.toBe(whole)
    story(w, SECOND)
    expect(w.waitsForRing3()).toBe(false)
  })
})
