/** A kernel from a file: chosen here, or dropped anywhere on the page. */
import { useRef } from 'react'
import { say } from '../i18n/index.ts'
import { usePage, usePlayground, useTranslate } from '../session-context.tsx'
import { testIds } from '../test-ids.ts'
import { type AddedFiles, addKernel, writeConfiguration } from './add-kernel.ts'
import { configurationOf, GUEST_NAME } from './kernel-files.ts'

const MB = 1e6

export function AddKernel() {
  const t = useTranslate()
  const { session } = usePage()
  const lang = usePlayground((state) => state.lang)
  const add = usePlayground((state) => state.kernelAdd)
  const input = useRef<HTMLInputElement>(null)
  return (
    <div className="disk-add">
      <p>{t('disk.kernel')}</p>
      <p className="disk-note">{t('disk.kernel.what')}</p>
      <div className="disk-buttons">
        <button
          type="button"
          className="button small"
          disabled={add?.phase === 'adding'}
          onClick={() => input.current?.click()}
        >
          {t('disk.kernel.choose')}
        </button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          data-testid={testIds.diskKernelFiles}
          onChange={({ target }) => {
            void addKernel(session, [...(target.files ?? [])])
            target.value = ''
          }}
        />
      </div>
      <output
        className={`disk-result ${add?.phase === 'failed' ? 'refused' : ''}`}
        data-testid={testIds.diskKernelResult}
      >
        {add?.phase === 'adding' && (
          <label className="disk-progress">
            {t('disk.kernel.adding', {
              name: add.name,
              done: (add.done / MB).toFixed(1),
              total: (add.total / MB).toFixed(1),
            })}
            <progress value={add.done} max={Math.max(1, add.total)} />
          </label>
        )}
        {add?.phase === 'failed' && say(lang, add.why)}
        {add?.phase === 'done' && <Done files={add.files} configured={add.configured} />}
      </output>
    </div>
  )
}

function Done({ files, configured }: { files: AddedFiles; configured: boolean }) {
  const t = useTranslate()
  const { session } = usePage()
  const { kernel, initrd } = files
  const paths = [kernel, initrd].filter((path) => path !== undefined).join(', ')
  if (kernel === undefined) return t('disk.kernel.initrd-only', { paths })
  return (
    <>
      <p>{t('disk.kernel.done', { paths })}</p>
      <pre className="disk-configuration">{configurationOf({ kernel, initrd })}</pre>
      {configured ? (
        <p>{t('disk.kernel.configured', { name: GUEST_NAME })}</p>
      ) : (
        <button
          type="button"
          className="button small"
          data-testid={testIds.diskKernelConfigure}
          onClick={() => void writeConfiguration(session, files)}
        >
          {t('disk.kernel.configure', { name: GUEST_NAME })}
        </button>
      )}
    </>
  )
}
