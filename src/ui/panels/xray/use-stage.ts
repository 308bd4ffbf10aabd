/** A canvas as large as its place, drawn when there is something to draw, with the theme's present colours. */
import { type RefObject, useCallback, useEffect, useRef } from 'react'
import { usePlayground } from '../../session-context.tsx'
import { type Palette, readPalette } from './palette.ts'

export interface Stage {
  readonly context: CanvasRenderingContext2D
  /** In pixels of style sheets. */
  readonly width: number
  readonly height: number
  /** Pixels of the screen in one of these. */
  readonly ratio: number
  readonly palette: Palette
}

/** What moves by itself does not, for those who have asked for that. */
export const motionIsReduced = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches

/** `paint` answers after how many ms it is to be called again; 0: with the next frame; undefined: when it is asked for. Returns what asks. */
export function useStage(
  canvas: RefObject<HTMLCanvasElement | null>,
  visible: boolean,
  paint: (stage: Stage) => number | undefined,
): () => void {
  const theme = usePlayground((state) => state.theme)
  const newest = useRef(paint)
  newest.current = paint
  const ask = useRef(() => {})

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useEffect(() => {
    const element = canvas.current
    const place = element?.parentElement
    const context = element?.getContext('2d')
    if (!visible || !element || !place || !context) return
    let palette: Palette | undefined
    let frame: number | undefined
    let timer: number | undefined

    const draw = () => {
      frame = undefined
      clearTimeout(timer)
      timer = undefined
      const { clientWidth: width, clientHeight: height } = place
      if (width === 0 || height === 0) return
      const ratio = window.devicePixelRatio || 1
      const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)]
      if (element.width !== pixelWidth || element.height !== pixelHeight) {
        element.width = pixelWidth
        element.height = pixelHeight
        palette = undefined
      }
      palette ??= readPalette()
      const again = newest.current({ context, width, height, ratio, palette })
      if (again === 0) schedule()
      else if (again !== undefined) timer = window.setTimeout(schedule, again)
    }
    const schedule = () => {
      frame ??= requestAnimationFrame(draw)
    }
    const anew = () => {
      palette = undefined
      schedule()
    }
    ask.current = schedule
    const observer = new ResizeObserver(schedule)
    observer.observe(place)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', anew)
    schedule()
    return () => {
      ask.current = () => {}
      if (frame !== undefined) cancelAnimationFrame(frame)
      clearTimeout(timer)
      observer.disconnect()
      scheme.removeEventListener('change', anew)
    }
  }, [canvas, visible, theme])

  return useCallback(() => ask.current(), [])
}
