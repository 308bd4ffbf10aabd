/**
 * Our daemon and Debian's C xenstored of 4.17, asked the same things at random, over sockets and domains' rings: each answer, each event and their
 * order are the same, byte for byte. What the years between 3.3 and 4.17 have changed is not asked for, or is named below.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { XS_ERROR, XS_READ, XS_WATCH_EVENT } from '#abi/xen/io/xs_wire.ts'
import { createRng, type Rng } from '#lib/prng.ts'
import { WireWorld } from './xenstore/wire-world.ts'
import { type Heard, RingTalk, SocketTalk, type Talk } from './xenstored-real/talk.ts'
import { realXenstoredMissing, startRealXenstored } from './xenstored-real.ts'
import { OPS } from './xenstored-rig.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const REQUESTS = 150

/** Nodes of all rights. */
const SETUP = [
  's WRITE /a|x',
  's MKDIR /local/domain/1|',
  's CHMOD /local/domain/1|n1|',
  's MKDIR /local/domain/2|',
  's CHMOD /local/domain/2|n2|',
  's WRITE /ro|1',
  's CHMOD /ro|r0|',
  's WRITE /rw|1',
  's CHMOD /rw|b0|',
  's WRITE /for1|1',
  's CHMOD /for1|n0|r1|w2|',
]
const PATHS = ['/', '/a', '/a/b', '/a/b/c', '/d', '/d/e', '/f', '/f/g', '/rw/n', '/rw/n/m', '/for1', '/ro/k', '/local']
const DOMAIN_PATHS = ['/local/domain/1', '/local/domain/1/x', '/local/domain/1/x/y', '/local/domain/2/z']
const RELATIVE = ['x', 'x/y', 'data', 'data/k']
/** 4.17 does not tell of what was below a removed node and was not there: nobody watches so deep. */
const WATCHED = ['/', '/a', '/d', '/f', '/rw']
const EVERYBODY = ['s', 't', '1', '2']

const inWords = ({ type, payload }: Heard): string => {
  const text = payload.replaceAll('\0', '|')
  return type === XS_WATCH_EVENT ? `~${text}` : type === XS_ERROR ? `!${text.replace('|', '')}` : text || '_'
}

/** The real daemon, spoken to as WireWorld is. */
class RealWorld {
  readonly #who = new Map<string, Talk>()

  add(name: string, talk: Talk): void {
    this.#who.set(name, talk)
  }

  async say(line: string): Promise<string> {
    const [, name = '', tx, op = '', text = ''] = /^(\w+)(?:#(\d+))? (\w+) (.*)$/.exec(line)!
    const words = await this.#until(name, OPS[op]!, Number(tx ?? 0), text.replaceAll('|', '\0'))
    return [...words, await this.told(name)].join(' ').trim()
  }

  /** Answers come in order, so nothing is under way any more once this is answered. */
  async told(name: string): Promise<string> {
    return (await this.#until(name, XS_READ, 0, '/tool\0')).slice(0, -1).join(' ')
  }

  async #until(name: string, type: number, txId: number, payload: string): Promise<string[]> {
    const words: string[] = []
    const talk = this.#who.get(name)!
    for (let heard = await talk.ask(type, txId, payload); heard; heard = await talk.heard()) {
      words.push(inWords(heard))
      if (heard.type !== XS_WATCH_EVENT) return words
    }
    throw new Error(`the real one has ended ${name} at ${payload}`)
  }

  close(): void {
    for (const talk of this.#who.values()) talk.close()
  }
}

/** What can be asked next. While a transaction is open nobody else speaks: whom it conflicts with is another question in 4.17. */
function request(rng: Rng, open: { readonly who: string; readonly id: string } | undefined): string {
  const who = open?.who ?? rng.pick(['s', 's', 't', '1', '1', '2'])
  const domain = /\d/.test(who)
  const path = domain && rng.below(3) === 0 ? rng.pick(RELATIVE) : rng.pick([...PATHS, ...DOMAIN_PATHS])
  const rows = [
    `READ ${path}|`,
    `DIR ${path}|`,
    `WRITE ${path}|v${rng.below(9)}`,
    `WRITE ${path}|`,
    `MKDIR ${path}|`,
    `RM ${path}|`,
    `PERMS ${path}|`,
    open ? `END ${rng.pick(['T', 'T', 'F'])}|` : 'START |',
  ]
  // The error of a domain that gives a node away has another name since, and domains hear only of what they may read.
  if (!domain) {
    rows.push(`CHMOD ${path}|${rng.pick(['n0|', 'b1|', 'r0|', 'n1|', 'n2|w1|', 'w2|r1|'])}`)
    // Of two events that are equal it sends one, so tokens tell watches apart.
    const node = rng.pick(WATCHED)
    for (const op of ['WATCH', 'UNWATCH']) rows.push(`${op} ${node}|${rng.pick(['t', 'u'])}${node}|`)
  }
  return `${who}${open ? `#${open.id}` : ''} ${rng.pick(rows)}`
}

/**
 * The end of a transaction tells of changes in the order in which they were first made; in 4.17, in which their nodes were first looked at, and not of
 * what was made and removed again.
 */
const asSet = (told: string, ours: WireWorld): string =>
  told
    .split(' ')
    .filter((word) => !word.startsWith('~') || ours.say(`s READ ${word.slice(1).split('|')[0]}|`) !== '!ENOENT')
    .sort()
    .join(' ')

const missing = realXenstoredMissing('c')
if (missing !== undefined) process.stderr.write(`SKIPPED: ${missing}\n`)

describe.skipIf(missing !== undefined)("the same of us and of Debian's C xenstored", () => {
  test.each(SEEDS)(`${REQUESTS} requests at random, seed %i`, async (seed) => {
    const rng = createRng(seed)
    const folder = mkdtempSync(join(tmpdir(), 'xenstored-'))
    const daemon = await startRealXenstored('c', folder)
    if (typeof daemon === 'string') throw new Error(daemon)
    const real = new RealWorld()
    const ours = new WireWorld({ seed })
    try {
      ours.open('t')
      for (const name of ['s', 't']) real.add(name, await SocketTalk.at(daemon.socket))
      for (const domid of [1, 2]) {
        daemon.addDomain(domid)
        ours.introduce(domid)
        await real.say(`s INTRO ${domid}|${1000 + domid}|${10 + domid}|`)
        real.add(String(domid), new RingTalk(folder, domid))
      }
      let open: { who: string; id: string } | undefined
      for (let n = 0; n < REQUESTS; n++) {
        const line = SETUP[n] ?? request(rng, open)
        const got = ours.say(line)
        const heard = EVERYBODY.map((name) => ours.told(name))
        const theirs = await real.say(line)
        const theirsHeard = await Promise.all(EVERYBODY.map((name) => real.told(name)))
        const same = line.includes(' END ') ? (told: string) => asSet(told, ours) : (told: string) => told
        expect([line, same(got), ...heard.map(same)]).toEqual([line, same(theirs), ...theirsHeard.map(same)])
        if (line.includes(' END ') && !got.includes('!EINVAL')) open = undefined
        else if (line.endsWith(' START |') && /^\d+\|$/.test(got))
          open = { who: line.split(' ')[0]!, id: got.slice(0, -1) }
      }
    } finally {
      real.close()
      await daemon.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
