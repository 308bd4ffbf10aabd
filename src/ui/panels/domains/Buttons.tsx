/** What can be done to a domain. Destroying is asked about first: nothing brings it back. */
import { useRef } from 'react'
import type { DomainAct, DomainView } from '#protocol/domains.ts'
import { DestroyIcon, PauseIcon, RebootIcon, RunIcon, SerialIcon, ShutdownIcon, XenStoreIcon } from '../../icons.tsx'
import { usePage, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { revealPath } from '../xenstore/reveal.ts'

interface ButtonsProps {
  readonly view: DomainView
  readonly name: string
  /** Xend has not answered the last one yet. */
  readonly busy: boolean
  readonly act: (kind: Exclude<DomainAct['kind'], 'mem-set'>) => void
}

export function Buttons({ view, name, busy, act }: ButtonsProps) {
  const t = useTranslate()
  const { store } = usePage().session
  const dialog = useRef<HTMLDialogElement>(null)
  const { domid, state } = view
  const over = state === 'shutdown' || state === 'crashed' || state === 'dying'
  const paused = state === 'paused'
  // Who works by keys would lose the place if a button were disabled under the finger.
  const ask: typeof act = (kind) => {
    if (!busy) act(kind)
  }
  const face = { className: 'button small domains-button', type: 'button' } as const
  return (
    <fieldset className="domains-buttons" aria-label={t('domains.acts', { name })}>
      <button
        {...face}
        data-testid={testIds.domainsConsole}
        disabled={domid !== 0 && view.name === undefined}
        onClick={() => store.dispatch({ type: 'panel', panel: domid === 0 ? 'com1' : `domain:${view.name}` })}
      >
        <SerialIcon />
        {t('domains.console')}
      </button>
      <button
        {...face}
        data-testid={testIds.domainsXenstore}
        onClick={() => revealPath(store, `/local/domain/${domid}`)}
      >
        <XenStoreIcon />
        {t('domains.xenstore')}
      </button>
      {domid !== 0 && (
        <>
          <button
            {...face}
            data-testid={paused ? testIds.domainsUnpause : testIds.domainsPause}
            aria-disabled={busy}
            disabled={over}
            onClick={() => ask(paused ? 'unpause' : 'pause')}
          >
            {paused ? <RunIcon /> : <PauseIcon />}
            {t(paused ? 'domains.unpause' : 'domains.pause')}
          </button>
          <button
            {...face}
            data-testid={testIds.domainsShutdown}
            aria-disabled={busy}
            disabled={over}
            onClick={() => ask('shutdown')}
          >
            <ShutdownIcon />
            {t('domains.shutdown.act')}
          </button>
          <button
            {...face}
            data-testid={testIds.domainsReboot}
            aria-disabled={busy}
            disabled={over}
            onClick={() => ask('reboot')}
          >
            <RebootIcon />
            {t('domains.reboot')}
          </button>
          <button
            {...face}
            className={`${face.className} domains-danger`}
            data-testid={testIds.domainsDestroy}
            aria-haspopup="dialog"
            aria-disabled={busy}
            onClick={() => !busy && dialog.current?.showModal()}
          >
            <DestroyIcon />
            {t('domains.destroy')}
          </button>
          <dialog
            ref={dialog}
            className="domains-dialog"
            aria-label={t('domains.confirm.title', { name })}
            data-testid={testIds.domainsConfirm}
          >
            <h2>{t('domains.confirm.title', { name })}</h2>
            <p>{t('domains.confirm.text')}</p>
            <form method="dialog" className="domains-dialog-buttons">
              <button type="submit" className="button" data-testid={testIds.domainsConfirmNo}>
                {t('domains.confirm.no')}
              </button>
              <button
                type="submit"
                className="button domains-destroy"
                data-testid={testIds.domainsConfirmYes}
                onClick={() => ask('destroy')}
              >
                {t('domains.confirm.yes')}
              </button>
            </form>
          </dialog>
        </>
      )}
    </fieldset>
  )
}
