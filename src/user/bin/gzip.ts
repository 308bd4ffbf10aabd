/** gzip, gunzip, zcat and gzcat: gzip 1.3.5. What compress(1) has packed (.Z, by LZW) they do not unpack. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { bytesOfString } from '#lib/utf8.ts'
import { ERROR, Job, OK } from '../archive/gzip-job.ts'
import { getopt } from '../libc/getopt.ts'
import { sbrk } from '../libc/heap.ts'
import { basename } from '../libc/path.ts'
import { type Program, program } from '../libc/program.ts'
import { eprint, STDOUT, writeAll } from '../libc/stdio.ts'

const VERSION = 'gzip 1.3.5\n(2002-09-30)\n'
const help = (name: string): string => `usage: ${name} [-cdfhlLnNrtvV19] [-S suffix] [file ...]
 -c --stdout      write on standard output, keep original files unchanged
 -d --decompress  decompress
 -f --force       force overwrite of output file and compress links
 -h --help        give this help
 -l --list        list compressed file contents
 -L --license     display software license
 -n --no-name     do not save or restore the original name and time stamp
 -N --name        save or restore the original name and time stamp
 -q --quiet       suppress all warnings
 -r --recursive   operate recursively on directories
 -S .suf  --suffix .suf     use suffix .suf on compressed files
 -t --test        test compressed file integrity
 -v --verbose     verbose mode
 -V --version     display version number
 -1 --fast        compress faster
 -9 --best        compress better
    file...       files to (de)compress. If none given, use standard input.
`

const LONG: Readonly<Record<string, string>> = {
  ascii: 'a',
  'to-stdout': 'c',
  stdout: 'c',
  decompress: 'd',
  uncompress: 'd',
  force: 'f',
  help: 'h',
  list: 'l',
  license: 'L',
  'no-name': 'n',
  name: 'N',
  quiet: 'q',
  silent: 'q',
  recursive: 'r',
  'suffix:': 'S',
  test: 't',
  verbose: 'v',
  version: 'V',
  fast: '1',
  best: '9',
}

/** Windows, hash chains and the block that is being made. */
const HEAP_BYTES = 512 * 1024

const record = (name: string, usage: string, about: string): Program =>
  program({
    name,
    usage,
    help: `${about}\n\n${help(name).split('\n').slice(1).join('\n')}`,
    main: (argv, env) => run(basename(argv[0] ?? name), argv.slice(1), env),
  })

export const gzip = record(
  'gzip',
  'gzip [-acdfhlLnNrtvV19] [-S SUFFIX] [FILE]...',
  'Compress FILEs in place, or standard input.',
)
export const gunzip = record(
  'gunzip',
  'gunzip [-acfhlLnNrtvV] [-S SUFFIX] [FILE]...',
  'Decompress FILEs in place, or standard input.',
)
export const zcat = record('zcat', 'zcat [-fhLV] [FILE]...', 'Decompress FILEs, or standard input, to standard output.')
export const gzcat = record(
  'gzcat',
  'gzcat [-fhLV] [FILE]...',
  'Decompress FILEs, or standard input, to standard output.',
)

function* run(name: string, args: readonly string[], env: readonly string[]): Sys<number> {
  const fromEnv =
    env
      .find((one) => one.startsWith('GZIP='))
      ?.slice(5)
      .split(/[ \t]+/)
      .filter((word) => word !== '') ?? []
  const { options, operands, error } = getopt([...fromEnv, ...args], 'ab:cdfhH?lLmMnNqrS:tvVZ123456789', LONG)
  if (error !== undefined) {
    yield* eprint(`${name}: ${error}\n${help(name)}`)
    return ERROR
  }
  const has = (...codes: readonly string[]): boolean => options.some(({ code }) => codes.includes(code))
  if (has('h', 'H', '?') || has('L', 'V')) {
    const text = has('h', 'H', '?') ? `${VERSION}${help(name)}` : `${VERSION}Copyright 2002 Free Software Foundation\n`
    yield* writeAll(STDOUT, bytesOfString(text))
    return OK
  }
  const job = new Job(name, options)
  yield* sbrk(HEAP_BYTES)
  if (operands.length === 0) yield* job.guarded('stdin', job.standardInput())
  for (const path of operands) yield* job.path(path)
  if (job.list && operands.length > 1) yield* job.listTotals()
  return job.status
}
