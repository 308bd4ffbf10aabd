import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SHUTDOWN_crash } from '#abi/xen/sched.ts'
import type { CrashReport } from '#protocol/machine.ts'
import type { DiskNotice } from '../../disk/slice.ts'
import { en, say } from '../../i18n/index.ts'
import type { UiEvent } from '../../store/slice.ts'
import { fold, initialState } from '../../store/store.ts'
import { troubleIds, troublesOf } from './troubles.ts'
import { en as own } from './words.ts'
import { zh } from './words.zh.ts'

const found = (...events: UiEvent[]) => troublesOf(events.reduce(fold, initialState))
const state = (to: 'firmware' | 'xen' | 'halted' | 'panicked' | 'off'): UiEvent => ({ type: 'state', state: to })
const worker = (status: 'starting' | 'ready' | 'hung' | 'dead', message = ''): UiEvent => ({
  type: 'worker',
  status,
  message,
})
const notice = (kind: DiskNotice['kind'], message = ''): UiEvent => ({ type: 'disk-notice', notice: { kind, message } })
const network = (online: boolean): UiEvent => ({ type: 'network', online, offlineReady: false, newVersion: false })
const dom0Crashed: UiEvent = { type: 'probe', probe: { kind: 'dom0-shutdown', reason: SHUTDOWN_crash } }
const report: CrashReport = { image: 'xen', message: 'm', file: 'a.ts', line: 1, stack: [], atNs: 0 }
const on = [worker('ready'), state('xen')]

describe('what is wrong', () => {
  const cases: [string, UiEvent[], string[]][] = [
    ['nothing before the first machine but that it is off', [], ['off']],
    ['nothing while one is made', [worker('starting')], []],
    ['nothing while all is well', on, []],
    ['halted', [...on, state('halted')], ['halted']],
    ['a panic', [...on, state('panicked')], ['panic']],
    ['a crash, though the machine has halted by it', [...on, { type: 'crash', report }, state('halted')], ['crash']],
    ['a dead dom0, until the reset', [...on, dom0Crashed, state('halted')], ['dom0']],
    ['nothing after the reset', [...on, { type: 'crash', report }, state('halted'), state('firmware')], []],
    ['a hung worker', [...on, worker('hung')], ['hung']],
    ['a dead worker', [...on, worker('dead', 'gone')], ['dead']],
    ['no memory', [worker('dead', 'RangeError: WebAssembly.Memory(): could not allocate memory')], ['memory']],
    ['no network and no files', [network(false), worker('dead', 'Failed to fetch')], ['offline']],
    ['no answer for the files', [worker('dead', 'assets/machine.js could not be loaded: 404 Not Found')], ['offline']],
    ['nothing when there is no network but a machine', [...on, network(false)], []],
    ['storage denied', [...on, notice('denied')], ['storage-denied']],
    ['storage full', [...on, notice('full')], ['storage-full']],
    ['storage that fails', [...on, notice('failed', 'no answer')], ['storage-failed']],
    ['another tab', [...on, notice('other-tab')], ['other-tab']],
    ['a lost lock', [...on, notice('lost-lock')], ['lost-lock']],
    ['another base', [...on, notice('base-changed')], ['base-changed']],
    ['a bad import', [...on, notice('import-refused', 'no')], ['import']],
    ['a bad link', [...on, { type: 'link-trouble', trouble: { what: 'tape', why: 'none' } }], ['link']],
    ['two things at once', [...on, state('panicked'), notice('full')], ['panic', 'storage-full']],
  ]
  it.each(cases)('%s', (_, events, ids) => expect(found(...events).map(({ id }) => id)).toEqual(ids))

  it('a refused memory offers a smaller machine once', () => {
    const refused = worker('dead', 'could not allocate memory')
    expect(found(refused)[0]?.remedy).toEqual({ kind: 'smaller-machine', memoryMiB: 512 })
    const small: UiEvent = { type: 'powering', options: { memoryMiB: 512, seed: 1, clock: 'turbo' } }
    expect(found(small, refused)[0]?.remedy).toEqual({ kind: 'new-machine' })
  })

  it('every trouble comes up in the cases above, with all of its values', () => {
    const all = cases.flatMap(([, events]) => found(...events))
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(troubleIds))
    for (const { title, text, safe, action } of all)
      for (const found of [title, text, safe, action]) expect(say('en', found)).not.toContain('{')
  })
})

/** The rows of the table in docs/ux-states.md: state, how to get there, what is said, what is safe, the button. */
const doc = readFileSync(new URL('../../../../docs/ux-states.md', import.meta.url), 'utf8')
const rows = doc
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  )

describe('docs/ux-states.md', () => {
  it('has a row for every trouble, and for the old browser', () => {
    const ids = rows.map(([id]) => id?.replaceAll('`', ''))
    expect(ids.filter((id) => !id?.includes('.'))).toEqual([...troubleIds, 'old-browser'])
  })

  it.each(rows.map((row) => [row[0]!, row] as const))(
    '%s says what the page says',
    (name, [, how, said, safe, button]) => {
      const id = name.replaceAll('`', '')
      expect(how).not.toBe('')
      const dictionary = en as Readonly<Record<string, string>>
      if (id.includes('.')) {
        expect(said).toBe(dictionary[id])
        return
      }
      const texts = own as Readonly<Record<string, string>>
      expect(said).toBe(`**${texts[`trouble.${id}.title`]}.** ${texts[`trouble.${id}.text`]}`)
      expect(safe).toBe(texts[`trouble.${id}.safe`])
      expect(button).toBe(texts[`trouble.${id}.action`])
    },
  )
})

it('the page for old browsers says the same, in both languages, with nothing of ours loaded', () => {
  const page = readFileSync(new URL('../../../../index.html', import.meta.url), 'utf8')
  for (const texts of [own, zh] as Readonly<Record<string, string>>[])
    for (const part of ['title', 'text', 'safe', 'action']) expect(page).toContain(texts[`trouble.old-browser.${part}`])
})
