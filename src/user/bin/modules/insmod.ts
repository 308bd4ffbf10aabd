/** insmod, rmmod, lsmod, modinfo and depmod of module-init-tools 3.3. */
import { O_CREAT, O_TRUNC, O_WRONLY } from '#abi/posix/fcntl.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { getopt } from '../../libc/getopt.ts'
import { program } from '../../libc/program.ts'
import { eprint, Out, readFile, STDOUT, writeAll } from '../../libc/stdio.ts'
import { close, delete_module, init_module, open, stat } from '../../libc/syscall.ts'
import { answering } from '../../libc/utility.ts'
import { dependencies, insertError, loadedModules, moduleDir, moduleFiles, moduleInfo, moduleName } from './tree.ts'

const O_NONBLOCK = 0o4000

export const insmod = answering(
  program({
    name: 'insmod',
    usage: 'insmod FILENAME [ARGS]',
    help: 'Insert the module in FILENAME into the kernel; ARGS are its parameters, NAME=VALUE.',
    *main(argv) {
      const [, file, ...parameters] = argv
      if (file === undefined) {
        yield* eprint('Usage: insmod filename [args]\n')
        return 1
      }
      let image: string
      try {
        image = yield* readFile(file)
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* eprint(`insmod: can't read '${file}': ${strerror(error.errno)}\n`)
        return 1
      }
      try {
        yield* init_module(bytesOfString(image), parameters.join(' '))
        return 0
      } catch (error) {
        if (!(error instanceof OsError)) throw error
        yield* eprint(`insmod: error inserting '${file}': -1 ${insertError(error.errno)}\n`)
        return 1
      }
    },
  }),
  'module-init-tools version 3.3-pre2',
)

export const rmmod = answering(
  program({
    name: 'rmmod',
    usage: 'rmmod [-fw] MODULE...',
    help: 'Remove modules from the kernel.',
    *main(argv) {
      const { operands, error } = getopt(argv.slice(1), 'fhswvV')
      if (error !== undefined || operands.length === 0) {
        yield* eprint(error === undefined ? 'rmmod: no module name given\n' : `rmmod: ${error}\n`)
        return 1
      }
      let status = 0
      for (const operand of operands) {
        const name = moduleName(operand)
        const known = (yield* loadedModules())?.find((one) => one.name === name)
        let complaint: string | undefined
        if (!known) complaint = `ERROR: Module ${name} does not exist in /proc/modules\n`
        else if (known.usedBy.length > 0) complaint = `ERROR: Module ${name} is in use by ${known.usedBy.join(',')}\n`
        else if (known.users > 0) complaint = `ERROR: Module ${name} is in use\n`
        else
          try {
            yield* delete_module(name, O_NONBLOCK)
          } catch (caught) {
            if (!(caught instanceof OsError)) throw caught
            complaint = `ERROR: Removing '${name}': ${strerror(caught.errno)}\n`
          }
        if (complaint !== undefined) {
          yield* eprint(complaint)
          status = 1
        }
      }
      return status
    },
  }),
  'module-init-tools version 3.3-pre2',
)

export const lsmod = program({
  name: 'lsmod',
  usage: 'lsmod',
  help: 'Show the loaded modules: /proc/modules, in columns.',
  *main(argv) {
    if (argv.length > 1) {
      yield* eprint('Usage: lsmod\n')
      return 1
    }
    const modules = yield* loadedModules()
    if (!modules) {
      yield* eprint('ERROR: Could not read /proc/modules\n')
      return 1
    }
    const out = new Out(STDOUT)
    yield* out.line('Module                  Size  Used by')
    for (const { name, size, users, usedBy } of modules)
      yield* out.line(`${name.padEnd(19)} ${size.padStart(8)}  ${users} ${usedBy.join(',')}`)
    yield* out.flush()
    return 0
  },
})

export const modinfo = answering(
  program({
    name: 'modinfo',
    usage: 'modinfo [-adlpn0] [-F FIELD] MODULE...',
    help: 'Show what a module says about itself. -F, -d, -l, -n: one field only.',
    *main(argv) {
      const { options, operands, error } = getopt(argv.slice(1), 'adlpn0F:k:')
      if (error !== undefined || operands.length === 0) {
        yield* eprint(`modinfo: ${error ?? 'no module given'}\n`)
        return 1
      }
      const field =
        options.find(({ code }) => code === 'F')?.value ??
        { d: 'description', l: 'license', n: 'filename' }[options.find(({ code }) => 'dln'.includes(code))?.code ?? '']
      const out = new Out(STDOUT)
      let status = 0
      for (const operand of operands) {
        let path = operand
        let image: string
        try {
          if (!operand.includes('/')) path = (yield* dependencies()).get(moduleName(operand))?.path ?? operand
          image = yield* readFile(path)
        } catch (caught) {
          if (!(caught instanceof OsError)) throw caught
          yield* eprint(`modinfo: could not find module ${operand}\n`)
          status = 1
          continue
        }
        const { license, description, depends } = moduleInfo(image)
        const rows: [string, string | undefined][] = [
          ['filename', path],
          ['license', license],
          ['description', description],
          ['depends', depends.join(',')],
        ]
        for (const [name, value] of rows)
          if (value !== undefined && (field === undefined || field === name))
            yield* out.line(field === undefined ? `${`${name}:`.padEnd(16)}${value}` : value)
      }
      yield* out.flush()
      return status
    },
  }),
  'module-init-tools version 3.3-pre2',
)

export const depmod = answering(
  program({
    name: 'depmod',
    usage: 'depmod [-aAn]',
    help: 'Make modules.dep of the running kernel: which module needs which.\n  -n   to standard output\n  -A   only if a module is newer than modules.dep',
    *main(argv) {
      const { options, error } = getopt(argv.slice(1), 'aAneF:b:qvu')
      if (error !== undefined) {
        yield* eprint(`depmod: ${error}\n`)
        return 1
      }
      const has = (code: string): boolean => options.some((option) => option.code === code)
      const dir = yield* moduleDir()
      try {
        const files = yield* moduleFiles(dir)
        if (has('A')) {
          const made = (yield* stat(`${dir}/modules.dep`)).mtime
          let newer = false
          for (const path of files) if ((yield* stat(path)).mtime > made) newer = true
          if (!newer) return 0
        }
        const needs = new Map<string, { path: string; direct: string[] }>()
        for (const path of files)
          needs.set(moduleName(path), { path, direct: moduleInfo(yield* readFile(path)).depends.map(moduleName) })
        let text = ''
        for (const [name, { path }] of needs)
          text += `${path}:${closure(needs, name)
            .map((one) => ` ${one}`)
            .join('')}\n`
        if (has('n')) yield* writeAll(STDOUT, bytesOfString(text))
        else {
          const fd = yield* open(`${dir}/modules.dep`, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
          yield* writeAll(fd, bytesOfString(text))
          yield* close(fd)
        }
        return 0
      } catch (caught) {
        if (!(caught instanceof OsError)) throw caught
        yield* eprint(`FATAL: Could not open ${caught.path ?? dir}: ${strerror(caught.errno)}\n`)
        return 1
      }
    },
  }),
  'module-init-tools version 3.3-pre2',
)

/** Everything that `name` needs, what needs others before them. */
function closure(needs: ReadonlyMap<string, { path: string; direct: string[] }>, name: string): string[] {
  const paths: string[] = []
  const seen = new Set([name])
  const visit = (one: string): void => {
    for (const next of needs.get(one)?.direct ?? []) {
      const found = needs.get(next)
      if (!found || seen.has(next)) continue
      seen.add(next)
      paths.push(found.path)
      visit(next)
    }
  }
  visit(name)
  return paths
}
