/** XenStore as it is now, live from its daemon's trace; edited by its daemon alone, through a host link. */
import { useEffect, useState, useSyncExternalStore } from 'react'
import { usePage, usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { PanelProps } from '../registry.ts'
import { Detail } from './Detail.tsx'
import { Empty } from './Empty.tsx'
import { type ExplorerProps, explorerOf } from './explorer-of.ts'
import { LastChange } from './LastChange.tsx'
import { Toolbar } from './Toolbar.tsx'
import { Tree } from './Tree.tsx'
import './xenstore.css'

const never = (): (() => void) => () => {}

export default function XenStorePanel({ visible }: PanelProps) {
  const t = useTranslate()
  const { session } = usePage()
  const [explorer] = useState(() => explorerOf(session))
  // Nobody looks at a panel that stands behind another.
  const version = useSyncExternalStore(visible ? explorer.subscribe : never, explorer.version)
  const revealed = usePlayground((state) => state.revealed)
  useEffect(() => () => explorer.client.close(), [explorer])
  useEffect(() => {
    if (revealed) explorer.revealOnce(revealed)
  }, [explorer, revealed])
  const props: ExplorerProps = { explorer, version }
  return (
    <section
      className="panel layer-dom0 xenstore"
      data-testid={testIds.xenstorePanel}
      data-region
      aria-label={t('xenstore.title')}
    >
      {explorer.root ? (
        <>
          <Toolbar {...props} />
          <Tree {...props} />
          <LastChange {...props} />
          <Detail {...props} />
        </>
      ) : (
        <Empty />
      )}
    </section>
  )
}
