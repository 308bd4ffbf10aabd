/** The page: its shell, and what belongs to the whole document. */
import { useEffect } from 'react'
import { takeDroppedKernels } from './disk/add-kernel.ts'
import { Consent } from './embed/Consent.tsx'
import { languages } from './i18n/index.ts'
import { Shell } from './layout/Shell.tsx'
import { usePage, usePlayground } from './session-context.tsx'

export function App() {
  const { session } = usePage()
  useDocument()
  useEffect(() => takeDroppedKernels(session, window), [session])
  return (
    <>
      <Consent />
      <Shell />
    </>
  )
}

/** Language and colours belong to the whole document, and to the terminals, which know no CSS. */
function useDocument(): void {
  const { terminals } = usePage()
  const lang = usePlayground((state) => state.lang)
  const theme = usePlayground((state) => state.theme)
  useEffect(() => {
    const root = document.documentElement
    root.lang = lang === 'zh' ? 'zh-Hans' : Object.keys(languages).find((id) => id === lang)!
    if (theme === 'system') delete root.dataset['theme']
    else root.dataset['theme'] = theme
    const restyle = () => terminals.restyle()
    restyle()
    const system = matchMedia('(prefers-color-scheme: dark)')
    system.addEventListener('change', restyle)
    return () => system.removeEventListener('change', restyle)
  }, [lang, theme, terminals])
}
