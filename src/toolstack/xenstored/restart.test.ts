/** What another daemon finds: nonsense from all sides goes on, and so does a daemon whose state somebody has damaged or forged. */
import { expect, test } from 'vitest'
import { createRng } from '#lib/prng.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { campaign } from '#testing/soak.ts'
import { fuzz } from '#testing/xenstore/fuzz.ts'
import { WireWorld } from '#testing/xenstore/wire-world.ts'
import { frameOf } from './state-file.ts'

const DIGITS = [/1/, /2/, /0/, /\d+(?=\0)/, /\d+ (?=R)/]
const NUMBERS = ['-1', '99', '4294967295', '1e9', 'NaN', '', '0x10', '9'.repeat(30)]
const LETTERS = [/n/, /d/, /R/, /w/, /\//, / /, /\0/]
const STATE = '/dev/shm/xenstored/state'

test.each(campaign([1, 2, 3, 4, 5, 6, 7, 8], [1, 2]))(
  'killed and ended amid nonsense (seed %i)',
  (seed) => {
    const { broken, handled } = fuzz({ seed, messages: campaign(50_000, 4000), restarts: true })
    expect(broken).toBe(undefined)
    expect(handled).toBeGreaterThan(1000)
  },
  600_000,
)

/** A state as a daemon has left it: nodes, domains, watches, a transaction. */
function ended(): WireWorld {
  const world = new WireWorld()
  world.run('s WRITE /a/b|1 => OK|\n s CHMOD /a|b0|r1| => OK|')
  for (const domid of [1, 2]) world.introduce(domid)
  world.run('1 WATCH /a|t| => OK| ~/a|t|\n 1 START | => 1|\n s WRITE /a/c|2 => OK|\n 1 => ~/a/c|t|')
  world.host.kill()
  return world
}

test('a whole one is gone on with', () => {
  const world = ended()
  world.host.start()
  world.open('s')
  world.run('s READ /a/c| => 2\n s INTRODUCED 1| => T|\n s WRITE /a/b|3 => OK|\n 1 => ~/a/b|t|\n 1#1 END T| => !EAGAIN')
})

/** With frames that are as they should be, whatever is in them. */
function reframed(state: string, change: (text: string) => string): Uint8Array {
  let all = ''
  for (let at = 0; at < state.length; ) {
    const length = state.charCodeAt(at) | (state.charCodeAt(at + 1) << 8) | (state.charCodeAt(at + 2) << 16)
    const text = state.slice(at + 8, at + 8 + length)
    all += byteString(frameOf(at === 0 ? text : change(text)))
    at += 8 + length
  }
  return bytesOfString(all)
}

test('a damaged or forged one never keeps a daemon from starting, nor from being one', () => {
  const rng = createRng(17)
  const intact = ended().host.read(STATE)!
  const outcomes = { damaged: 0, used: 0 }
  for (let i = 0; i < campaign(3000, 100); i++) {
    const world = ended()
    const bytes = bytesOfString(intact)
    const at = rng.below(bytes.length)
    const forged = rng.pick([
      () => bytes.fill(rng.below(256), at, at + 1 + rng.below(4)),
      () => bytes.subarray(0, at),
      () => bytesOfString(intact.slice(0, at) + byteString(rng.bytes(1 + rng.below(40))) + intact.slice(at)),
      () => bytesOfString(intact + intact.slice(at)),
      () => rng.bytes(rng.below(300)),
      () => bytesOfString(byteString(rng.bytes(8)) + intact.slice(8)),
      () => reframed(intact, (text) => text.slice(0, rng.below(text.length)) + text.slice(rng.below(text.length))),
      () => reframed(intact, (text) => text.replace(rng.pick(DIGITS), () => rng.pick(NUMBERS))),
      () => reframed(intact, (text) => text.replace(rng.pick(LETTERS), () => rng.pick([...'nvpgdRwtx/|\0 -']))),
    ])()
    world.host.put(STATE, { text: forged.slice(), mode: 0o600 })
    world.host.start()
    outcomes[world.host.said.includes('damaged') ? 'damaged' : 'used']++
    world.clients.clear()
    world.open('s')
    world.run('s WRITE /new|1 => OK|\n s READ /new| => 1\n s PERMS /| => n0|')
  }
  expect(outcomes.damaged).toBeGreaterThan(outcomes.used)
}, 600_000)
