/** Who gets a port, and who not even a sign that anybody is there. */
import { afterEach, describe, expect, it } from 'vitest'
import { EMBED_VERSION, type FromFrame, type Welcome } from '#protocol/embed.ts'
import type { Playground } from '#protocol/playground.ts'
import { createPlaygroundStore } from '../store/store.ts'
import { createEmbedServer, type MessageSource } from './server.ts'
import type { EmbedAnswer } from './slice.ts'

const own = 'https://playground.example'
const lab = 'https://lab.example'
const hello = { type: 'xen-playground-hello', apiVersion: EMBED_VERSION }

const open: MessagePort[] = []
afterEach(() => {
  for (const port of open.splice(0)) port.close()
})

/** A window around the page, and what it has been sent. */
function windowOf() {
  const ports: MessagePort[] = []
  const targets: string[] = []
  const source: MessageSource = {
    postMessage(_message: Welcome, { targetOrigin, transfer }) {
      const [port] = transfer
      if (!(port instanceof MessagePort)) throw new Error('no port')
      ports.push(port)
      open.push(port)
      targets.push(targetOrigin)
    },
  }
  return { source, ports, targets }
}

function bench(origin = own) {
  const store = createPlaygroundStore()
  const outside = new Set<unknown>()
  let saved = ''
  const server = createEmbedServer({
    origin,
    mayAsk: (source) => !outside.has(source),
    playground: { machine: { state: () => 'off' } } as unknown as Playground,
    store,
    kept: { load: () => null, save: (text) => (saved = text) },
  })
  return {
    server,
    store,
    outside,
    saved: () => saved,
    asking: () => store.getState().embedAsking,
    answer: (to: string, answer: EmbedAnswer) => store.dispatch({ type: 'embed-answer', origin: to, answer }),
  }
}

/** The answer to a call, or undefined when none comes. */
const ask = (port: MessagePort): Promise<FromFrame | undefined> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), 50)
    port.onmessage = ({ data }) => {
      clearTimeout(timer)
      resolve(data)
    }
    port.postMessage({ id: 1, path: ['machine', 'state'], args: [] })
  })

describe('a hello', () => {
  it('of the page’s own origin is answered at once, to that origin', async () => {
    const { server } = bench()
    const { source, ports, targets } = windowOf()
    server.receive(hello, own, source)
    expect(targets).toEqual([own])
    expect(await ask(ports[0]!)).toEqual({ id: 1, ok: true, value: 'off' })
  })

  it.each(['https://playground.example.evil.example', 'http://playground.example', `${own}:8443`, ''])(
    'of %j is another’s',
    (origin) => {
      const { server, asking } = bench()
      const { source, ports } = windowOf()
      server.receive(hello, origin, source)
      expect(ports).toEqual([])
      expect(asking()).toEqual([origin])
    },
  )

  it.each([
    ['no hello', { ...hello, type: 'x' }],
    ['another version', { ...hello, apiVersion: 2 }],
    ['nothing', null],
  ])('that is %s has no effect', (_, data) => {
    const { server, asking } = bench()
    server.receive(data, lab, windowOf().source)
    expect(asking()).toEqual([])
  })

  it('of a window that may not ask has none either, whatever its origin', () => {
    const { server, asking, outside } = bench()
    const { source, ports } = windowOf()
    outside.add(source)
    for (const origin of [own, lab, 'null']) server.receive(hello, origin, source)
    expect([asking(), ports]).toEqual([[], []])
  })

  it('is answered once for each id, after the answer of the person', () => {
    const { server, answer, saved } = bench()
    const { source, ports } = windowOf()
    for (const id of ['a', 'a', 'b']) server.receive({ ...hello, id }, lab, source)
    expect(ports).toHaveLength(0)
    answer(lab, 'always')
    expect(ports).toHaveLength(2)
    server.receive({ ...hello, id: 'a' }, lab, source)
    expect(ports).toHaveLength(2)
    expect(saved()).toBe(JSON.stringify([lab]))
  })

  it('again and again with another id makes no endless row of ports: the oldest goes', async () => {
    const { server } = bench()
    const { source, ports } = windowOf()
    for (let id = 0; id < 20; id++) server.receive({ ...hello, id: String(id) }, own, source)
    expect(await ask(ports[0]!)).toBeUndefined()
    expect(await ask(ports[19]!)).toMatchObject({ ok: true })
  })

  it('of ever new origins asks the person no more than so often', () => {
    const { server, asking } = bench()
    const { source } = windowOf()
    for (let i = 0; i < 1000; i++) server.receive(hello, `https://${i}.example`, source)
    expect(asking().length).toBeLessThanOrEqual(64)
  })
})

it('what is withdrawn is dead at once, also what is on its way', async () => {
  const { server, answer, store } = bench()
  const { source, ports } = windowOf()
  server.receive(hello, lab, source)
  answer(lab, 'once')
  expect(await ask(ports[0]!)).toMatchObject({ ok: true })
  const late = ask(ports[0]!)
  store.dispatch({ type: 'embed-revoke', origin: lab })
  expect(await late).toBeUndefined()
  expect(await ask(ports[0]!)).toBeUndefined()
  server.receive({ ...hello, id: 'again' }, lab, source)
  expect(ports).toHaveLength(1)
  expect(store.getState().embedAsking).toEqual([lab])
})

describe('windows without an origin', () => {
  it('are each asked about; one that is let in is answered when it says hello again', () => {
    const { server, asking, answer } = bench()
    const [first, second] = [windowOf(), windowOf()]
    server.receive(hello, 'null', first.source)
    server.receive(hello, 'null', second.source)
    expect(asking()).toHaveLength(2)
    answer(asking()[0]!, 'once')
    // It may show another page by now.
    expect(first.ports).toHaveLength(0)
    server.receive(hello, 'null', first.source)
    server.receive(hello, 'null', second.source)
    expect([first.targets, second.targets]).toEqual([['*'], []])
    // Another page in that window is not it.
    server.receive({ ...hello, id: 'other' }, lab, first.source)
    expect(first.ports).toHaveLength(1)
  })

  it('are not let in because the page has none itself', () => {
    const { server, asking } = bench('null')
    const { source, ports } = windowOf()
    server.receive(hello, 'null', source)
    expect([ports.length, asking().length]).toEqual([0, 1])
  })
})
