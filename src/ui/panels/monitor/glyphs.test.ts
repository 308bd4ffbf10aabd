/** The character generator: whole, each character its own, lines that join. */
import { expect, test } from 'vitest'
import { cp437 } from '#lib/cp437.ts'
import { GLYPH_COLUMNS, GLYPH_ROWS, glyphRows } from './glyphs.ts'

const codes = Array.from({ length: 256 }, (_, code) => code)
const codeOf = (character: string): number => codes.find((code) => cp437(code) === character)!
const picture = (character: string): string[] =>
  [...glyphRows(codeOf(character))].map((row) =>
    row.toString(2).padStart(GLYPH_COLUMNS, '0').replaceAll('0', '.').replaceAll('1', '#'),
  )

test('every character has a glyph of nine columns and sixteen rows, blank only where it is a blank', () => {
  for (const code of codes) {
    const rows = glyphRows(code)
    expect(rows.length).toBe(GLYPH_ROWS)
    expect(rows.every((row) => row < 1 << GLYPH_COLUMNS)).toBe(true)
    expect(rows.every((row) => row === 0)).toBe([' ', '\u00a0'].includes(cp437(code)))
  }
})

test('no two characters look alike', () => {
  const seen = new Map<string, string>()
  for (const code of codes) {
    const key = [...glyphRows(code)].join()
    const character = cp437(code)
    if (character === ' ' || character === '\u00a0') continue
    expect([character, seen.get(key)]).toEqual([character, undefined])
    seen.set(key, character)
  }
})

test('letters leave the ninth column free, so that they never touch', () => {
  for (let code = 0x21; code < 0x7f; code++)
    expect([cp437(code), [...glyphRows(code)].some((row) => row & 1)]).toEqual([cp437(code), false])
})

test('accents are composed, above and below', () => {
  expect(picture('é').slice(0, 6)).toEqual([
    '.........',
    '....##...',
    '...##....',
    '..##.....',
    '.........',
    '.#####...',
  ])
  expect(picture('ç').slice(5, 12)).toEqual(picture('c').slice(5, 12))
  expect(picture('Ä').slice(0, 4)).toEqual(['.##.##...', '.##.##...', '.........', '..###....'])
})

test('lines reach the edges, and doubles make hollow corners', () => {
  const single = picture('┼')
  expect(single[7]).toBe('#########')
  expect(single.map((row) => row[4]).join('')).toBe('#'.repeat(GLYPH_ROWS))
  expect(picture('╔').slice(5, 11)).toEqual([
    '.........',
    '...######',
    '...#.....',
    '...#.####',
    '...#.#...',
    '...#.#...',
  ])
  expect(picture('╤').slice(5, 10)).toEqual(['.........', '#########', '.........', '#########', '....#....'])
  expect(picture('╬').slice(5, 10)).toEqual(['...#.#...', '####.####', '.........', '####.####', '...#.#...'])
})
