/** The page's own few pictures, drawn in the colour of the text beside them. */
import type { ReactNode } from 'react'

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width="18"
      height="18"
      viewBox="0 0 18 18"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  )
}

/** Four layers, the machine at the bottom. */
export const Logo = () => (
  <svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true" focusable="false" className="logo">
    <path className="logo-machine" d="M2 19.2 13 24l11-4.8-3.2-1.4L13 21.2l-7.8-3.4z" />
    <path className="logo-xen" d="M2 14.6l11 4.8 11-4.8-3.2-1.4L13 16.6l-7.8-3.4z" />
    <path className="logo-dom0" d="M2 10l11 4.8L24 10l-3.2-1.4L13 12 5.2 8.6z" />
    <path className="logo-domu" d="M13 .8 2 5.4l11 4.8 11-4.8z" />
  </svg>
)

export const PowerIcon = () => (
  <Icon>
    <path d="M9 2v6.5M5 4.2a6.2 6.2 0 1 0 8 0" />
  </Icon>
)

export const ResetIcon = () => (
  <Icon>
    <path d="M14.8 9A5.8 5.8 0 1 1 12.6 4.5M13 1.6v3.2H9.8" />
  </Icon>
)

export const NmiIcon = () => (
  <Icon>
    <path d="M10 1.8 4 10h4.5L8 16.2 14 8H9.5z" />
  </Icon>
)

export const LanguageIcon = () => (
  <Icon>
    <circle cx="9" cy="9" r="7" />
    <path d="M2 9h14M9 2c2.2 2 3.2 4.4 3.2 7S11.2 14 9 16M9 2C6.8 4 5.8 6.4 5.8 9S6.8 14 9 16" />
  </Icon>
)

export const ColoursIcon = () => (
  <Icon>
    <circle cx="9" cy="9" r="7" />
    <path d="M9 2v14a7 7 0 0 0 0-14z" fill="currentColor" />
  </Icon>
)

export const SerialIcon = () => (
  <Icon>
    <rect x="1.8" y="3" width="14.4" height="12" rx="2" />
    <path d="m4.8 6.6 2.6 2.4-2.6 2.4M9.4 11.6h3.8" />
  </Icon>
)

export const MonitorIcon = () => (
  <Icon>
    <rect x="1.8" y="2.6" width="14.4" height="9.8" rx="1.6" />
    <path d="M9 12.4v3M5.6 15.4h6.8" />
  </Icon>
)

export const MachineIcon = () => (
  <Icon>
    <rect x="4.4" y="4.4" width="9.2" height="9.2" rx="1.4" />
    <path d="M7 1.6v2.8M11 1.6v2.8M7 13.6v2.8M11 13.6v2.8M1.6 7h2.8M1.6 11h2.8M13.6 7h2.8M13.6 11h2.8" />
  </Icon>
)

export const GuideIcon = () => (
  <Icon>
    <path d="M3 3.5h4.5A1.5 1.5 0 0 1 9 5v10a1.5 1.5 0 0 0-1.5-1.5H3zM15 3.5h-4.5A1.5 1.5 0 0 0 9 5v10a1.5 1.5 0 0 1 1.5-1.5H15z" />
  </Icon>
)

export const DomainsIcon = () => (
  <Icon>
    <rect x="2.5" y="2.5" width="5.5" height="5.5" rx="1" />
    <rect x="10" y="2.5" width="5.5" height="5.5" rx="1" />
    <rect x="2.5" y="10" width="13" height="5.5" rx="1" />
  </Icon>
)

export const XenStoreIcon = () => (
  <Icon>
    <path d="M4 3v11.5h4M4 8h4" />
    <circle cx="4" cy="3" r="1.4" />
    <rect x="8" y="6.3" width="7" height="3.4" rx="1" />
    <rect x="8" y="12.8" width="7" height="3.4" rx="1" />
  </Icon>
)

export const BootMenuIcon = () => (
  <Icon>
    <rect x="2.5" y="3" width="13" height="12" rx="1.5" />
    <path d="M5 6.5h8M5 9h8M5 11.5h5" />
  </Icon>
)
