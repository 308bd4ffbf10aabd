/**
 * Every request: good, bad, at its edge, by those who may and those who may not. A line is `WHO OP PAYLOAD => MESSAGES`: s and r are sockets (r read-only), a
 * number is that domain's ring, * is each of those whom the case names in turn (unless it does: the socket, dom0's ring, and the ring of domain 3, which
 * dom0 has lent its rights). `#3` behind the name is a transaction; `|` stands for NUL, `^` for a newline; `!` marks an error, `~` an event, `_` an empty
 * payload. All that the client is told by then, in order. `WHO => MESSAGES`: what else it has been told.
 */
import { DOMAIN_CASES } from './cases-domains.ts'
import { NODE_CASES } from './cases-nodes.ts'
import { WATCH_CASES } from './cases-watches.ts'

/** What gives domain 3 dom0's rights where nodes are concerned. What they do not cover is done `by` others. */
export const LENT = 's TARGET 3|0| => OK|'

/** `by`: who * is. */
export type Case = readonly [title: string, script: string, by?: string]

/** What most cases begin with: a node for everybody's rights. */
export const SETUP = `
  s WRITE /a|x => OK|
  s WRITE /a/b|y => OK|
  s MKDIR /local/domain/1 => !EINVAL
  s MKDIR /local/domain/1| => OK|
  s CHMOD /local/domain/1|n1| => OK|
  s MKDIR /local/domain/2| => OK|
  s CHMOD /local/domain/2|n2| => OK|
  s WRITE /ro|1 => OK|
  s CHMOD /ro|r0| => OK|
  s WRITE /wo|2 => OK|
  s CHMOD /wo|w0| => OK|
  s WRITE /rw|3 => OK|
  s CHMOD /rw|b0| => OK|
  s WRITE /for1|4 => OK|
  s CHMOD /for1|n0|r1|w2| => OK|
`

export const CASES: readonly Case[] = [...NODE_CASES, ...WATCH_CASES, ...DOMAIN_CASES]

/** A row for each of those who ask. */
export const spelledOut = (cases: readonly Case[]): [title: string, script: string][] =>
  cases.flatMap(([title, script, by = 's03']): [string, string][] =>
    /^\s*\*/m.test(script)
      ? [...by].map((who) => [`${title} (${who})`, script.replace(/^(\s*)\*/gm, `$1${who}`)])
      : [[title, script]],
  )
