/** ls(1). */
import { major, minor, S_IFMT, S_IFREG, S_IFSOCK, type Stat } from '#abi/posix/stat.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { type Cell, columns, commas } from '../coreutils/columns.ts'
import { parseView, type View } from '../coreutils/ls-view.ts'
import { withDirectory } from '../libc/dirent.ts'
import { OsError } from '../libc/errno.ts'
import { isDevice, isDir, isFifo, isLink, modeString } from '../libc/mode.ts'
import { humanSize } from '../libc/number.ts'
import { join } from '../libc/path.ts'
import { getgrents, getpwents } from '../libc/pwd.ts'
import { lstat, readlink, stat } from '../libc/syscall.ts'
import { strftime, time } from '../libc/time.ts'
import { type Run, utility } from '../libc/utility.ts'

export const ls = utility({
  name: 'ls',
  usage: 'ls [OPTION]... [FILE]...',
  help: `List information about the FILEs (the current directory by default).
Sort entries alphabetically if none of -cftuSUX nor --sort.

Mandatory arguments to long options are mandatory for short options too.
  -a, --all                  do not ignore entries starting with .
  -A, --almost-all           do not list implied . and ..
  -b, --escape               print octal escapes for nongraphic characters
  -B, --ignore-backups       do not list implied entries ending with ~
  -c                         with -lt: sort by, and show, ctime
                               with -l: show ctime and sort by name
                               otherwise: sort by ctime
  -C                         list entries by columns
      --color[=WHEN]         control whether color is used to distinguish file
                               types.  WHEN may be \`never', \`always', or \`auto'
  -d, --directory            list directory entries instead of contents,
                               and do not dereference symbolic links
  -f                         do not sort, enable -aU, disable -lst
  -F, --classify             append indicator (one of */=>@|) to entries
      --file-type            likewise, except do not append \`*'
      --full-time            like -l --time-style=full-iso
  -g                         like -l, but do not list owner
  -G, --no-group             like -l, but do not list group
  -h, --human-readable       with -l, print sizes in human readable format
                               (e.g., 1K 234M 2G)
      --si                   likewise, but use powers of 1000 not 1024
  -H, --dereference-command-line
                             follow symbolic links listed on the command line
  -i, --inode                print the index number of each file
  -I, --ignore=PATTERN       do not list implied entries matching shell PATTERN
  -k                         like --block-size=1K
  -l                         use a long listing format
  -L, --dereference          when showing file information for a symbolic
                               link, show information for the file the link
                               references rather than for the link itself
  -m                         fill width with a comma separated list of entries
  -n, --numeric-uid-gid      like -l, but list numeric user and group IDs
  -N, --literal              print raw entry names
  -o                         like -l, but do not list group information
  -p, --indicator-style=slash
                             append / indicator to directories
  -q, --hide-control-chars   print ? instead of non graphic characters
  -Q, --quote-name           enclose entry names in double quotes
  -r, --reverse              reverse order while sorting
  -R, --recursive            list subdirectories recursively
  -s, --size                 print the size of each file, in blocks
  -S                         sort by file size
  -t                         sort by modification time
  -u                         with -lt: sort by, and show, access time
                               with -l: show access time and sort by name
                               otherwise: sort by access time
  -U                         do not sort; list entries in directory order
  -v                         sort by version
  -w, --width=COLS           assume screen width instead of current value
  -x                         list entries by lines instead of by columns
  -X                         sort alphabetically by entry extension
  -1                         list one file per line
      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  short: 'aAbBcCdfFgGhHiI:klLmnNopqQrRsStuUvw:xX1T:',
  long: {
    all: 'a',
    'almost-all': 'A',
    escape: 'b',
    'ignore-backups': 'B',
    'color::': 'color',
    directory: 'd',
    classify: 'F',
    'file-type': 'file-type',
    'full-time': 'full-time',
    'no-group': 'G',
    'human-readable': 'h',
    si: 'si',
    'dereference-command-line': 'H',
    inode: 'i',
    'ignore:': 'I',
    dereference: 'L',
    'numeric-uid-gid': 'n',
    literal: 'N',
    'hide-control-chars': 'q',
    'show-control-chars': 'N',
    'quote-name': 'Q',
    reverse: 'r',
    recursive: 'R',
    size: 's',
    'width:': 'w',
    'sort:': 'sort',
    'time:': 'time',
    'time-style:': 'time-style',
    'format:': 'format',
    'indicator-style:': 'indicator-style',
  },
  usageStatus: 2,
  *main(run) {
    const view = yield* parseView(run)
    const listing = new Listing(run, view)
    yield* listing.operands(run.operands.length > 0 ? run.operands : ['.'])
    if (view.colors && listing.colored) run.out.put(view.colors.end)
    return run.status
  },
})

interface Entry {
  readonly name: string
  /** What it is called on the way to it. */
  readonly path: string
  readonly stat: Stat | undefined
  readonly ino: number
  readonly target: string | undefined
  readonly targetMode: number | undefined
}

class Listing {
  readonly #run: Run
  readonly #view: View
  readonly #users: Map<number, string>
  readonly #groups: Map<number, string>
  #namesRead: boolean
  #now: number
  #printed: boolean
  colored: boolean

  constructor(run: Run, view: View) {
    this.#run = run
    this.#view = view
    this.#users = new Map()
    this.#groups = new Map()
    this.#namesRead = false
    this.#now = -1
    this.#printed = false
    this.colored = false
  }

  *operands(names: readonly string[]): Sys<void> {
    const view = this.#view
    const files: Entry[] = []
    const directories: Entry[] = []
    for (const name of names) {
      const entry = yield* this.#look(name, name, 0, true)
      if (!entry) continue
      const directory = entry.stat !== undefined && isDir(entry.stat.mode) && !view.directory
      if (directory) directories.push(entry)
      else files.push(entry)
    }
    yield* this.#show(this.#sorted(files))
    const headings = names.length > 1 || view.recursive
    for (const { path } of this.#sorted(directories)) yield* this.#directory(path, headings)
  }

  *#directory(path: string, heading: boolean): Sys<void> {
    const run = this.#run
    const view = this.#view
    const entries: Entry[] = []
    const look = this.#look.bind(this)
    try {
      yield* withDirectory(path, function* (found) {
        for (const { name, ino } of found) {
          if (name.startsWith('.') && !view.all && (!view.almostAll || name === '.' || name === '..')) continue
          if (view.ignored(name)) continue
          const entry = yield* look(name, join(path, name), ino, false)
          if (entry) entries.push(entry)
        }
      })
    } catch (error) {
      yield* run.warn(error, path, 2)
      return
    }
    if (heading) {
      if (this.#printed) run.out.put('\n')
      yield* run.out.line(`${view.shown(path)}:`)
      this.#printed = true
    }
    if (view.format === 'long' || view.blocks) {
      const total = entries.reduce((sum, entry) => sum + (entry.stat?.blocks ?? 0), 0)
      yield* run.out.line(`total ${this.#blocks(total)}`)
      this.#printed = true
    }
    const sorted = this.#sorted(entries)
    yield* this.#show(sorted)
    if (!view.recursive) return
    for (const { name, path: below, stat: status } of sorted)
      if (status && isDir(status.mode) && name !== '.' && name !== '..') yield* this.#directory(below, true)
  }

  *#look(name: string, path: string, ino: number, operand: boolean): Sys<Entry | undefined> {
    const run = this.#run
    const view = this.#view
    try {
      let status: Stat
      const follow = view.follow === 'all' || (operand && view.follow !== 'none')
      if (follow) {
        try {
          status = yield* stat(path)
          if (view.follow === 'directories' && !isDir(status.mode)) status = yield* lstat(path)
        } catch (error) {
          if (!(error instanceof OsError)) throw error
          status = yield* lstat(path)
        }
      } else status = yield* lstat(path)
      let target: string | undefined
      let targetMode: number | undefined
      if (isLink(status.mode) && (view.format === 'long' || view.colors?.orphans)) {
        target = yield* readlink(path)
        try {
          targetMode = (yield* stat(path)).mode
        } catch (error) {
          if (!(error instanceof OsError)) throw error
        }
      }
      return { name, path, stat: status, ino: ino || status.ino, target, targetMode }
    } catch (error) {
      yield* run.warn(error, path, operand ? 2 : Math.max(run.status, 1))
      return undefined
    }
  }

  #sorted(entries: Entry[]): Entry[] {
    const { sort, when, reverse } = this.#view
    if (sort === 'none') return entries
    const sign = reverse ? -1 : 1
    const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    const extension = ({ name }: Entry): string => (name.includes('.') ? name.slice(name.lastIndexOf('.')) : '')
    const compare: Record<Exclude<View['sort'], 'none'>, (a: Entry, b: Entry) => number> = {
      name: byName,
      time: (a, b) => (b.stat?.[when] ?? 0) - (a.stat?.[when] ?? 0) || byName(a, b),
      size: (a, b) => (b.stat?.size ?? 0) - (a.stat?.size ?? 0) || byName(a, b),
      extension: (a, b) => {
        const [x, y] = [extension(a), extension(b)]
        return x < y ? -1 : x > y ? 1 : byName(a, b)
      },
      version: (a, b) => versionCompare(a.name, b.name) || byName(a, b),
    }
    return entries.sort((a, b) => sign * compare[sort](a, b))
  }

  *#show(entries: readonly Entry[]): Sys<void> {
    if (entries.length === 0) return
    const { out } = this.#run
    const view = this.#view
    this.#printed = true
    if (view.colors && !this.colored) {
      out.put(view.colors.after)
      this.colored = true
    }
    if (view.format === 'long') return yield* this.#long(entries)
    const cells = this.#cells(entries)
    if (view.format === 'one') for (const { text } of cells) yield* out.line(text)
    else {
      const lines =
        view.format === 'commas' ? commas(cells, view.width) : columns(cells, view.width, view.format === 'columns')
      for (const line of lines) yield* out.line(line)
    }
  }

  /** Names with what stands before them in the short formats. */
  #cells(entries: readonly Entry[]): Cell[] {
    const view = this.#view
    const blocks = entries.map((entry) => this.#blocks(entry.stat?.blocks ?? 0))
    const inodeWidth = view.format === 'commas' ? 0 : widest(entries.map((entry) => String(entry.ino)))
    const blockWidth = view.format === 'commas' ? 0 : widest(blocks)
    return entries.map((entry, i) => {
      const front =
        (view.inode ? `${String(entry.ino).padStart(inodeWidth)} ` : '') +
        (view.blocks ? `${blocks[i]!.padStart(blockWidth)} ` : '')
      const name = view.shown(entry.name)
      const mark = this.#indicator(entry.stat?.mode)
      return { text: front + this.#coloured(entry, name) + mark, width: front.length + name.length + mark.length }
    })
  }

  #coloured(entry: Entry, shown: string): string {
    const { colors } = this.#view
    if (!colors || !entry.stat) return shown
    const before = colors.before(entry.name, entry.stat.mode, entry.targetMode !== undefined)
    return before ? before + shown + colors.after : shown
  }

  #indicator(mode: number | undefined): string {
    const { indicator } = this.#view
    if (mode === undefined || indicator === 'none') return ''
    if (isDir(mode)) return '/'
    if (indicator === 'slash') return ''
    if (isLink(mode)) return '@'
    if (isFifo(mode)) return '|'
    if ((mode & S_IFMT) === S_IFSOCK) return '='
    return indicator === 'classify' && (mode & S_IFMT) === S_IFREG && (mode & 0o111) !== 0 ? '*' : ''
  }

  #blocks(count: number): string {
    const { human } = this.#view
    return human ? humanSize(count * 512, human) : String(Math.ceil(count / 2))
  }

  *#long(entries: readonly Entry[]): Sys<void> {
    const { out } = this.#run
    const view = this.#view
    if (!this.#namesRead) {
      this.#now = yield* time()
      this.#namesRead = true
      if (!view.numeric) {
        for (const user of yield* getpwents()) if (!this.#users.has(user.uid)) this.#users.set(user.uid, user.name)
        for (const group of yield* getgrents())
          if (!this.#groups.has(group.gid)) this.#groups.set(group.gid, group.name)
      }
    }
    const owner = (id: number, names: Map<number, string>): string => names.get(id) ?? String(id)
    const rows = entries.map((entry) => {
      const status = entry.stat!
      return {
        entry,
        status,
        links: String(status.nlink),
        user: owner(status.uid, this.#users),
        group: owner(status.gid, this.#groups),
        size: isDevice(status.mode) ? '' : view.human ? humanSize(status.size, view.human) : String(status.size),
        blocks: this.#blocks(status.blocks),
      }
    })
    const inodeWidth = widest(rows.map(({ entry }) => String(entry.ino)))
    const blockWidth = widest(rows.map(({ blocks }) => blocks))
    const linkWidth = widest(rows.map(({ links }) => links))
    const userWidth = widest(rows.map(({ user }) => user))
    const groupWidth = widest(rows.map(({ group }) => group))
    const devices = rows.filter(({ status }) => isDevice(status.mode))
    const majorWidth = widest(devices.map(({ status }) => String(major(status.rdev))))
    const minorWidth = widest(devices.map(({ status }) => String(minor(status.rdev))))
    const sizeWidth = Math.max(
      widest(rows.map(({ size }) => size)),
      devices.length > 0 ? majorWidth + 2 + minorWidth : 0,
    )
    // Names stand left, numbers right.
    const id = (text: string, width: number): string =>
      view.numeric || /^\d+$/.test(text) ? text.padStart(width) : text.padEnd(width)
    for (const { entry, status, links, user, group, size, blocks } of rows) {
      let line = view.inode ? `${String(entry.ino).padStart(inodeWidth)} ` : ''
      if (view.blocks) line += `${blocks.padStart(blockWidth)} `
      line += `${modeString(status.mode)} ${links.padStart(linkWidth)} `
      if (view.owner) line += `${id(user, userWidth)} `
      if (view.group) line += `${id(group, groupWidth)} `
      line += isDevice(status.mode)
        ? `${String(major(status.rdev)).padStart(Math.max(majorWidth, sizeWidth - 2 - minorWidth))}, ${String(minor(status.rdev)).padStart(minorWidth)} `
        : `${size.padStart(sizeWidth)} `
      line += `${this.#time(status[view.when])} ${this.#coloured(entry, view.shown(entry.name))}`
      if (entry.target !== undefined) line += ` -> ${view.shown(entry.target)}${this.#indicator(entry.targetMode)}`
      else line += this.#indicator(status.mode)
      yield* out.line(line)
    }
  }

  /** Older than half a year, or in the future: the year in place of the time. */
  #time(seconds: number): string {
    const recent = seconds <= this.#now && seconds > this.#now - 31556952 / 2
    const style = this.#view.timeStyle.replace(/^posix-/, '')
    if (style === 'full-iso') return strftime('%Y-%m-%d %H:%M:%S.%N %z', seconds)
    if (style === 'long-iso') return strftime('%Y-%m-%d %H:%M', seconds)
    if (style === 'iso') return strftime(recent ? '%m-%d %H:%M' : '%Y-%m-%d ', seconds)
    if (style.startsWith('+')) {
      const forms = style.slice(1).split('\n')
      return strftime(recent ? (forms[1] ?? forms[0]!) : forms[0]!, seconds)
    }
    return strftime(recent ? '%b %e %H:%M' : '%b %e  %Y', seconds)
  }
}

const widest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, text.length), 0)

/** strverscmp(3), but for the finer points of leading zeros. */
function versionCompare(a: string, b: string): number {
  const [x, y] = [a.match(/\d+|\D/g) ?? [], b.match(/\d+|\D/g) ?? []]
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const [p, q] = [x[i]!, y[i]!]
    if (p === q) continue
    if (/^\d/.test(p) && /^\d/.test(q)) return Number(p) - Number(q) || q.length - p.length
    return p < q ? -1 : 1
  }
  return x.length - y.length
}
