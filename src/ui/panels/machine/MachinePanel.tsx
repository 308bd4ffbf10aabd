/** The machine whole: its buttons and clock, what it is, what the next one will be, its disk and the record of its run. */
import type { ReactNode } from 'react'
import { CPU_BRAND, CPU_COUNT } from '#abi/pc/cpu.ts'
import { BUILD } from '#protocol/build.ts'
import { DiskSection } from '../../disk/DiskSection.tsx'
import { NmiIcon, PowerIcon, ResetIcon } from '../../icons.tsx'
import { RecordSection } from '../../record/RecordSection.tsx'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { NextPowerOn } from './NextPowerOn.tsx'
import './machine.css'

export function MachinePanel() {
  const t = useTranslate()
  return (
    <section
      className="panel layer-machine machine"
      data-testid={testIds.machinePanel}
      data-region
      aria-labelledby="machine-title"
    >
      <header className="panel-head">
        <h2 id="machine-title">{t('machine.title')}</h2>
      </header>
      <div className="machine-body">
        <Controls />
        <div className="machine-columns">
          <Facts />
          <NextPowerOn />
        </div>
        <DiskSection />
        <RecordSection />
      </div>
    </section>
  )
}

function Controls() {
  const t = useTranslate()
  const { session } = usePage()
  const on = usePlayground((state) => state.power !== 'off')
  const mode = usePlayground((state) => state.mode)
  const press = (button: 'reset' | 'nmi') => session.input({ kind: 'button', button })
  return (
    <section aria-label={t('machine.buttons')} className="machine-controls">
      <h3>{t('machine.buttons')}</h3>
      <ul className="machine-buttons">
        <Control
          id={testIds.machinePower}
          face={<PowerIcon />}
          name={t(on ? 'bar.power.off' : 'bar.power.on')}
          help={t(on ? 'machine.power.off.help' : 'machine.power.on.help')}
          onClick={() => void session.power()}
        />
        <Control
          id={testIds.machineReset}
          face={<ResetIcon />}
          name={t('bar.reset')}
          help={t('machine.reset.help')}
          disabled={!on}
          onClick={() => press('reset')}
        />
        <Control
          id={testIds.machineNmi}
          face={<NmiIcon />}
          name={t('bar.nmi')}
          help={t('machine.nmi.help')}
          disabled={!on}
          onClick={() => press('nmi')}
        />
        <li>
          <fieldset className="segments machine-clock" aria-label={t('machine.clock')}>
            {(['live', 'turbo', 'paused'] as const).map((id) => (
              <button
                type="button"
                key={id}
                className="segment"
                aria-pressed={mode === id}
                onClick={() => session.clock(id)}
              >
                {t(id === 'paused' ? 'layout.pause' : `bar.${id}`)}
              </button>
            ))}
          </fieldset>
          <p>{t(mode === 'paused' ? 'layout.pause.help' : `bar.${mode}.help`)}</p>
        </li>
      </ul>
    </section>
  )
}

function Control(props: {
  id: string
  face: ReactNode
  name: string
  help: string
  disabled?: boolean
  onClick: () => void
}) {
  const helpId = `${props.id}-help`
  return (
    <li>
      <button
        type="button"
        className="button"
        data-testid={props.id}
        aria-describedby={helpId}
        disabled={props.disabled}
        onClick={props.onClick}
      >
        {props.face}
        {props.name}
      </button>
      <p id={helpId}>{props.help}</p>
    </li>
  )
}

function Facts() {
  const t = useTranslate()
  const { memoryMiB, seed, guests } = usePlayground((state) => state.options)
  const seconds = usePlayground((state) => Math.floor(state.nowNs / 1e9))
  return (
    <section aria-label={t('machine.now')}>
      <h3>{t('machine.now')}</h3>
      <dl className="facts" data-testid={testIds.machineFacts}>
        <dt>{t('machine.memory')}</dt>
        <dd>{t('machine.memory.value', { mib: memoryMiB })}</dd>
        <dt>{t('machine.processors')}</dt>
        <dd>{t('machine.processors.value', { count: CPU_COUNT, brand: CPU_BRAND.replace(/\s+/g, ' ') })}</dd>
        <dt>{t('machine.seed')}</dt>
        <dd className="mono">{seed}</dd>
        {guests && (
          <>
            <dt>{t('machine.second-disk')}</dt>
            <dd>{t('machine.second-disk.guests')}</dd>
          </>
        )}
        <dt>{t('machine.time')}</dt>
        <dd className="mono">{t('machine.time.value', { seconds })}</dd>
        <dt>{t('machine.build')}</dt>
        <dd className="mono">{BUILD}</dd>
      </dl>
    </section>
  )
}
