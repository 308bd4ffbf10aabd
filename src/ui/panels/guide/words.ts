import { defineWords } from '../../i18n/define.ts'

export const words = defineWords({ 'guide.title': 'Guide' }, { 'guide.title': '导览' })
