/** Figures of a picture for those who read: worked out anew a few times a second, while somebody looks. */
import { useEffect, useState } from 'react'

const FIGURES_MS = 300

export function useFigures<T>(visible: boolean, work: () => T): T {
  const [, setTick] = useState(0)
  useEffect(() => {
    if (!visible) return
    const timer = setInterval(() => setTick((tick) => tick + 1), FIGURES_MS)
    return () => clearInterval(timer)
  }, [visible])
  return work()
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** A rate or a count as people read it: `12,345`. */
export const count = (value: number): string => whole.format(value)
