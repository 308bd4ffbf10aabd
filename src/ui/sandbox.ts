/**
 * The opaque origin that the machine's worker lives in (design D2): a sandboxed frame without `allow-same-origin`, and a policy that admits no
 * network and no import. The frame does one thing: it starts the worker from the text it is handed and passes the port on.
 */

/** What the frame may do. Its worker inherits it. */
export const framePolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
  'worker-src blob:',
].join('; ')

/** Said by the frame to the page; everything else comes through the port. */
type FrameMessage = { readonly type: 'frame-ready' } | { readonly type: 'worker-error'; readonly message: string }

/** Runs in the frame, as text: it must not refer to anything of this module. */
function frameMain(): void {
  const say = (message: unknown) => parent.postMessage(message, '*')
  addEventListener(
    'message',
    ({ data, ports }) => {
      const url = URL.createObjectURL(new Blob([data], { type: 'text/javascript' }))
      const worker = new Worker(url)
      worker.onerror = (event) => {
        event.preventDefault()
        say({ type: 'worker-error', message: event.message ?? '' })
      }
      worker.postMessage(null, [ports[0]!])
    },
    { once: true },
  )
  say({ type: 'frame-ready' })
}

export interface Sandbox {
  /** To the worker, from the first moment: what is sent early waits. */
  readonly port: MessagePort
  /** The frame has been handed the worker's text, or never will be: from here on it needs nothing of this thread. Never rejects. */
  readonly started: Promise<void>
  /** Frame, worker and machine are gone when this returns. */
  close(): void
}

/**
 * Start `workerText` in a fresh frame; the frame is made while the text is still on its way. `onError`: the text did not come, or the worker
 * has died or failed to start.
 */
export function openSandbox(workerText: Promise<string>, onError: (message: string) => void): Sandbox {
  const { port1, port2 } = new MessageChannel()
  let start = (): void => {}
  const started = new Promise<void>((resolve) => {
    start = resolve
  })
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.hidden = true
  frame.title = 'machine'
  frame.srcdoc = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${framePolicy}"><script>(${frameMain})()</script>`

  function hear({ source, data }: MessageEvent<FrameMessage>): void {
    if (source !== frame.contentWindow || !data) return
    // The frame's origin is opaque and cannot be named; the text is no secret, and the frame is ours.
    if (data.type === 'worker-error') onError(data.message)
    else
      workerText.then(
        (text) => {
          frame.contentWindow?.postMessage(text, '*', [port2])
          start()
        },
        (error) => {
          start()
          onError(error instanceof Error ? error.message : String(error))
        },
      )
  }

  addEventListener('message', hear)
  document.body.append(frame)
  return {
    port: port1,
    started,
    close() {
      start()
      removeEventListener('message', hear)
      port1.close()
      frame.remove()
    },
  }
}
