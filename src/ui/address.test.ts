import { describe, expect, it } from 'vitest'
import { readAddress } from './address.ts'

describe('the page address', () => {
  it('asks for nothing by default but power', () => {
    expect(readAddress('')).toEqual({ power: true, options: {}, lang: null, theme: undefined })
  })

  it('asks for everything', () => {
    expect(readAddress('?power=off&seed=7&memory=512&lang=zh&theme=light&clock=live')).toEqual({
      power: false,
      options: { seed: 7, memoryMiB: 512, clock: 'live' },
      lang: 'zh',
      theme: 'light',
    })
  })

  it.each([
    '?seed=-1',
    '?seed=1.5',
    '?seed=4294967296',
    '?seed=0x10',
    '?seed=',
    '?memory=0',
    '?memory=999999',
    '?memory=lots',
    '?clock=fast',
    '?theme=pink',
    '?power=maybe',
  ])('%s makes no sense and is left out', (query) => {
    expect(readAddress(query)).toEqual({ power: true, options: {}, lang: null, theme: undefined })
  })
})
