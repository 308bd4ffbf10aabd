/** cc and ld on everything that runs as an image, the price of fuel counts, the price of the realm lock. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { memOf } from '#abi/mem.ts'
import { cc } from '#toolchain/cc.ts'
import { plainImage } from '#toolchain/image.ts'
import { ld } from '#toolchain/ld.ts'
import { verify } from '#toolchain/verify.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { type Figure, median, millis } from './reference.ts'

const IMAGE_LAYERS = ['lib', 'abi', 'boot', 'xen']

function sources(): [path: string, text: string][] {
  return IMAGE_LAYERS.flatMap((layer) =>
    readdirSync(join('src', layer), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !/digest/.test(name))
      .sort()
      .map((name): [string, string] => [
        join(layer, name).replaceAll('\\', '/'),
        readFileSync(join('src', layer, name), 'utf8'),
      ]),
  )
}

const LOOP = `export function work(n: number): number {
  const words = new Int32Array(1024)
  let sum = 0
  for (let i = 0; i < n; i++) {
    words[i & 1023] = words[i & 1023]! + i
    sum = (sum + words[(i * 7) & 1023]!) | 0
  }
  return sum
}
const leaf = (a: number, b: number): number => (a ^ b) + 1
export function calls(n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum = leaf(sum, i) | 0
  return sum
}
`
const LOOP_ROUNDS = 5_000_000

type Work = Record<'work' | 'calls', (n: number) => number>

export async function bench(): Promise<Figure[]> {
  const files = sources()
  const compileAll = () => files.map(([path, text]) => cc(path, text))
  const first = millis(compileAll)
  const warm = median(5, () => millis(compileAll))
  const objects = new Map(compileAll().map((object) => [object.path, object]))
  const chars = [...objects.values()].reduce((sum, { code }) => sum + code.length, 0)
  const verifyMs = median(5, () => millis(() => [...objects.values()].map(({ code, path }) => verify(code, path))))
  const figures: Figure[] = [
    { name: `cc of ${files.length} files, first time`, value: first, unit: 'ms' },
    { name: `cc of ${files.length} files, warm`, value: warm, unit: 'ms' },
    { name: 'their code', value: chars / 1024, unit: 'KiB' },
    { name: 'verify of all of it', value: verifyMs, unit: 'ms' },
    { name: 'ld of xen, with verify', value: median(5, () => millis(() => ld(objects, 'xen/setup.ts'))), unit: 'ms' },
  ]

  const loader = new ImageLoader()
  const object = cc('loop.ts', LOOP)
  const image = plainImage(6, 'loop', ld(new Map([['loop.ts', object]]), 'loop.ts'))
  const counted = loader.loadNow(memOf(image)).instantiate() as unknown as Work
  const plainText = object.code.replaceAll('--$f[0]<0&&$x()', '0').replaceAll('$f', '')
  const plain = {} as Work
  new Function('require', 'exports', plainText)(undefined, plain)
  for (const name of ['work', 'calls'] as const) {
    const time = (work: Work) =>
      median(7, () => {
        loader.fuel.refill(0x7fffffff)
        return millis(() => work[name](LOOP_ROUNDS))
      })
    time(counted)
    time(plain)
    figures.push({
      name: `fuel counted ${name === 'work' ? 'loop' : 'calls'} against plain`,
      value: time(counted) / time(plain),
      unit: 'x',
    })
  }

  const [open, locked] = [false, true].map((lock): Record<string, number> => {
    const script = `import { loadTs } from './scripts/load-ts.mjs'
const { measure } = await loadTs('bench/lock.ts')
process.stdout.write(JSON.stringify(measure(${lock})))`
    return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
  })
  for (const name of Object.keys(open!))
    figures.push({ name: `realm lock: ${name}`, value: locked![name]! / open![name]!, unit: 'x' })
  return figures
}
