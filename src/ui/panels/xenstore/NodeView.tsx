/** All that is known of the selected node, and what can be done to it. */
import { type ReactNode, useEffect, useState } from 'react'
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { Command } from './Command.tsx'
import { readCommand } from './commands.ts'
import type { Action } from './explorer.ts'
import type { ExplorerProps } from './explorer-of.ts'
import { AddForm, EditForm, PermissionsForm, RemoveForm } from './forms.tsx'
import { hueOf } from './hue.ts'
import { parsePermissions, permissionWords } from './permissions.ts'
import { Refused } from './Refused.tsx'
import { descendants, ROOT } from './rows.ts'
import { CopyButton } from './tools/CopyButton.tsx'
import { hexLines } from './tools/hex.ts'
import { useWords } from './tools/use-words.ts'
import { ValueMode } from './tools/ValueMode.tsx'
import { useAsk } from './use-ask.ts'
import { isBinary, textOf } from './values.ts'

const forms = { edit: EditForm, add: AddForm, remove: RemoveForm, permissions: PermissionsForm } as const

export function NodeView({ explorer, version }: ExplorerProps) {
  const t = useTranslate()
  const { selected, action } = explorer
  const node = explorer.node(selected)
  const { ask, refusal } = useAsk()
  const leafToGo = action?.kind === 'remove' && node !== undefined && node.children.size === 0 && selected !== ROOT
  // A node with nothing below it goes without a question.
  useEffect(() => {
    if (!leafToGo) return
    const next = explorer.neighbour(selected)
    ask(
      () => explorer.client.rm(selected),
      () => explorer.reveal(next, true),
    )
    explorer.act(undefined)
  })
  const Acting = action && !leafToGo ? forms[action.kind] : undefined
  if (Acting) return <Acting key={`${action?.kind} ${selected}`} explorer={explorer} path={selected} node={node} />
  if (!node) return <p className="xenstore-none">{t('xenstore.gone')}</p>
  return (
    <>
      <Facts node={node} />
      <Refused refusal={refusal} />
      <Acts explorer={explorer} version={version} />
      <Command text={readCommand(selected)} />
    </>
  )
}

function Facts({ node }: { node: StoreNode }) {
  const t = useTranslate()
  const { perms, writer, change } = node
  const domain = t('xenstore.domain', { domid: writer.domid })
  return (
    <dl className="xenstore-facts">
      <Value value={node.value} />
      <dt>{t('xenstore.permissions')}</dt>
      <dd title={perms} data-testid={testIds.xenstorePermissions}>
        {permissionWords(t, parsePermissions(perms))} <code className="xenstore-raw">{perms}</code>
      </dd>
      <dt>{t('xenstore.writer')}</dt>
      <dd data-testid={testIds.xenstoreWriter}>
        <span className={`xenstore-dot ${hueOf(writer.domid)}`} />
        {writer.connection === 0
          ? t('xenstore.writer.found')
          : t('xenstore.writer.by', { domain, connection: writer.connection, change })}
      </dd>
      {node.children.size > 0 && (
        <>
          <dt>{t('xenstore.children')}</dt>
          <dd>{t('xenstore.children.count', { count: descendants(node) })}</dd>
        </>
      )}
    </dl>
  )
}

function Value({ value }: { value: string }) {
  const t = useTranslate()
  const say = useWords()
  const [mode, setMode] = useState<ValueMode>('text')
  if (value === '')
    return (
      <>
        <dt>{t('xenstore.value')}</dt>
        <dd>
          <span className="xenstore-nothing" data-testid={testIds.xenstoreValue}>
            {t('xenstore.value.empty')}
          </span>
        </dd>
      </>
    )
  return (
    <>
      <dt>{t(mode === 'text' && isBinary(value) ? 'xenstore.value.binary' : 'xenstore.value')}</dt>
      <dd className="xenstore-value" data-mode={mode}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard */}
        <pre data-testid={testIds.xenstoreValue} tabIndex={0}>
          {mode === 'hex' ? hexLines(value).join('\n') : textOf(value)}
        </pre>
        <span className="xenstore-value-tools">
          <CopyButton text={() => textOf(value)} label={say('copy.value')} testId={testIds.xenstoreCopyValue} />
          <ValueMode mode={mode} onMode={setMode} />
        </span>
      </dd>
    </>
  )
}

function Acts({ explorer }: ExplorerProps) {
  const t = useTranslate()
  const button = (kind: Action['kind'], id: string, label: ReactNode, title: string) => (
    <button
      type="button"
      className="button small"
      title={title}
      data-testid={id}
      disabled={kind === 'remove' && explorer.selected === ROOT}
      onClick={() => explorer.act(kind)}
    >
      {label}
    </button>
  )
  return (
    <div className="xenstore-buttons">
      {button('edit', testIds.xenstoreEdit, t('xenstore.edit'), t('xenstore.edit.key'))}
      {button('add', testIds.xenstoreAdd, t('xenstore.add'), t('xenstore.add.key'))}
      {button('permissions', testIds.xenstoreChmod, t('xenstore.chmod'), t('xenstore.chmod.key'))}
      {button('remove', testIds.xenstoreRemove, t('xenstore.remove'), t('xenstore.remove.key'))}
    </div>
  )
}
