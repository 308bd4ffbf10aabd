/** The serial lines' terminals, a tab each. Bytes go straight to xterm; the panel only says which one is looked at. */
import { type KeyboardEvent, useEffect, useRef } from 'react'
import type { SerialLine } from '#protocol/machine.ts'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { KeyRow } from './KeyRow.tsx'

const lines = ['com1', 'com2'] as const satisfies readonly SerialLine[]
const tabIds = { com1: testIds.serialTabCom1, com2: testIds.serialTabCom2 }

export function SerialPanel() {
  const t = useTranslate()
  const line = usePlayground((state) => state.line)
  return (
    <section className="panel serial" data-testid={testIds.serialPanel} data-region aria-labelledby="serial-title">
      <header className="panel-head">
        <h2 id="serial-title">{t('serial.title')}</h2>
        <LineTabs line={line} />
        <span className="panel-note desktop-only">{t('serial.leave')}</span>
      </header>
      <TerminalHost key={line} line={line} />
      <KeyRow line={line} />
    </section>
  )
}

function LineTabs({ line }: { line: SerialLine }) {
  const t = useTranslate()
  const { store } = usePage().session
  const list = useRef<HTMLDivElement>(null)

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
    event.preventDefault()
    const other = lines[(lines.indexOf(line) + 1) % lines.length]!
    store.dispatch({ type: 'line', line: other })
    list.current?.querySelector<HTMLElement>(`#tab-${other}`)?.focus()
  }

  return (
    <div ref={list} className="tabs" role="tablist" aria-label={t('serial.lines')} onKeyDown={onKeyDown}>
      {lines.map((id) => (
        <button
          type="button"
          key={id}
          id={`tab-${id}`}
          role="tab"
          className="tab"
          aria-selected={id === line}
          aria-controls="serial-host"
          tabIndex={id === line ? 0 : -1}
          data-testid={tabIds[id]}
          onClick={() => store.dispatch({ type: 'line', line: id })}
        >
          {t(`serial.${id}`)}
        </button>
      ))}
    </div>
  )
}

function TerminalHost({ line }: { line: SerialLine }) {
  const { terminals } = usePage()
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => terminals[line].attach(host.current!), [terminals, line])
  return (
    <div className="terminal-frame" id="serial-host" role="tabpanel" aria-labelledby={`tab-${line}`}>
      <div ref={host} className="terminal-host" data-testid={testIds.serialTerminal} data-line={line} />
    </div>
  )
}
