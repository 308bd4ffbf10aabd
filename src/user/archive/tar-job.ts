/** What every operation of tar shares: options, complaints, lists, names. */

import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { fnmatch } from '../libc/fnmatch.ts'
import { modeString } from '../libc/mode.ts'
import { escaped } from '../libc/quote.ts'
import { describe, eprint, type Out } from '../libc/stdio.ts'
import { strftime } from '../libc/time.ts'
import { BLKTYPE, CHRTYPE, DIRTYPE, FIFOTYPE, type Header, LNKTYPE, SYMTYPE } from './tar-header.ts'

export interface TarOptions {
  readonly archive: string
  readonly gzip: boolean
  /** How often -v was given. */
  readonly verbose: number
  readonly absolute: boolean
  readonly keepOld: boolean
  readonly samePermissions: boolean
  readonly sameOwner: boolean
  readonly touch: boolean
  readonly toStdout: boolean
  readonly dereference: boolean
  readonly numericOwner: boolean
  readonly noRecursion: boolean
  readonly exclude: readonly string[]
  readonly strip: number
}

const KINDS: Readonly<Record<string, number>> = {
  [LNKTYPE]: S_IFREG,
  [SYMTYPE]: S_IFLNK,
  [CHRTYPE]: S_IFCHR,
  [BLKTYPE]: S_IFBLK,
  [DIRTYPE]: S_IFDIR,
  [FIFOTYPE]: S_IFIFO,
}
/** What user, group and size take together, as long as they fit. */
const OWNER_SIZE_WIDTH = 18

export class TarJob {
  readonly options: TarOptions
  /** Lists go there: standard output, unless the archive does. */
  readonly list: Out
  failed: boolean
  #width: number
  readonly #said: Set<string>

  constructor(options: TarOptions, list: Out) {
    this.options = options
    this.list = list
    this.failed = false
    this.#width = OWNER_SIZE_WIDTH
    this.#said = new Set()
  }

  *warn(text: string): Sys<void> {
    yield* this.list.flush()
    yield* eprint(`tar: ${text}\n`)
  }

  *complain(text: string): Sys<void> {
    yield* this.warn(text)
    this.failed = true
  }

  /** `tar: NAME: Cannot stat: No such file or directory`. Rethrows what is no OsError. */
  *cannot(what: string, name: string, error: unknown): Sys<void> {
    const reason = describe(error, '')
    yield* this.complain(`${escaped(name)}: Cannot ${what}: ${reason.replace(/^: /, '')}`)
  }

  /** Whether a pattern fits some part of the name that begins and ends at slashes. */
  excluded(name: string): boolean {
    const parts = name.replace(/\/+$/, '').split('/')
    return this.options.exclude.some((pattern) =>
      parts.some((_, from) =>
        parts.some((_part, to) => to >= from && fnmatch(pattern, parts.slice(from, to + 1).join('/'))),
      ),
    )
  }

  /** safer_name_suffix(): without what leads out of the directory. Says so once. */
  *safe(name: string, what = 'member names'): Sys<string> {
    if (this.options.absolute) return name
    const prefix = /^(?:.*\/)?\.\.(?:\/+|$)|^\/+/s.exec(name)?.[0] ?? ''
    const slashes = /^\/*/.exec(name.slice(prefix.length))?.[0].length ?? 0
    const cut = prefix.length + slashes
    if (cut > 0 && !this.#said.has(`${prefix} ${what}`)) {
      this.#said.add(`${prefix} ${what}`)
      yield* this.warn(`Removing leading \`${escaped(name.slice(0, cut))}' from ${what}`)
    }
    return cut >= name.length ? (name.length > 0 && cut > 0 ? './' : name) : name.slice(cut)
  }

  /** print_header(). */
  *show(header: Header, long: boolean): Sys<void> {
    const name = escaped(header.name)
    if (!long) return yield* this.list.line(name)
    const { numericOwner } = this.options
    const user = numericOwner || header.uname === '' ? String(header.uid) : header.uname
    const group = numericOwner || header.gname === '' ? String(header.gid) : header.gname
    const device = header.type === CHRTYPE || header.type === BLKTYPE
    const size = device ? `${header.major},${header.minor}` : String(header.size)
    const mode =
      header.type === LNKTYPE
        ? `h${modeString(header.mode).slice(1)}`
        : modeString((KINDS[header.type] ?? S_IFREG) | header.mode)
    const mine = user.length + group.length + size.length + 1
    this.#width = Math.max(this.#width, mine)
    const shownMode = header.type === LNKTYPE ? mode : /^\?/.test(mode) ? `-${mode.slice(1)}` : mode
    const link =
      header.type === SYMTYPE
        ? ` -> ${escaped(header.linkname)}`
        : header.type === LNKTYPE
          ? ` link to ${escaped(header.linkname)}`
          : ''
    const time = strftime('%Y-%m-%d %H:%M:%S', header.mtime)
    yield* this.list.line(
      `${shownMode} ${user}/${group} ${' '.repeat(this.#width - mine)}${size} ${time} ${name}${link}`,
    )
  }
}
