/** One node: its name, its value, whose it is; and for a moment who has changed it. Drawn again only when something of that has changed. */
import { type MouseEvent, memo } from 'react'
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { Explorer } from './explorer.ts'
import type { Flash } from './flashes.ts'
import { hueOf } from './hue.ts'
import { parsePermissions, permissionWords } from './permissions.ts'
import { lineOf } from './values.ts'

interface RowProps {
  readonly explorer: Explorer
  readonly path: string
  readonly node: StoreNode
  readonly level: number
  readonly top: number
  readonly height: number
  readonly posInSet: number
  readonly setSize: number
  readonly isOpen: boolean
  readonly isSelected: boolean
  /** Tab comes here. */
  readonly isTabStop: boolean
  readonly isMatch: boolean
  readonly flash: Flash | undefined
  /** Whose directory it is. */
  readonly domainName: string | undefined
  readonly domainId: number | undefined
}

const flashKeys = {
  here: 'xenstore.changed',
  below: 'xenstore.changed.below',
  gone: 'xenstore.changed.gone',
} as const satisfies Record<Flash['kind'], string>

const onTwist = ({ target }: MouseEvent): boolean => (target as Element).closest('.xenstore-twist') !== null

export const Row = memo(function Row({ explorer, path, node, flash, domainName, domainId, ...rest }: RowProps) {
  const t = useTranslate()
  const permissions = parsePermissions(node.perms)
  const owner = permissions[0]
  const value = lineOf(node.value)
  const words = permissionWords(t, permissions)
  const isDirectory = node.children.size > 0
  const toggle = (): void => (explorer.isOpen(path) ? explorer.shut(path) : explorer.open(path))
  // A click selects; the triangle alone opens and shuts.
  const onClick = (event: MouseEvent): void => {
    explorer.select(path)
    if (onTwist(event)) toggle()
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    <div
      role="treeitem"
      // Its name is all that is seen in it: whoever speaks to the page says what they see.
      aria-level={rest.level + 1}
      aria-posinset={rest.posInSet + 1}
      aria-setsize={rest.setSize}
      aria-expanded={isDirectory ? rest.isOpen : undefined}
      aria-selected={rest.isSelected}
      tabIndex={rest.isTabStop ? 0 : -1}
      className={rest.isMatch ? 'xenstore-row match' : 'xenstore-row'}
      style={
        {
          transform: `translateY(${rest.top}px)`,
          height: rest.height,
          '--level': rest.level,
        } as React.CSSProperties
      }
      data-testid={testIds.xenstoreRow}
      data-path={path}
      data-flash={flash?.kind}
      data-flash-domid={flash?.domid}
      // Whatever brought the focus here, a screen reader's own keys too: what is done next is done to this node.
      onFocus={() => explorer.select(path)}
      onClick={onClick}
      onDoubleClick={(event) => {
        if (onTwist(event)) return
        if (isDirectory) toggle()
        else explorer.act('edit')
      }}
    >
      {flash && <span key={flash.id} className={`xenstore-flash ${hueOf(flash.domid)} ${flash.kind}`} />}
      <span className={isDirectory ? 'xenstore-twist' : 'xenstore-twist leaf'} />
      <span className="xenstore-name">{node.name}</span>
      {domainName !== undefined && (
        <span className={`xenstore-badge ${domainId === undefined ? 'layer-domu' : hueOf(domainId)}`}>
          {domainName}
        </span>
      )}
      <span className="xenstore-row-value" title={value}>
        {value}
      </span>
      {flash && (
        <span className={`xenstore-who ${hueOf(flash.domid)}`}>
          <span className="sr-only">
            {t(flashKeys[flash.kind], { domain: t('xenstore.domain', { domid: flash.domid }) })}
          </span>
          <span aria-hidden="true">{t('xenstore.domain', { domid: flash.domid })}</span>
        </span>
      )}
      {owner && (
        <span className={`xenstore-owner ${hueOf(owner.domid)}`} title={`${words} (${node.perms})`}>
          <span className="xenstore-owner-short">{t('xenstore.domain', { domid: owner.domid })}</span>
          <span className="xenstore-owner-long">{words}</span>
        </span>
      )}
    </div>
  )
})
