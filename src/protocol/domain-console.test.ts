/** A domain's console from outside, with links that are two lists. */
import { describe, expect, test } from 'vitest'
import { type FollowedPlace, findDomainConsole, followDomainConsole, openDomainConsole } from './domain-console.ts'
import type { LinkHandlers } from './links.ts'
import type { OpenLink } from './open-link.ts'
import { StoreTree } from './xenstore-tree.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (sent: Uint8Array): string => new TextDecoder().decode(sent)
const writer = { domid: 0, connection: 1 }

function store(values: Readonly<Record<string, string>> = {}) {
  const tree = new StoreTree()
  tree.apply({ kind: 'new' })
  const set = (path: string, value: string): void =>
    tree.apply({ kind: 'set', path, value, perms: 'n0', writer, atNs: 0 })
  for (const [path, value] of Object.entries(values)) set(`/local/domain/${path}`, value)
  return {
    tree,
    set: (path: string, value: string) => set(`/local/domain/${path}`, value),
    remove(path: string) {
      tree.apply({ kind: 'rm', path: `/local/domain/${path}`, writer, atNs: 0 })
    },
  }
}

function fakeLinks(refuse = false) {
  const log: string[] = []
  const handlers: LinkHandlers[] = []
  let takes = true
  const openLink: OpenLink = (to, handler) => {
    log.push(`open ${to}`)
    handlers.push(handler)
    if (refuse) handler.close(`${to}: refused`)
    return {
      write(sent) {
        log.push(`write ${text(sent)}`)
        return takes
      },
      end: () => log.push('end'),
      close: () => log.push('close'),
    }
  }
  const full = (): void => {
    takes = false
  }
  return { openLink, log, handlers, full }
}

const SEBASTIAN = { '1/name': 'sebastian', '1/console/tty': '/dev/pts/1' }

test('it is found by the name, or is missing for a reason', () => {
  expect(findDomainConsole(new StoreTree(), 'x')).toEqual({ kind: 'no-store' })
  const { tree, set } = store({ '0/name': 'Domain-0', ...SEBASTIAN, '2/name': 'old' })
  expect(findDomainConsole(tree, 'nobody')).toEqual({ kind: 'no-domain' })
  expect(findDomainConsole(tree, 'sebastian')).toEqual({ kind: 'there', domid: 1, tty: '/dev/pts/1' })
  expect(findDomainConsole(tree, 'old')).toEqual({ kind: 'no-console', domid: 2 })
  set('2/serial/0/tty', '/dev/pts/4')
  expect(findDomainConsole(tree, 'old')).toEqual({ kind: 'there', domid: 2, tty: '/dev/pts/4' })
  // One of that name is still on its way out.
  set('11/name', 'sebastian')
  expect(findDomainConsole(tree, 'sebastian')).toEqual({ kind: 'no-console', domid: 11 })
})

describe('opened once', () => {
  function opened() {
    const links = fakeLinks()
    const got: string[] = []
    const result = openDomainConsole(links.openLink, store(SEBASTIAN).tree, 'sebastian', {
      data: (came) => got.push(text(came)),
      close: (reason) => got.push(`<${reason}>`),
    })
    if (!result.ok) throw new Error(result.why.kind)
    return { ...links, got, console: result.console }
  }

  test('it is written, read, and left so that what is under way still comes', () => {
    const { console, log, handlers, got } = opened()
    expect(console.write(bytes('ls\r'))).toBe(true)
    console.close()
    handlers[0]!.data(bytes('late'), () => {})
    handlers[0]!.end()
    expect(log).toEqual(['open /dev/pts/1', 'write ls\r', 'end'])
    expect(got).toEqual(['late'])
  })

  test('with input that the domain does not take, it is left at once', () => {
    const { console, log, full } = opened()
    full()
    expect(console.write(bytes('x'))).toBe(false)
    console.close()
    expect(log.at(-1)).toBe('close')
  })

  test('its end inside is told once', () => {
    const { handlers, got } = opened()
    handlers[0]!.close('Hangup')
    expect(got).toEqual(['<Hangup>'])
  })

  test('there is none to open', () => {
    const none = { data() {}, close() {} }
    expect(openDomainConsole(fakeLinks().openLink, store().tree, 'x', none)).toEqual({
      ok: false,
      why: { kind: 'no-domain' },
    })
  })
})

describe('followed', () => {
  function following(values: Readonly<Record<string, string>>, refuse = false) {
    const links = fakeLinks(refuse)
    const at = store(values)
    const places: string[] = []
    const shown = (place: FollowedPlace): string => ('domid' in place ? `${place.kind} ${place.domid}` : place.kind)
    const followed = followDomainConsole(links.openLink, at.tree, 'sebastian', {
      data() {},
      place: (place) => places.push(shown(place)),
    })
    return { ...links, ...at, places, followed, place: () => shown(followed.place) }
  }

  test('from a domain to its successor', () => {
    const at = following({})
    at.set('1/name', 'sebastian')
    at.followed.look()
    at.set('1/console/tty', '/dev/pts/1')
    at.followed.look()
    at.followed.write(bytes('a'))
    at.set('1/memory/target', '1')
    at.followed.look()
    at.handlers[0]!.close('Hangup')
    at.followed.write(bytes('lost'))
    at.remove('1')
    at.followed.look()
    at.set('2/name', 'sebastian')
    at.set('2/console/tty', '/dev/pts/1')
    at.followed.look()
    at.followed.write(bytes('b'))
    expect(at.places).toEqual(['no-domain', 'no-console 1', 'there 1', 'closed 1', 'no-domain', 'there 2'])
    expect(at.log).toEqual(['open /dev/pts/1', 'write a', 'open /dev/pts/1', 'write b'])
  })

  test('to another terminal of the same domain, leaving the first', () => {
    const at = following(SEBASTIAN)
    at.set('1/console/tty', '/dev/pts/3')
    at.followed.look()
    expect(at.log).toEqual(['open /dev/pts/1', 'end', 'open /dev/pts/3'])
  })

  test('not when refused, until somebody asks', () => {
    const at = following(SEBASTIAN, true)
    at.followed.look()
    expect([at.place(), at.log.length]).toEqual(['closed 1', 1])
    at.followed.retry()
    expect([at.place(), at.log.length]).toEqual(['closed 1', 2])
  })

  test('no longer, once it was stopped', () => {
    const at = following(SEBASTIAN)
    at.followed.stop()
    at.remove('1')
    at.followed.look()
    expect([at.place(), at.log.at(-1)]).toEqual(['there 1', 'end'])
  })
})
