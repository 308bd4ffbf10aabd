/** A terminal on one console, with its tools above and keys for fingers below. Bytes go straight to xterm. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { usePage, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { PanelProps } from '../registry.ts'
import { SEARCH_EVENT } from './clipboard.ts'
import { DomainNotice } from './DomainNotice.tsx'
import { KeyRow } from './KeyRow.tsx'
import { SearchBar } from './SearchBar.tsx'
import { Sending } from './Sending.tsx'
import { Toolbar } from './Toolbar.tsx'
import type { ConsoleTerminal, TerminalId } from './terminals.ts'
import './terminal.css'

export function ConsolePanel({ id, visible }: PanelProps) {
  const t = useTranslate()
  const console = usePage().terminals.get(id as TerminalId)
  const [searching, setSearching] = useState(false)
  const closeSearch = useCallback(() => {
    setSearching(false)
    console.focus()
  }, [console])
  const title =
    console.id === 'com1'
      ? t('console.com1')
      : console.id === 'com2'
        ? t('console.com2')
        : t('console.domain', { name: console.id.slice('domain:'.length) })
  const label = t('console.terminal', { title })
  useEffect(() => console.label(label), [console, label])
  useEffect(() => {
    console.domain?.want(visible)
    return () => console.domain?.want(false)
  }, [console, visible])
  return (
    <section className="panel console" data-testid={testIds.serialPanel} aria-label={title}>
      <Toolbar console={console} searching={searching} onSearch={() => setSearching(!searching)} />
      {searching && <SearchBar console={console} onClose={closeSearch} />}
      <TerminalHost key={console.id} console={console} onSearch={() => setSearching(true)} />
      <Sending queue={console.line.queue} />
      {console.domain && <DomainNotice line={console.domain} name={console.id.slice('domain:'.length)} />}
      <KeyRow console={console} />
    </section>
  )
}

function TerminalHost({ console, onSearch }: { console: ConsoleTerminal; onSearch: () => void }) {
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => console.attach(host.current!), [console])
  useEffect(() => {
    const element = host.current
    element?.addEventListener(SEARCH_EVENT, onSearch)
    return () => element?.removeEventListener(SEARCH_EVENT, onSearch)
  }, [onSearch])
  return (
    <div className="terminal-frame">
      <div ref={host} className="terminal-host" data-testid={testIds.serialTerminal} data-line={console.id} />
    </div>
  )
}
