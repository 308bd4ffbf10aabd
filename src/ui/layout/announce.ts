/** The page's polite voice: one live region, for what a person did and cannot see the result of (where F6 has led, what has moved). */
let region: HTMLElement | undefined

/** Returns what undoes it. */
export function installAnnouncer(element: HTMLElement): () => void {
  region = element
  return () => {
    if (region === element) region = undefined
  }
}

export function announce(text: string): void {
  if (region) region.textContent = text
}
