import { describe, expect, it } from 'vitest'
import { Screen } from '#tape/screen.ts'
import { posixRig } from '#testing/posix-rig.ts'
import { procps } from '../../packages/procps.ts'

/** A process as 2.6.18's /proc shows it. */
function proc(pid: number, comm: string, fields: Partial<Record<string, number | string>> = {}) {
  const {
    state = 'S',
    ppid = 1,
    pgrp = pid,
    sid = pid,
    tty = 0,
    tpgid = -1,
    utime = 0,
    stime = 0,
    nice = 0,
    start = 100,
  } = fields
  const { vsize = 4194304, rss = 256, uid = 0, cmdline = `${comm}\0` } = fields
  const stat = `${pid} (${comm}) ${state} ${ppid} ${pgrp} ${sid} ${tty} ${tpgid} 256 0 0 0 0 ${utime} ${stime} 0 0 ${20 + Number(nice)} ${nice} 1 0 ${start} ${vsize} ${rss} 0\n`
  return {
    [`/proc/${pid}/stat`]: stat,
    [`/proc/${pid}/status`]: `Name:\t${comm}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t0\t0\t0\t0\n`,
    [`/proc/${pid}/cmdline`]: String(cmdline),
    [`/proc/${pid}/statm`]: '1024 256 100 100 0 924 0\n',
    [`/proc/${pid}/wchan`]: '0',
  }
}

const MEMINFO = `MemTotal:       262144 kB
MemFree:        200000 kB
Buffers:          4096 kB
Cached:          20000 kB
SwapTotal:           0 kB
SwapFree:            0 kB
`
const FILES = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nuser:x:500:500::/:/bin/sh\n',
  '/etc/group': 'root:x:0:\n',
  '/proc/uptime': '4000.00 3900.00\n',
  '/proc/loadavg': '0.05 0.10 0.15 1/30 1000\n',
  '/proc/meminfo': MEMINFO,
  '/proc/stat': 'cpu  300 0 100 39000 0 0 0 0\nintr 5000\nctxt 6000\n',
  '/proc/vmstat': 'pgpgin 1000\npgpgout 400\npswpin 0\npswpout 0\n',
  '/proc/tty/drivers':
    'xvc                  /dev/xvc       204 191 serial\nserial               /dev/ttyS       4 64-67 serial\n',
  '/proc/sys/kernel/hostname': 'xenhost\n',
  ...proc(1, 'init', { ppid: 0, sid: 1, utime: 40, stime: 60, cmdline: 'init [3]\0' }),
  ...proc(2, 'ksoftirqd/0', { nice: 19, cmdline: '', vsize: 0, rss: 0 }),
  ...proc(900, 'sh', { tty: 0x440, tpgid: 1000, start: 300000, cmdline: '-sh\0' }),
  ...proc(950, 'sleep', {
    tty: 0x440,
    tpgid: 1000,
    ppid: 900,
    sid: 900,
    uid: 500,
    start: 300000,
    cmdline: 'sleep\x00100\0',
  }),
  ...proc(1000, 'ps', { tty: 0x440, tpgid: 1000, ppid: 900, sid: 900, state: 'R', start: 399900, cmdline: 'ps\0' }),
}
const rig = posixRig({ packages: [procps], files: FILES })
const run = (...argv: string[]) => posixRig({ packages: [procps], files: FILES }).run(argv)

describe('ps', () => {
  it.each<[string, string]>([
    ['ps', '  PID TTY          TIME CMD\n  900 ttyS0    00:00:00 sh\n 1000 ttyS0    00:00:00 ps\n'],
    [
      'ps -ef',
      `UID        PID  PPID  C STIME TTY          TIME CMD
root         1     0  0 05:26 ?        00:00:01 init [3]
root         2     1  0 05:26 ?        00:00:00 [ksoftirqd/0]
root       900     1  0 06:16 ttyS0    00:00:00 -sh
user       950   900  0 06:16 ttyS0    00:00:00 sleep 100
root      1000   900  0 06:32 ttyS0    00:00:00 ps
`,
    ],
    [
      'ps aux',
      `USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND
root         1  0.0  0.3   4096  1024 ?        Ss   05:26   0:01 init [3]
root         2  0.0  0.0      0     0 ?        SNs  05:26   0:00 [ksoftirqd/0]
root       900  0.0  0.3   4096  1024 ttyS0    Ss   06:16   0:00 -sh
user       950  0.0  0.3   4096  1024 ttyS0    S    06:16   0:00 sleep 100
root      1000  0.0  0.3   4096  1024 ttyS0    R+   06:32   0:00 ps
`,
    ],
    [
      'ps ax',
      `  PID TTY      STAT   TIME COMMAND
    1 ?        Ss     0:01 init [3]
    2 ?        SNs    0:00 [ksoftirqd/0]
  900 ttyS0    Ss     0:00 -sh
  950 ttyS0    S      0:00 sleep 100
 1000 ttyS0    R+     0:00 ps
`,
    ],
    ['ps -p 950', '  PID TTY          TIME CMD\n  950 ttyS0    00:00:00 sleep\n'],
    ['ps -o pid,comm -C sleep', '  PID COMMAND\n  950 sleep\n'],
    ['ps -o pid= -C sleep', '  950\n'],
    ['ps -e -o pid --sort -pid --no-headers', ' 1000\n  950\n  900\n    2\n    1\n'],
    [
      'ps axf -o pid,args',
      `  PID COMMAND
    1 init [3]
    2  \\_ [ksoftirqd/0]
  900  \\_ -sh
  950      \\_ sleep 100
 1000      \\_ ps
`,
    ],
    ['ps -u user -o user,pid', 'USER       PID\nuser       950\n'],
  ])('%s', (line, expected) => {
    const result = run(...line.split(' '))
    expect(result.stdout).toBe(expected)
    expect(result.status).toBe(0)
  })

  it.each<[string, number, string]>([
    ['ps -p 77', 1, ''],
    ['ps --nonsense', 1, 'ERROR: Unknown gnu long option.'],
    ['ps -o nonsense', 1, 'ERROR: Unknown user-defined format specifier "nonsense".'],
    ['ps -p x', 1, 'ERROR: Process ID list syntax error.'],
    ['ps -u nobody', 1, 'ERROR: User name does not exist.'],
  ])('%s fails', (line, status, text) => {
    const result = run(...line.split(' '))
    expect(result.status).toBe(status)
    expect(result.stderr).toContain(text)
  })
})

describe('the others', () => {
  it.each<[string, string]>([
    [
      'free',
      `             total       used       free     shared    buffers     cached
Mem:        262144      62144     200000          0       4096      20000
-/+ buffers/cache:      38048     224096
Swap:            0          0          0
`,
    ],
    [
      'free -m -o',
      `             total       used       free     shared    buffers     cached
Mem:           256         60        195          0          4         19
Swap:            0          0          0
`,
    ],
    ['uptime', ' 06:32:52 up  1:06,  0 users,  load average: 0.05, 0.10, 0.15\n'],
    [
      'vmstat',
      `procs -----------memory---------- ---swap-- -----io---- --system-- -----cpu------
 r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st
 0  0      0 200000   4096  20000    0    0     2     1   12   15  1  0 99  0  0
`,
    ],
    ['pgrep sleep', '950\n'],
    ['pgrep -l s', '2 ksoftirqd/0\n900 sh\n950 sleep\n'],
    ['pgrep -x s', ''],
    ['kill -l 9', 'KILL\n'],
    ['sysctl kernel.hostname', 'kernel.hostname = xenhost\n'],
    ['sysctl -n kernel/hostname', 'xenhost\n'],
  ])('%s', (line, expected) => {
    expect(run(...line.split(' ')).stdout).toBe(expected)
  })

  it.each<[string, number, string]>([
    ['kill', 1, 'usage: kill [ -s signal | -p ] [ -a ] pid ...'],
    ['kill -NOPE 1', 1, 'kill: unknown signal NOPE'],
    ['kill 77', 1, 'kill 77: No such process'],
    ['killall nosuch', 1, 'nosuch: no process killed'],
    ['pgrep', 2, 'pgrep: No matching criteria specified'],
    ['pgrep [', 2, 'pgrep: Unmatched [ or [^'],
    ['sysctl no.such', 255, '"no.such" is an unknown key'],
    ['top', 1, 'top: failed tty get'],
    ['watch ls', 1, 'watch: Error opening terminal: unknown.'],
  ])('%s fails', (line, status, text) => {
    const result = run(...line.split(' '))
    expect(result.stderr).toContain(text)
    expect(result.status).toBe(status)
  })
})

describe('top', () => {
  it('prints in batches', () => {
    const lines = run('top', '-b', '-n', '1').stdout.split('\n')
    expect(lines.slice(0, 8)).toEqual([
      'top - 06:32:52 up  1:06,  0 users,  load average: 0.05, 0.10, 0.15',
      'Tasks:   5 total,   1 running,   4 sleeping,   0 stopped,   0 zombie',
      'Cpu(s):  0.8%us,  0.3%sy,  0.0%ni, 99.0%id,  0.0%wa,  0.0%hi,  0.0%si,  0.0%st',
      'Mem:    262144k total,    62144k used,   200000k free,     4096k buffers',
      'Swap:        0k total,        0k used,        0k free,    20000k cached',
      '',
      '  PID USER      PR  NI  VIRT  RES  SHR S %CPU %MEM    TIME+  COMMAND',
      '    1 root      20   0  4096 1024  400 S  0.0  0.4   0:01.00  init'.replace('   0:01.00', '   0:01.00'),
    ])
  })

  it('shows itself on the terminal until q', () => {
    const session = rig.session(['top'], { rows: 25, columns: 80, env: { TERM: 'vt100' } })
    const screen = new Screen({ columns: 80, rows: 25 })
    for (const char of session.take()) screen.byte(char.charCodeAt(0))
    expect(screen.rows()[6]).toBe('  PID USER      PR  NI  VIRT  RES  SHR S %CPU %MEM    TIME+  COMMAND')
    expect(screen.rows()[7]).toContain('init')
    session.pass(4000)
    expect(session.output().length).toBeLessThan(200)
    session.type('q')
    expect(session.status).toBe(0)
  })
})
