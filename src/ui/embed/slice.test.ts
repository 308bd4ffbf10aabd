import { describe, expect, it } from 'vitest'
import type { UiEvent } from '../store/slice.ts'
import { type EmbedAnswer, embedSlice, isLetIn } from './slice.ts'

const stateAfter = (...events: UiEvent[]) => {
  let state = embedSlice.initial
  for (const event of events) state = { ...state, ...embedSlice.fold(state, event) }
  return state
}
const ask = (origin: string): UiEvent => ({ type: 'embed-ask', origin })
const answer = (origin: string, answer: EmbedAnswer): UiEvent => ({ type: 'embed-answer', origin, answer })

const a = 'https://a.example'
const b = 'https://b.example'

describe('who may drive the machine', () => {
  it('nobody, by asking', () => {
    const state = stateAfter(ask(a), ask(b), ask(a))
    expect(state.embedAsking).toEqual([a, b])
    expect([isLetIn(state, a), isLetIn(state, b)]).toEqual([false, false])
  })

  it.each<[EmbedAnswer, boolean, readonly string[]]>([
    ['once', true, []],
    ['always', true, [a]],
    ['refuse', false, []],
  ])('%s', (given, letIn, kept) => {
    const state = stateAfter(ask(a), ask(b), answer(a, given))
    expect(isLetIn(state, a)).toBe(letIn)
    expect(state.embedAlways).toEqual(kept)
    expect(state.embedAsking).toEqual([b])
    expect(isLetIn(state, b)).toBe(false)
  })

  it('who was refused is not asked about again', () => {
    expect(stateAfter(ask(a), answer(a, 'refuse'), ask(a)).embedAsking).toEqual([])
  })

  it('who was sent away asks again', () => {
    const state = stateAfter(ask(a), answer(a, 'always'), { type: 'embed-revoke', origin: a }, ask(a))
    expect(isLetIn(state, a)).toBe(false)
    expect(state).toMatchObject({ embedAlways: [], embedAsking: [a] })
  })

  it('an origin without a name is never kept', () => {
    const state = stateAfter(ask('null 1'), answer('null 1', 'always'))
    expect(isLetIn(state, 'null 1')).toBe(true)
    expect(isLetIn(state, 'null 2')).toBe(false)
    expect(state.embedAlways).toEqual([])
    expect(stateAfter({ type: 'embed-kept', origins: ['null', 'null 1', a] }).embedAlways).toEqual([a])
  })
})
