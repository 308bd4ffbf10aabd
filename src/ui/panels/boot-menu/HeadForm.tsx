/** What stands before the entries: which one boots, after how long, and where the menu shows. */
import { type ReactNode, useId } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { CommitInput } from './CommitInput.tsx'
import { argumentOf, type CommandRow, headRow, type MenuDocument } from './document.ts'
import { setHead, setLine } from './edits.ts'
import { helpOfCommand } from './options.ts'

const SHOWN = ['default', 'timeout', 'fallback', 'hiddenmenu', 'serial', 'terminal']

interface HeadFormProps {
  readonly document: MenuDocument
  readonly edit: (text: string) => void
}

export function HeadForm({ document, edit }: HeadFormProps) {
  const t = useTranslate()
  const others = document.head.filter(({ command }) => !SHOWN.includes(command))
  const set = (command: string, argument: string | undefined) => edit(setHead(document, command, argument))
  const hidden = headRow(document, 'hiddenmenu') !== undefined
  return (
    <fieldset className="boot-menu-head">
      <legend>{t('boot-menu.head')}</legend>
      <DefaultField document={document} set={set} />
      <TimeoutField document={document} set={set} />
      <FallbackField document={document} set={set} />
      <label className="boot-menu-check">
        <input
          type="checkbox"
          checked={hidden}
          data-testid={testIds.bootMenuHidden}
          onChange={() => set('hiddenmenu', hidden ? undefined : '')}
        />
        {t('boot-menu.hidden')}
      </label>
      <details className="boot-menu-more">
        <summary>{t('boot-menu.more')}</summary>
        {(['serial', 'terminal'] as const).map((command) => (
          <Field key={command} label={t(`boot-menu.${command}`)} help={t(`boot-menu.${command}.help`)}>
            {(ids) => (
              <ArgumentInput {...ids} row={headRow(document, command)} set={(argument) => set(command, argument)} />
            )}
          </Field>
        ))}
        {others.map((row) => (
          <OtherLine key={row.from} row={row} document={document} edit={edit} />
        ))}
      </details>
    </fieldset>
  )
}

type Set = (command: string, argument: string | undefined) => void

function DefaultField({ document, set }: { document: MenuDocument; set: Set }) {
  const t = useTranslate()
  const row = headRow(document, 'default')
  const given = row ? argumentOf(row) : undefined
  const { defaultEntry } = document.settings
  const counted = document.entries.filter(({ number }) => number !== undefined)
  // What GRUB would not take for an entry's number is shown as it is.
  const odd = given !== undefined && given !== 'saved' && Number(given) !== defaultEntry
  const value = given === 'saved' || odd ? (given ?? '') : String(defaultEntry)
  return (
    <Field label={t('boot-menu.default')}>
      {(ids) => (
        <select
          {...ids}
          value={value}
          data-testid={testIds.bootMenuDefault}
          onChange={(event) => set('default', event.target.value)}
        >
          {counted.map(({ number, name }) => (
            <option key={number} value={number}>
              {`${number} · ${name}`}
            </option>
          ))}
          <option value="saved">{t('boot-menu.default.saved')}</option>
          {odd && <option value={given}>{t('boot-menu.default.other', { text: given })}</option>}
        </select>
      )}
    </Field>
  )
}

function TimeoutField({ document, set }: { document: MenuDocument; set: Set }) {
  const t = useTranslate()
  const { timeout } = document.settings
  return (
    <Field label={t('boot-menu.timeout')}>
      {(ids) => (
        <span className="boot-menu-unit">
          <CommitInput
            {...ids}
            className="short"
            inputMode="numeric"
            placeholder={t('boot-menu.timeout.none')}
            value={timeout === undefined ? '' : String(timeout)}
            data-testid={testIds.bootMenuTimeout}
            onCommit={(value) => {
              if (/^\d+$/.test(value.trim())) set('timeout', value)
              else if (value === '') set('timeout', undefined)
            }}
          />
          {timeout !== undefined && t('boot-menu.timeout.unit')}
        </span>
      )}
    </Field>
  )
}

function FallbackField({ document, set }: { document: MenuDocument; set: Set }) {
  const t = useTranslate()
  const row = headRow(document, 'fallback')
  const given = row ? argumentOf(row) : ''
  const counted = document.entries.filter(({ number }) => number !== undefined)
  const listed = given === '' || counted.some(({ number }) => String(number) === given)
  return (
    <Field label={t('boot-menu.fallback')}>
      {(ids) => (
        <select
          {...ids}
          value={given}
          data-testid={testIds.bootMenuFallback}
          onChange={(event) => set('fallback', event.target.value === '' ? undefined : event.target.value)}
        >
          <option value="">{t('boot-menu.fallback.none')}</option>
          {counted.map(({ number, name }) => (
            <option key={number} value={number}>
              {`${number} · ${name}`}
            </option>
          ))}
          {!listed && <option value={given}>{given}</option>}
        </select>
      )}
    </Field>
  )
}

interface FieldIds {
  readonly id: string
  readonly 'aria-describedby'?: string
}

function Field({ label, help, children }: { label: string; help?: string; children: (ids: FieldIds) => ReactNode }) {
  const id = useId()
  const helpId = `${id}-help`
  return (
    <div className="boot-menu-field">
      <label htmlFor={id}>{label}</label>
      {children(help ? { id, 'aria-describedby': helpId } : { id })}
      {help && (
        <p id={helpId} className="boot-menu-help">
          {help}
        </p>
      )}
    </div>
  )
}

/** A setting that is given as GRUB takes it; empty takes the line away. */
function ArgumentInput({
  row,
  set,
  ...ids
}: FieldIds & { row: CommandRow | undefined; set: (argument: string | undefined) => void }) {
  const t = useTranslate()
  return (
    <CommitInput
      {...ids}
      className="mono"
      placeholder={t('boot-menu.unset')}
      value={row ? argumentOf(row) : ''}
      onCommit={(value) => set(value === '' ? undefined : value)}
    />
  )
}

function OtherLine({ row, document, edit }: HeadFormProps & { row: CommandRow }) {
  const t = useTranslate()
  const help = helpOfCommand(row.command)
  return (
    <Field label={row.command} {...(help ? { help: t(help) } : {})}>
      {(ids) => (
        <CommitInput
          {...ids}
          className="mono"
          value={row.line}
          onCommit={(line) => edit(setLine(document, row, line))}
        />
      )}
    </Field>
  )
}
