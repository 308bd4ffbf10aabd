/** One node: its name, its value, whose it is; and for a moment who has changed it. */
import type { ItemInstance, ItemMeta } from '@headless-tree/core'
import type { MouseEvent } from 'react'
import type { StoreNode } from '#protocol/xenstore-tree.ts'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { Explorer } from './explorer.ts'
import type { Flash } from './flashes.ts'
import { hueOf } from './hue.ts'
import { parsePermissions, permissionWords } from './permissions.ts'
import { domainNameAt } from './rows.ts'
import { lineOf } from './values.ts'

interface RowProps {
  readonly explorer: Explorer
  readonly item: ItemInstance<StoreNode>
  readonly row: ItemMeta
  readonly node: StoreNode
  readonly top: number
  readonly height: number
}

const flashKeys = {
  here: 'xenstore.changed',
  below: 'xenstore.changed.below',
  gone: 'xenstore.changed.gone',
} as const satisfies Record<Flash['kind'], string>

const onTwist = ({ target }: MouseEvent): boolean => (target as Element).closest('.xenstore-twist') !== null

export function Row({ explorer, item, row, node, top, height }: RowProps) {
  const t = useTranslate()
  const path = row.itemId
  const permissions = parsePermissions(node.perms)
  const owner = permissions[0]
  const domain = explorer.root && domainNameAt(explorer.root, path)
  const flash = explorer.flashes.get(path)
  const props = item.getProps()
  const value = lineOf(node.value)
  const words = permissionWords(t, permissions)
  const toggle = (): void => (explorer.isOpen(path) ? explorer.shut(path) : explorer.open(path))
  // A click selects; the triangle alone opens and shuts.
  const onClick = (event: MouseEvent): void => {
    explorer.select(path)
    if (onTwist(event)) toggle()
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    <div
      {...props}
      role="treeitem"
      tabIndex={props['tabIndex'] as number}
      className={explorer.matches(path, node) ? 'xenstore-row match' : 'xenstore-row'}
      style={{ transform: `translateY(${top}px)`, height, '--level': row.level } as React.CSSProperties}
      // Its name is all that is seen in it: whoever speaks to the page says what they see.
      aria-label={undefined}
      data-testid={testIds.xenstoreRow}
      data-path={path}
      data-flash={flash?.kind}
      data-flash-domid={flash?.domid}
      // Whatever brought the focus here, a screen reader's own keys too: what is done next is done to this node.
      onFocus={() => explorer.select(path)}
      onClick={onClick}
      onDoubleClick={(event) => {
        if (onTwist(event)) return
        if (node.children.size > 0) toggle()
        else explorer.act('edit')
      }}
    >
      {flash && <span key={flash.id} className={`xenstore-flash ${hueOf(flash.domid)} ${flash.kind}`} />}
      <span className={node.children.size > 0 ? 'xenstore-twist' : 'xenstore-twist leaf'} />
      <span className="xenstore-name">{node.name}</span>
      {domain !== undefined && (
        <span className={`xenstore-badge ${domain.domid === undefined ? 'layer-domu' : hueOf(domain.domid)}`}>
          {domain.name}
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
}
