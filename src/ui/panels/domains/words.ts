import { defineWords } from '../../i18n/define.ts'

export const words = defineWords({ 'domains.title': 'Domains' }, { 'domains.title': '域' })
