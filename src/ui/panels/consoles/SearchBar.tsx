/** Search in what a terminal has shown, from the newest up. */
import type { ISearchOptions } from '@xterm/addon-search'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { colourToken } from '../../colours.ts'
import { ArrowDownIcon, ArrowUpIcon, CloseIcon } from '../../icons.tsx'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { ConsoleTerminal } from './terminals.ts'

interface Found {
  readonly now: number
  readonly all: number
}

function options(): ISearchOptions {
  const found = colourToken('term-selection-background')
  const active = colourToken('term-cursor')
  return {
    decorations: {
      matchBackground: found,
      matchOverviewRuler: found,
      activeMatchBackground: found,
      activeMatchBorder: active,
      activeMatchColorOverviewRuler: active,
    },
  }
}

export function SearchBar({ console, onClose }: { console: ConsoleTerminal; onClose: () => void }) {
  const t = useTranslate()
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const [found, setFound] = useState<Found>()

  useEffect(() => {
    field.current?.focus()
    let over = false
    let undo = (): void => {}
    void console.search().then((addon) => {
      if (over) return
      const results = addon.onDidChangeResults(({ resultIndex, resultCount }) =>
        setFound({ now: resultIndex + 1, all: resultCount }),
      )
      undo = () => {
        results.dispose()
        addon.clearDecorations()
      }
    })
    return () => {
      over = true
      undo()
    }
  }, [console])

  async function search(wanted: string, up: boolean): Promise<void> {
    const addon = await console.search()
    if (wanted === '') {
      addon.clearDecorations()
      setFound(undefined)
    } else if (up) addon.findPrevious(wanted, options())
    else addon.findNext(wanted, options())
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === 'Enter') void search(text, !event.shiftKey)
    else if (event.key === 'Escape') onClose()
    else return
    event.preventDefault()
  }

  return (
    <search className="console-search" data-testid={testIds.consoleSearchBar}>
      <input
        ref={field}
        type="text"
        value={text}
        aria-label={t('console.search.text')}
        placeholder={t('console.search.text')}
        autoComplete="off"
        spellCheck={false}
        onKeyDown={onKey}
        onChange={({ target }) => {
          setText(target.value)
          void search(target.value, true)
        }}
      />
      <span role="status">
        {text !== '' && found && (found.all === 0 ? t('console.search.none') : t('console.search.count', { ...found }))}
      </span>
      {(['next', 'previous'] as const).map((way) => (
        <button
          key={way}
          type="button"
          className="icon-button small"
          aria-label={t(`console.search.${way}`)}
          title={t(`console.search.${way}`)}
          onClick={() => void search(text, way === 'next')}
        >
          {way === 'next' ? <ArrowUpIcon /> : <ArrowDownIcon />}
        </button>
      ))}
      <button
        type="button"
        className="icon-button small"
        aria-label={t('console.search.close')}
        title={t('console.search.close')}
        onClick={onClose}
      >
        <CloseIcon />
      </button>
    </search>
  )
}
