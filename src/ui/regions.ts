/** F6 and Shift-F6 go round the page's parts, out of terminals too: nobody is caught in one. */

function regions(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-region]')].filter((region) => region.offsetParent !== null)
}

/** What takes the focus in a region: the part marked for it, else the first that can. */
function entry(region: HTMLElement): HTMLElement | null {
  return (
    region.querySelector<HTMLElement>('[data-region-focus], .xterm-helper-textarea') ??
    region.querySelector<HTMLElement>('button:not(:disabled), select, input, [tabindex="0"]')
  )
}

/** Returns what undoes it. */
export function installRegionKey(): () => void {
  function onKey(event: KeyboardEvent): void {
    if (event.key !== 'F6' || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation()
    const all = regions()
    const now = all.findIndex((region) => region.contains(document.activeElement))
    const step = event.shiftKey ? -1 : 1
    const next = now < 0 ? (event.shiftKey ? all.length - 1 : 0) : (now + step + all.length) % all.length
    const target = all[next]
    if (target) entry(target)?.focus()
  }
  addEventListener('keydown', onKey, { capture: true })
  return () => removeEventListener('keydown', onKey, { capture: true })
}
