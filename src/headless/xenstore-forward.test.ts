/** Debian's own xenstore tools against domain 0's xenstored, through a host link: the protocol is the real one, or they would say so. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Dom0Host } from '#testing/dom0-host.ts'
import { buildDiskAndKnown } from '../../scripts/disk.mjs'
import { runSession, type Terminal } from './session.ts'

const TOOLS = ['ls', 'list', 'read', 'write', 'rm', 'watch', 'chmod', 'exists'].map((mode) => `xenstore-${mode}`)
const missing = TOOLS.filter((tool) => spawnSync(tool, ['-h']).error !== undefined)
if (missing.length > 0)
  process.stderr.write(
    `SKIPPED: ${missing.join(', ')} not installed (Debian: xenstore-utils); nobody else looks at xenstored\n`,
  )

const PATIENCE = { timeout: 20_000 }
const folder = mkdtempSync(join(tmpdir(), 'xenstore-'))
const socket = join(folder, 'socket')
const env = { ...process.env, XENSTORED_PATH: socket }

let stdin: PassThrough
let done: Promise<void>
/** What COM1 has said, and from where on nobody has looked. */
let said = ''
let seen = 0

interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** One of Debian's tools, out here. */
const debian = (tool: string, ...argv: string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(tool, argv, { env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })

/** A command line in root's shell of domain 0. The kernel may say something behind the prompt. */
async function dom0(command: string): Promise<{ readonly status: number; readonly output: string }> {
  seen = said.length
  stdin.write(`${command}; echo "st""atus=$?"\r`)
  const ended = () => /\n([\s\S]*?)status=(\d+)\n\[root@xenhost /.exec(said.slice(seen))
  await expect.poll(ended, PATIENCE).not.toBeNull()
  const [, output, status] = ended()!
  return { status: Number(status), output: output!.replace(/\n$/, '') }
}

/** xenstore-watch, and what it has told so far. */
class Watch {
  text = ''
  /** All that run: one that has lost its connection would spin for ever. */
  static readonly running = new Set<Watch>()
  readonly #child: ChildProcess

  constructor(path: string) {
    this.#child = spawn('xenstore-watch', [path], { env, stdio: ['ignore', 'pipe', 'ignore'] })
    Watch.running.add(this)
    this.#child.stdout!.setEncoding('latin1').on('data', (part: string) => {
      this.text += part
    })
  }

  async tells(path: string): Promise<void> {
    await expect.poll(() => this.text.split('\n'), PATIENCE).toContain(path)
  }

  async stop(): Promise<void> {
    Watch.running.delete(this)
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }
}

beforeAll(async () => {
  if (missing.length > 0) return
  const host = new Dom0Host({ base: await buildDiskAndKnown() })
  host.boot()
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  streams.stdout.on('data', (part: Buffer) => {
    said += part.toString('latin1').replaceAll('\r', '')
  })
  stdin = streams.stdin
  const terminal = { ...streams, nowMs: () => performance.now() } as unknown as Terminal
  const forwards = [{ listen: { kind: 'unix', path: socket }, to: '/var/run/xenstored/socket' }] as const
  done = runSession(host.world, terminal, { com1: { kind: 'stdio' }, turbo: false, forwards })
  // Until it has said where it listens.
  await once(streams.stderr, 'data')
}, 120_000)

afterAll(async () => {
  stdin?.write('\x1dq')
  await done
  rmSync(folder, { recursive: true, force: true })
})

afterEach(async () => {
  for (const watch of Watch.running) await watch.stop()
})

describe.skipIf(missing.length > 0)('out here and in domain 0 there is one XenStore', () => {
  test('xenstore-ls shows what xenstore-ls shows there', async () => {
    const inside = await dom0('xenstore-ls')
    const outside = await debian('xenstore-ls')
    expect(outside).toMatchObject({ status: 0, stderr: '' })
    expect(outside.stdout).toMatch(/^local = ""$/m)
    expect(outside.stdout.trimEnd()).toBe(inside.output)
  })

  test('xenstore-ls -f and -p: full paths, permissions', async () => {
    const { status, stdout } = await debian('xenstore-ls', '-f', '-p', '/local/domain/0')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^\/local\/domain\/0\/domid = "0" +\(n0\)$/m)
  })

  test('what is written here is read there, and the other way round', async () => {
    expect(await debian('xenstore-write', '/bench/a', 'from outside', '/bench/b', '2')).toMatchObject({ status: 0 })
    expect(await dom0('xenstore-read /bench/a /bench/b')).toEqual({ status: 0, output: 'from outside\n2' })
    expect(await dom0('xenstore-write /bench/a inside')).toMatchObject({ status: 0 })
    expect(await debian('xenstore-read', '/bench/a')).toEqual({ status: 0, stdout: 'inside\n', stderr: '' })
    expect(await debian('xenstore-list', '/bench')).toEqual({ status: 0, stdout: 'a\nb\n', stderr: '' })
    expect(await debian('xenstore-rm', '/bench')).toMatchObject({ status: 0 })
    expect((await dom0('xenstore-exists /bench')).status).toBe(1)
  })

  test('xenstore-chmod: what is set here is so there, with parents and with all below; -ls -fp here is -ls -fp there', async () => {
    await debian('xenstore-write', '/bench/a/b/c', '1')
    expect(await debian('xenstore-chmod', '/bench/a', 'n0', 'r1', 'b2')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect((await dom0('xenstore-ls -p /bench')).output).toMatch(/^a = "" [ .]+ \(n0,r1,b2\)\n b = "" [ .]+ \(n0\)\n/)
    await debian('xenstore-chmod', '-r', '/bench/a/b', 'r3')
    expect(await debian('xenstore-chmod', '-u', '/bench/a/b/c', 'w4', 'n5')).toMatchObject({ status: 0 })
    const inside = await dom0('xenstore-ls -fp /bench | cat')
    expect(inside.output).toBe('/bench/a = ""   (w4,n5)\n/bench/a/b = ""   (w4,n5)\n/bench/a/b/c = "1"   (w4,n5)')
    const outside = await debian('xenstore-ls', '-f', '-p', '/bench')
    // Later tools put one blank less before the permissions.
    expect(outside.stdout.trimEnd().replace(/ +\(/g, ' (')).toBe(inside.output.replace(/ +\(/g, ' ('))
    await dom0('xenstore-chmod /bench/a n7')
    expect((await debian('xenstore-ls', '-p', '/bench')).stdout).toMatch(/^a = "" [ .]*\(n7\)$/m)
    await debian('xenstore-rm', '/bench')
  })

  test('xenstore-exists says by its status alone', async () => {
    expect(await debian('xenstore-exists', '/tool', '/local/domain/0/domid')).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
    expect(await debian('xenstore-exists', '/tool', '/nosuch')).toEqual({ status: 1, stdout: '', stderr: '' })
  })

  test('a long value with unusual bytes comes through whole', async () => {
    const value = `tab\there, ä, "quoted" ${'x'.repeat(1500)}`
    expect(await debian('xenstore-write', '/bench/v', value)).toMatchObject({ status: 0 })
    expect(await debian('xenstore-read', '-R', '/bench/v')).toMatchObject({ status: 0, stdout: value })
    await debian('xenstore-rm', '/bench')
  })

  test.each<[string, string[], string]>([
    ['xenstore-read', ['/nosuch'], "xenstore-read: couldn't read path /nosuch\n"],
    ['xenstore-ls', ['/nosuch'], 'xenstore-ls: xs_directory (/nosuch): No such file or directory\n'],
    ['xenstore-rm', ['/nosuch/deep'], 'xenstore-rm: could not remove path /nosuch/deep\n'],
    ['xenstore-write', ['/bad//path', 'x'], 'xenstore-write: could not write path /bad//path\n'],
    ['xenstore-list', ['/nosuch'], 'xenstore-list: could not list path /nosuch\n'],
    [
      'xenstore-chmod',
      ['/nosuch', 'n0'],
      "xenstore-chmod: Error occurred setting permissions on '/nosuch': No such file or directory\n",
    ],
    ['xenstore-chmod', ['/tool', 'q0'], "xenstore-chmod: Invalid permission specification: 'q'\n"],
    ['xenstore-read', ['@releaseDomain'], "xenstore-read: couldn't read path @releaseDomain\n"],
  ])('%s %j is refused in its own words', async (tool, argv, stderr) => {
    expect(await debian(tool, ...argv)).toEqual({ status: 1, stdout: '', stderr })
  })

  test('several at a time', async () => {
    const numbers = Array.from({ length: 6 }, (_, n) => `${n}`)
    const written = await Promise.all(numbers.map((n) => debian('xenstore-write', `/bench/${n}`, n)))
    expect(written.map(({ status }) => status)).toEqual(numbers.map(() => 0))
    const read = await Promise.all(numbers.map((n) => debian('xenstore-read', `/bench/${n}`)))
    expect(read.map(({ stdout }) => stdout)).toEqual(numbers.map((n) => `${n}\n`))
    await debian('xenstore-rm', '/bench')
  })

  test('xenstore-watch sees what domain 0 does', async () => {
    const watch = new Watch('/bench')
    // A watch fires once when it is set.
    await watch.tells('/bench')
    await dom0('xenstore-write /bench/deep/er 1')
    await watch.tells('/bench/deep/er')
    await dom0('xenstore-rm /bench/deep')
    await watch.tells('/bench/deep')
  })

  test('xenstore-watch sees a guest come and go', async () => {
    const watch = new Watch('/local/domain')
    await watch.tells('/local/domain')
    expect(await dom0('xm create minimal name=m1')).toMatchObject({ status: 0 })
    await watch.tells('/local/domain/1/name')
    await watch.tells('/local/domain/1/console/tty')
    const frontend = '/local/domain/1/device/vbd'
    expect(watch.text).toContain(`\n${frontend}`)
    const backend = await debian('xenstore-ls', '-f', '/local/domain/0/backend/vbd/1')
    expect(backend.stdout).toMatch(
      /^\/local\/domain\/0\/backend\/vbd\/1\/\d+\/frontend = "\/local\/domain\/1\/device\/vbd\/\d+"$/m,
    )
    expect(await debian('xenstore-read', '/local/domain/1/name')).toMatchObject({ stdout: 'm1\n' })
    watch.text = ''
    expect(await dom0('xm destroy m1')).toMatchObject({ status: 0 })
    await watch.tells('/local/domain/1')
    expect(await debian('xenstore-list', '/local/domain')).toMatchObject({ status: 0, stdout: '0\n' })
  })
})
