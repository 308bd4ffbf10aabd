import { readdirSync, readFileSync, statSync } from 'node:fs'
import { test } from 'vitest'
import { cc } from './cc.ts'
import { ld } from './ld.ts'
import { verify } from './verify.ts'

const walk = (d: string): string[] =>
  readdirSync(d).flatMap((n) => (statSync(d + '/' + n).isDirectory() ? walk(d + '/' + n) : [d + '/' + n]))
test('all', () => {
  const objects = new Map()
  let chars = 0,
    ccMs = 0,
    vMs = 0,
    code = 0
  for (let k = 0; k < 3; k++)
    for (const f of ['lib', 'abi', 'boot', 'xen', 'toolchain', 'machine', 'tape'].flatMap((d) => walk('src/' + d))) {
      if (/\.test\.ts$|\.md$/.test(f)) continue
      const text = readFileSync(f, 'utf8')
      chars += text.length
      let t = performance.now()
      try {
        const o = cc(f.slice(4), text)
        ccMs += performance.now() - t
        objects.set(o.path, o)
        t = performance.now()
        const v = verify(o.code, o.path)
        vMs += performance.now() - t
        code += o.code.length
        if (v.length) console.log(v)
      } catch (e) {
        if (k == 0) console.log(String(e))
      }
      if (k == 1 && chars > 0) {
        chars = ccMs = vMs = code = 0
        k = 2
      }
    }
  console.log({ chars, ccMs, vMs, code })
  for (const e of ['xen/xen.ts', 'boot/grub/main.ts'])
    if (objects.has(e))
      try {
        const t = performance.now()
        const c = ld(objects, e)
        console.log(e, c.modules.length, JSON.stringify(c).length, performance.now() - t)
      } catch (x) {
        console.log(String(x))
      }
})
