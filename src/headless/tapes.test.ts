/** The tapes of tapes/, played on the real machine by the real command: what each shows, and that it shows the same every time. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { campaign } from '#testing/soak.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'tapes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** One disk for all: the sources that the default one is built from may change while this runs. */
const disk = join(folder, 'default.gz')
beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts', 'disk.mjs'), '--out', disk])
})

interface Run {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function headless(...argv: string[]): Promise<Run> {
  return new Promise((done) => {
    const script = join(root, 'scripts', 'headless.mjs')
    const options = { cwd: root, encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 } as const
    execFile(process.execPath, [script, '--disk', disk, ...argv], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      done({ status, stdout, stderr })
    })
  })
}

const tape = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** What each tape must have brought to the serial line, in this order. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  'boot.tape': [
    'GNU GRUB  version 0.97',
    '[Multiboot-elf, <0x100000:',
    '(XEN) Command line: console=com1,vga com1=115200,8n1 dom0_mem=262144\r\n',
    'Linux version 2.6.18.8-xen',
    'xenhost login: ',
    '[root@xenhost ~]# ',
    'Linux xenhost 2.6.18.8-xen ',
    'Restarting system.',
    'GNU GRUB  version 0.97',
  ],
  'vi.tape': ['xenhost login: ', 'L, ', 'C written', 'Restarting system.', 'Made with vi', 'xenhost login: ', 'Mem: '],
  'nano.tape': ['xenhost login: ', 'GNU nano', 'File Name to Write: ', 'Restarting system.', 'Made with nano'],
  'noreboot.tape': [
    'at any time accepts your changes.]',
    '(XEN) Command line: console=com1,vga com1=115200,8n1 dom0_mem=262144 noreboot\r\n',
    '(XEN) Could not set up DOM0 guest OS',
    "(XEN) Manual reset required ('noreboot' specified)",
  ],
  'console.tape': [
    'xenhost login: ',
    "(XEN) *** Serial input -> Xen (type 'CTRL-a' three times to switch input to DOM0)",
    "(XEN) 'h' pressed -> showing installed handlers",
    '(XEN) Physical memory information:',
    "(XEN) *** Serial input -> DOM0 (type 'CTRL-a' three times to switch input to Xen)",
    '[root@xenhost ~]# ',
    '(XEN) General information for domain 0:',
    "(XEN) 'R' pressed -> rebooting machine",
    'GNU GRUB  version 0.97',
  ],
  'sebastian.tape': [
    'xenhost login: ',
    'Started domain sebastian',
    'sebastian                                  1      128     1 ',
    'sebastian login: ',
    'Intel(R) Core(TM)2 Duo CPU',
    '/dev/sda1 on / type ext2 (rw)',
    'All domains terminated',
    'Domain-0                                   0      256     1 ',
    'it was here',
    '/var/lib/xen/images/sebastian.img: ',
  ],
  'domain-console.tape': [
    'xenhost login: ',
    'Started domain sebastian',
    'written on the console',
    '[root@xenhost ~]# ',
  ],
  'xenstore.tape': [
    'xenhost login: ',
    'Started domain sebastian',
    '/local/domain/1/device/vbd',
    '131072',
    '/local/domain/1/memory/target = "98304"',
    'nr_pages=24576 ',
    'xenstore-control live-update',
    '\x1b[2Jsebastian',
    'killall -9 xenstored',
    '\x1b[2Jsebastian',
  ],
  'grub-error.tape': ['grub> ', 'Error 15: File not found\r\n', 'grub> '],
}

/** Played a second time whenever tests run. Guests' worlds are run twice elsewhere (testing/domu/determinism.test.ts). */
const TWICE = ['grub-error.tape']

test('every tape is looked at', () => {
  const tapes = readdirSync(join(root, 'tapes')).filter((name) => name.endsWith('.tape'))
  expect(tapes.sort()).toEqual(Object.keys(SAID).sort())
})

describe.each(Object.entries(SAID))('%s', (name, said) => {
  const twice = campaign(true, TWICE.includes(name))
  test(`every Wait is met${twice ? ', and twice the same bytes and the same world come of it' : ''}`, async () => {
    const play = () => headless('--tape', `tapes/${name}`, '--seed', '7', '--digest')
    const [first, second] = await Promise.all([play(), twice ? play() : undefined])
    expect(first.stderr).toMatch(/^[0-9a-f]{64}\n$/)
    expect(first.status).toBe(0)
    let at = 0
    for (const words of said) {
      const found = first.stdout.indexOf(words, at)
      expect(found, words).toBeGreaterThanOrEqual(0)
      at = found + words.length
    }
    if (second) expect(second).toEqual(first)
  })
})

test('a Wait that is not met: status 1, what was said on stdout, what was on screen on stderr', async () => {
  const path = tape('unmet.tape', 'Set FontSize 20\nWait+Screen /GNU GRUB/\nWait+Screen@2s /Solaris/\nType "never"')
  const { status, stdout, stderr } = await headless('--tape', path)
  expect(status).toBe(1)
  expect(stdout).toContain('GNU GRUB  version 0.97')
  expect(stdout).not.toContain('never')
  expect(stderr).toContain('headless: without effect here: Set FontSize\n')
  expect(stderr).toContain(`headless: ${path}:3: Wait: the screen of com1 did not match /Solaris/ within 2 s\n`)
  expect(stderr).toContain('On the screen was:\n')
  expect(stderr).toContain('    GNU GRUB  version 0.97')
})

test('the input log replays to the same bytes and the same world', async () => {
  const log = join(folder, 'log.json')
  const first = await headless(
    '--tape',
    'tapes/grub-error.tape',
    '--seed',
    '3',
    '--memory',
    '512',
    '--record',
    log,
    '--digest',
  )
  expect(first.status).toBe(0)
  expect(await headless('--replay', log, '--digest')).toEqual(first)
  const foreign = tape('foreign.json', JSON.stringify({ ...JSON.parse(readFileSync(log, 'utf8')), build: '0.0.0' }))
  expect(await headless('--replay', foreign)).toMatchObject({ status: 2, stdout: '' })
})

test('what a person did, in real time, replays to the same bytes and the same world', async () => {
  const log = join(folder, 'live.json')
  const script = join(root, 'scripts', 'headless.mjs')
  const person = spawn(process.execPath, [script, '--disk', disk, '--record', log, '--digest'], { cwd: root })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    person[name].setEncoding('latin1').on('data', (part: string) => {
      said[name] += part
    })
  }
  const left = new Promise<number | null>((done) => person.once('close', done))
  const until = (words: string) => expect.poll(() => said.stdout, { timeout: 30_000 }).toContain(words)
  await until('highlighted entry will be booted')
  person.stdin.write('c')
  await until('grub> ')
  person.stdin.write('kernel /boot/nosuch\r')
  await until('Error 15: File not found')
  person.stdin.write('\x1dq')
  expect(await left).toBe(0)
  expect(await headless('--replay', log, '--digest')).toEqual({ status: 0, ...said })
})

test('without --disk it is the default disk', async () => {
  const argv = ['--tape', tape('menu.tape', 'Wait+Screen /GNU GRUB/')]
  const { status, stdout, stderr } = await headless(...argv)
  const bare = execFileSync(process.execPath, [join(root, 'scripts', 'headless.mjs'), ...argv], { encoding: 'latin1' })
  expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: '', stdout: bare })
})

test('the exported disk boots', async () => {
  const raw = join(folder, 'disk.img')
  const first = await headless('--tape', 'tapes/grub-error.tape', '--export-disk', raw, '--digest')
  expect(first.status).toBe(0)
  expect(statSync(raw).size % 512).toBe(0)
  expect(await headless('--tape', 'tapes/grub-error.tape', '--disk', raw, '--digest')).toEqual(first)
})

test('the monitor is a target, and says that GRUB is on the serial line', async () => {
  const shot = join(folder, 'monitor.txt')
  const text = `Target monitor\nWait+Screen /serial/i\nScreenshot ${shot}\nOutput ${join(folder, 'golden.txt')}\n`
  expect(await headless('--tape', tape('monitor.tape', text))).toMatchObject({ status: 0, stderr: '' })
  expect(readFileSync(shot, 'utf8')).toMatch(/serial/i)
  expect(readFileSync(join(folder, 'golden.txt'), 'utf8').split('─'.repeat(80))).toHaveLength(3 + 1)
})
