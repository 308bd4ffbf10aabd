/** One entry of the menu: closed a row with its name, open its title and lines. */
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId } from 'react'
import { CloseIcon, CopyIcon, DownIcon, GripIcon, UpIcon } from '../../icons.tsx'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { CommitInput } from './CommitInput.tsx'
import { argumentOf, type EntryBlock, type MenuDocument } from './document.ts'
import { addRow, setArgument, setHead } from './edits.ts'
import { LineForm } from './LineForm.tsx'

/** Lines that an entry may get, with what they begin as. */
const NEW_LINES: Readonly<Record<string, string>> = {
  root: 'root (hd0,0)',
  kernel: 'kernel /boot/xen-3.3.gz',
  module: 'module /boot/vmlinuz-2.6.18.8-xen ro root=/dev/hda1',
  savedefault: 'savedefault',
  lock: 'lock',
  pause: 'pause',
}

export interface EntryFormProps {
  readonly document: MenuDocument
  readonly index: number
  readonly entry: EntryBlock
  readonly open: boolean
  readonly dragged: boolean
  readonly edit: (text: string) => void
  readonly toggle: () => void
  readonly move: (to: number) => void
  readonly duplicate: () => void
  readonly remove: () => void
  readonly grip: {
    onPointerDown(event: PointerEvent<HTMLElement>): void
    onPointerMove(event: PointerEvent<HTMLElement>): void
    onPointerUp(event: PointerEvent<HTMLElement>): void
    onPointerCancel(event: PointerEvent<HTMLElement>): void
  }
}

export function EntryForm(props: EntryFormProps) {
  const t = useTranslate()
  const bodyId = useId()
  const titleId = useId()
  const { document, index, entry, open, dragged, edit, toggle, move, duplicate, remove, grip } = props
  const { name, number } = entry
  const last = document.entries.length - 1
  const isDefault = number !== undefined && number === document.settings.defaultEntry
  const arrows = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
    if (by === 0) return
    event.preventDefault()
    move(index + by)
  }
  return (
    <li
      className={`boot-menu-entry${open ? ' open' : ''}${dragged ? ' dragged' : ''}`}
      data-entry={index}
      data-testid={testIds.bootMenuEntry}
    >
      <div className="boot-menu-entry-head">
        <button
          type="button"
          className="boot-menu-icon boot-menu-grip"
          data-grip
          aria-label={t('boot-menu.entry.drag', { name })}
          title={t('boot-menu.entry.drag', { name })}
          onKeyDown={arrows}
          {...grip}
        >
          <GripIcon />
        </button>
        <button
          type="button"
          className="boot-menu-entry-name"
          aria-expanded={open}
          aria-controls={bodyId}
          title={number === undefined ? t('boot-menu.entry.dropped', { name }) : undefined}
          onClick={toggle}
        >
          <span className="boot-menu-number mono">{number ?? '–'}</span>
          <span className="boot-menu-name-text">{name}</span>
          {isDefault && <span className="boot-menu-badge">{t('boot-menu.entry.default')}</span>}
        </button>
        <IconButton label={t('boot-menu.entry.up')} disabled={index === 0} onClick={() => move(index - 1)}>
          <UpIcon />
        </IconButton>
        <IconButton label={t('boot-menu.entry.down')} disabled={index === last} onClick={() => move(index + 1)}>
          <DownIcon />
        </IconButton>
      </div>
      {open && (
        <div id={bodyId} className="boot-menu-entry-body">
          <div className="boot-menu-field">
            <label htmlFor={titleId}>{t('boot-menu.entry.title')}</label>
            <CommitInput
              id={titleId}
              value={argumentOf(entry.title)}
              onCommit={(title) => edit(setArgument(document, entry.title, title))}
            />
          </div>
          <ol className="boot-menu-lines">
            {entry.rows.map((row, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line is where it stands
              <LineForm key={i} document={document} entry={entry} row={row} edit={edit} />
            ))}
          </ol>
          <div className="boot-menu-entry-foot">
            <select
              className="boot-menu-add-option"
              aria-label={t('boot-menu.line.add')}
              value=""
              onChange={({ target }) => edit(addRow(document, entry, NEW_LINES[target.value] ?? target.value))}
            >
              <option value="">{t('boot-menu.line.add')}</option>
              {Object.keys(NEW_LINES).map((command) => (
                <option key={command}>{command}</option>
              ))}
            </select>
            {number !== undefined && !isDefault && (
              <button
                type="button"
                className="button small"
                onClick={() => edit(setHead(document, 'default', String(number)))}
              >
                {t('boot-menu.entry.makeDefault')}
              </button>
            )}
            <button type="button" className="button small" onClick={duplicate}>
              <CopyIcon />
              {t('boot-menu.entry.duplicate')}
            </button>
            <button type="button" className="button small" onClick={remove}>
              <CloseIcon />
              {t('boot-menu.entry.remove')}
            </button>
          </div>
        </div>
      )}
    </li>
  )
}

function IconButton(props: { label: string; disabled?: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <button
      type="button"
      className="boot-menu-icon"
      aria-label={props.label}
      title={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  )
}
