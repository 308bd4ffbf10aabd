import { test } from 'vitest'
import { memOf } from '#abi/mem.ts'
import { crashReport, ImageLoader } from '../world/realm/loader.ts'
import { cc } from './cc.ts'
import { plainImage } from './image.ts'
import { ld } from './ld.ts'
import { verify } from './verify.ts'

test('q', () => {
  const o = cc(
    'a/x.ts',
    `import { type A, b, C } from './y.ts'
import * as ns from './y.ts'
const x: A = b as C
b('1')
;[1].map((q) => b(q))
for (const z of [1,2]) while (false) b(z)
class K { x = new Map(); y = 1; static z = b(1); get q(): number { try { return 1 } catch { return 2 } } }
export const fn = <T,>(a: T): T => ({ a, b }) as T
export function start(a: number) { if (a > 2) { throw new Error('too big') } return ns.count }
export { x as y, b }
`,
  )
  console.log(o.code, o.imports, o.exports, verify(o.code, o.path))
  const p = cc(
    'a/y.ts',
    `import { fn } from './x.ts'
export let count = 0
export function b(x: unknown) { count++; return x }
export class C {}
void fn
`,
  )
  const code = ld(
    new Map([
      [o.path, o],
      [p.path, p],
    ]),
    'a/x.ts',
  )
  const img = plainImage(6, 'test', code)
  const l = new ImageLoader()
  l.fuel.refill(1000)
  const e = l.loadNow(memOf(img)).instantiate() as any
  console.log(e, e.start(1), l.fuel.used())
  try {
    e.start(5)
  } catch (err) {
    console.log(crashReport(err, 'test', 5))
  }
})
