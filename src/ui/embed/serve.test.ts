/** Calls over a port: what can be reached, and that nothing else can. */
import { describe, expect, it } from 'vitest'
import { CALLS, type FromFrame, PENDING_MAX } from '#protocol/embed.ts'
import type { Playground } from '#protocol/playground.ts'
import { serve } from './serve.ts'

function bench() {
  const said: FromFrame[] = []
  const called: unknown[] = []
  const listeners = new Set<(value: never) => void>()
  const listen = (listener: (value: never) => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      called.push([name, ...args])
      return name
    }
  const playground = {
    apiVersion: 1,
    ready: Promise.resolve(),
    console(id: string) {
      if (id !== 'com1') throw new RangeError(`no such console: ${id}`)
      return { type: note('type'), onData: listen }
    },
    machine: {
      state: () => 'off',
      digest: () => Promise.reject(Object.assign(new Error('gone'), { name: 'SecretError', stack: 'where we live' })),
      power: () => {
        throw 'nothing sensible'
      },
    },
    on: (_: string, listener: (value: never) => void) => listen(listener),
  } as unknown as Playground
  const served = serve(playground, { postMessage: (message) => said.push(message) })
  const ask = async (message: unknown) => {
    served.receive(message)
    await new Promise((resolve) => setTimeout(resolve))
    return said.at(-1)
  }
  return {
    said,
    called,
    served,
    ask,
    tell: (value: unknown) => {
      for (const listener of listeners) listener(value as never)
    },
    listeners,
  }
}

describe('calls', () => {
  it('are answered by id, with the value', async () => {
    expect(await bench().ask({ id: 7, path: ['machine', 'state'], args: [] })).toEqual({
      id: 7,
      ok: true,
      value: 'off',
    })
  })

  it('reach a console, with its arguments', async () => {
    const { ask, called } = bench()
    expect(await ask({ id: 1, path: ['console', 'com1', 'type'], args: ['xm list'] })).toMatchObject({ ok: true })
    expect(called).toEqual([['type', 'xm list']])
  })

  it.each([
    [['machine', 'digest'], { name: 'Error', message: 'gone' }],
    [['machine', 'power'], { name: 'Error', message: 'it failed' }],
    [['console', 'com9', 'type'], { name: 'RangeError', message: 'no such console: com9' }],
  ])('%j fails in words alone', async (path, error) => {
    expect(await bench().ask({ id: 1, path, args: [] })).toEqual({ id: 1, ok: false, error })
  })

  it.each([
    [['constructor']],
    [['machine', 'constructor']],
    [['machine', '__proto__']],
    [['machine', 'state', 'call']],
    [['console', 'com1', 'constructor']],
    [['console']],
    [['toString']],
    [[]],
  ])('%j is nothing to call', async (path) => {
    expect(await bench().ask({ id: 1, path, args: [] })).toMatchObject({
      ok: false,
      error: { name: 'RangeError', message: `there is no ${path.join('.')} to call` },
    })
  })

  it.each([
    [null],
    ['x'],
    [{}],
    [{ id: 'x', path: ['ready'] }],
    [{ id: 1, path: 'ready' }],
    [{ id: 1, path: [1] }],
    [{ id: 1, path: ['ready'], args: {} }],
  ])('%j is not even answered', async (message) => {
    expect(await bench().ask(message)).toBeUndefined()
  })

  it('have a bound', async () => {
    const { served, said, ask } = bench()
    for (let id = 0; id <= PENDING_MAX; id++) served.receive({ id, path: ['ready'], args: [] })
    await ask({ cancel: 0 })
    expect(said).toHaveLength(PENDING_MAX + 1)
    expect(said.filter((message) => 'ok' in message && !message.ok)).toMatchObject([{ id: PENDING_MAX }])
  })

  it('name only what the table has', () => expect(new Set(CALLS).size).toBe(CALLS.length))
})

describe('subscriptions', () => {
  it.each([
    [['on'], ['state']],
    [['console', 'com1', 'onData'], []],
  ])('%j tells until it is cancelled', async (path, args) => {
    const { ask, tell, served, said, listeners } = bench()
    expect(await ask({ id: 3, path, args })).toEqual({ id: 3, ok: true, value: undefined })
    tell('xen')
    expect(said.at(-1)).toEqual({ event: 3, value: 'xen' })
    served.receive({ cancel: 3 })
    expect(listeners.size).toBe(0)
  })

  it('end with the port, which then says nothing more', async () => {
    const { ask, served, said, listeners } = bench()
    await ask({ id: 3, path: ['on'], args: ['state'] })
    served.stop()
    expect(listeners.size).toBe(0)
    const count = said.length
    await ask({ id: 4, path: ['machine', 'state'], args: [] })
    expect(said).toHaveLength(count)
  })
})
