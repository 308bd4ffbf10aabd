import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { DomainView } from '#protocol/domains.ts'
import { en, type Lang } from '../../i18n/index.ts'
import type { UiEvent } from '../../store/slice.ts'
import { fold, initialState, type PlaygroundState } from '../../store/store.ts'
import { defaultOptions } from '../machine/slice.ts'
import { isPanelId } from '../registry.ts'
import { type Command, obstacle } from './acts.ts'
import { glossary, isTermId } from './glossary.ts'
import { libraries } from './libraries.ts'
import { partsOf } from './marks.ts'
import { pages } from './pages/index.ts'
import { commandsOf } from './pages/page.ts'
import { commands, nextCommand, stageKey, stepNow, steps } from './steps.ts'

const state = (to: PlaygroundState['power']): UiEvent => ({ type: 'state', state: to })
const ready: UiEvent = { type: 'worker', status: 'ready', message: '' }
const owner = (whose: 'xen' | 'dom0'): UiEvent => ({ type: 'probe', probe: { kind: 'serial-input', owner: whose } })
const ran = (command: string): UiEvent => ({ type: 'guide-ran', command })
const stateAfter = (...events: UiEvent[]) => events.reduce(fold, initialState)

const domain = (domid: number, name: string): DomainView => ({
  domid,
  name,
  uuid: '',
  state: 'blocked',
  shutdownReason: undefined,
  vcpus: 1,
  memoryKiB: 0,
  maxMemoryKiB: 0,
  targetKiB: undefined,
  cpuNs: 0,
  sinceNs: 0,
  atNs: 0,
})
const withDomains = (to: PlaygroundState, ...names: string[]): PlaygroundState => ({
  ...to,
  domains: Object.fromEntries(names.map((name, domid) => [domid, domain(domid, name)])),
})

const xen = stateAfter(ready, state('firmware'), state('bootloader'), state('xen'))
const booting = fold(fold(xen, owner('xen')), owner('dom0'))
const login = withDomains(booting, 'Domain-0')
const guest = withDomains(fold(fold(login, ran('login')), ran('list')), 'Domain-0', 'sebastian')
const escaped = fold(guest, owner('xen'))
const back = fold(fold(escaped, ran('xen-help')), owner('dom0'))

describe('the strip', () => {
  it.each([
    ['off', stateAfter(), 'power', 0, 'strip.now.off'],
    ['in firmware', stateAfter(ready, state('firmware')), 'boot', 0, 'strip.now.firmware'],
    ['at the menu', stateAfter(ready, state('bootloader')), 'boot', 0, 'strip.now.bootloader'],
    ['while Xen starts', fold(xen, owner('xen')), 'login', 1, 'strip.now.xen-boots'],
    ['while dom0 boots', { ...booting, settled: false }, 'login', 1, 'strip.now.dom0-boots'],
    ['at the login', login, 'login', 1, 'strip.now.dom0'],
    ['logged in', fold(login, ran('login')), 'list', 1, 'strip.now.dom0'],
    ['listed', fold(fold(login, ran('login')), ran('list')), 'create', 2, 'strip.now.dom0'],
    ['with a guest', guest, 'escape', 2, 'strip.now.dom0'],
    ['with Xen', escaped, 'xen-help', 2, 'strip.now.xen-listens'],
    ['with Xen, its keys listed', fold(escaped, ran('xen-help')), 'back', 2, 'strip.now.xen-listens'],
    ['back', back, undefined, 2, 'strip.now.done'],
    ['halted', fold(guest, state('halted')), 'boot', 0, 'strip.now.halted'],
  ] as const)('%s, it knows what is next', (_, to, next, step, stage) => {
    expect([nextCommand(to), stepNow(to), stageKey(to)]).toEqual([next, step, stage])
  })

  it('ticks every step once all is done, and starts over with the machine', () => {
    expect(steps.map((step) => step.done(back))).toEqual([true, true, true])
    const anew = fold(fold(back, state('firmware')), state('bootloader'))
    expect(steps.map((step) => step.done(anew))).toEqual([false, false, false])
    expect(fold(back, { type: 'powering', options: defaultOptions }).typedThisBoot).toEqual([])
    expect(anew.guideDone).toContain('login')
  })

  it('says once that Xen was reached only after dom0 had the line', () => {
    expect(fold(xen, owner('xen')).escapedToXen).toBe(false)
    expect(escaped.escapedToXen).toBe(true)
  })
})

describe('a button that cannot work says why', () => {
  const balloon: Command = { id: 'x', act: { kind: 'line', text: 'xm mem-set sebastian 96' }, needs: 'sebastian' }
  it.each([
    [commands.power, stateAfter(), undefined],
    [commands.power, login, 'guide.not.on'],
    [commands.boot, stateAfter(ready, state('bootloader')), undefined],
    [commands.boot, stateAfter(ready, state('firmware')), 'guide.not.grub'],
    [commands.boot, stateAfter(), 'guide.not.off'],
    [commands.boot, login, 'guide.not.booted'],
    [commands.login, stateAfter(ready, state('bootloader')), 'guide.not.bootloader'],
    [commands.login, xen, 'guide.not.xen-boots'],
    [commands.login, booting, 'guide.not.services'],
    [commands.login, { ...booting, settled: false }, 'guide.not.dom0-boots'],
    [commands.login, login, undefined],
    [commands.login, escaped, 'guide.not.xen-listens'],
    [commands.login, fold(login, { type: 'worker', status: 'hung', message: '' }), 'guide.not.answering'],
    [commands.create, guest, 'guide.not.again'],
    [commands.create, login, undefined],
    [balloon, login, 'guide.not.there'],
    [balloon, guest, undefined],
    [commands.escape, booting, undefined],
    [commands.escape, escaped, 'guide.not.xen-listens'],
    [commands['xen-help'], guest, 'guide.not.dom0-listens'],
    [commands['xen-help'], escaped, undefined],
    [commands.back, escaped, undefined],
    [commands.login, fold(login, state('panicked')), 'guide.not.panicked'],
  ] as const)('%j', (command, to, why) => expect(obstacle(to, command)?.key).toBe(why))
})

describe('the pages', () => {
  const all = pages.flatMap(commandsOf)

  it('name each command once, or mean the same by the same name', () => {
    const meanings = new Map(all.map(({ id, act }) => [id, JSON.stringify(act)]))
    for (const { id, act } of all) expect(meanings.get(id)).toBe(JSON.stringify(act))
    for (const { id } of all) expect(id).toMatch(/^[\w-]+$/)
  })

  const texts = pages.flatMap((page) => [
    page.intro,
    ...page.sections.flatMap(({ blocks }) => blocks.flatMap((block) => ('text' in block ? [block.text] : []))),
  ])
  it.each(texts)('have the same code and words of the glossary in both languages: %j', (text) => {
    const marks = (lang: Lang, kind: string) =>
      partsOf(text[lang]).flatMap((part) => (part.kind === kind ? [part.kind === 'term' ? part.id : part.text] : []))
    expect(marks('zh', 'code').sort()).toEqual(marks('en', 'code').sort())
    expect(marks('zh', 'term').sort()).toEqual(marks('en', 'term').sort())
    for (const id of marks('en', 'term')) expect(isTermId(id), id).toBe(true)
    expect(text.zh).toMatch(/\p{Script=Han}/u)
  })

  it('open panels that there are', () => {
    for (const { blocks } of pages.flatMap((page) => page.sections))
      for (const block of blocks) if (block.kind === 'panel') expect(isPanelId(block.panel)).toBe(true)
  })
})

it('the marks of a text are found in their order', () => {
  expect(partsOf('a `b` [[dom0]] and [[domu|guests]].')).toEqual([
    { kind: 'plain', text: 'a ' },
    { kind: 'code', text: 'b' },
    { kind: 'plain', text: ' ' },
    { kind: 'term', id: 'dom0', text: undefined },
    { kind: 'plain', text: ' and ' },
    { kind: 'term', id: 'domu', text: 'guests' },
    { kind: 'plain', text: '.' },
  ])
})

it('the glossary has every word in both languages', () => {
  for (const { en: one, zh: other } of Object.values(glossary))
    for (const text of [one.term, one.text, other.term, other.text]) expect(text.trim()).not.toBe('')
  expect(en['help.glossary']).not.toBe('')
})

it('the help names every library that the project depends on, with its licence', () => {
  const root = new URL('../../../../', import.meta.url)
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, root), 'utf8'))
  const { dependencies } = read('package.json') as { dependencies: Record<string, string> }
  expect(libraries.flatMap(({ packages }) => packages).sort()).toEqual(Object.keys(dependencies).sort())
  for (const { packages, licence } of libraries)
    for (const name of packages) expect(read(`node_modules/${name}/package.json`).license).toBe(licence)
})
