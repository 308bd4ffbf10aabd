/** A button that opens a menu, worked by the keyboard as the ARIA practices have it. */
import { type ComponentType, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'

export interface MenuItem {
  readonly id: string
  readonly label: string
  readonly run: () => void
  readonly disabled?: boolean
}

interface MenuProps {
  readonly label: string
  readonly icon: ComponentType
  readonly testId: string
  readonly className?: string
  /** Asked for when the menu opens: what can be done depends on how things are then. Groups are set apart by a line. */
  readonly items: () => readonly (readonly MenuItem[])[]
}

export function Menu({ label, icon: Icon, testId, className = '', items }: MenuProps) {
  const [groups, setGroups] = useState<readonly (readonly MenuItem[])[]>()
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const open = groups !== undefined

  useEffect(() => {
    if (!open) return
    const found = list.current
    const place = button.current?.getBoundingClientRect()
    if (found && place) {
      // Fixed, so that no panel cuts it off; kept on the page.
      const { width, height } = found.getBoundingClientRect()
      found.style.left = `${Math.max(4, Math.min(place.right - width, innerWidth - width - 4))}px`
      found.style.top = `${place.bottom + 4 + height > innerHeight ? Math.max(4, place.top - height - 4) : place.bottom + 4}px`
    }
    list.current?.querySelector<HTMLElement>('[role=menuitem]:not([aria-disabled])')?.focus()
    const outside = (event: Event) => {
      const target = event.target as Node
      if (!list.current?.contains(target) && !button.current?.contains(target)) setGroups(undefined)
    }
    addEventListener('pointerdown', outside, true)
    addEventListener('resize', outside)
    return () => {
      removeEventListener('pointerdown', outside, true)
      removeEventListener('resize', outside)
    }
  }, [open])

  function close(): void {
    setGroups(undefined)
    button.current?.focus()
  }

  function onKey(event: KeyboardEvent): void {
    const all = [...(list.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
    const now = all.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key]
    if (to !== undefined) all.at(to % all.length)?.focus()
    else if (event.key === 'Escape') close()
    else if (event.key === 'Tab') setGroups(undefined)
    else return
    if (event.key !== 'Tab') event.preventDefault()
    event.stopPropagation()
  }

  return (
    <>
      <button
        ref={button}
        type="button"
        className={`icon-button ${className}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={label}
        title={label}
        data-testid={testId}
        onClick={() => setGroups(open ? undefined : items().filter((group) => group.length > 0))}
      >
        <Icon />
      </button>
      {open && (
        <div ref={list} id={id} className="menu" role="menu" aria-label={label} tabIndex={-1} onKeyDown={onKey}>
          {groups.map((group, i) => (
            // biome-ignore lint/a11y/useSemanticElements: a fieldset is no group of a menu
            <div key={group[0]?.id ?? i} className="menu-group" role="group">
              {group.map((item) => (
                <button
                  key={item.id}
                  type="button"
                  role="menuitem"
                  tabIndex={-1}
                  className="menu-item"
                  aria-disabled={item.disabled || undefined}
                  data-item={item.id}
                  onClick={() => {
                    if (item.disabled) return
                    close()
                    item.run()
                  }}
                >
                  {item.label}
                </button>
              ))}
            </div>
          ))}
        </div>
      )}
    </>
  )
}
