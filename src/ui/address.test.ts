import { describe, expect, it } from 'vitest'
import { type Asked, readAddress } from './address.ts'

const nothing: Asked = {
  power: true,
  options: {},
  lang: null,
  theme: undefined,
  embed: false,
  panels: undefined,
  disk: 'keep',
  tape: undefined,
  refused: [],
}

describe('the page address', () => {
  it('asks for nothing by default but power', () => {
    expect(readAddress('')).toEqual(nothing)
  })

  it('asks for everything', () => {
    expect(
      readAddress(
        '?power=off&seed=7&memory=512&lang=zh&theme=light&clock=live&embed=1&panels=com1,domains,domain:sebastian&disk=keep&tape=demo.tape',
      ),
    ).toEqual({
      power: false,
      options: { seed: 7, memoryMiB: 512, clock: 'live' },
      lang: 'zh',
      theme: 'light',
      embed: true,
      panels: ['com1', 'domains', 'domain:sebastian'],
      disk: 'keep',
      tape: 'demo.tape',
      refused: [],
    } satisfies Asked)
  })

  it.each([
    'seed=-1',
    'seed=1.5',
    'seed=4294967296',
    'seed=0x10',
    'seed=',
    'memory=0',
    'memory=999999',
    'memory=lots',
    'clock=fast',
    'theme=pink',
    'power=maybe',
    'embed=yes',
    'panels=',
    'panels=,',
    'disk=floppy',
    'tape=',
  ])('%s makes no sense: it is left out, and said so', (parameter) => {
    expect(readAddress(`?${parameter}`)).toEqual({ ...nothing, refused: [parameter] })
  })

  it.each([
    ['', 'keep'],
    ['?embed=1', 'temporary'],
    ['?embed=0', 'keep'],
    ['?embed=1&disk=keep', 'keep'],
    ['?tape=a.tape', 'temporary'],
    ['?tape=a.tape&disk=keep', 'keep'],
    ['?disk=temporary', 'temporary'],
    ['?embed=1&disk=floppy', 'temporary'],
  ])('%s: the disk is %s', (query, disk) => {
    expect(readAddress(query).disk).toBe(disk)
  })

  it('a panel asked for twice is there once, and spaces do not matter', () => {
    expect(readAddress('?panels=com1, monitor,com1,').panels).toEqual(['com1', 'monitor'])
  })
})
