/** A console's small tools, and what they are at work on. */
import { type ComponentType, useState } from 'react'
import { ClearIcon, CloseIcon, CopyIcon, KeyboardIcon, PasteIcon, SearchIcon } from '../../icons.tsx'
import { announce } from '../../layout/announce.ts'
import { Menu, type MenuItem } from '../../layout/Menu.tsx'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { clipboardText, copiedText, copyText } from './clipboard.ts'
import { usePlace } from './DomainNotice.tsx'
import { ctrlA3, sendKeyGroups } from './send-keys.ts'
import type { ConsoleTerminal } from './terminals.ts'

type Complaint = 'console.copy.refused' | 'console.paste.refused'

interface ToolbarProps {
  readonly console: ConsoleTerminal
  readonly searching: boolean
  readonly onSearch: () => void
}

export function Toolbar({ console, searching, onSearch }: ToolbarProps) {
  const t = useTranslate()
  const [complaint, setComplaint] = useState<Complaint>()

  async function copy(): Promise<void> {
    const done = await copyText(copiedText(console.terminal))
    setComplaint(done ? undefined : 'console.copy.refused')
    if (done) announce(t('console.copied'))
    console.focus()
  }

  async function paste(): Promise<void> {
    const text = await clipboardText()
    setComplaint(text === undefined ? 'console.paste.refused' : undefined)
    if (text !== undefined) console.paste(text)
    console.focus()
  }

  function clear(): void {
    console.terminal.clear()
    console.focus()
  }

  function sendAndReturn(bytes: string): void {
    console.send(bytes)
    console.focus()
  }

  const sendKeys = (): MenuItem[][] =>
    sendKeyGroups.map((group) =>
      group.map(({ name, bytes }) => ({
        id: name,
        label: name,
        run: () => sendAndReturn(bytes),
      })),
    )

  return (
    <>
      <div className="console-bar" role="toolbar" aria-label={t('console.tools')} data-testid={testIds.consoleTools}>
        {console.id === 'com1' && <Owner onSwitch={() => sendAndReturn(ctrlA3.bytes)} />}
        {console.domain && <Pty console={console} />}
        <span className="console-gap" />
        <Tool label="console.search" icon={SearchIcon} testId="consoleSearch" pressed={searching} run={onSearch} />
        <Tool label="console.copy" icon={CopyIcon} testId="consoleCopy" run={() => void copy()} />
        <Tool label="console.paste" icon={PasteIcon} testId="consolePaste" run={() => void paste()} />
        <Tool label="console.clear" icon={ClearIcon} testId="consoleClear" run={clear} />
        <Menu
          label={t('console.send')}
          icon={KeyboardIcon}
          testId={testIds.consoleSend}
          className="small"
          items={sendKeys}
        />
      </div>
      {complaint && (
        <div role="alert" className="console-notice">
          <span>{t(complaint)}</span>
          <button
            type="button"
            className="icon-button small"
            aria-label={t('console.notice.close')}
            onClick={() => setComplaint(undefined)}
          >
            <CloseIcon />
          </button>
        </div>
      )}
    </>
  )
}

interface ToolProps {
  readonly label: 'console.search' | 'console.copy' | 'console.paste' | 'console.clear'
  readonly icon: ComponentType
  readonly testId: keyof typeof testIds
  readonly pressed?: boolean
  readonly run: () => void
}

function Tool({ label, icon: Icon, testId, pressed, run }: ToolProps) {
  const t = useTranslate()
  const text = t(label)
  return (
    <button
      type="button"
      className="icon-button small"
      aria-label={text}
      aria-pressed={pressed}
      title={text}
      data-testid={testIds[testId]}
      onClick={run}
    >
      <Icon />
    </button>
  )
}

/** Xen's own word on who gets what is typed, and the keys that change it. */
function Owner({ onSwitch }: { onSwitch: () => void }) {
  const t = useTranslate()
  const owner = usePlayground((state) => state.serialOwner)
  return (
    <>
      <span
        role="status"
        className={owner ? `console-owner layer-${owner}` : 'console-owner'}
        title={t('console.owner.help')}
        data-owner={owner}
        data-testid={testIds.consoleOwner}
      >
        {owner && t(`console.owner.${owner}`)}
      </span>
      {owner && (
        <button type="button" className="console-switch" title={t('console.key.ctrlA3.help')} onClick={onSwitch}>
          {ctrlA3.name}
        </button>
      )}
    </>
  )
}

function Pty({ console }: { console: ConsoleTerminal }) {
  const t = useTranslate()
  const place = usePlace(console.domain)
  if (place?.kind !== 'there') return null
  const { domid, tty } = place
  return (
    <span className="console-pty" title={t('console.pty.help')} data-testid={testIds.consolePty} data-domid={domid}>
      {t('console.pty', { domid, tty })}
    </span>
  )
}
