/**
 * F6 and Shift-F6 go round the page's parts, out of terminals too: nobody is caught in one. A part is an element with `data-region`, whose value
 * names it; regions inside a region are none.
 */

/** In the order in which they stand in the document. */
export function regionsOf(root: ParentNode): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>('[data-region]')].filter(
    (region) => !region.parentElement?.closest('[data-region]') && region.getClientRects().length > 0,
  )
}

/** The index of the next one; `now` is -1 when the focus is in none. */
export function nextRegion(count: number, now: number, backwards: boolean): number {
  if (now < 0) return backwards ? count - 1 : 0
  return (now + (backwards ? -1 : 1) + count) % count
}

/** What takes the focus in a region: the part marked for it, else the first that can. */
function entry(region: HTMLElement): HTMLElement | undefined {
  const shown = (selector: string) =>
    [...region.querySelectorAll<HTMLElement>(selector)].find((element) => element.getClientRects().length > 0)
  if (region.matches('[data-region-focus]')) return region
  return (
    shown('.panel-host [data-region-focus], .panel-host .xterm-helper-textarea') ??
    shown('[data-region-focus], [role=tab][aria-selected=true]') ??
    shown('button:not(:disabled), a[href], select, input, [tabindex="0"]')
  )
}

/** `entered` is told where the focus went. Returns what undoes it. */
export function installRegionKey(entered: (region: HTMLElement) => void): () => void {
  function onKey(event: KeyboardEvent): void {
    if (event.key !== 'F6' || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation()
    const all = regionsOf(document)
    const now = all.findIndex((region) => region.contains(document.activeElement))
    const region = all[nextRegion(all.length, now, event.shiftKey)]
    if (!region) return
    entry(region)?.focus()
    entered(region)
  }
  addEventListener('keydown', onKey, { capture: true })
  return () => removeEventListener('keydown', onKey, { capture: true })
}
