/**
 * The machine's keyboard: a text field over the picture that shows nothing. Keys go to the machine by their places; what a soft keyboard enters goes by
 * its characters, with a US keyboard's keys.
 */
import { type KeyboardEvent, useEffect, useRef } from 'react'
import { chordScanCodes, scanCodes } from '#tape/keyboard.ts'
import { plainKey } from '#tape/keys.ts'
import { usePage, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { listenSoftly } from '../consoles/soft-input.ts'

/** What stands for keys in the text of soft input. */
const KEYS: Readonly<Record<string, string>> = { '\r': 'Enter', '\x7f': 'Backspace', '\t': 'Tab', ' ': 'Space' }

export function KeyboardCapture({ onCaptured }: { onCaptured: (captured: boolean) => void }) {
  const t = useTranslate()
  const { session } = usePage()
  const field = useRef<HTMLTextAreaElement>(null)
  /** Keys that went down here: whatever ends the capture lets them up again. */
  const held = useRef(new Set<string>())

  useEffect(() => {
    const around = field.current?.parentElement
    if (!field.current || !around) return
    return listenSoftly(around, field.current, {
      text(text) {
        for (const character of text) {
          const scancodes = chordScanCodes(plainKey(KEYS[character] ?? character))
          if (scancodes) session.input({ kind: 'keyboard', scancodes })
        }
      },
    })
  }, [session])

  function send(code: string, pressed: boolean): boolean {
    const codes = scanCodes(code, pressed)
    if (!codes) return false
    if (pressed) held.current.add(code)
    else held.current.delete(code)
    session.input({ kind: 'keyboard', scancodes: codes })
    return true
  }

  function onKey(event: KeyboardEvent, pressed: boolean): void {
    // F6 leaves; keys with Meta belong to the person's own system.
    if (event.key === 'F6' || event.metaKey) return
    if (send(event.code, pressed)) event.preventDefault()
  }

  function leave(): void {
    for (const code of [...held.current]) send(code, false)
    onCaptured(false)
  }

  return (
    <div className="monitor-keyboard">
      <textarea
        ref={field}
        className="monitor-keys"
        data-testid={testIds.monitorScreen}
        data-region-focus
        aria-label={t('monitor.keys')}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        onKeyDown={(event) => onKey(event, true)}
        onKeyUp={(event) => onKey(event, false)}
        onFocus={() => onCaptured(true)}
        onBlur={leave}
      />
    </div>
  )
}
