/**
 * Debian's own xenstored (C) and oxenstored (OCaml) of Xen 4.17, run outside Xen in a folder of their own, to be compared with ours. What they ask a
 * hypervisor comes from xenstored-real/shim.c. `npm run setup:xenstored` brings the package; without it, or without a C compiler, there is a
 * reason instead of a daemon.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join, resolve } from 'node:path'

/** Where `npm run setup:xenstored` unpacks the package, and programs compiled of C. */
const CACHE = resolve('.cache/xenstored-real')
const SHIM = 'src/testing/xenstored-real/shim.c'
const START_MS = 5000
const PAGE = 4096

export type RealKind = 'c' | 'ocaml'
const PROGRAMS = { c: 'xenstored', ocaml: 'oxenstored' } as const

export interface RealXenstored {
  /** Its unix socket: whoever connects has all rights. */
  readonly socket: string
  /**
   * Domain `domid` lives from here on, with an empty ring in the file that this names, until the file is removed: INTRODUCE maps it. Ports written to
   * FOLDER/events are events (shim.c says which).
   */
  addDomain(domid: number): string
  /** Kills it, and is through when it is gone. */
  stop(): Promise<void>
}

/** The newest of /usr/lib/xen-N/bin that has `program`, of the system or of the set-up's. */
function programAt(program: string): { readonly path: string; readonly libraries: string } | undefined {
  for (const root of ['/', join(CACHE, 'root')]) {
    const lib = join(root, 'usr/lib')
    const versions = existsSync(lib) ? readdirSync(lib).filter((name) => /^xen-\d/.test(name)) : []
    for (const version of versions.sort().reverse()) {
      const path = join(lib, version, 'bin', program)
      const triple = readdirSync(lib).find((name) => name.endsWith('-linux-gnu')) ?? ''
      if (existsSync(path)) return { path, libraries: join(lib, triple) }
    }
  }
  return undefined
}

/** The C source, compiled where that has not been done since something in its folder changed. An error says what is missing. */
export function compiledC(source: string, name: string, ...flags: readonly string[]): string {
  const out = join(CACHE, name)
  const from = resolve(source)
  const changed = readdirSync(dirname(from)).map((file) => statSync(join(dirname(from), file)).mtimeMs)
  if (!existsSync(out) || statSync(out).mtimeMs < Math.max(...changed)) {
    mkdirSync(CACHE, { recursive: true })
    // Several processes may do this at once.
    const part = `${out}.${process.pid}`
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', ...flags, '-o', part, from], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    renameSync(part, out)
  }
  return out
}

/** Why there is no real daemon here: what is missing, and what brings it. Undefined: there is one. */
export function realXenstoredMissing(kind: RealKind): string | undefined {
  if (process.platform !== 'linux') return `${PROGRAMS[kind]} runs on Linux only`
  if (!programAt(PROGRAMS[kind]))
    return `no ${PROGRAMS[kind]} here: npm run setup:xenstored (Debian's package xen-utils-4.17)`
  try {
    compiledC(SHIM, 'shim.so', '-shared', '-fPIC')
  } catch (error) {
    return `its shim cannot be compiled (Debian's package gcc): ${error instanceof Error ? error.message : error}`
  }
  return undefined
}

const answers = (path: string): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(path, () => {
      socket.destroy()
      done(true)
    }).on('error', () => done(false))
  })

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await gone
}

/**
 * Start one in `folder`, an empty directory that the caller made and removes; its socket is FOLDER/socket. A string: why there is none. It dies with this process at
 * the latest. In a test:
 *
 *   const real = await startRealXenstored('c', mkdtempSync(join(tmpdir(), 'xs-')))
 *   if (typeof real === 'string') process.stderr.write(`SKIPPED: ${real}\n`)
 *   describe.skipIf(typeof real === 'string')(...)
 */
export async function startRealXenstored(kind: RealKind, folder: string): Promise<RealXenstored | string> {
  const missing = realXenstoredMissing(kind)
  if (missing !== undefined) return missing
  const { path, libraries } = programAt(PROGRAMS[kind])!
  const file = (name: string): string => join(folder, name)
  const addDomain = (domid: number): string => page(file(`domain-${domid}`))
  page(file('xsd_kva'))
  writeFileSync(file('xsd_port'), '1')
  execFileSync('mkfifo', [file('events')])
  const config = {
    'xenstored-kva': file('xsd_kva'),
    'xenstored-port': file('xsd_port'),
    'pid-file': file('pid'),
    'xenstored-log-file': file('log'),
    // As in Debian's oxenstored.conf.
    'merge-activate': true,
    'perms-activate': true,
    'quota-activate': true,
    'quota-maxentity': 1000,
    'quota-maxsize': 2048,
    'quota-maxwatch': 100,
    'quota-transaction': 10,
    'quota-maxrequests': 1024,
  }
  const lines = Object.entries(config).map(([key, value]) => `${key} = ${value}\n`)
  writeFileSync(file('oxenstored.conf'), lines.join(''))
  const options = kind === 'c' ? ['-N'] : ['--no-fork', '--no-access-log', '--config-file', file('oxenstored.conf')]
  const child = spawn(path, options, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      XENSTORED_RUNDIR: folder,
      LD_LIBRARY_PATH: libraries,
      LD_PRELOAD: compiledC(SHIM, 'shim.so', '-shared', '-fPIC'),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  child.on('error', (error) => {
    said += error.message
  })
  for (const until = Date.now() + START_MS; !(await answers(file('socket'))); ) {
    if (Date.now() > until || child.exitCode !== null) {
      await stopped(child)
      return `${path} did not start: ${said}`
    }
    await new Promise((done) => setTimeout(done, 10))
  }
  return { socket: file('socket'), addDomain, stop: () => stopped(child) }
}

/** A file of a page of zeros. */
function page(path: string): string {
  writeFileSync(path, '')
  truncateSync(path, PAGE)
  return path
}
