/**
 * A domain's hue, the same everywhere on the page: dom0's blue; a domU's violet, or with its number one of the hues that follow in theme.css. They
 * begin again when there are more domains than hues.
 */
const DOMU_HUES = 6

const hueNumber = (domid: number): number => ((domid - 1) % DOMU_HUES) + 1

/** For an element's class. */
export function hueOf(domid: number): string {
  if (domid === 0) return 'layer-dom0'
  const hue = hueNumber(domid)
  return hue === 1 ? 'layer-domu' : `layer-domu domu-${hue}`
}

/** The token of theme.css, for who draws without style sheets. */
export function hueToken(domid: number): string {
  if (domid === 0) return 'hue-dom0'
  const hue = hueNumber(domid)
  return hue === 1 ? 'hue-domu' : `hue-domu-${hue}`
}
