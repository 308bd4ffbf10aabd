/** What guests cost: to create, to list, to use, to keep. */
import { ImageLoader } from '#world/realm/loader.ts'
import { BenchHost } from './host.ts'
import type { Figure } from './reference.ts'

/** How many of `xm list`, so that one is not lost in noise. */
const LISTS = 20
const IDLE_SECONDS = 10

export function benchDomu(container: Uint8Array, known: readonly string[]): Figure[] {
  const figures: Figure[] = []
  const add = (name: string, value: number, unit: Figure['unit'] = 'ms'): unknown => figures.push({ name, unit, value })
  const host = new BenchHost(container, new ImageLoader(known))
  host.logIn()
  for (const round of ['first', 'again']) {
    const started = host.run('xm create sebastian')
    host.type('xm console sebastian\r')
    add(`xm create sebastian to its login, ${round}`, started + host.until('sebastian login: '))
    host.type('\x1d')
    host.until(']# ')
    if (round === 'first') add('xm destroy sebastian', host.run('xm destroy sebastian'))
  }
  add('xm list', host.run(`for n in $(seq ${LISTS}); do xm list > /dev/null; done`) / LISTS)
  add(`${LISTS} times /bin/true`, host.run(`for n in $(seq ${LISTS}); do /bin/true; done`))
  disk(host, add)
  host.run('xm destroy sebastian')
  idle(host, add)
  return figures
}

type Add = (name: string, value: number, unit?: Figure['unit']) => unknown

/** Each request of a guest's disk: grants mapped and unmapped, an event there and one back. */
function disk(host: BenchHost, add: Add): void {
  host.type('xm console sebastian\r')
  host.pass(1)
  host.type('\r')
  host.until('sebastian login: ')
  host.type('root\r')
  host.until(']# ')
  add('2 MiB of its disk read by a guest', host.run('dd if=/dev/sda1 of=/dev/null bs=65536 count=32 2> /dev/null'))
  host.type('\x1d')
  host.until(']# ')
}

function idle(host: BenchHost, add: Add): void {
  for (const guests of [10, 80]) {
    const from = guests === 10 ? 1 : 11
    const before = process.memoryUsage.rss()
    const created = host.run(`for n in $(seq ${from} ${guests}); do xm create minimal name=m$n > /dev/null; done`)
    add(`a small guest created, of ${guests}`, created / (guests - from + 1))
    host.pass(5)
    add(`${IDLE_SECONDS} s with ${guests} idle guests`, host.pass(IDLE_SECONDS))
    add(
      `memory for each more, up to ${guests}`,
      (process.memoryUsage.rss() - before) / 1024 / (guests - from + 1),
      'KiB',
    )
  }
}
