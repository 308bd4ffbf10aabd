/** Every text in Chinese: a chunk of its own. */
import { zh as disk } from '../disk/words.zh.ts'
import { zh as embed } from '../embed/words.zh.ts'
import { zh as layout } from '../layout/words.zh.ts'
import { zh as bootMenu } from '../panels/boot-menu/words.zh.ts'
import { zh as consoles } from '../panels/consoles/words.zh.ts'
import { zh as crash } from '../panels/crash/words.zh.ts'
import { zh as domains } from '../panels/domains/words.zh.ts'
import { zh as guide } from '../panels/guide/words.zh.ts'
import { zh as xenstore } from '../panels/xenstore/words.zh.ts'
import { zh as record } from '../record/words.zh.ts'
import type { MessageKey } from './index.ts'
import { zh as common } from './zh.ts'

export const zh: Readonly<Record<MessageKey, string>> = {
  ...common,
  ...disk,
  ...embed,
  ...layout,
  ...bootMenu,
  ...consoles,
  ...crash,
  ...domains,
  ...guide,
  ...xenstore,
  ...record,
}
