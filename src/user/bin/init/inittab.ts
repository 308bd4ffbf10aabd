/** /etc/inittab as init 2.86 reads it: `id:runlevels:action:process`. */

/** What a line asks for (inittab(5)); the words are those of the file. */
const ACTIONS = [
  'respawn',
  'wait',
  'once',
  'boot',
  'bootwait',
  'powerfail',
  'powerfailnow',
  'powerwait',
  'powerokwait',
  'ctrlaltdel',
  'off',
  'ondemand',
  'initdefault',
  'sysinit',
  'kbrequest',
] as const
export type Action = (typeof ACTIONS)[number]

export interface InittabEntry {
  readonly id: string
  /** `0` to `9`, `S`, `A` to `C`; `#` is sysinit and `*` boot, which no line can name. */
  readonly levels: string
  readonly action: Action
  /** Without the `+` that asks for no utmp records. */
  readonly process: string
  readonly quiet: boolean
}

export interface Inittab {
  readonly entries: readonly InittabEntry[]
  /** The complaints, as init prints them. */
  readonly complaints: readonly string[]
}

const INITTAB = '/etc/inittab'
const SULOGIN = '/sbin/sulogin'
const ID_MAX = 4
const LEVELS_MAX = 11
const ACTION_MAX = 32
const PROCESS_MAX = 127

/** Waits for a signal or the powerd to ask for it. */
export const isOnRequest = (action: Action): boolean =>
  action.startsWith('power') || action === 'ctrlaltdel' || action === 'kbrequest'

/** The table that `text` makes; undefined: there is no such file. A line for single user mode is added where there is none. */
export function parseInittab(text: string | undefined): Inittab {
  const entries: InittabEntry[] = []
  const complaints: string[] = []
  if (text === undefined) complaints.push('No inittab file found')
  const lines = (text ?? '').split('\n')
  lines.forEach((raw, i) => {
    const line = raw.trimStart()
    if (line === '' || line.startsWith('#')) return
    const complaint = parseLine(line, entries)
    if (complaint !== undefined) complaints.push(`${INITTAB}[${i + 1}]: ${complaint}`)
  })
  if (!entries.some(({ levels }) => levels.includes('S')))
    entries.push({ id: '~~', levels: 'S', action: 'wait', process: SULOGIN, quiet: false })
  return { entries, complaints }
}

/** Adds the line's entry, or says what is wrong with it. */
function parseLine(line: string, entries: InittabEntry[]): string | undefined {
  const [id = '', levels, action, ...rest] = line.split(':')
  const process = rest.length > 0 ? rest.join(':').trim() : undefined
  if (id === '') return 'missing id field'
  if (levels === undefined) return 'missing runlevel field'
  if (action === undefined || action === '') return 'missing action field'
  if (process === undefined) return 'missing process field'
  if (id.length > ID_MAX) return `id field too long (max ${ID_MAX} characters)`
  if (levels.length > LEVELS_MAX) return `rlevel field too long (max ${LEVELS_MAX} characters)`
  if (action.length > ACTION_MAX) return 'action field too long'
  if (process.length > PROCESS_MAX) return `process field too long (max ${PROCESS_MAX} characters)`
  const known = ACTIONS.find((name) => name === action.toLowerCase())
  if (!known) return `${action}: unknown action field`
  if (entries.some((entry) => entry.id === id)) return `duplicate ID field "${id}"`
  const quiet = process.startsWith('+')
  entries.push({ id, levels: levelsOf(known, levels), action: known, process: process.slice(quiet ? 1 : 0), quiet })
  return undefined
}

function levelsOf(action: Action, levels: string): string {
  if (action === 'sysinit') return '#'
  if (action === 'boot' || action === 'bootwait') return '*'
  return levels === '' ? '0123456789' : levels.toUpperCase()
}

/** The level that `initdefault` names; undefined: init asks. An S wins, then the highest. */
export function defaultLevel({ entries }: Inittab): string | undefined {
  const entry = entries.find(({ action }) => action === 'initdefault')
  if (!entry) return undefined
  if (entry.levels.includes('S')) return 'S'
  return [...entry.levels]
    .filter((level) => level >= '0' && level <= '9')
    .sort()
    .at(-1)
}

/** The words of a command that needs no shell; undefined for one that does. */
export function wordsOf(process: string): string[] | undefined {
  return /[~`!$^&*()=|\\{}[\];"'<>?]/.test(process) ? undefined : process.split(/[ \t]+/).filter((word) => word !== '')
}
