/** What @headless-tree asks of the explorer, which keeps its open directories in a set and its rows laid out. */
import type { FeatureImplementation } from '@headless-tree/core'
import type { Explorer } from './explorer.ts'

export const explorerFeature = (explorer: Explorer): FeatureImplementation => ({
  key: 'explorer',
  treeInstance: {
    getItemsMeta: () => explorer.rows(),
  },
  itemInstance: {
    isExpanded: ({ itemId }) => explorer.isOpen(itemId),
    expand: ({ itemId }) => explorer.open(itemId),
    collapse: ({ itemId }) => explorer.shut(itemId),
    getProps: ({ itemId, prev }) => ({ ...prev?.(), 'aria-selected': explorer.selected === itemId }),
  },
})
