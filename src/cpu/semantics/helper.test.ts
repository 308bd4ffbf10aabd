/** What kept code relies on: every helper that an instruction calls has a name of its own, from the start and in every bundle. */
import { describe, expect, test, vi } from 'vitest'
import { decode } from '../isa/decode.ts'
import { encode } from '../isa/encode.ts'
import { type Form, formName, formsOf } from '../isa/forms.ts'
import type { Insn } from '../isa/insn.ts'
import type { Emitter, Helper, Native, Semantics } from './emitter.ts'
import { helper, helperNamed, helperNames } from './helper.ts'
import { semanticsOf } from './index.ts'

type Value = 'value'
const value = (): Value => 'value'
/** What a method that is not mentioned does. */
const giving = <T extends object>(methods: Partial<T>): T =>
  new Proxy(methods, { get: (target, name) => Reflect.get(target, name) ?? value }) as T

/** Goes every way there is, and notes the helpers. */
function recorder(called: Helper[]): Emitter<Value> {
  return giving<Emitter<Value>>({
    rip: 0x1000n,
    nextRip: 0x1003n,
    variable: () => ({ get: value, set: () => {} }),
    modify: () => ({ value: value(), store: () => {} }),
    if(_, then, otherwise) {
      then()
      otherwise?.()
    },
    quickly(fast, otherwise) {
      const calculate = (calculation: Helper): Value => {
        called.push(calculation)
        return value()
      }
      const { act, otherwise: calculated } = fast(giving<Native<Value>>({ calculate }))
      act()
      calculated?.()
      otherwise()
    },
    helper(called_) {
      called.push(called_)
      return value()
    },
  })
}

const forms = [...formsOf(64), ...formsOf(32)]

const ADDRESS = { base: -1, index: -1, scale: 1, disp: 0x3000 } as const
const insnOf = (form: Form): Insn | undefined => {
  const bytes = encode(form, { address: ADDRESS })
  return decode((at) => bytes[at] ?? 0, form.mode)
}

function helpersOf(form: Form, meaning: (row: Form['row']) => Semantics | undefined): Helper[] {
  const called: Helper[] = []
  const insn = insnOf(form)
  if (insn) meaning(insn.row)?.(recorder(called), insn)
  return called
}

test('instructions call helpers that are found by their names', () => {
  const strange = forms.flatMap((form) =>
    helpersOf(form, semanticsOf).flatMap((each) => (helperNamed(each.helperName) === each ? [] : [formName(form)])),
  )
  expect(strange).toEqual([])
})

test('and there are no others', () => {
  const called = forms.flatMap((form) => helpersOf(form, semanticsOf).map(({ helperName }) => helperName as string))
  expect([...new Set(called)].sort()).toEqual(helperNames())
})

test('a name says what it is about, and nothing that an engine or a minifier has made up', () => {
  expect(helperNames().filter((name) => !/^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/.test(name))).toEqual([])
})

describe('a name', () => {
  const modules = [
    () => import('./decimal.ts'),
    () => import('./far.ts'),
    () => import('./fxsave.ts'),
    () => import('./mmx-file.ts'),
    () => import('./multiply.ts'),
    () => import('./segments.ts'),
    () => import('./sse-convert.ts'),
    () => import('./sse-float.ts'),
    () => import('./sse-moves.ts'),
    () => import('./system.ts'),
    () => import('./x87.ts'),
  ]

  /** What each form calls, by name, where modules have been evaluated in this order. */
  async function namesByForm(order: (() => Promise<unknown>)[]): Promise<string[]> {
    vi.resetModules()
    for (const load of order) await load()
    const { semanticsOf: meaning } = await import('./index.ts')
    return forms.map((form) => `${formName(form)}: ${helpersOf(form, meaning).map(({ helperName }) => helperName)}`)
  }

  test('is the same in whatever order modules are evaluated', async () => {
    const forward = await namesByForm(modules)
    expect(await namesByForm(modules.toReversed())).toEqual(forward)
    expect(await namesByForm([])).toEqual(forward)
  })

  test('is for one helper, and a helper has one', () => {
    expect(helperNamed('far.jump')?.helperName).toBe('far.jump')
    expect(() => helper('far.jump', () => undefined)).toThrow('two helpers named far.jump')
    expect(() => helper('far.jump-again', helperNamed('far.jump')!)).toThrow('named twice')
    expect([helperNamed('far.jump-again'), helperNamed('')]).toEqual([undefined, undefined])
  })
})
