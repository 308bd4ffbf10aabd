import { defineWords } from '../i18n/define.ts'

export const words = defineWords({ 'layout.reset': 'Reset the layout' }, { 'layout.reset': '重置布局' })
