/** Memory, seed and second disk of the machine that the next power-on makes. */
import { type ReactNode, useId, useState } from 'react'
import { MEMORY_MIB_MAX, MEMORY_MIB_MIN } from '#protocol/machine.ts'
import { isOtherMachine, type MachineOptions } from '#protocol/messages.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { defaultOptions } from './slice.ts'

/** Offered sizes, MiB (design D3). */
const SIZES = [256, 512, 1024, 2048, MEMORY_MIB_MAX]
const SEED_MAX = 2 ** 32 - 1

export function NextPowerOn() {
  const t = useTranslate()
  const { session } = usePage()
  const { memoryMiB, seed, guests = false } = usePlayground((state) => state.nextOptions)
  const isOther = usePlayground(({ options, nextOptions }) => isOtherMachine(options, nextOptions))
  const next = (options: Partial<MachineOptions>) => session.store.dispatch({ type: 'next-options', options })
  return (
    <section aria-label={t('machine.next')}>
      <h3>{t('machine.next')}</h3>
      <Field label={t('machine.memory')}>
        {(id) => (
          <span className="machine-memory">
            <select
              id={id}
              value={SIZES.includes(memoryMiB) ? memoryMiB : ''}
              data-testid={testIds.machineMemory}
              onChange={({ target }) => target.value !== '' && next({ memoryMiB: Number(target.value) })}
            >
              {SIZES.map((mib) => (
                <option key={mib} value={mib}>
                  {t(mib === defaultOptions.memoryMiB ? 'machine.memory.default' : 'machine.memory.value', { mib })}
                </option>
              ))}
              <option value="">{t('machine.memory.other')}</option>
            </select>
            <WholeNumber
              label={t('machine.memory.number')}
              bad={t('machine.memory.bad')}
              value={memoryMiB}
              min={MEMORY_MIB_MIN}
              max={MEMORY_MIB_MAX}
              testId={testIds.machineMemoryNumber}
              set={(mib) => next({ memoryMiB: mib })}
            />
          </span>
        )}
      </Field>
      <Field label={t('machine.seed')}>
        {(id) => (
          <WholeNumber
            id={id}
            bad={t('machine.seed.bad')}
            value={seed}
            min={0}
            max={SEED_MAX}
            testId={testIds.machineSeed}
            set={(wanted) => next({ seed: wanted })}
          />
        )}
      </Field>
      <p className="machine-help">{t('machine.seed.what')}</p>
      <Guests chosen={guests} set={(chosen) => next({ guests: chosen })} />
      <div className="machine-new">
        <p className="machine-help">{t(isOther ? 'machine.next.other' : 'machine.next.same')}</p>
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
    </section>
  )
}

/** The second disk; where this page has none, how to get it. */
function Guests({ chosen, set }: { chosen: boolean; set: (chosen: boolean) => void }) {
  const t = useTranslate()
  const { session } = usePage()
  const help = useId()
  return (
    <>
      <label className="machine-check">
        <input
          type="checkbox"
          checked={chosen}
          disabled={!session.hasGuests}
          aria-describedby={help}
          data-testid={testIds.machineGuests}
          onChange={({ target }) => set(target.checked)}
        />
        {t('machine.guests')}
      </label>
      <p id={help} className="machine-help">
        {t(session.hasGuests ? 'machine.guests.what' : 'machine.guests.none')}
      </p>
    </>
  )
}

function Field({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  )
}

/** Shows what is being typed; hands on only what is allowed, and says so when it is not. */
function WholeNumber(props: {
  id?: string
  label?: string
  bad: string
  value: number
  min: number
  max: number
  testId: string
  set: (value: number) => void
}) {
  const { value, min, max, set } = props
  const [typed, setTyped] = useState<string>()
  const badId = useId()
  const isGood = (text: string) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max
  const isBad = typed !== undefined && !isGood(typed)
  return (
    <span className="machine-number">
      <input
        id={props.id}
        type="number"
        aria-label={props.label}
        aria-invalid={isBad}
        aria-describedby={isBad ? badId : undefined}
        min={min}
        max={max}
        step={1}
        value={typed ?? value}
        data-testid={props.testId}
        onChange={({ target }) => {
          setTyped(target.value)
          if (isGood(target.value)) set(Number(target.value))
        }}
        onBlur={() => setTyped(undefined)}
      />
      {isBad && (
        <span id={badId} className="machine-bad">
          {props.bad}
        </span>
      )}
    </span>
  )
}
