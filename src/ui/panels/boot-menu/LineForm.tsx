/** One line of an entry: as it stands, and each of its words with what it does. */
import { useId, useRef } from 'react'
import { CloseIcon } from '../../icons.tsx'
import { useTranslate } from '../../session-context.tsx'
import { CommitInput } from './CommitInput.tsx'
import type { CommandRow, EntryBlock, MenuDocument } from './document.ts'
import { addWord, removeRow, setLine, setWord } from './edits.ts'
import { helpOfCommand, type LineOption, lineOptions, linuxOptions, optionsOfRow, xenOptions } from './options.ts'

interface LineFormProps {
  readonly document: MenuDocument
  readonly entry: EntryBlock
  readonly row: CommandRow
  readonly edit: (text: string) => void
}

export function LineForm({ document, entry, row, edit }: LineFormProps) {
  const t = useTranslate()
  const helpId = useId()
  const adder = useRef<HTMLSelectElement>(null)
  const help = helpOfCommand(row.command)
  const whose = optionsOfRow(entry, row)
  const options = lineOptions(entry, row)
  return (
    <li className={`boot-menu-line ${whose ?? ''}`} data-command={row.command}>
      <div className="boot-menu-raw">
        <CommitInput
          className="mono"
          aria-label={t('boot-menu.line', { command: row.command })}
          aria-describedby={help && helpId}
          value={row.line.trimEnd()}
          onCommit={(line) => edit(setLine(document, row, line))}
        />
        <button
          type="button"
          className="boot-menu-icon"
          aria-label={t('boot-menu.line.remove', { command: row.command })}
          title={t('boot-menu.line.remove', { command: row.command })}
          onClick={() => edit(removeRow(document, row))}
        >
          <CloseIcon />
        </button>
      </div>
      {help && (
        <p id={helpId} className="boot-menu-help">
          {t(help)}
        </p>
      )}
      {whose && (
        <ul className="boot-menu-options">
          {options.map((option, i) => (
            <Option
              // biome-ignore lint/suspicious/noArrayIndexKey: words have no names of their own, and may repeat
              key={i}
              option={option}
              change={(value) => edit(setWord(document, row, option.word, value))}
              remove={() => {
                edit(setWord(document, row, option.word, ''))
                adder.current?.focus()
              }}
            />
          ))}
          <li>
            <select
              ref={adder}
              className="boot-menu-add-option"
              aria-label={t('boot-menu.option.add')}
              value=""
              onChange={({ target }) => edit(addWord(document, row, target.value))}
            >
              <option value="">{t('boot-menu.option.add')}</option>
              {(whose === 'xen' ? xenOptions : linuxOptions)
                .filter(({ name, idle }) => !idle && (name === 'console' || !options.some((o) => o.name === name)))
                .map(({ name, flag, values }) => (
                  <option key={name} value={flag ? name : `${name}=${values?.[0] ?? ''}`}>
                    {name}
                  </option>
                ))}
            </select>
          </li>
        </ul>
      )}
    </li>
  )
}

function Option({
  option: { name, value, known },
  change,
  remove,
}: {
  option: LineOption
  change: (word: string) => void
  remove: () => void
}) {
  const t = useTranslate()
  const listId = useId()
  const helpId = useId()
  return (
    <li className={known ? 'boot-menu-option' : 'boot-menu-option unknown'} data-option={name}>
      <span className="boot-menu-word mono">
        <span className="boot-menu-name">{name}</span>
        {value !== undefined && (
          <>
            {'='}
            <CommitInput
              list={known?.values && listId}
              aria-label={t('boot-menu.option.value', { name })}
              aria-describedby={helpId}
              value={value}
              size={Math.max(6, value.length + 1)}
              onCommit={(typed) => change(`${name}=${typed}`)}
            />
            {known?.values && (
              <datalist id={listId}>
                {known.values.map((offered) => (
                  <option key={offered} value={offered} />
                ))}
              </datalist>
            )}
          </>
        )}
        <button
          type="button"
          className="boot-menu-icon"
          aria-label={t('boot-menu.option.remove', { name })}
          title={t('boot-menu.option.remove', { name })}
          onClick={remove}
        >
          <CloseIcon />
        </button>
      </span>
      <span id={helpId} className="boot-menu-help">
        {known ? t(known.help) : t('boot-menu.option.unknown')}
        {known?.idle && ` ${t('boot-menu.option.idle')}`}
      </span>
    </li>
  )
}
