/** The person's choices, kept by the browser where it lets us: a page without storage works, and forgets. */
const prefix = 'xen-playground.'

export function load(name: string): string | null {
  try {
    return localStorage.getItem(prefix + name)
  } catch {
    return null
  }
}

export function save(name: string, value: string): void {
  try {
    localStorage.setItem(prefix + name, value)
  } catch {
    // Storage is denied or full: the choice lasts as long as the page.
  }
}
