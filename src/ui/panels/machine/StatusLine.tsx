/** The machine's state in words, spoken when it changes, the layers that run now, and what to do next. */
import { say } from '../../i18n/index.ts'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { hintKey, statusWords } from '../../store/status.ts'
import type { PlaygroundState } from '../../store/store.ts'
import { testIds } from '../../test-ids.ts'
import './status.css'

export function StatusLine({ wide }: { wide: boolean }) {
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  // A sentence is a string: the selector's result is compared by value.
  const sentence = usePlayground((state) => say(state.lang, statusWords(state)))
  const hint = usePlayground(hintKey)
  const power = usePlayground((state) => state.power)
  const trouble = usePlayground((state) => state.worker === 'dead' || state.worker === 'hung')
  return (
    <footer className="status-line" lang={lang} data-region="status" data-region-focus tabIndex={-1}>
      {wide && <Layers />}
      <p
        className={`status ${trouble ? 'dead' : power}`}
        role="status"
        aria-label={t('status.label')}
        data-testid={testIds.status}
        data-state={power}
      >
        {sentence}
      </p>
      {!trouble && (
        <p className="hint" data-testid={testIds.hint}>
          {t(hint)}
        </p>
      )}
    </footer>
  )
}

const layers = ['machine', 'xen', 'dom0', 'domu'] as const

/** How many of each layer run: facts of the machine and of Xen's probes. */
function running(state: PlaygroundState, layer: (typeof layers)[number]): number {
  const domids = Object.keys(state.domains)
  switch (layer) {
    case 'machine':
      return state.power === 'off' ? 0 : 1
    case 'xen':
      return state.power === 'xen' ? 1 : 0
    case 'dom0':
      return domids.includes('0') ? 1 : 0
    case 'domu':
      return domids.filter((domid) => domid !== '0').length
  }
}

function Layers() {
  const t = useTranslate()
  return (
    <ol className="layers" aria-label={t('layout.layers')} data-testid={testIds.layoutLayers}>
      {layers.map((layer) => (
        <Layer key={layer} layer={layer} />
      ))}
    </ol>
  )
}

function Layer({ layer }: { layer: (typeof layers)[number] }) {
  const t = useTranslate()
  const count = usePlayground((state) => running(state, layer))
  return (
    <li className={`layer layer-${layer}${count > 0 ? ' on' : ''}`} data-name={layer} data-count={count}>
      <span className="layer-lamp" aria-hidden="true" />
      {layer === 'domu' && count > 1 ? t('layout.layer.domus', { count }) : t(`layout.layer.${layer}`)}
      <span className="sr-only">{t(count > 0 ? 'layout.layer.on' : 'layout.layer.off')}</span>
    </li>
  )
}
