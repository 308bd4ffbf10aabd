import { defineWords } from '../i18n/define.ts'

export const words = defineWords({ 'disk.saved': 'Saved' }, { 'disk.saved': '已保存' })
