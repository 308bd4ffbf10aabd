/** Debian's daemons work outside Xen: their own tools see the tree, and a domain is served over its ring. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  XS_ERROR,
  XS_INTRODUCE,
  XS_READ,
  XS_SET_PERMS,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from '#abi/xen/io/xs_wire.ts'
import { WORKS } from './dom0/xsbench.ts'
import { DOM_EXC_PORT, RingTalk, SocketTalk } from './xenstored-real/talk.ts'
import { compiledC, type RealXenstored, realXenstoredMissing, startRealXenstored } from './xenstored-real.ts'

const DOMID = 7

for (const kind of ['c', 'ocaml'] as const) {
  const missing =
    realXenstoredMissing(kind) ??
    (spawnSync('xenstore-ls', ['-h']).error ? "no xenstore-ls here (Debian's package xenstore-utils)" : undefined)
  if (missing !== undefined) process.stderr.write(`SKIPPED: ${missing}\n`)

  describe.skipIf(missing !== undefined)(`Debian's xenstored, ${kind}`, () => {
    let folder: string
    let daemon: RealXenstored
    let dom0: SocketTalk
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'xenstored-'))
      const started = await startRealXenstored(kind, folder)
      if (typeof started === 'string') throw new Error(started)
      daemon = started
      dom0 = await SocketTalk.at(daemon.socket)
    })
    afterAll(async () => {
      dom0.close()
      await daemon.stop()
      rmSync(folder, { recursive: true })
    })

    test('its tools list what was written', async () => {
      expect(await dom0.ask(XS_WRITE, 0, '/a/b\0c')).toEqual({ type: XS_WRITE, reqId: 1, txId: 0, payload: 'OK\0' })
      const env = { ...process.env, XENSTORED_PATH: daemon.socket }
      expect(execFileSync('xenstore-ls', ['-f', '/a'], { env, encoding: 'utf8' })).toBe('/a/b = "c"\n')
    })

    test('the C client of the bench does all the work that ours does', () => {
      const lines = Object.keys(WORKS)
        .filter((work) => !work.startsWith('ring-'))
        .map((work) => `${work} 3\n`)
      const input = lines.join('')
      const told = execFileSync(compiledC('bench/xenstored-real/client.c', 'client'), [daemon.socket], {
        input,
        encoding: 'utf8',
      })
      expect(told).toMatch(new RegExp(`^(done \\d+\\n){${lines.length}}$`))
    })

    test('a domain is introduced, is served over its ring, and is released when it has gone', async () => {
      const file = daemon.addDomain(DOMID)
      expect(await dom0.ask(XS_INTRODUCE, 0, `${DOMID}\x0042\x005\0`)).toMatchObject({ payload: 'OK\0' })
      await dom0.ask(XS_WRITE, 0, `/local/domain/${DOMID}/name\0seven`)
      await dom0.ask(XS_SET_PERMS, 0, `/local/domain/${DOMID}/name\0n0\0r${DOMID}\0`)
      const domain = new RingTalk(folder, DOMID)
      try {
        expect(await domain.ask(XS_READ, 0, 'name\0')).toMatchObject({ type: XS_READ, payload: 'seven' })
        expect(await domain.ask(XS_WRITE, 0, '/a/b\0mine')).toMatchObject({ type: XS_ERROR, payload: 'EACCES\0' })
        await dom0.ask(XS_WATCH, 0, '@releaseDomain\0gone\0')
        expect(await dom0.heard()).toMatchObject({ type: XS_WATCH_EVENT })
        rmSync(file)
        domain.notify(DOM_EXC_PORT)
        expect(await dom0.heard()).toMatchObject({ type: XS_WATCH_EVENT, payload: '@releaseDomain\0gone\0' })
      } finally {
        domain.close()
      }
    })
  })
}
