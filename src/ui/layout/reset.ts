/** "Reset the layout" is said in the bar and done by the desk. */
const listeners = new Set<() => void>()

export function resetLayout(): void {
  for (const listener of listeners) listener()
}

export function onResetLayout(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
