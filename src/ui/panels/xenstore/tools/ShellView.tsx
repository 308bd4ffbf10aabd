/** xsh under the tree: it is started when somebody looks, and ends with the panel. */
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { usePage } from '../../../session-context.tsx'
import { testIds } from '../../../test-ids.ts'
import { KeyRow } from '../../consoles/KeyRow.tsx'
import type { Explorer } from '../explorer.ts'
import { Shell } from './shell.ts'
import { useWords } from './use-words.ts'
import '../../consoles/terminal.css'

/** A cell of the terminal's font at a size that is read with ease. */
const CELL_WIDTH = 7.3
const CELL_HEIGHT = 16
const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, Math.floor(value)))

/** What has so many times fewer or more columns than there is room for is hard to read. */
const FEWER = 0.75
const MORE = 1.5

function roomIn(element: Element): { readonly columns: number; readonly rows: number } {
  const { width, height } = element.getBoundingClientRect()
  return { columns: clamp(width / CELL_WIDTH, 40, 100), rows: clamp(height / CELL_HEIGHT, 8, 40) }
}

/** Where a shell is kept while another tab is in front of it. */
export interface ShellKeeper {
  shell: Shell | undefined
}

interface ShellViewProps {
  readonly explorer: Explorer
  readonly keeper: ShellKeeper
}

export function ShellView({ explorer, keeper }: ShellViewProps) {
  const say = useWords()
  const { session, terminals } = usePage()
  const frame = useRef<HTMLDivElement>(null)
  const [shell, setShell] = useState(keeper.shell)
  const [misfits, setMisfits] = useState(false)

  useEffect(() => {
    const element = frame.current
    if (shell || !element) return
    const { columns, rows } = roomIn(element)
    keeper.shell = new Shell({ openLink: session.openLink, terminals }, columns, rows)
    setShell(keeper.shell)
  }, [keeper, session, shell, terminals])

  // The panel may have become another since: a pty of a host link stays as large as it was made.
  useEffect(() => {
    const element = frame.current
    if (!shell || !element) return
    const observer = new ResizeObserver(() => {
      const times = roomIn(element).columns / shell.terminal.terminal.cols
      setMisfits(times < FEWER || times > MORE)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [shell])

  function again(): void {
    keeper.shell?.close()
    keeper.shell = undefined
    setShell(undefined)
  }

  const { selected } = explorer
  return (
    <div className="xenstore-shell" data-testid={testIds.xenstoreShell}>
      <div className="xenstore-tools">
        <button
          type="button"
          className="button small"
          title={say('shell.cd.help', { path: selected })}
          data-testid={testIds.xenstoreShellCd}
          onClick={() => shell?.cd(selected)}
        >
          {say('shell.cd')}
        </button>
        <button
          type="button"
          className="button small"
          title={selected}
          data-testid={testIds.xenstoreShellInsert}
          onClick={() => shell?.insert(selected)}
        >
          {say('shell.insert')}
        </button>
        {shell && <State shell={shell} misfits={misfits} onAgain={again} />}
      </div>
      <div ref={frame} className="terminal-frame">
        {shell && <Host shell={shell} label={say('shell.label')} />}
      </div>
      {shell && <KeyRow console={shell.terminal} />}
    </div>
  )
}

function Host({ shell, label }: { shell: Shell; label: string }) {
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const detach = shell.terminal.attach(host.current!)
    shell.terminal.focus()
    return detach
  }, [shell])
  useEffect(() => shell.terminal.label(label), [shell, label])
  return <div ref={host} className="terminal-host" data-testid={testIds.xenstoreShellTerminal} />
}

function State({ shell, misfits, onAgain }: { shell: Shell; misfits: boolean; onAgain: () => void }) {
  const say = useWords()
  const state = useSyncExternalStore(shell.subscribe, shell.state)
  return (
    <>
      <span role="status" className="xenstore-waiting" data-testid={testIds.xenstoreShellState} data-state={state.kind}>
        {state.kind === 'opening' && say('shell.opening')}
        {state.kind === 'over' &&
          (state.reason === '' ? say('shell.over') : say('shell.over.why', { reason: state.reason }))}
      </span>
      {(state.kind === 'over' || misfits) && (
        <button type="button" className="button small" data-testid={testIds.xenstoreShellAgain} onClick={onAgain}>
          {say(state.kind === 'over' ? 'shell.again' : 'shell.fit')}
        </button>
      )}
    </>
  )
}
