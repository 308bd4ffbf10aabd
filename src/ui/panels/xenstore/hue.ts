/** A domain's hue, as everywhere on the page: dom0's blue, a domU's violet. */
export const hueOf = (domid: number): 'layer-dom0' | 'layer-domu' => (domid === 0 ? 'layer-dom0' : 'layer-domu')
