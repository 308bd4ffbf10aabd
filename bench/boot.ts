/** How long the machine takes from its power button to GRUB's menu, from Enter to the login, and what a shell's work costs, without a page around it. */
import { spawnSync } from 'node:child_process'
import { ImageLoader } from '#world/realm/loader.ts'
import { BenchHost } from './host.ts'
import { type Figure, millis } from './reference.ts'

const MENU = 'will be booted automatically'
const LOGIN = 'xenhost login: '
const PROMPT = '# '

/** Shell scripts timed in domain 0, and by dash here. */
const SCRIPTS: readonly (readonly [name: string, script: string])[] = [
  ['for loop of 10,000', 'i=0; for n in $(seq 10000); do i=$((i+n)); done; echo $i'],
  ['while loop of 10,000', 'i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; echo $i'],
  ['pipeline over 10 MB', 'dd if=/dev/zero bs=65536 count=160 2>/dev/null | cat | wc -c'],
  ['/bin/true 200 times', 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done; echo $i'],
  ['sort and uniq of 20,000 lines', 'seq 20000 | sort | uniq -c | tail -n 1'],
]

export function benchBoot(container: Uint8Array, known: readonly string[]): Figure[] {
  const figures: Figure[] = []
  const ms = (name: string, value: number): unknown => figures.push({ name, unit: 'ms', value })
  const loader = new ImageLoader(known)
  let host: BenchHost | undefined
  for (const round of ['first', 'again']) {
    host = new BenchHost(container, loader)
    ms(`power button to GRUB's menu, ${round}`, host.until(MENU))
    host.type('\r')
    ms(`Enter to the login, ${round}`, host.until(LOGIN))
    ms(`longest slice, ${round}`, host.worst)
  }
  if (!host) return figures
  host.type('root\r')
  ms('root logs in', host.until(PROMPT))
  for (const [name, script] of SCRIPTS) {
    host.type(`sh -c '${script}'\r`)
    const value = host.until(PROMPT)
    ms(name, value)
    const native = nativeMs(script)
    if (native !== undefined) figures.push({ name: `${name}, against dash`, unit: 'x', value: value / native })
  }
  return figures
}

/** The same script by this machine's dash and coreutils; undefined where there is no dash. */
function nativeMs(script: string): number | undefined {
  if (spawnSync('dash', ['-c', ':']).error) return undefined
  return millis(() => spawnSync('dash', ['-c', script], { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } }))
}
