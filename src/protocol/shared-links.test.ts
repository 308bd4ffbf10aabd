import { expect, it } from 'vitest'
import type { LinkHandlers } from './links.ts'
import { shareTerminals } from './shared-links.ts'

/** Links whose inside the test plays. */
function inside() {
  const opened: { to: string; handlers: LinkHandlers; written: string; credit: number; state: string }[] = []
  const openLink = shareTerminals((to, handlers) => {
    const link = { to, handlers, written: '', credit: 0, state: 'open' }
    opened.push(link)
    return {
      write(bytes) {
        link.written += String.fromCharCode(...bytes)
        return true
      },
      end: () => {
        link.state = 'ended'
      },
      close: () => {
        link.state = 'closed'
      },
    }
  })
  const say = (text: string, link = opened[0]!) =>
    link.handlers.data(bytes(text), (count) => {
      link.credit += count
    })
  return { opened, openLink, say }
}

function reader(takes = true) {
  const heard = { text: '', closed: '', take: (_: number) => {} }
  const handlers: LinkHandlers = {
    data(bytes, taken) {
      heard.text += String.fromCharCode(...bytes)
      heard.take = taken
      if (takes) taken(bytes.length)
    },
    end: () => {
      heard.closed = 'end'
    },
    close: (reason) => {
      heard.closed = reason
    },
  }
  return { heard, handlers }
}

const bytes = (text: string) => new TextEncoder().encode(text)

it('two readers of a terminal hear the same over one link, and both are heard', () => {
  const { opened, openLink, say } = inside()
  const [a, b] = [reader(), reader()]
  const first = openLink('/dev/pts/3', a.handlers)
  say('one ')
  const second = openLink('/dev/pts/3', b.handlers)
  say('two')
  first.write(bytes('x'))
  second.write(bytes('y'))
  expect(opened).toHaveLength(1)
  expect([a.heard.text, b.heard.text, opened[0]!.written]).toEqual(['one two', 'two', 'xy'])
})

it('sockets are nobody else’s', () => {
  const { opened, openLink } = inside()
  for (let i = 0; i < 2; i++) openLink('/var/run/xenstored/socket', reader().handlers)
  expect(opened).toHaveLength(2)
})

it('the slowest reader sets the pace, until it leaves', () => {
  const { opened, openLink, say } = inside()
  const slow = reader(false)
  openLink('/dev/pts/3', reader().handlers)
  const link = openLink('/dev/pts/3', slow.handlers)
  say('12345')
  expect(opened[0]!.credit).toBe(0)
  slow.heard.take(2)
  expect(opened[0]!.credit).toBe(2)
  link.end()
  expect(opened[0]).toMatchObject({ credit: 5, state: 'open' })
})

it('the last to leave closes the door, and the next opens another', () => {
  const { opened, openLink } = inside()
  const links = [openLink('/dev/pts/3', reader().handlers), openLink('/dev/pts/3', reader().handlers)]
  links[0]!.end()
  links[0]!.end()
  expect(opened[0]!.state).toBe('open')
  links[1]!.end()
  expect(opened[0]!.state).toBe('ended')
  openLink('/dev/pts/3', reader().handlers)
  expect(opened).toHaveLength(2)
})

it('a terminal that hangs up tells everybody, and can be opened again', () => {
  const { opened, openLink } = inside()
  const readers = [reader(), reader()]
  for (const { handlers } of readers) openLink('/dev/pts/3', handlers)
  opened[0]!.handlers.close('hung up')
  expect(readers.map(({ heard }) => heard.closed)).toEqual(['hung up', 'hung up'])
  openLink('/dev/pts/3', reader().handlers)
  expect(opened).toHaveLength(2)
})
