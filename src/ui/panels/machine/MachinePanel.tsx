/** What this machine is, and what the next one will be. */
import { type ReactNode, useId } from 'react'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'

/** Offered sizes, MiB (design D3). */
const memorySizes = [512, 1024, 2048, 3072]

export function MachinePanel() {
  const t = useTranslate()
  const options = usePlayground((state) => state.options)
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
      <div className="machine-columns">
        <div>
          <h3>{t('machine.now')}</h3>
          <dl className="facts">
            <dt>{t('machine.memory')}</dt>
            <dd>{t('machine.memory.value', { mib: options.memoryMiB })}</dd>
            <dt>{t('machine.seed')}</dt>
            <dd className="mono">{options.seed}</dd>
            <dt>{t('machine.disk')}</dt>
            <dd>{t('machine.disk.default')}</dd>
            <dt>{t('machine.serial.size')}</dt>
            <dd>{t('machine.serial.size.value')}</dd>
          </dl>
        </div>
        <NextPowerOn />
      </div>
    </section>
  )
}

function NextPowerOn() {
  const t = useTranslate()
  const { session } = usePage()
  const { memoryMiB, seed } = usePlayground((state) => state.nextOptions)
  const sizes = memorySizes.includes(memoryMiB) ? memorySizes : [...memorySizes, memoryMiB].sort((a, b) => a - b)
  const next = (options: Partial<{ memoryMiB: number; seed: number }>) =>
    session.store.dispatch({ type: 'next-options', options })
  return (
    <div>
      <h3>{t('machine.next')}</h3>
      <Field label={t('machine.memory')}>
        {(id) => (
          <select
            id={id}
            value={memoryMiB}
            data-testid={testIds.machineMemory}
            onChange={(event) => next({ memoryMiB: Number(event.target.value) })}
          >
            {sizes.map((mib) => (
              <option key={mib} value={mib}>
                {t('machine.memory.value', { mib })}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t('machine.seed')} help={t('machine.seed.help')}>
        {(id) => (
          <input
            id={id}
            type="number"
            min={0}
            max={2 ** 32 - 1}
            step={1}
            value={seed}
            data-testid={testIds.machineSeed}
            onChange={(event) => {
              const wanted = event.target.valueAsNumber
              if (Number.isInteger(wanted) && wanted >= 0 && wanted < 2 ** 32) next({ seed: wanted })
            }}
          />
        )}
      </Field>
      <button
        type="button"
        className="button small"
        title={t('machine.new.help')}
        data-testid={testIds.machineNew}
        onClick={() => void session.newMachine()}
      >
        {t('machine.new')}
      </button>
    </div>
  )
}

function Field({ label, help, children }: { label: string; help?: string; children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <div className="field" title={help}>
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  )
}
