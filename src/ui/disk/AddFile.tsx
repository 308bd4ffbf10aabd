/** A file from outside: to the disk while the machine is off, through domain 0 while it runs. */
import { useId, useRef, useState } from 'react'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { addFile } from './actions.ts'
import type { Act } from './DiskSection.tsx'

const HOME = '/root/'

export function AddFile({ act }: { act: Act }) {
  const t = useTranslate()
  const id = useId()
  const { session } = usePage()
  const on = usePlayground((state) => state.power !== 'off')
  const [file, setFile] = useState<File>()
  const [path, setPath] = useState(HOME)
  const input = useRef<HTMLInputElement>(null)
  return (
    <div className="disk-add">
      <label htmlFor={id}>{t('disk.add')}</label>
      <p className="disk-note">{t(on ? 'disk.add.on' : 'disk.add.off')}</p>
      <div className="disk-buttons">
        <button type="button" className="button small" onClick={() => input.current?.click()}>
          {file?.name ?? t('disk.add.choose')}
        </button>
        <input
          ref={input}
          type="file"
          hidden
          data-testid={testIds.diskAddFile}
          onChange={({ target }) => {
            const chosen = target.files?.[0]
            if (!chosen) return
            setFile(chosen)
            setPath(HOME + chosen.name)
            target.value = ''
          }}
        />
        <input
          id={id}
          className="mono disk-path"
          value={path}
          title={t('disk.add.path')}
          spellCheck={false}
          data-testid={testIds.diskAddPath}
          onChange={({ target }) => setPath(target.value)}
        />
        <button
          type="button"
          className="button small"
          disabled={!file || !path.startsWith('/') || path.endsWith('/')}
          data-testid={testIds.diskAdd}
          onClick={() => {
            if (file)
              act(async () => {
                await addFile(session, path, file)
                return { key: 'disk.done.add', values: { path } }
              })
          }}
        >
          {t('disk.add.go')}
        </button>
      </div>
    </div>
  )
}
