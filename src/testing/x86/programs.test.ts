/**
 * Static programs that gcc compiles here, as processes of Debian's kernel in a guest with two processors: the same output and status as natively, one by one and all at once. What they
 * need of the kernel (signals, processes, threads, memory) is in programs/; those that need only a processor are src/testing/cpu's.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { type CpioEntry, cpioArchive } from '#images/debian/cpio.ts'
import { utf8Encode } from '#lib/utf8.ts'
import { madeGuests } from '../../../scripts/guests-debian.mjs'
import { hasNative } from '../cpu/native.ts'
import { campaign } from '../soak.ts'
import { PvGuest } from './direct-boot.ts'

const FOLDERS = {
  cpu: ['integer', 'control', 'sha256', 'floating'],
  x86: ['faults', 'signals', 'processes', 'threads', 'memory', 'machine', 'text', 'crypto', 'numbers', 'debug'],
}
const OPTIONS = campaign(['-O0', '-O2', '-O3'], ['-O2'])

const NAMES = Object.entries(FOLDERS).flatMap(([folder, names]) =>
  names.flatMap((name) => OPTIONS.map((option) => ({ folder, name, option, file: `${name}${option}` }))),
)
/**
 * What a program's native output has where the host's kernel lets it do its work, and the host's processor does it in the one of several ways that are allowed which is ours: data breakpoints
 * are met by each iteration of a string instruction, not by several at once.
 */
const NEEDS: Readonly<Record<string, readonly RegExp[]>> = {
  debug: [/^writes 8 at 8:.* 153:1\/4\(9\) /m, /^counters: writes/m],
}
const PROMPT = '# '
const BOOT_NS = 60e9
const PROGRAM_NS = 60e9
const NATIVE_MS = 60_000
const BOOT_MS = 600_000
/** Linux takes an archive behind the first one where it begins at a multiple of this. */
const ARCHIVE_ALIGNMENT = 4
const ROUNDS = campaign(10, 2)

/** One program, or all of them, several times, in the background. The shell's own remarks (Aborted) are nobody's output. */
const SCRIPTS = {
  one: `exec 2> /dev/null
/programs/$1 one
echo "status=$?"
`,
  all: `exec 2> /dev/null
cd /tmp
for round in $(seq $1); do
    for name in $(cat /programs/names); do
        /programs/$name one > $round.$name &
    done
done
wait
md5sum *.*
echo "status=$?"
`,
}

interface Kernel {
  readonly name: string
  readonly kernel: string
  readonly initrd: string
}

const kernels: readonly Kernel[] = madeGuests()?.kernels ?? []
const isPossible = hasNative && kernels.length > 0
if (!hasNative) console.warn('SKIPPED: programs in a guest: this is no x86-64 Linux host with gcc')
if (kernels.length === 0)
  console.warn("SKIPPED: programs under Debian's kernel. Run `npm run guests:debian` to run these.")

interface Guest {
  readonly name: string
  readonly kernel: Kernel
  /** Undefined: as always. */
  readonly threshold?: number
}

const guests = kernels.map((kernel): Guest => ({ name: kernel.name, kernel }))
const [cloud] = kernels
/** The cloud kernel; at length the general one too, where it has been fetched, and everything translated at once. */
const GUESTS = campaign(
  [...guests, ...(cloud ? [{ name: 'all translated', kernel: cloud, threshold: 1 }] : [])],
  guests.slice(0, 1),
)

interface Native {
  readonly output: string
  readonly status: number
}

function compile(folder: string, name: string, option: string, program: string): void {
  const source = fileURLToPath(new URL(`../${folder}/programs/${name}.c`, import.meta.url))
  // What pushes flags must not find the compiler's words below its stack.
  const options = ['-static', '-s', '-pthread', '-march=x86-64', '-mno-red-zone', option]
  execFileSync('gcc', [...options, '-o', program, source, '-lm'])
}

function runNative(program: string): Native {
  const { status, signal, stdout } = spawnSync(program, ['one'], { timeout: NATIVE_MS, killSignal: 'SIGKILL' })
  return { output: stdout.toString(), status: status ?? 128 + constants.signals[signal!] }
}

/** Debian's archive and one more. */
function initrd(kernel: Kernel, entries: readonly CpioEntry[]): Uint8Array {
  const first = new Uint8Array(readFileSync(kernel.initrd))
  const second = cpioArchive(entries, 0)
  const at = Math.ceil(first.length / ARCHIVE_ALIGNMENT) * ARCHIVE_ALIGNMENT
  const both = new Uint8Array(at + second.length)
  both.set(first)
  both.set(second, at)
  return both
}

const file = (path: string, bytes: Uint8Array): CpioEntry => ({ path, kind: 'file', mode: 0o755, bytes })

class Shell {
  readonly #guest: PvGuest
  constructor(guest: PvGuest) {
    this.#guest = guest
    guest.expect(PROMPT, BOOT_NS)
  }
  /** What a command prints. */
  run(command: string): string {
    const { console } = this.#guest
    const from = console.text.length
    console.type(`${command}\r`)
    this.#guest.expect('\n', PROGRAM_NS, from)
    const start = console.text.indexOf('\n', from) + 1
    this.#guest.expect(PROMPT, PROGRAM_NS, start)
    return console.text.slice(start, console.text.lastIndexOf('\n') + 1).replaceAll('\r', '')
  }
}

/** One boot for all of them. */
function tryPrograms({ kernel, threshold }: Guest): void {
  const natives = new Map<string, Native>()
  let shell: Shell

  beforeAll(() => {
    const directory = mkdtempSync(join(tmpdir(), 'guest-programs-'))
    const entries: CpioEntry[] = [{ path: 'programs', kind: 'dir', mode: 0o755 }]
    try {
      for (const { folder, name, option, file: id } of NAMES) {
        const program = join(directory, id)
        compile(folder, name, option, program)
        const native = runNative(program)
        if (!(NEEDS[name] ?? []).every((needed) => needed.test(native.output))) {
          console.warn(`SKIPPED: ${id}: this host does not let it do its work, or does it otherwise`)
          continue
        }
        natives.set(id, native)
        entries.push(file(`programs/${id}`, new Uint8Array(readFileSync(program))))
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
    for (const [name, script] of Object.entries(SCRIPTS))
      entries.push(file(`bin/${name}`, utf8Encode(`#!/bin/sh\n${script}`)))
    entries.push(file('programs/names', utf8Encode([...natives.keys()].map((id) => `${id}\n`).join(''))))
    const guest = new PvGuest({
      kernel: new Uint8Array(readFileSync(kernel.kernel)),
      initrd: initrd(kernel, entries),
      cmdline: 'console=hvc0 cryptomgr.notests=1',
      memoryMiB: 256,
      vcpus: 2,
      host: threshold === undefined ? {} : { ring3: { threshold } },
    })
    shell = new Shell(guest)
  }, BOOT_MS)

  test.for(NAMES)('$file', { timeout: BOOT_MS }, ({ file }, { skip }) => {
    const native = natives.get(file)
    if (!native) return skip()
    const { output, status } = native
    expect(output).not.toBe('')
    expect(shell.run(`one ${file}`)).toBe(`${output}status=${status}\n`)
  })

  test('all of them at once', { timeout: BOOT_MS }, () => {
    const digest = (text: string): string => createHash('md5').update(text).digest('hex')
    const wanted = Array.from({ length: ROUNDS }, (_, round) =>
      [...natives].map(([name, { output }]) => `${digest(output)}  ${round + 1}.${name}`),
    )
    expect(shell.run(`all ${ROUNDS}`).split('\n').sort()).toEqual(['', 'status=0', ...wanted.flat()].sort())
  })

  test('the kernel has nothing to complain of', { timeout: BOOT_MS }, () => {
    expect(shell.run('nproc')).toBe('2\n')
    expect(shell.run('dmesg')).not.toMatch(/WARNING:|Oops|BUG:|Call Trace|rcu: INFO|soft lockup/)
  })
}

describe.skipIf(!isPossible)('programs in a guest', () => {
  describe.each(GUESTS)('$name', tryPrograms)
})
