/**
 * --merge-activate: a transaction (of s) looks at something or changes it, somebody else changes something, and then it writes /out and ends. By what it
 * hears then, whatever it was told before would still be so, or it has to be done again.
 */
import type { Case } from './cases.ts'

export const MERGES = ['--merge-activate']

export const MERGE_SETUP = `
  s WRITE /m|v => OK|
  s WRITE /m/a|1 => OK|
  s WRITE /m/b|2 => OK|
  s MKDIR /local/domain/1| => OK|
  s CHMOD /local/domain/1|n1| => OK|
`

interface Row {
  /** What the transaction does, and is told. */
  readonly does: string
  /** What another may not do meanwhile. */
  readonly against: readonly string[]
  /** What another may do meanwhile. */
  readonly beside: readonly string[]
}

const NEW_CHILD = ['WRITE /m/c|1', 'MKDIR /m/c|', 'MKDIR /m/c/d/e|']
const OLD_CHILDREN = ['WRITE /m/a|9', 'CHMOD /m/a|r0|', 'WRITE /m/a/x|1']
const ELSEWHERE = ['WRITE /z|1', 'WRITE /mm|1', 'RM /tool|', 'MKDIR /m|']

const ROWS: readonly Row[] = [
  {
    does: 'READ /m| => v',
    against: ['WRITE /m|w', 'CHMOD /m|r0|', 'RM /m|'],
    beside: [...NEW_CHILD, ...OLD_CHILDREN, ...ELSEWHERE, 'RM /m/a|'],
  },
  {
    does: 'DIR /m| => a|b|',
    against: [...NEW_CHILD, 'RM /m/a|', 'RM /m/b|', 'CHMOD /m|r0|', 'RM /m|'],
    beside: [...OLD_CHILDREN, ...ELSEWHERE, 'WRITE /m|w'],
  },
  {
    does: 'PERMS /m| => n0|',
    against: ['CHMOD /m|r0|', 'RM /m|'],
    beside: [...NEW_CHILD, ...OLD_CHILDREN, ...ELSEWHERE, 'WRITE /m|w', 'RM /m/a|'],
  },
  {
    does: 'READ /m/none| => !ENOENT',
    against: ['WRITE /m/none|1', 'MKDIR /m/none|', 'WRITE /m/none/x|1', 'CHMOD /m|r0|', 'RM /m|'],
    beside: [...NEW_CHILD, ...OLD_CHILDREN, ...ELSEWHERE, 'WRITE /m|w'],
  },
  {
    does: 'DIR /m/none/x/y| => !ENOENT',
    against: ['MKDIR /m/none|', 'WRITE /m/none/x/y|1', 'CHMOD /m|r0|'],
    beside: [...NEW_CHILD, ...ELSEWHERE],
  },
  {
    does: 'WRITE /m|q => OK|',
    against: ['WRITE /m|w', 'CHMOD /m|r0|', 'RM /m|'],
    beside: [...NEW_CHILD, ...OLD_CHILDREN, ...ELSEWHERE, 'RM /m/a|'],
  },
  {
    does: 'MKDIR /m/n| => OK|',
    against: ['MKDIR /m/n|', 'WRITE /m/n/x|1', 'CHMOD /m|r0|', 'RM /m|'],
    beside: [...NEW_CHILD, ...OLD_CHILDREN, ...ELSEWHERE, 'WRITE /m|w', 'RM /m/a|'],
  },
  {
    does: 'RM /m| => OK|',
    against: [...NEW_CHILD, ...OLD_CHILDREN, 'WRITE /m|w', 'RM /m/a|', 'RM /m|'],
    beside: ['WRITE /z|1', 'WRITE /mm|1', 'RM /tool|'],
  },
  {
    does: 'CHMOD /m|r0| => OK|',
    against: ['CHMOD /m|b0|', 'WRITE /m|w', 'RM /m|'],
    beside: [...NEW_CHILD, ...OLD_CHILDREN, ...ELSEWHERE],
  },
]

const rowCase = (does: string, other: string, collides: boolean): Case => [
  `${does.split(' =>')[0]} and ${other} ${collides ? 'collide' : 'pass each other'}`,
  `s START | => 1|
   s#1 ${does}
   0 ${other} => OK|
   s#1 WRITE /out|1 => OK|
   s#1 END T| => ${collides ? '!EAGAIN' : 'OK|'}
   s READ /out| => ${collides ? '!ENOENT' : '1'}`,
]

export const MERGE_CASES: readonly Case[] = [
  ...ROWS.flatMap(({ does, against, beside }) => [
    ...against.map((other) => rowCase(does, other, true)),
    ...beside.map((other) => rowCase(does, other, false)),
  ]),
  [
    'a child that was made anew is listed last',
    's START | => 1|\n s#1 DIR /m| => a|b|\n 0 RM /m/a| => OK|\n 0 MKDIR /m/a| => OK|\n s#1 END T| => !EAGAIN',
  ],
  [
    'both leave what they did',
    's START | => 1|\n s#1 WRITE /m/x|1 => OK|\n s#1 RM /m/a| => OK|\n s#1 CHMOD /m/b|r5| => OK|\n 0 WRITE /m/y|2 => OK|\n 0 WRITE /m|w => OK|\n s#1 END T| => OK|\n s READ /m| => w\n s DIR /m| => b|y|x|\n s PERMS /m/b| => r5|',
  ],
  [
    'made, removed and made again inside: youngest, with nothing of before',
    's START | => 1|\n s#1 WRITE /m/a/k|1 => OK|\n s#1 RM /m/a| => OK|\n s#1 WRITE /m/a/l|2 => OK|\n 0 WRITE /z|1 => OK|\n s#1 END T| => OK|\n s DIR /m| => b|a|\n s DIR /m/a| => l|\n s READ /m/a| => _',
  ],
  [
    'one that only looked elsewhere does not break another',
    's START | => 1|\n 0 START | => 1|\n s#1 READ /m/a| => 1\n 0#1 WRITE /m/b|3 => OK|\n 0#1 END T| => OK|\n s#1 WRITE /m/a|2 => OK|\n s#1 END T| => OK|\n s READ /m/a| => 2\n s READ /m/b| => 3',
  ],
  [
    'events come at the end, with the others’ before',
    '0 WATCH /m|t| => OK| ~/m|t|\n s START | => 1|\n s#1 WRITE /m/a|2 => OK|\n s WRITE /m/b|3 => OK|\n 0 => ~/m/b|t|\n s#1 END T| => OK|\n 0 => ~/m/a|t|',
  ],
]
