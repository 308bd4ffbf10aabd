/** One daemon after another, at any moment: what was under way goes on, and what counts still counts. */
import { expect, test } from 'vitest'
import { XS_READ, XS_WRITE } from '#abi/xen/io/xs_wire.ts'
import { campaign } from '#testing/soak.ts'
import { message } from '#testing/xenstore/clients.ts'
import { WireWorld, type WireWorldOptions } from '#testing/xenstore/wire-world.ts'

/** Steps of the daemon until all of it is done. */
const MOMENTS = 48
const WAYS = ['kill', 'terminate', 'update'] as const

/** Only who asks for it says a word: everybody else's are cut where they are. */
function handOver(world: WireWorld, how: (typeof WAYS)[number]): void {
  if (how === 'update') {
    expect(world.sayPromptly('s DEBUG live-update|-s|')).toBe('OK|')
    return
  }
  world.host[how]()
  world.host.start()
  world.open('s')
}

function begun(options?: WireWorldOptions): WireWorld {
  const world = new WireWorld(options)
  world.run(`
    s MKDIR /local/domain/1| => OK|
    s CHMOD /local/domain/1|n1| => OK|
    s WRITE /local/domain/2/x|2 => OK|
    s CHMOD /local/domain/2/x|n2| => OK|
    s CHMOD /local/domain/2|n2| => OK|
    s WRITE /long|${LONG} => OK|
    s CHMOD /long|r0| => OK|
  `)
  for (const domid of [1, 2]) world.introduce(domid)
  return world
}

/** No two parts of it are alike. */
const text = (length: number): string =>
  Array.from({ length: Math.ceil(length / 4) }, (_, i) => String(1000 + i))
    .join('')
    .slice(0, length)
const LONG = text(3500)
/** More than a ring holds, and less than a domain may write. */
const VALUE = text(1900)

for (const how of WAYS)
  test(`${how} amid a domain's long words and long answers: each is heard whole, and done once`, () => {
    for (let moment = 0; moment < MOMENTS; moment += campaign(1, 2)) {
      const world = begun({ seed: moment })
      world.run('2 WATCH /local/domain/1/x|t| => OK| ~/local/domain/1/x|t|')
      const guest = world.ring('1')
      guest.send(message(XS_WRITE, 7, 0, `x\0${VALUE}`))
      guest.send(message(XS_READ, 8, 0, '/long\0'))
      guest.send(message(XS_WRITE, 9, 0, 'y\0z'))
      for (let step = 0; step < moment; step++) {
        if (step % 3 === 0) guest.pump()
        world.host.steps(1)
      }
      handOver(world, how)
      world.settle()
      const heard = guest.take().map(({ type, reqId, payload }) => [type, reqId, payload.replace(LONG, 'LONG')])
      expect([moment, ...heard]).toEqual([moment, [XS_WRITE, 7, 'OK\0'], [XS_READ, 8, 'LONG'], [XS_WRITE, 9, 'OK\0']])
      world.run(`2 => ~/local/domain/1/x|t|\n s READ /local/domain/1/x| => ${VALUE}\n 1 READ y| => z`)
    }
  })

test('update amid the words and answers of clients of the socket', () => {
  for (const length of [0, 1, 15, 16, 17, 1000, 3515]) {
    const world = begun()
    const half = world.open('half')
    const deaf = world.open('deaf', false, 1000)
    const words = message(XS_WRITE, 7, 0, `/half\0${LONG}`)
    half.send(words.slice(0, length))
    half.pump()
    // So many that it is not asked for more before it has listened.
    const asked = Array.from({ length: 30 }, (_, i) => i + 1)
    for (const reqId of asked) deaf.send(message(XS_READ, reqId, 0, '/long\0'))
    deaf.deaf = true
    while (deaf.pump()) world.host.turn()
    handOver(world, 'update')
    half.send(words.slice(length))
    deaf.deaf = false
    world.settle()
    expect(half.take()).toEqual([{ type: XS_WRITE, reqId: 7, txId: 0, payload: 'OK\0' }])
    expect(deaf.take()).toEqual(asked.map((reqId) => ({ type: XS_READ, reqId, txId: 0, payload: LONG })))
    world.run(`s READ /half| => ${LONG}`)
  }
})

test.each(WAYS)('after %s all that counts still counts', (how) => {
  const world = begun({ args: ['-E', '3', '-W', '1', '-t', '1'] })
  world.run(`
    s TARGET 1|2| => OK|
    1 WATCH x|with a token| => OK| ~x|with a token|
    1 WATCH /local/domain/1/x|u| => OK| ~/local/domain/1/x|u|
    2 WATCH @releaseDomain|gone| => OK| ~@releaseDomain|gone|
    1 START | => 1|
    1#1 END F| => OK|
    1 START | => 2|
    1 START | => 3|
    1 WRITE a|1 => OK|
    1 WRITE b|1 => OK|
    1 WRITE c|1 => OK|
  `)
  world.host.xen.end(2, 'shutdown')
  world.settle()
  world.run('2 => ~@releaseDomain|gone|')
  handOver(world, how)
  world.settle()
  world.run(`
    2 =>
    1 READ /local/domain/2/x| => 2
    1 WRITE d|1 => !ENOENT
    1 RM c| => OK|
    1 WRITE d|1 => OK|
    1 WRITE e|1 => !ENOENT
    1 WATCH y|t| => !EINVAL
    1 WATCH x|with a token| => !EEXIST
    1 START | => !ENOSPC
    1#2 END T| => !EAGAIN
    1 START | => 4|
    1#3 END F| => OK|
    s WRITE /local/domain/1/x|1 => OK|
    1 => ~x|with a token| ~/local/domain/1/x|u|
    1 UNWATCH x|with a token| => OK|
    s INTRO 1|1001|9| => OK|
  `)
  // Its shutdown has been told already.
  world.host.xen.domainException()
  world.settle()
  world.run('2 =>\n s RESUME 2| => OK|')
})

test.each(WAYS)('%s while a domain has to wait that stood in the way of dom0', (how) => {
  const world = begun()
  world.run('s START | => 1|\n 1 WRITE x|1 => OK|\n s#1 END T| => !EAGAIN')
  const guest = world.ring('1')
  guest.send(message(XS_READ, 5, 0, 'x\0'))
  guest.pump()
  world.host.turn()
  expect(guest.take()).toEqual([])
  handOver(world, how)
  world.settle()
  expect(guest.take()).toEqual([{ type: XS_READ, reqId: 5, txId: 0, payload: '1' }])
})

test('the access trace is whole, however much there is to tell at once', () => {
  const world = begun()
  const value = 'v'.repeat(3900)
  world.run('s START | => 1|')
  for (let i = 0; i < 300; i++) world.say(`s#1 WRITE /big/${i}|${value}`)
  world.run('s#1 END T| => OK|')
  const told = (): number => world.host.trace.split(`\t${value}\n`).length - 1
  expect(told()).toBe(300)
  handOver(world, 'kill')
  expect(told()).toBe(600)
})
