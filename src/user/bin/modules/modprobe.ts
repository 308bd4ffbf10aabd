/** modprobe of module-init-tools 3.3: a module with all that it needs. */
import { EEXIST } from '#abi/posix/errno.ts'
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { getopt } from '../../libc/getopt.ts'
import { program } from '../../libc/program.ts'
import { eprint, Out, readFile, STDOUT } from '../../libc/stdio.ts'
import { delete_module, init_module } from '../../libc/syscall.ts'
import { answering } from '../../libc/utility.ts'
import { configuration, dependencies, insertError, loadedModules, moduleDir, moduleName } from './tree.ts'

const O_NONBLOCK = 0o4000

interface How {
  readonly verbose: boolean
  readonly dryRun: boolean
  readonly quiet: boolean
  readonly out: Out
}
type Table = Map<string, { path: string; needs: string[] }>

export const modprobe = answering(
  program({
    name: 'modprobe',
    usage: 'modprobe [-v] [-n] [-q] MODULE [PARAMETERS...]\nmodprobe -r MODULE...\nmodprobe -l',
    help: [
      'Load a module and those it needs, by modules.dep.',
      '  -r   remove it, and those that nobody else needs',
      '  -l   list all modules there are',
      '  -n   only pretend',
      '  -q   say nothing of a module that is not there',
      '  -v   show what is done',
    ].join('\n'),
    *main(argv) {
      const { options, operands, error } = getopt(argv.slice(1), '+vrlnqab', {
        remove: 'r',
        list: 'l',
        verbose: 'v',
        quiet: 'q',
      })
      const has = (code: string): boolean => options.some((option) => option.code === code)
      const how: How = { verbose: has('v'), dryRun: has('n'), quiet: has('q'), out: new Out(STDOUT) }
      if (error !== undefined || (operands.length === 0 && !has('l'))) {
        yield* eprint(
          `${error === undefined ? '' : `modprobe: ${error}\n`}Usage: modprobe [-v] [-n] [-q] <modname> [parameters...]\n`,
        )
        return 1
      }
      let table: Table
      try {
        table = yield* dependencies()
      } catch (caught) {
        if (!(caught instanceof OsError)) throw caught
        yield* eprint(`FATAL: Could not load ${yield* moduleDir()}/modules.dep: ${strerror(caught.errno)}\n`)
        return 1
      }
      let status = 0
      if (has('l')) for (const { path } of table.values()) yield* how.out.line(path)
      else if (has('r')) for (const name of operands) status |= yield* remove(table, name, how)
      else if (has('a')) for (const name of operands) status |= yield* insert(table, name, [], how)
      else status = yield* insert(table, operands[0]!, operands.slice(1), how)
      yield* how.out.flush()
      return status
    },
  }),
  'module-init-tools version 3.3-pre2',
)

function* insert(table: Table, asked: string, parameters: readonly string[], how: How): Sys<number> {
  const { aliases, options } = yield* configuration()
  const name = moduleName(aliases.get(moduleName(asked)) ?? asked)
  const found = table.get(name)
  if (!found) {
    if (!how.quiet) yield* eprint(`FATAL: Module ${asked} not found.\n`)
    return 1
  }
  const loaded = new Set(((yield* loadedModules()) ?? []).map((one) => one.name))
  for (const path of [...found.needs].reverse().concat(found.path)) {
    const one = moduleName(path)
    if (loaded.has(one)) continue
    const words = [options.get(one) ?? '', ...(one === name ? parameters : [])].filter((word) => word !== '').join(' ')
    if (how.verbose) yield* how.out.line(`insmod ${path} ${words}`)
    if (how.dryRun) continue
    try {
      yield* init_module(bytesOfString(yield* readFile(path)), words)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (error.errno === EEXIST) continue
      const level = one === name ? 'FATAL' : 'WARNING'
      yield* eprint(`${level}: Error inserting ${one} (${path}): ${insertError(error.errno)}\n`)
      if (one === name) return 1
    }
  }
  return 0
}

function* remove(table: Table, asked: string, how: How): Sys<number> {
  const name = moduleName(asked)
  const found = table.get(name)
  if (!found) {
    yield* eprint(`FATAL: Module ${asked} not found.\n`)
    return 1
  }
  for (const path of [found.path, ...found.needs]) {
    const one = moduleName(path)
    const known = (yield* loadedModules())?.find((module) => module.name === one)
    if (!known) {
      if (one !== name) continue
      if (!how.quiet) yield* eprint(`FATAL: Module ${one} is not in kernel.\n`)
      return 1
    }
    if (known.users > 0 || known.usedBy.length > 0) {
      if (one !== name) continue
      yield* eprint(`FATAL: Module ${one} is in use.\n`)
      return 1
    }
    if (how.verbose) yield* how.out.line(`rmmod ${path}`)
    if (how.dryRun) continue
    try {
      yield* delete_module(one, O_NONBLOCK)
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      if (one !== name) continue
      yield* eprint(`FATAL: Error removing ${one} (${path}): ${strerror(error.errno)}\n`)
      return 1
    }
  }
  return 0
}
