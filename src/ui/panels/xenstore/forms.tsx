/** The four things one can do to a node, each by the daemon. */
import { type KeyboardEvent, useId, useState } from 'react'
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { useTranslate } from '../../session-context.tsx'
import { chmodCommand, removeCommand, writeCommand } from './commands.ts'
import type { Explorer } from './explorer.ts'
import { Form } from './Form.tsx'
import {
  type Access,
  accesses,
  accessKeys,
  type Permission,
  parsePermissions,
  spellPermissions,
} from './permissions.ts'
import { childPath, descendants } from './rows.ts'
import { hexOf, valueOfHex } from './tools/hex.ts'
import { useWords } from './tools/use-words.ts'
import { ValueMode } from './tools/ValueMode.tsx'
import { bytesOf, textOf } from './values.ts'

interface NodeFormProps {
  readonly explorer: Explorer
  readonly path: string
  readonly node: StoreNode | undefined
}

interface ValueFieldProps {
  readonly text: string
  readonly onText: (text: string) => void
  readonly mode?: ValueMode
  readonly onMode?: (mode: ValueMode) => void
  /** What is typed says no bytes. */
  readonly wrong?: boolean
}

/** Enter writes what is one line; where there are several, it makes another. */
function ValueField({ text, onText, mode = 'text', onMode, wrong = false }: ValueFieldProps) {
  const t = useTranslate()
  const say = useWords()
  const id = useId()
  const lines = text.split('\n').length
  const several = mode === 'text' && lines > 1
  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
    const writes = event.ctrlKey || event.metaKey || (!event.shiftKey && !several)
    if (!writes) return
    event.preventDefault()
    event.currentTarget.form?.requestSubmit()
  }
  const help =
    mode === 'hex' ? say('value.hex.help') : several ? say('value.lines.help') : t('xenstore.form.value.help')
  return (
    <div className="xenstore-field">
      <div className="xenstore-field-head">
        <label htmlFor={id}>{t('xenstore.form.value')}</label>
        {onMode && <ValueMode mode={mode} onMode={onMode} disabled={wrong} />}
      </div>
      <textarea
        id={id}
        className="mono"
        rows={Math.min(10, lines + (text.length > 60 && lines === 1 ? 1 : 0))}
        value={text}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="none"
        aria-describedby={`${id}-help`}
        aria-invalid={wrong}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <small id={`${id}-help`} className={wrong ? 'xenstore-wrong' : undefined}>
        {wrong ? say('value.hex.wrong') : help}
      </small>
    </div>
  )
}

export function EditForm({ explorer, path, node }: NodeFormProps) {
  const t = useTranslate()
  const [mode, setMode] = useState<ValueMode>('text')
  const [text, setText] = useState(() => textOf(node?.value ?? ''))
  const bytes = mode === 'hex' ? valueOfHex(text) : bytesOf(text)
  const value = bytes ?? ''
  function change(next: ValueMode): void {
    setMode(next)
    setText(next === 'hex' ? hexOf(value) : textOf(value))
  }
  return (
    <Form
      explorer={explorer}
      title={t('xenstore.form.edit', { path })}
      label={t('xenstore.form.write')}
      command={writeCommand(path, value)}
      disabled={bytes === undefined}
      request={() => explorer.client.write(path, value)}
    >
      <ValueField text={text} onText={setText} mode={mode} onMode={change} wrong={bytes === undefined} />
    </Form>
  )
}

export function AddForm({ explorer, path }: NodeFormProps) {
  const t = useTranslate()
  const id = useId()
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  const value = bytesOf(text)
  const made = childPath(path, name)
  return (
    <Form
      explorer={explorer}
      title={t('xenstore.form.add', { path })}
      label={t('xenstore.form.make')}
      command={writeCommand(made, value)}
      request={() => explorer.client.write(made, value)}
      done={() => explorer.reveal(made, true)}
    >
      <div className="xenstore-field">
        <label htmlFor={id}>{t('xenstore.form.name')}</label>
        <input
          id={id}
          type="text"
          className="mono"
          value={name}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="none"
          aria-describedby={`${id}-help`}
          onChange={(event) => setName(event.target.value)}
        />
        <small id={`${id}-help`}>{t('xenstore.form.name.help')}</small>
      </div>
      <ValueField text={text} onText={setText} />
    </Form>
  )
}

export function RemoveForm({ explorer, path, node }: NodeFormProps) {
  const t = useTranslate()
  const [next] = useState(() => explorer.neighbour(path))
  return (
    <Form
      explorer={explorer}
      title={t('xenstore.form.remove', { path, count: node ? descendants(node) : 0 })}
      label={t('xenstore.remove')}
      danger
      command={removeCommand(path)}
      request={() => explorer.client.rm(path)}
      done={() => explorer.reveal(next, true)}
    />
  )
}

export function PermissionsForm({ explorer, path, node }: NodeFormProps) {
  const t = useTranslate()
  const [permissions, setPermissions] = useState(() => parsePermissions(node?.perms ?? ''))
  const words = spellPermissions(permissions)
  const change = (at: number, part: Partial<Permission>) =>
    setPermissions(permissions.map((old, i) => (i === at ? { ...old, ...part } : old)))
  return (
    <Form
      explorer={explorer}
      title={t('xenstore.form.chmod', { path })}
      label={t('xenstore.form.set')}
      command={chmodCommand(path, words)}
      request={() => explorer.client.setPerms(path, words)}
    >
      {permissions.map(({ domid, access }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a permission is its place in the list
        <div className="xenstore-permission" key={i}>
          <DomidField
            label={t(i === 0 ? 'xenstore.form.owner' : 'xenstore.form.domain')}
            domid={domid}
            onDomid={(to) => change(i, { domid: to })}
          />
          <AccessField
            label={t(i === 0 ? 'xenstore.form.others' : 'xenstore.form.access')}
            access={access}
            onAccess={(to) => change(i, { access: to })}
          />
          {i > 0 && (
            <button
              type="button"
              className="button small"
              aria-label={t('xenstore.form.less', { domid })}
              title={t('xenstore.form.less', { domid })}
              onClick={() => setPermissions(permissions.filter((_, k) => k !== i))}
            >
              −
            </button>
          )}
        </div>
      ))}
      <div>
        <button
          type="button"
          className="button small"
          onClick={() => setPermissions([...permissions, { domid: 0, access: 'r' }])}
        >
          {t('xenstore.form.more')}
        </button>
      </div>
    </Form>
  )
}

const DOMID_MAX = 32767

/** Shows what is being typed, and hands on what is a domain's number. */
function DomidField({ label, domid, onDomid }: { label: string; domid: number; onDomid: (domid: number) => void }) {
  const [typed, setTyped] = useState<string>()
  return (
    <label>
      {label}
      <input
        type="number"
        required
        min={0}
        max={DOMID_MAX}
        value={typed ?? domid}
        onChange={({ target }) => {
          setTyped(target.value)
          const to = target.valueAsNumber
          if (Number.isInteger(to) && to >= 0 && to <= DOMID_MAX) onDomid(to)
        }}
        onBlur={() => setTyped(undefined)}
      />
    </label>
  )
}

interface AccessFieldProps {
  readonly label: string
  readonly access: Access
  readonly onAccess: (access: Access) => void
}

function AccessField({ label, access, onAccess }: AccessFieldProps) {
  const t = useTranslate()
  return (
    <label>
      {label}
      <select value={access} onChange={(event) => onAccess(event.target.value as Access)}>
        {accesses.map((letter) => (
          <option key={letter} value={letter}>
            {t(accessKeys[letter])}
          </option>
        ))}
      </select>
    </label>
  )
}
