/** Colours of theme.css for who draws without style sheets. */

/** `#rgb` as `#rrggbb`: a style sheet may have been made shorter on its way here. */
export const longHex = (colour: string): string => colour.replace(/^#([\da-f])([\da-f])([\da-f])$/i, '#$1$1$2$2$3$3')

/** The token `--name`, as `#rrggbb`. */
export function colourToken(name: string): string {
  return longHex(getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim())
}
