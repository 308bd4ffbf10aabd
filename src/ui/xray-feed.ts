/** Who on the page watches the tracer's records: all are told of what any of them wants. */
import type { FromWorker } from '#protocol/messages.ts'
import type { XrayBatch, XraySnapshot, XrayWatch } from '#protocol/xray.ts'

export interface XrayListener {
  /** How things are: first of all, and again whenever another life of the machine begins. Not to be changed. */
  snapshot(snapshot: XraySnapshot): void
  /** What happened since; what others watch is in it, too. Not to be changed. */
  batch(batch: XrayBatch): void
}

export interface XrayFeed {
  /** Until the function returned is called. */
  watch(watch: XrayWatch, listener: XrayListener): () => void
  receive(message: Extract<FromWorker, { type: 'xray' | 'xray-snapshot' }>): void
}

/** `ask`: what the worker is to tell from now on; it answers with a snapshot. */
export function createXrayFeed(ask: (watch: XrayWatch | undefined) => void): XrayFeed {
  const watchers = new Map<object, { readonly watch: XrayWatch; readonly listener: XrayListener }>()

  function askAnew(): void {
    const watches = [...watchers.values()].map(({ watch }) => watch)
    const any = (what: keyof XrayWatch): boolean => watches.some((watch) => watch[what])
    ask(
      watches.length === 0
        ? undefined
        : { frames: any('frames'), lanes: any('lanes'), channels: any('channels'), hypercalls: any('hypercalls') },
    )
  }

  return {
    watch(watch, listener) {
      const id = {}
      watchers.set(id, { watch, listener })
      askAnew()
      return () => {
        if (watchers.delete(id)) askAnew()
      }
    },
    receive(message) {
      for (const { listener } of watchers.values())
        if (message.type === 'xray') listener.batch(message.batch)
        else listener.snapshot(message.snapshot)
    },
  }
}
