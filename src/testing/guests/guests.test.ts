/** All the tiny test guests, each a test; that they know nothing of Xen but its interface; and docs/coverage.md, which is what they have seen. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { coverage } from '../coverage/table.ts'
import { runGuests } from '../guest-runner.ts'
import { GUESTS } from './index.ts'
import { BLOCK, RUN, type TestGuest } from './kit.ts'

const reports = runGuests(GUESTS)

describe('guests', () => {
  test.each(reports.map(({ name, outcome }) => [name, outcome]))('%s', (_name, outcome) => {
    expect(outcome).toBe('success')
  })

  test('import the binary interface, and each other', () => {
    const folder = new URL('.', import.meta.url)
    for (const name of readdirSync(folder).filter((file) => !file.endsWith('.test.ts'))) {
      const imports = readFileSync(new URL(name, folder), 'utf8').matchAll(/from '([^']+)'/g)
      for (const [, from] of imports) expect(from, name).toMatch(/^(?:#abi\/|\.\/)/)
    }
  })

  test('end in four ways, and are told apart from those that do not end well', () => {
    const guest = (main: TestGuest['main'], more: Partial<TestGuest> = {}): TestGuest => ({ shows: '', main, ...more })
    const ended = runGuests({
      success: guest(function* () {
        yield RUN
      }),
      skip: guest(function* (g) {
        yield RUN
        g.skip('no such thing')
      }),
      error: guest(function* (g) {
        yield RUN
        g.error('bad test')
      }),
      failure: guest(function* (g) {
        yield RUN
        g.is(1, 2, 'one')
      }),
      thrown: guest(function* () {
        yield RUN
        throw new Error('oops')
      }),
      off: guest(function* (g) {
        yield g.off(3)
      }),
      peer: guest(
        function* () {
          yield RUN
        },
        {
          *peer(g) {
            yield RUN
            g.ok(false, 'the other one')
          },
        },
      ),
      left: guest(
        function* (g) {
          g.map(g.window(0), g.frameOf(g.page(3)))
          yield RUN
        },
        { dom0: true },
      ),
      asleep: guest(function* () {
        for (;;) yield BLOCK
      }),
    })
    expect(ended.map(({ name, outcome }) => [name, outcome.replace(/ at .*/, '')])).toEqual([
      ['success', 'success'],
      ['skip', 'skip: no such thing'],
      ['error', 'error: bad test'],
      ['failure', 'failure: one: 1, not 2'],
      ['thrown', 'error: Error: oops    '],
      ['off', 'error: domain 1 has ended with 3'],
      ['peer', 'failure: the other one'],
      ['left', expect.stringMatching(/^failure: afterwards countInfo/)],
      ['asleep', 'error: it does not end'],
    ])
  })
})

describe('docs/coverage.md', () => {
  const { text, missing } = coverage(reports)
  test('has a guest for every hypercall and sub-op', () => expect(missing).toEqual([]))
  test('is what the guests have seen (npm run coverage)', () => {
    expect(readFileSync(new URL('../../../docs/coverage.md', import.meta.url), 'utf8')).toBe(text)
  })
})
