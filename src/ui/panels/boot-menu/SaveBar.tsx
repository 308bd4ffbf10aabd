/** Whether the draft is on the disk, and how it gets there. */
import { say } from '../../i18n/index.ts'
import { usePlayground, useTranslate } from '../../session-context.tsx'
import { testIds } from '../../test-ids.ts'
import { inConflict, isDirty, type MenuFile, type MenuFileState } from './menu-file.ts'

export function SaveBar({ file, state }: { file: MenuFile; state: MenuFileState }) {
  const t = useTranslate()
  const lang = usePlayground((page) => page.lang)
  const power = usePlayground((page) => page.power)
  const { saving, note } = state
  const dirty = isDirty(state)
  // While virtual time stands still nobody inside can write, and no button has an effect.
  const paused = usePlayground((page) => page.mode === 'paused' && page.power !== 'off')
  const how = power === 'off' ? 'off' : power === 'xen' ? 'xen' : 'early'
  const idle = !dirty || saving || paused
  return (
    <footer className="boot-menu-save">
      {inConflict(state) && (
        <div className="boot-menu-conflict" role="alert">
          <span>{t('boot-menu.conflict')}</span>
          <button type="button" className="button small" onClick={() => file.revert()}>
            {t('boot-menu.conflict.disk')}
          </button>
          <button type="button" className="button small" onClick={() => file.keepMine()}>
            {t('boot-menu.conflict.mine')}
          </button>
        </div>
      )}
      <p className={dirty ? 'boot-menu-dirty' : 'boot-menu-clean'} data-testid={testIds.bootMenuState}>
        {t(saving ? 'boot-menu.saving' : dirty ? 'boot-menu.state.dirty' : 'boot-menu.state.clean')}
      </p>
      <div className="boot-menu-save-row">
        <button
          type="button"
          className="button small"
          disabled={!dirty || saving}
          title={t('boot-menu.revert.help')}
          data-testid={testIds.bootMenuRevert}
          onClick={() => file.revert()}
        >
          {t('boot-menu.revert')}
        </button>
        {how !== 'early' && (
          <button
            type="button"
            className={how === 'off' ? 'button small primary' : 'button small'}
            disabled={idle}
            data-testid={testIds.bootMenuSave}
            onClick={() => void file.save()}
          >
            {t('boot-menu.save')}
          </button>
        )}
        {how !== 'off' && (
          <button
            type="button"
            className="button small primary"
            disabled={idle}
            data-testid={testIds.bootMenuSaveReset}
            onClick={() => void file.saveAndReset()}
          >
            {t('boot-menu.saveReset')}
          </button>
        )}
      </div>
      {dirty && <p className="boot-menu-help">{t(`boot-menu.save.${paused ? 'paused' : how}`)}</p>}
      <p className="boot-menu-note" role="status" data-testid={testIds.bootMenuNote}>
        {note && say(lang, note)}
      </p>
    </footer>
  )
}
