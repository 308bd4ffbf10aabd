/** xm migrate (xm/migrate.py). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { OptionError } from './errors.ts'
import { type OptionSpec, Opts } from './opts.ts'
import { pyInt, type Xm } from './xm.ts'

const USAGE =
  '[options] DOM HOST\n\nMigrate domain DOM to host HOST.\nXend must be running on the local host and on HOST.\n'

const SPECS: readonly OptionSpec[] = [
  { name: 'help', short: 'h', kind: 'true', initial: 0, text: 'Print this help.' },
  { name: 'live', short: 'l', kind: 'true', initial: 0, text: 'Use live migration.' },
  { name: 'port', short: 'p', value: 'portnum', kind: 'int', initial: 0, text: 'Use specified port for migration.' },
  { name: 'node', short: 'n', value: 'nodenum', kind: 'int', initial: -1, text: 'Use specified NUMA node on target.' },
  { name: 'ssl', short: 's', kind: 'true', initial: null, text: 'Use ssl connection for migration.' },
]

export const migrateHelp = (): string => new Opts(USAGE, SPECS).describe()

export function* migrate(xm: Xm, args: readonly string[]): Sys<void> {
  const opts = new Opts(USAGE, SPECS)
  const params = yield* opts.parse(xm, args)
  if (params.length !== 2) throw new OptionError('Invalid number of arguments')
  const number = (name: string): number => pyInt(opts.get(name) as number)
  const ssl = opts.get('ssl')
  yield* xm.ask(
    'xend.domain.migrate',
    params[0]!,
    params[1]!,
    opts.isSet('live'),
    number('port'),
    number('node'),
    ssl === null ? null : 1,
  )
}
