/** To the clipboard, also where a page may not use it by itself (in a frame, or without a secure origin). */
import { copyText } from '../../consoles/clipboard.ts'

export async function copy(text: string): Promise<boolean> {
  if (await copyText(text)) return true
  const focused = document.activeElement
  const field = document.createElement('textarea')
  field.value = text
  field.readOnly = true
  field.className = 'sr-only'
  document.body.append(field)
  field.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    field.remove()
    if (focused instanceof HTMLElement) focused.focus()
  }
}
