/**
 * The cases of a table for a host that lives: each in directories of its own, so that nothing else on the host is touched and nothing has to be cleaned up,
 * and without those that are about the whole tree or about who exists. What a guest says comes in one piece: domain 0 prepares all cases, the guest
 * speaks, domain 0 looks.
 */
import { type Case, SETUP, spelledOut } from './cases.ts'

export interface Hosted {
  /** For xstalk in domain 0. */
  readonly before: string
  /** For xstalk in the guest. */
  readonly guest: string
  /** For xstalk in domain 0 again. */
  readonly after: string
  readonly cases: number
  readonly guestCases: number
}

/** About the root, the list of domains or a domain's whole directory; or about who there is. */
const WHOLE =
  / (?:DIR|MKDIR|WRITE|RM|CHMOD|PERMS|READ|WATCH|UNWATCH) (?:\/|\/tool|\/local\/domain|\/local\/domain\/\d)\||\/local\/domain\/[02]| @|~@|WATCH @/
const LIVES = / (?:INTRO|INTRODUCED|RELEASE|RESUME|TARGET|PATH|DEBUG) /
/** What the kernel's device does not pass on, and what it takes for the end of a transaction though the daemon does not. */
const NOT_PASSED = /^\s*\d(?:#\d+)? (?:(?:T20|T999|EVENT|ERROR) |END (?![TF]\| ))/m
/** It knows watches by their first two words. */
const OF_THE_DEVICE =
  /^(?:relative and absolute are the same watch|unwatch relative|(?:a watch with|unwatch) three words \(\d\))$/
const LONGEST = 900

const isFit = ([title, script]: readonly [string, string]): boolean =>
  !WHOLE.test(script) &&
  !LIVES.test(script) &&
  !NOT_PASSED.test(script) &&
  !OF_THE_DEVICE.test(title) &&
  !/^\s*[235]/m.test(script) &&
  // Messages are told apart by blanks.
  !script.includes('\xff ^') &&
  script.length < LONGEST

/** In a directory of the case's own: absolute paths, relative ones, and the paths of events. */
function moved(line: string, home: string): string {
  const at = (path: string): string =>
    path === '' || path.startsWith('@')
      ? path
      : path.startsWith('/local/domain/1/')
        ? path.replace('/local/domain/1/', `/local/domain/1/${home}/`)
        : path.startsWith('/')
          ? `/${home}${path}`
          : `${home}/${path}`
  const arrow = line.indexOf(' =>')
  const request = line
    .slice(0, arrow)
    .replace(
      /^(\w+(?:#\d+)? (?:READ|DIR|WRITE|MKDIR|RM|PERMS|CHMOD|WATCH|UNWATCH) )([^|_]*)/,
      (_all, head, path) => head + at(path),
    )
  return `${request}${line.slice(arrow).replace(/~([^|]*)/g, (_all, path) => `~${at(path)}`)}`
}

export function hosted(cases: readonly Case[]): Hosted {
  const fit = spelledOut(cases).filter(isFit)
  const files = { before: '', guest: '', after: '' }
  let guestCases = 0
  let taken = 0
  fit.forEach(([title, script], i) => {
    const home = `c${i}`
    const lines = script.split('\n').map((line) => moved(line.trim(), home))
    const first = lines.findIndex((line) => line.startsWith('1'))
    const last = lines.findLastIndex((line) => line.startsWith('1'))
    // The guest speaks in one piece, or not at all.
    if (first >= 0 && !lines.slice(first, last + 1).every((line) => line.startsWith('1'))) return
    // What domain 0's connections have open ends with the first part.
    if (first > 0 && lines.slice(0, first).some((line) => /WATCH|START/.test(line))) return
    taken++
    const setup = SETUP.trim()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => !line.includes('/local/'))
      .map((line) => moved(line, home))
    const head = `#${title}\n`
    files.before += `${head}${setup.join('\n')}\n`
    if (first < 0) files.before += `${lines.join('\n')}\n`
    else {
      guestCases++
      files.before += `s MKDIR /local/domain/1/${home}| => OK|\n`
      if (first > 0) files.before += `${lines.slice(0, first).join('\n')}\n`
      files.guest += `${head}${lines.slice(first, last + 1).join('\n')}\n`
      if (last + 1 < lines.length) files.after += `${head}${lines.slice(last + 1).join('\n')}\n`
    }
  })
  return { ...files, cases: taken, guestCases }
}
