/** `window.playground` (docs/api.md): the public interface over this page's session. */

import { named, oneOf } from '#api/check.ts'
import type { PlaygroundHost } from '#api/host.ts'
import { createPlayground as create } from '#api/playground.ts'
import type { DomainView } from '#protocol/domains.ts'
import type { Playground } from '#protocol/playground.ts'
import { type Lang, languages } from './i18n/index.ts'
import { setLang } from './i18n/set-lang.ts'
import { isPanelId, panels } from './panels/registry.ts'
import type { Session } from './session.ts'

declare global {
  interface Window {
    readonly playground: Playground
  }
}

export const createPlayground = (session: Session): Playground => create(pageHost(session))

function pageHost(session: Session): PlaygroundHost {
  const { store } = session
  const domainList = lastOf((domains: Readonly<Record<number, DomainView>>) =>
    Object.values(domains).sort((a, b) => a.domid - b.domid),
  )
  return {
    timers: { setTimeout: (run, ms) => window.setTimeout(run, ms), clearTimeout: (id) => window.clearTimeout(id) },
    facts() {
      const { power, mode, nowNs, options, nextOptions, disk, domains } = store.getState()
      return { state: power, mode, nowNs, options, nextOptions, disk, domains: domainList(domains) }
    },
    onFacts: (listener) => store.subscribe(listener),
    power: () => session.power(),
    input: (input) => session.input(input),
    clock: (mode) => session.clock(mode),
    setNextOptions: (options) => store.dispatch({ type: 'next-options', options }),
    discardDisk: () => session.discardDisk(),
    ask: (request) => session.ask(request),
    openLink: session.openLink,
    xenstore: session.xenstore,
    onXenstore: (listener) => session.onXenstore(listener),
    onMessage: (listener) => session.onMessage(listener),
    onSerial: (listener) => session.onSerial(listener),
    screen: () => session.screen(),
    onScreen: (listener) => session.onScreen(listener),
    ui: pageUi(session),
  }
}

/** The same result for the same value: whoever compares sees that nothing has changed. */
function lastOf<A, B>(make: (value: A) => B): (value: A) => B {
  let last: { readonly value: A; readonly made: B } | undefined
  return (value) => {
    if (!last || last.value !== value) last = { value, made: make(value) }
    return last.made
  }
}

function pageUi({ store }: Session): Playground['ui'] {
  return {
    open(panel) {
      if (typeof panel !== 'string' || !isPanelId(panel))
        throw new RangeError(`no such panel: ${named(panel)} (${panels.map(({ id }) => id).join(', ')} or domain:NAME)`)
      store.dispatch({ type: 'panel', panel })
    },
    lang(next) {
      if (next === undefined) return store.getState().lang
      const lang = oneOf('lang', next, ...(Object.keys(languages) as Lang[]))
      void setLang(store, lang)
      return lang
    },
    theme(next) {
      if (next !== undefined) store.dispatch({ type: 'theme', theme: oneOf('theme', next, 'dark', 'light', 'system') })
      return store.getState().theme
    },
  }
}
