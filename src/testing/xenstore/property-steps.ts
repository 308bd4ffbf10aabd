/** What the property test does: made from a seed before anything is done, so that a failure can be made smaller by leaving out. */
import { createRng, type Rng } from '#lib/prng.ts'
import type { Asked } from './model.ts'

export const SOCKETS = ['s', 't']
const DOMAINS = [1, 2, 3, 4]
const NAMES = [...SOCKETS, '0', ...DOMAINS.map(String)]
const LONG = 'v'.repeat(150)
/** A step's transaction is the client's last one, open or not. Others count the open ones around. */
export const ENDED = 9

export type Step =
  | { readonly who: string; readonly tx: number; readonly do: 'ask'; readonly what: Asked }
  | {
      readonly who: string
      readonly tx: number
      readonly do: 'watch' | 'unwatch'
      readonly path: string
      readonly token: string
    }
  | { readonly who: string; readonly tx: number; readonly do: 'start' }
  | { readonly who: string; readonly tx: number; readonly do: 'end'; readonly commit: boolean }
  | {
      readonly do: 'introduce' | 'again' | 'release' | 'gone' | 'dying' | 'shutdown' | 'resume'
      readonly domid: number
    }
  | { readonly do: 'reopen' }
  | { readonly do: 'restart'; readonly how: 'kill' | 'terminate' | 'update'; readonly dies: number }
  | { readonly do: 'cut'; readonly who: string; readonly what: Asked; readonly steps: number }

const PATHS = [
  '/w',
  '/w/a',
  '/w/a/b',
  '/w/a/b/c',
  '/w/d',
  '/w/d/e',
  '/w/ab',
  '/w/d/e/f/g',
  '/tool/x',
  '/local/domain/1/x',
  '/local/domain/2',
]
const RELATIVE = ['x', 'x/y', 'x/y/z', 'xy', 'data']
const BAD = ['/w/', '//w', '/w b', '/w/a/../b', '']
const LIVES = ['introduce', 'introduce', 'again', 'release', 'gone', 'dying', 'shutdown', 'shutdown', 'resume'] as const

/** Before everything: what the steps are about. */
export const SETUP: readonly Step[] = [
  ask('s', 'WRITE', '/w', ''),
  ask('s', 'CHMOD', '/w', 'b0|'),
  ...DOMAINS.flatMap((domid): Step[] => [
    { do: 'introduce', domid },
    ask('s', 'MKDIR', `/local/domain/${domid}`, ''),
    ask('s', 'CHMOD', `/local/domain/${domid}`, `n${domid}|`),
  ]),
]

function ask(who: string, op: Asked['op'], path: string, rest: string, tx = 0): Step {
  return { who, tx, do: 'ask', what: { op, path, rest } }
}

export function stepsOf(seed: number, count: number, restarts = false): Step[] {
  const rng = createRng(seed)
  let who = 's'
  const steps: Step[] = []
  while (steps.length < count) {
    if (restarts && rng.below(25) === 0) steps.push(restart(rng))
    if (rng.below(15) === 0) steps.push(...duel(rng))
    // Mostly the same as before: a transaction has to have a chance.
    if (rng.below(9) === 0) who = rng.pick(NAMES)
    const tx = rng.below(4) === 0 ? 0 : rng.below(15) === 0 ? ENDED : 1 + rng.below(3)
    steps.push(step(rng, who, tx))
  }
  return steps
}

/** One looks at something in a transaction, another changes something near, and the first goes on. */
function duel(rng: Rng): Step[] {
  const [one, other] = rng.pick([
    ['s', 't'],
    ['t', '0'],
    ['0', 's'],
    ['s', '1'],
  ] as const)
  const path = rng.pick(PATHS.filter((at) => at.startsWith('/w/')))
  const near = rng.pick([path, `${path}/z`, path.slice(0, path.lastIndexOf('/'))])
  const looks = rng.pick(['READ', 'DIR', 'PERMS', 'MKDIR', 'WRITE', 'RM'] as const)
  const changes = near === '/w' ? 'WRITE' : rng.pick(['WRITE', 'MKDIR', 'RM', 'CHMOD'] as const)
  return [
    { who: one, tx: 0, do: 'start' },
    ask(one, looks, rng.pick([path, `${path}/y/x`]), looks === 'WRITE' ? '1' : '', ENDED),
    ask(other, changes, near, changes === 'CHMOD' ? 'b0|r3|' : changes === 'WRITE' ? '2' : ''),
    ask(one, 'WRITE', rng.pick(['/tool/x', `${path}/v`]), '3', ENDED),
    { who: one, tx: ENDED, do: 'end', commit: true },
  ]
}

function restart(rng: Rng): Step {
  const asked = step(rng, String(rng.pick(DOMAINS)), 0)
  if ('what' in asked && rng.below(2)) return { do: 'cut', who: asked.who, what: asked.what, steps: rng.below(60) }
  return { do: 'restart', how: rng.pick(['kill', 'terminate', 'update']), dies: rng.below(4) ? 0 : rng.pick(DOMAINS) }
}

function step(rng: Rng, who: string, tx: number): Step {
  const relative = rng.below(SOCKETS.includes(who) ? 40 : 3) === 0
  const path = rng.below(40) === 0 ? rng.pick(BAD) : relative ? rng.pick(RELATIVE) : rng.pick(PATHS)
  const chance = rng.below(100)
  const value = rng.below(12) === 0 ? LONG : rng.below(8) === 0 ? '' : String(rng.below(1000))
  if (chance < 26) return ask(who, 'WRITE', path, value, tx)
  if (chance < 38) return ask(who, 'READ', path, '', tx)
  if (chance < 45) return ask(who, 'DIR', path, '', tx)
  if (chance < 48) return ask(who, 'PERMS', path, '', tx)
  if (chance < 55) return ask(who, 'MKDIR', path, '', tx)
  // The top stays: all below it may be done by all.
  if (chance < 63) return ask(who, 'RM', path === '/w' ? '/w/a' : path, '', tx)
  if (chance < 67) {
    const letter = (): string => `${rng.pick(['n', 'r', 'w', 'b'])}${rng.below(5)}|`
    const perms = rng.below(12) === 0 ? rng.pick(['', 'x1|', 'r|']) : letter() + (rng.below(2) ? letter() : '')
    return ask(who, 'CHMOD', path === '/w' ? '/w/a' : path, perms, tx)
  }
  if (chance < 76) return { who, tx: rng.below(12) ? 0 : tx, do: 'start' }
  if (chance < 86) return { who, tx, do: 'end', commit: rng.below(4) > 0 }
  const token = rng.pick(['t', 'u', ''])
  const watched = rng.below(8) === 0 ? rng.pick(['@introduceDomain', '@releaseDomain', '/']) : path
  if (chance < 90) return { who, tx: rng.below(8) ? 0 : tx, do: 'watch', path: watched, token }
  if (chance < 93) return { who, tx: 0, do: 'unwatch', path: watched, token }
  if (chance < 94) return { do: 'reopen' }
  return { do: rng.pick(LIVES), domid: rng.pick(DOMAINS) }
}
