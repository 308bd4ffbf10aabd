/** What may be longer than its place: the keyboard can scroll it, too. */
import type { ReactNode } from 'react'

interface ScrollProps {
  readonly className: string
  readonly label: string
  readonly testId?: string
  readonly children: ReactNode
}

export function Scroll({ className, label, testId, children }: ScrollProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus no key would scroll it
    <section className={className} aria-label={label} tabIndex={0} data-testid={testId}>
      {children}
    </section>
  )
}
