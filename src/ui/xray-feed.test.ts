import { expect, test } from 'vitest'
import type { XraySnapshot, XrayWatch } from '#protocol/xray.ts'
import { createXrayFeed } from './xray-feed.ts'

const watch = (some: Partial<XrayWatch>): XrayWatch => ({
  frames: false,
  lanes: false,
  channels: false,
  hypercalls: false,
  ...some,
})
const snapshot: XraySnapshot = { atNs: 1, owners: new Uint16Array(2), ports: [], grants: [], vcpus: [] }
const batch = { records: new Float64Array(8), lost: 0, resync: undefined }

test('what any watcher wants is asked for, and all are told, until they stop', () => {
  const asked: (XrayWatch | undefined)[] = []
  const feed = createXrayFeed((wanted) => asked.push(wanted))
  const heard: string[] = []
  const listener = (name: string) => ({
    snapshot: () => heard.push(`${name} snapshot`),
    batch: () => heard.push(`${name} batch`),
  })
  const stopOne = feed.watch(watch({ frames: true }), listener('one'))
  const stopTwo = feed.watch(watch({ lanes: true }), listener('two'))
  feed.receive({ type: 'xray-snapshot', snapshot })
  stopOne()
  stopOne()
  feed.receive({ type: 'xray', batch })
  stopTwo()
  feed.receive({ type: 'xray', batch })
  expect(asked).toEqual([
    watch({ frames: true }),
    watch({ frames: true, lanes: true }),
    watch({ lanes: true }),
    undefined,
  ])
  expect(heard).toEqual(['one snapshot', 'two snapshot', 'two batch'])
})
