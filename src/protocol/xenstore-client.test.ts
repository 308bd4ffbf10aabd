/** The client against the daemon's own core through a loopback; and on the whole host, through a host link. */
import { expect, test } from 'vitest'
import { HostLinks, type LinkHandlers } from '#protocol/links.ts'
import { Dom0Host } from '#testing/dom0-host.ts'
import { Store, type StoreOptions } from '#toolstack/xenstored/store.ts'
import { buildDiskAndKnown } from '../../scripts/disk.mjs'
import type { OpenLink } from './open-link.ts'
import { textOfValue, valueOfText, XenstoreClient, XenstoreError } from './xenstore-client.ts'
import { parseAccess, type StoreNode, StoreTree } from './xenstore-tree.ts'

interface Loopback {
  readonly open: OpenLink
  readonly store: Store
  /** What has been opened, in order. */
  readonly links: LinkHandlers[]
  closed: number
  /** Answers wait. */
  held: boolean
  /** Give what waits, in pieces of so many bytes. */
  release(piece: number): void
}

/** A link to a store of its own. */
function loopback(options?: StoreOptions): Loopback {
  const store = new Store(options)
  const waiting: [LinkHandlers, Uint8Array][] = []
  const back: Loopback = {
    store,
    links: [],
    closed: 0,
    held: false,
    open(to, handlers) {
      expect(to).toBe('/var/run/xenstored/socket')
      back.links.push(handlers)
      const conn = store.connect(true)
      return {
        write(bytes) {
          conn.feed(bytes.slice())
          for (let message = conn.next(); message; message = conn.next()) {
            if (message === 'bad') handlers.end()
            else store.handle(conn, message)
          }
          for (; conn.out.length > 0; conn.sent()) waiting.push([handlers, conn.out.at(0)!.bytes])
          if (!back.held) back.release(4096)
          return true
        },
        end: () => {},
        close: () => {
          back.closed++
        },
      }
    },
    release(piece) {
      let credit = 0
      for (const [handlers, bytes] of waiting.splice(0))
        for (let at = 0; at < bytes.length; at += piece) {
          const part = bytes.subarray(at, at + piece)
          handlers.data(part, (count) => {
            credit += count
          })
          expect(credit).toBe(part.length)
          credit = 0
        }
    },
  }
  return back
}

test('each request does what its name says', async () => {
  const xs = new XenstoreClient(loopback().open)
  await xs.write('/a/b', 'one\0two\xff')
  expect(await xs.read('/a/b')).toBe('one\0two\xff')
  await xs.mkdir('/a/c')
  expect(await xs.directory('/a')).toEqual(['b', 'c'])
  expect(await xs.directory('/a/c')).toEqual([])
  expect(await xs.read('/a/c')).toBe('')
  await xs.setPerms('/a/b', ['n5', 'r3'])
  expect(await xs.getPerms('/a/b')).toEqual(['n5', 'r3'])
  await xs.rm('/a/b')
  expect(await xs.directory('/a')).toEqual(['c'])
})

test.each<[string, (xs: XenstoreClient) => Promise<unknown>, string]>([
  ['a node that is not there', (xs) => xs.read('/none'), 'ENOENT'],
  ['one below it', (xs) => xs.rm('/none/deep'), 'ENOENT'],
  ['a path that is none', (xs) => xs.write('/a//b', ''), 'EINVAL'],
  ['a name with a blank', (xs) => xs.mkdir('/a b'), 'EINVAL'],
  ['letters that are no bytes', (xs) => xs.mkdir('/中'), 'EINVAL'],
  ['a path that would end early', (xs) => xs.write('/a\0b', ''), 'EINVAL'],
  ['the root', (xs) => xs.rm('/'), 'EINVAL'],
  ['no permission at all', (xs) => xs.setPerms('/tool', []), 'EINVAL'],
  ['a letter that is no permission', (xs) => xs.setPerms('/tool', ['x0']), 'EINVAL'],
  ['more than a message holds', (xs) => xs.write('/a', 'x'.repeat(4094)), 'E2BIG'],
])('%s: refused in the daemon’s word', async (_, act, word) => {
  const back = loopback()
  const xs = new XenstoreClient(back.open)
  const error = await act(xs).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(XenstoreError)
  expect((error as Error).message).toBe(word)
  // It is no reason to part.
  await xs.write('/after', '1')
  expect(await xs.read('/after')).toBe('1')
  expect(back.closed).toBe(0)
})

test('the longest message passes', async () => {
  const xs = new XenstoreClient(loopback().open)
  await xs.write('/a', 'x'.repeat(4093))
  expect(await xs.read('/a')).toHaveLength(4093)
})

test.each([1, 7, 16, 17, 4096])('many at once, answers in pieces of %i bytes', async (piece) => {
  const back = loopback()
  const xs = new XenstoreClient(back.open)
  back.held = true
  const writes = Array.from({ length: 20 }, (_, n) => xs.write(`/n/${n}`, `value ${n}`))
  const reads = Array.from({ length: 20 }, (_, n) => xs.read(`/n/${n}`))
  const refused = expect(xs.read('/n/20')).rejects.toThrow('ENOENT')
  await Promise.resolve()
  back.release(piece)
  await Promise.all(writes)
  expect(await Promise.all(reads)).toEqual(Array.from({ length: 20 }, (_, n) => `value ${n}`))
  await refused
  expect(back.links).toHaveLength(1)
})

test('a link that is lost tells who waits why; the next call opens another', async () => {
  const back = loopback()
  const xs = new XenstoreClient(back.open)
  back.held = true
  const lost = [xs.read('/tool'), xs.write('/a', '1')]
  await Promise.resolve()
  back.links[0]!.close('the machine was switched off')
  for (const call of lost) await expect(call).rejects.toThrow('the machine was switched off')
  await expect(lost[0]).rejects.not.toBeInstanceOf(XenstoreError)
  back.held = false
  expect(await xs.read('/tool')).toBe('')
  expect(back.links).toHaveLength(2)
})

test('a daemon that hangs up', async () => {
  const back = loopback()
  const xs = new XenstoreClient(back.open)
  back.held = true
  const lost = xs.read('/tool')
  await Promise.resolve()
  back.links[0]!.end()
  await expect(lost).rejects.toThrow('the daemon has closed the connection')
  expect(back.closed).toBe(1)
})

test('a link that is refused at once', async () => {
  const xs = new XenstoreClient((_, { close }) => {
    close('no such socket')
    return { write: () => true, end() {}, close() {} }
  })
  await expect(xs.read('/')).rejects.toThrow('no such socket')
})

test('closed by its user: who waits hears of it, the link is given up', async () => {
  const back = loopback()
  const xs = new XenstoreClient(back.open)
  xs.close()
  expect(back.links).toHaveLength(0)
  back.held = true
  const lost = xs.read('/tool')
  await Promise.resolve()
  xs.close()
  await expect(lost).rejects.toThrow('given up')
  expect(back.closed).toBe(1)
  back.release(4096)
})

test.each<[string, (id: number) => number[]]>([
  ['an answer nobody asked for', (id) => [2, id + 1, 0, 0]],
  ['an answer to something else', (id) => [1, id, 0, 0]],
  ['an event that nobody watches', () => [15, 0, 0, 0]],
  ['a length beyond measure', (id) => [2, id, 0, 4097]],
])('%s: that is not the daemon', async (_, words) => {
  let handlers: LinkHandlers | undefined
  const xs = new XenstoreClient((_to, given) => {
    handlers = given
    return { write: () => true, end() {}, close() {} }
  })
  const asked = xs.read('/')
  await Promise.resolve()
  handlers!.data(new Uint8Array(new Uint32Array(words(1)).buffer), () => {})
  await expect(asked).rejects.toThrow('not XenStore’s daemon')
})

test('a transaction is seen whole when it has ended, and answers what its body does', async () => {
  const xs = new XenstoreClient(loopback().open)
  const other = xs.read('/a/b')
  await expect(other).rejects.toThrow('ENOENT')
  const answer = await xs.transaction(async (within) => {
    await within.write('/a/b', 'one')
    await within.setPerms('/a/b', ['n3'])
    await expect(xs.read('/a/b')).rejects.toThrow('ENOENT')
    return within.read('/a/b')
  })
  expect(answer).toBe('one')
  expect(await xs.read('/a/b')).toBe('one')
  expect(await xs.getPerms('/a/b')).toEqual(['n3'])
})

test('a transaction whose body throws leaves no trace', async () => {
  const xs = new XenstoreClient(loopback().open)
  const lost = xs.transaction(async (within) => {
    await within.write('/a', '1')
    await within.write('/a b', '2')
  })
  await expect(lost).rejects.toThrow('EINVAL')
  await expect(xs.read('/a')).rejects.toThrow('ENOENT')
})

test('spoilt by others, it is done anew from its beginning', async () => {
  const xs = new XenstoreClient(loopback().open)
  let attempts = 0
  await xs.transaction(async (within) => {
    attempts++
    const before = await within.read('/tool')
    if (attempts < 3) await xs.write('/tool', `${attempts}`)
    await within.write('/seen', before)
  })
  expect(attempts).toBe(3)
  expect(await xs.read('/seen')).toBe('2')
})

test('spoilt each time, it ends with the daemon’s word', async () => {
  const xs = new XenstoreClient(loopback().open)
  let attempts = 0
  const lost = xs.transaction(async (within) => {
    await within.write('/mine', '1')
    await xs.write('/tool', `${++attempts}`)
  })
  await expect(lost).rejects.toThrow(new XenstoreError('EAGAIN'))
  expect(attempts).toBe(20)
})

test('a link lost in the midst of a transaction is not mended behind its back', async () => {
  const back = loopback()
  const xs = new XenstoreClient(back.open)
  const lost = xs.transaction(async (within) => {
    await within.write('/a', '1')
    back.links[0]!.close('gone')
    await within.write('/b', '2')
  })
  await expect(lost).rejects.toThrow('gone')
  await expect(xs.read('/b')).rejects.toThrow('ENOENT')
})

test('text is UTF-8 in a value', () => {
  expect(valueOfText('域é')).toBe('\xe5\x9f\x9f\xc3\xa9')
  expect(textOfValue('\xe5\x9f\x9f\xc3\xa9')).toBe('域é')
  expect(textOfValue('\xff')).toBe('\ufffd')
})

test('on the whole host: dom0 and this client share one store, and its trace tells of both', async () => {
  const host = new Dom0Host({ base: await buildDiskAndKnown() })
  const seen = new StoreTree()
  host.world.onProbe((probe) => {
    const change = probe.kind === 'xenstore' ? parseAccess(probe.line) : undefined
    if (change) seen.apply(change)
  })
  host.boot()
  const links = new HostLinks((input) => host.world.input(input))
  host.world.onLink((link, output) => links.receive(link, output))
  const xs = new XenstoreClient((to, handlers) => links.open(to, handlers))
  /** The answer, after as much of the machine's time as it takes. */
  const soon = async <T>(answer: Promise<T>): Promise<T> => {
    await Promise.resolve()
    host.runFor(1)
    return answer
  }
  await soon(xs.write('/bench/here', 'from outside'))
  expect(host.run('xenstore-read /bench/here')).toEqual({ output: 'from outside', status: 0 })
  host.run('xenstore-write /bench/there inside')
  expect(await soon(xs.read('/bench/there'))).toBe('inside')
  expect(await soon(xs.directory('/bench'))).toEqual(['here', 'there'])
  host.run('xenstore-chmod /bench/there n0 r7')
  expect(await soon(xs.getPerms('/bench/there'))).toEqual(['n0', 'r7'])
  await expect(soon(xs.read('/bench/none'))).rejects.toThrow('ENOENT')
  expect(await soon(xs.read('/local/domain/0/name'))).toBe('Domain-0')
  expect(seen.get('/bench/here')).toMatchObject({ value: 'from outside', perms: 'n0', writer: { domid: 0 } })
  expect(seen.get('/bench/there')).toMatchObject({ value: 'inside', perms: 'n0,r7', writer: { domid: 0 } })
  expect(seen.get('/bench/here')!.writer.connection).not.toBe(seen.get('/bench/there')!.writer.connection)
  /** The whole store as its daemon tells it. */
  const listing = host.run('xenstore-ls -f').output.split('\n')
  const told: string[] = []
  const walk = (path: string, node: StoreNode): void => {
    for (const [name, child] of node.children) {
      told.push(`${path}/${name} = "${child.value}"`)
      walk(`${path}/${name}`, child)
    }
  }
  walk('', seen.root!)
  expect(listing.length).toBeGreaterThan(30)
  expect(told).toEqual(listing)
  host.powerCut()
  const lost = xs.read('/tool')
  await Promise.resolve()
  links.closeAll('another machine took its place')
  await expect(lost).rejects.toThrow('another machine took its place')
}, 120_000)
