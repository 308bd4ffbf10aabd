import { defineWords } from '../../i18n/define.ts'

export const words = defineWords({ 'xenstore.title': 'XenStore' }, { 'xenstore.title': 'XenStore' })
