/** A terminal on one console. Bytes go straight to xterm. */
import { useEffect, useRef } from 'react'
import type { SerialLine } from '#protocol/machine.ts'
import { usePage, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { PanelProps } from '../registry.ts'
import { KeyRow } from './KeyRow.tsx'

export function ConsolePanel({ id }: PanelProps) {
  const t = useTranslate()
  const line = id as SerialLine
  return (
    <section className="panel serial" data-testid={testIds.serialPanel} data-region aria-label={t('serial.title')}>
      <TerminalHost key={line} line={line} />
      <KeyRow line={line} />
    </section>
  )
}

function TerminalHost({ line }: { line: SerialLine }) {
  const { terminals } = usePage()
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => terminals[line].attach(host.current!), [terminals, line])
  return (
    <div className="terminal-frame">
      <div ref={host} className="terminal-host" data-testid={testIds.serialTerminal} data-line={line} />
    </div>
  )
}
