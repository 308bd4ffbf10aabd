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

/** Frames, of which some are seen through a lens. */
export const XrayIcon = () => (
  <Icon>
    <path d="M2 3h14M2 7.5h3.5M2 12h3.5M2 16h6" />
    <circle cx="11" cy="9.8" r="4.2" />
    <path d="m14.2 13 2.3 2.8" />
  </Icon>
)

export const CloseIcon = () => (
  <Icon>
    <path d="m5 5 8 8M13 5l-8 8" />
  </Icon>
)

export const MoreIcon = () => (
  <Icon>
    <path d="M4 9h.01M9 9h.01M14 9h.01" strokeWidth="2.4" />
  </Icon>
)

export const LayoutIcon = () => (
  <Icon>
    <rect x="1.8" y="3" width="14.4" height="12" rx="2" />
    <path d="M11 3v12M11 8.5h5.2" />
  </Icon>
)

export const HelpIcon = () => (
  <Icon>
    <circle cx="9" cy="9" r="7" />
    <path d="M6.9 7.1a2.1 2.1 0 1 1 3 1.9c-.6.3-.9.7-.9 1.4M9 12.7v.1" />
  </Icon>
)

export const CollapseIcon = () => (
  <Icon>
    <path d="M10.5 4.5 6 9l4.5 4.5" />
  </Icon>
)

export const PauseIcon = () => (
  <Icon>
    <path d="M6 4v10M12 4v10" strokeWidth="2.4" />
  </Icon>
)

export const TickIcon = () => (
  <Icon>
    <path d="m4 9.6 3.4 3.4L14 5.6" />
  </Icon>
)

export const RunIcon = () => (
  <Icon>
    <path d="M5.5 3.4v11.2L14.2 9z" fill="currentColor" />
  </Icon>
)

export const CopyIcon = () => (
  <Icon>
    <rect x="6" y="6" width="9.4" height="9.4" rx="1.6" />
    <path d="M12 3.4A1.4 1.4 0 0 0 10.6 2.6H4.2A1.6 1.6 0 0 0 2.6 4.2v6.4c0 .6.3 1.1.8 1.4" />
  </Icon>
)

export const UpIcon = () => (
  <Icon>
    <path d="M9 14.5v-11M4.5 8 9 3.5 13.5 8" />
  </Icon>
)

export const DownIcon = () => (
  <Icon>
    <path d="M9 3.5v11M4.5 10 9 14.5l4.5-4.5" />
  </Icon>
)

export const GripIcon = () => (
  <Icon>
    <path d="M6.5 4.5v.1M11.5 4.5v.1M6.5 9v.1M11.5 9v.1M6.5 13.5v.1M11.5 13.5v.1" strokeWidth="2.2" />
  </Icon>
)

export const SearchIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5" />
    <path d="m11.8 11.8 4 4" />
  </Icon>
)

export const PasteIcon = () => (
  <Icon>
    <path d="M6.4 3.4H4.6A1.6 1.6 0 0 0 3 5v9.4A1.6 1.6 0 0 0 4.6 16h8.8a1.6 1.6 0 0 0 1.6-1.6V5a1.6 1.6 0 0 0-1.6-1.6h-1.8" />
    <rect x="6.4" y="2" width="5.2" height="3" rx="1" />
    <path d="M9 7.6v5M6.8 10.4 9 12.6l2.2-2.2" />
  </Icon>
)

export const ClearIcon = () => (
  <Icon>
    <path d="M3 5h12M7 5V3h4v2M4.6 5l.8 10.4h7.2L13.4 5M7.6 8v4.6M10.4 8v4.6" />
  </Icon>
)

export const KeyboardIcon = () => (
  <Icon>
    <rect x="1.8" y="4.4" width="14.4" height="9.4" rx="1.6" />
    <path d="M4.6 7.4h.01M7.5 7.4h.01M10.4 7.4h.01M13.4 7.4h.01M5.8 11h6.4" />
  </Icon>
)

export const ArrowUpIcon = () => (
  <Icon>
    <path d="m4.5 10.5 4.5-4.5 4.5 4.5" />
  </Icon>
)

export const ArrowDownIcon = () => (
  <Icon>
    <path d="m4.5 7 4.5 4.5L13.5 7" />
  </Icon>
)

export const FullScreenIcon = () => (
  <Icon>
    <path d="M2.5 6.5v-4h4M11.5 2.5h4v4M15.5 11.5v4h-4M6.5 15.5h-4v-4" />
  </Icon>
)

/** What one looks at. */
export const FollowIcon = () => (
  <Icon>
    <circle cx="9" cy="9" r="5.5" />
    <path d="M9 1.5V6M9 12v4.5M1.5 9H6M12 9h4.5" />
  </Icon>
)

export const ShutdownIcon = () => (
  <Icon>
    <rect x="4" y="4" width="10" height="10" rx="1.5" />
  </Icon>
)

export const RebootIcon = () => (
  <Icon>
    <path d="M14.5 9A5.5 5.5 0 1 1 12.7 5M13 2v3.4H9.6" />
  </Icon>
)

export const DestroyIcon = () => (
  <Icon>
    <path d="M3.5 5h11M7 5V3h4v2M5 5l.7 10h6.6L13 5M7.6 8v4.5M10.4 8v4.5" />
  </Icon>
)
