/** The entries in their order, which buttons, arrow keys and dragging change. */
import { type PointerEvent, useEffect, useRef, useState } from 'react'
import { useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import type { MenuDocument } from './document.ts'
import { EntryForm } from './EntryForm.tsx'
import { addEntry, duplicateEntry, moveEntry, removeEntry } from './edits.ts'

/** What a first entry is made of. */
const USUAL_LINES = [
  'root (hd0,0)',
  'kernel /boot/xen-3.3.gz console=com1,vga com1=115200,8n1 dom0_mem=262144',
  'module /boot/vmlinuz-2.6.18.8-xen ro root=/dev/hda1 console=tty0 console=xvc0',
]

export function EntryList({ document, edit }: { document: MenuDocument; edit: (text: string) => void }) {
  const t = useTranslate()
  const list = useRef<HTMLOListElement>(null)
  const [open, setOpen] = useState<number | undefined>(() =>
    document.entries.findIndex(({ number }) => number === document.settings.defaultEntry),
  )
  const [dragged, setDragged] = useState<number>()
  const [said, setSaid] = useState('')
  /** Where the focus goes once the entries stand in their new order. */
  const focus = useRef<{ index: number; part: string }>(undefined)
  const count = document.entries.length

  useEffect(() => {
    const wanted = focus.current
    focus.current = undefined
    if (!wanted) return
    list.current?.children[wanted.index]?.querySelector<HTMLElement>(wanted.part)?.focus()
  })

  function move(from: number, to: number): void {
    if (from === to || to < 0 || to >= count) return
    focus.current = { index: to, part: '[data-grip]' }
    setSaid(t('boot-menu.entry.moved', { name: document.entries[from]?.name ?? '', number: to + 1, count }))
    if (open === from) setOpen(to)
    else if (open !== undefined) {
      const shift = from < open && to >= open ? -1 : from > open && to <= open ? 1 : 0
      setOpen(open + shift)
    }
    edit(moveEntry(document, from, to))
  }

  /** Which entry's place is under the pointer. */
  function placeAt(y: number): number {
    const rows = [...(list.current?.children ?? [])]
    const below = rows.findIndex((row) => y < row.getBoundingClientRect().bottom)
    return below < 0 ? rows.length - 1 : below
  }

  const grip = (index: number) => ({
    onPointerDown(event: PointerEvent<HTMLElement>) {
      event.currentTarget.setPointerCapture(event.pointerId)
      setDragged(index)
    },
    onPointerMove(event: PointerEvent<HTMLElement>) {
      if (dragged !== index || count < 2) return
      const to = placeAt(event.clientY)
      for (const [i, row] of [...(list.current?.children ?? [])].entries())
        row.toggleAttribute('data-drop', i === to && to !== index)
    },
    onPointerUp(event: PointerEvent<HTMLElement>) {
      drop()
      if (dragged === index) move(index, placeAt(event.clientY))
    },
    onPointerCancel: drop,
  })

  function drop(): void {
    setDragged(undefined)
    for (const row of list.current?.children ?? []) row.removeAttribute('data-drop')
  }

  return (
    <section className="boot-menu-entries" aria-label={t('boot-menu.entries')}>
      <h3>{t('boot-menu.entries')}</h3>
      {count === 0 && <p className="boot-menu-help">{t('boot-menu.entries.none')}</p>}
      <ol ref={list}>
        {document.entries.map((entry, index) => (
          <EntryForm
            // biome-ignore lint/suspicious/noArrayIndexKey: an entry is where it stands
            key={index}
            document={document}
            index={index}
            entry={entry}
            open={open === index}
            dragged={dragged === index}
            edit={edit}
            toggle={() => setOpen(open === index ? undefined : index)}
            move={(to) => move(index, to)}
            duplicate={() => {
              setOpen(index + 1)
              focus.current = { index: index + 1, part: '[aria-expanded]' }
              edit(duplicateEntry(document, index))
            }}
            remove={() => {
              setOpen(undefined)
              focus.current = { index: Math.min(index, count - 2), part: '[aria-expanded]' }
              edit(removeEntry(document, index))
            }}
            grip={grip(index)}
          />
        ))}
      </ol>
      <button
        type="button"
        className="button small"
        data-testid={testIds.bootMenuAdd}
        onClick={() => {
          setOpen(count)
          focus.current = { index: count, part: '[aria-expanded]' }
          const lines = document.entries[0]?.rows.map(({ line }) => line) ?? USUAL_LINES
          edit(addEntry(document, t('boot-menu.entry.new'), lines))
        }}
      >
        {t('boot-menu.entry.add')}
      </button>
      <p className="sr-only" role="status">
        {said}
      </p>
    </section>
  )
}
