/** A button that gives a panel the whole screen, and takes it back. Not there where the browser does not allow it. */
import type { RefObject } from 'react'
import { FullScreenIcon } from '../icons.tsx'

interface FullScreenProps {
  readonly panel: RefObject<HTMLElement | null>
  readonly label: string
  readonly testId: string
  readonly className?: string
}

export function FullScreen({ panel, label, testId, className = 'icon-button' }: FullScreenProps) {
  if (!document.fullscreenEnabled) return null
  return (
    <button
      type="button"
      className={className}
      aria-label={label}
      title={label}
      data-testid={testId}
      onClick={() => {
        if (document.fullscreenElement) void document.exitFullscreen()
        // Refused: it stays as it is.
        else void panel.current?.requestFullscreen().catch(() => {})
      }}
    >
      <FullScreenIcon />
    </button>
  )
}
