/** Colours of theme.css for who draws without style sheets. */

/** `#rgb` as `#rrggbb`: a style sheet may have been made shorter on its way here. */
export const longHex = (colour: string): string => colour.replace(/^#([\da-f])([\da-f])([\da-f])$/i, '#$1$1$2$2$3$3')

/** The token `--name`, as `#rrggbb`. */
export function colourToken(name: string): string {
  return longHex(getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim())
}

/** `#rrggbb` as a pixel of a canvas. */
export function pixelOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[0-9a-f]{2}/gi) ?? []).map((part) => Number.parseInt(part, 16))
  return new Uint32Array(Uint8Array.of(red, green, blue, 255).buffer)[0]!
}
