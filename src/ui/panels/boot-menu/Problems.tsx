/** What GRUB would stumble over, by line. */
import { say } from '../../i18n/index.ts'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { lineNumber, type Problem } from './lint.ts'

export function Problems({ text, problems }: { text: string; problems: readonly Problem[] }) {
  const t = useTranslate()
  const lang = usePlayground((state) => state.lang)
  if (problems.length === 0) return null
  return (
    <ul className="boot-menu-problems" aria-label={t('boot-menu.problems')} data-testid={testIds.bootMenuProblems}>
      {problems.map(({ from, severity, words }) => (
        <li key={`${from} ${words.key}`} className={severity}>
          <span className="boot-menu-problem-line">
            {t('boot-menu.problem.line', { line: lineNumber(text, from) })}
            <span className="sr-only">{t(`boot-menu.problem.${severity}`)}</span>
          </span>
          <span>{say(lang, words)}</span>
        </li>
      ))}
    </ul>
  )
}
