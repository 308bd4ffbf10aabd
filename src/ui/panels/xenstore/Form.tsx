/** What the four forms have in common: Escape leaves them, the daemon's answer ends them, the keyboard goes back to the tree. */
import { type FormEvent, type ReactNode, useEffect, useRef } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { Command } from './Command.tsx'
import type { Explorer } from './explorer.ts'
import { Refused } from './Refused.tsx'
import { useAsk } from './use-ask.ts'

interface FormProps {
  readonly explorer: Explorer
  readonly title: string
  /** What the button says that does it. */
  readonly label: string
  readonly danger?: boolean
  readonly command: string
  /** What is typed cannot be asked. */
  readonly disabled?: boolean
  readonly request: () => Promise<void>
  /** When the daemon has agreed; the form is gone by then. */
  readonly done?: () => void
  readonly children?: ReactNode
}

export function Form({
  explorer,
  title,
  label,
  danger,
  command,
  disabled = false,
  request,
  done,
  children,
}: FormProps) {
  const t = useTranslate()
  const form = useRef<HTMLFormElement>(null)
  const { waiting, refusal, ask } = useAsk()

  useEffect(() => {
    const first = form.current?.querySelector<HTMLInputElement>('textarea, input, select, [type=submit]')
    first?.focus()
    if (first instanceof HTMLTextAreaElement) first.select()
  }, [])

  function leave(): void {
    explorer.act(undefined)
    explorer.focusTree()
  }

  function submit(event: FormEvent): void {
    event.preventDefault()
    if (waiting || disabled) return
    ask(request, () => {
      leave()
      done?.()
    })
  }

  return (
    <form
      ref={form}
      className="xenstore-form"
      aria-label={title}
      data-testid={testIds.xenstoreForm}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.preventDefault()
        leave()
      }}
    >
      <p className="xenstore-form-title">{title}</p>
      {children}
      <Refused refusal={refusal} />
      <div className="xenstore-buttons">
        <button
          type="submit"
          className={danger ? 'button small xenstore-danger' : 'button small primary'}
          aria-disabled={waiting || disabled}
          data-testid={testIds.xenstoreSave}
        >
          {label}
        </button>
        <button type="button" className="button small" data-testid={testIds.xenstoreCancel} onClick={leave}>
          {t('xenstore.form.cancel')}
        </button>
        <span className="xenstore-waiting" role="status">
          {waiting && t('xenstore.form.waiting')}
        </span>
      </div>
      <Command text={command} />
    </form>
  )
}
