/** Below the tree: all that is known of the selected node, and what can be done to it. */
import { type ReactNode, useEffect } from 'react'
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
import { ancestorsOf, descendants, ROOT } from './rows.ts'
import { useAsk } from './use-ask.ts'
import { isBinary, textOf } from './values.ts'

const forms = { edit: EditForm, add: AddForm, remove: RemoveForm, permissions: PermissionsForm } as const

export function Detail({ explorer, version }: ExplorerProps) {
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
  return (
    <section className="xenstore-detail" aria-label={t('xenstore.detail')} data-testid={testIds.xenstoreDetail}>
      <Crumbs explorer={explorer} version={version} />
      {Acting ? (
        <Acting key={`${action?.kind} ${selected}`} explorer={explorer} path={selected} node={node} />
      ) : node ? (
        <>
          <Facts node={node} />
          <Refused refusal={refusal} />
          <Acts explorer={explorer} version={version} />
          <Command text={readCommand(selected)} />
        </>
      ) : (
        <p className="xenstore-none">{t('xenstore.gone')}</p>
      )}
    </section>
  )
}

function Crumbs({ explorer }: ExplorerProps) {
  const t = useTranslate()
  const { selected } = explorer
  const way = [...ancestorsOf(selected), selected]
  return (
    <nav className="xenstore-crumbs" aria-label={t('xenstore.crumbs')}>
      {way.map((path) => (
        <button
          type="button"
          key={path}
          aria-current={path === selected ? 'location' : undefined}
          onClick={() => explorer.reveal(path)}
        >
          {path === ROOT ? ROOT : path.slice(path.lastIndexOf('/') + 1)}
        </button>
      ))}
    </nav>
  )
}

function Facts({ node }: { node: StoreNode }) {
  const t = useTranslate()
  const { value, perms, writer, change } = node
  const domain = t('xenstore.domain', { domid: writer.domid })
  return (
    <dl className="xenstore-facts">
      <dt>{t(isBinary(value) ? 'xenstore.value.binary' : 'xenstore.value')}</dt>
      <dd>
        {value === '' ? (
          <span className="xenstore-nothing" data-testid={testIds.xenstoreValue}>
            {t('xenstore.value.empty')}
          </span>
        ) : (
          <pre data-testid={testIds.xenstoreValue}>{textOf(value)}</pre>
        )}
      </dd>
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
