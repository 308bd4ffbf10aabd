/** The client against scripted answers; and, with the fold of what is seen meanwhile, against the real xend on the whole host. */
import { describe, expect, test } from 'vitest'
import { byteString, bytesOfString } from '#lib/utf8.ts'
import { dumpFault, dumpResponse, Fault, loadCall } from '#lib/xmlrpc/values.ts'
import { Dom0Host } from '#testing/dom0-host.ts'
import { buildDiskAndKnown } from '../../scripts/disk.mjs'
import type { DomainAct } from './domains.ts'
import { type Domains, foldDomains, foldStore, NO_DOMAINS } from './domains-fold.ts'
import { HostLinks } from './links.ts'
import type { OpenLink } from './open-link.ts'
import { xendAct, xendCall, xendCommand } from './xend-client.ts'
import { parseAccess } from './xenstore-tree.ts'

/** A server that gives `answer`, in pieces, then ends; what it was asked. */
function scripted(answer: string, piece = 7): { readonly open: OpenLink; asked: string; to: string; closed: number } {
  const server = {
    asked: '',
    to: '',
    closed: 0,
    open: ((to, handlers) => {
      server.to = to
      return {
        write(bytes) {
          server.asked += byteString(bytes)
          let credit = 0
          for (let at = 0; at < answer.length; at += piece)
            handlers.data(bytesOfString(answer.slice(at, at + piece)), (count) => {
              credit += count
            })
          expect(credit).toBe(answer.length)
          handlers.end()
          return true
        },
        end() {},
        close: () => {
          server.closed++
        },
      }
    }) satisfies OpenLink,
  }
  return server
}

const http = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n${body}`

describe('a call', () => {
  test('goes to xend’s socket as xm’s does, and the link is closed afterwards', async () => {
    const server = scripted(http(dumpResponse('it\\x27s')))
    expect(await xendCall(server.open, 'xend.domain', ['a', 2])).toBe("it's")
    expect([server.to, server.closed]).toEqual(['/var/run/xend/xmlrpc.sock', 1])
    const [head, body = ''] = server.asked.split('\r\n\r\n')
    expect(head).toContain(`POST /RPC2 HTTP/1.0\r\n`)
    expect(head).toContain(`Content-Length: ${body.length}`)
    expect(loadCall(body)).toEqual({ method: 'xend.domain', params: ['a', 2] })
  })

  test.each([
    ['nothing', '', 'what answers is not xend'],
    ['noise', 'hello', 'what answers is not xend'],
    ['another server', 'HTTP/1.1 404 Not Found\r\n\r\n', 'what answers is not xend: 404 Not Found'],
    ['no XML', http('hello'), 'no element found'],
    ['a fault', http(dumpFault(new Fault(2, 'No \xc3\xa4'))), 'No ä'],
    ['an unknown domain', http(dumpFault(new Fault(3, 'nosuch'))), "Domain 'nosuch' does not exist."],
  ])('answered by %s rejects', async (_, answer, words) => {
    await expect(xendCall(scripted(answer).open, 'x')).rejects.toThrow(words)
  })

  test('that finds nobody rejects with the reason', async () => {
    const open: OpenLink = (to, { close }) => {
      queueMicrotask(() => close(`${to}: No such file or directory`))
      return { write: () => true, end() {}, close() {} }
    }
    await expect(xendCall(open, 'x')).rejects.toThrow('/var/run/xend/xmlrpc.sock: No such file or directory')
  })
})

test.each<[DomainAct, string]>([
  [{ kind: 'pause', domain: 'sebastian' }, 'xm pause sebastian'],
  [{ kind: 'reboot', domain: 'a b' }, "xm reboot 'a b'"],
  [{ kind: 'destroy', domain: "it's" }, "xm destroy 'it'\\''s'"],
  [{ kind: 'mem-set', domain: 'sebastian', mib: 96 }, 'xm mem-set sebastian 96'],
])('%j is %s', (act, command) => {
  expect(xendCommand(act)).toBe(command)
})

describe('on the whole host', () => {
  test('each act does what its command does, and what is seen from outside follows', async () => {
    const host = new Dom0Host({ base: await buildDiskAndKnown() })
    let domains: Domains = NO_DOMAINS
    host.world.onProbe((probe) => {
      if (probe.kind === 'domain') domains = foldDomains(domains, { gone: [], changed: [probe] })
      if (probe.kind === 'domain-gone') domains = foldDomains(domains, { gone: [probe.domid], changed: [] })
      const change = probe.kind === 'xenstore' ? parseAccess(probe.line) : undefined
      if (change) domains = foldStore(domains, [change])
    })
    const links = new HostLinks((input) => host.world.input(input))
    host.world.onLink((link, output) => links.receive(link, output))
    const openLink: OpenLink = (to, handlers) => links.open(to, handlers)
    /** The answer, after as much of the machine's time as it takes. */
    const soon = async <T>(answer: Promise<T>): Promise<T> => {
      answer.catch(() => {})
      host.runFor(3)
      return answer
    }
    const act = (kind: Exclude<DomainAct['kind'], 'mem-set'>, domain = 'sebastian') =>
      soon(xendAct(openLink, { kind, domain }))
    const named = (name: string) => [...domains.views.values()].find((view) => view.name === name)

    host.boot()
    expect(domains.views.get(0)).toMatchObject({ name: 'Domain-0', memoryKiB: 262144, targetKiB: 262144, vcpus: 1 })
    host.run('xm create sebastian')
    host.runFor(20)
    expect(named('sebastian')).toMatchObject({ domid: 1, state: 'blocked', memoryKiB: 131072, targetKiB: 131072 })
    expect(named('sebastian')!.uuid).toBe(host.run('xenstore-read /local/domain/1/vm').output.replace('/vm/', ''))
    expect(await soon(xendCall(openLink, 'xend.domains', [0]))).toEqual(['Domain-0', 'sebastian'])

    await act('pause')
    expect(named('sebastian')!.state).toBe('paused')
    expect(host.run('xm list sebastian').output).toContain('--p---')
    await act('unpause')
    expect(named('sebastian')!.state).toBe('blocked')
    await soon(xendAct(openLink, { kind: 'mem-set', domain: 'sebastian', mib: 96 }))
    expect(named('sebastian')).toMatchObject({ memoryKiB: 98304, targetKiB: 98304 })
    expect(host.run('xm list sebastian').output).toMatch(/^sebastian +1 +96 /m)

    await expect(act('pause', 'Domain-0')).rejects.toThrow('Cannot pause privileged domain Domain-0')
    await expect(act('destroy', 'nosuch')).rejects.toThrow("Domain 'nosuch' does not exist.")

    await act('reboot')
    host.runFor(15)
    expect(named('sebastian')).toMatchObject({ domid: 2, state: 'blocked' })
    await act('shutdown')
    host.runFor(15)
    expect([...domains.views.keys()]).toEqual([0])
    host.run('xm create minimal name=m1')
    await act('destroy', 'm1')
    expect([...domains.views.keys()]).toEqual([0])
    expect(host.run('xm list | wc -l').output.trim()).toBe('2')

    host.run('/etc/init.d/xend stop; sleep 1')
    await expect(act('pause')).rejects.toThrow('/var/run/xend/xmlrpc.sock: ')
  }, 240_000)
})
