import { defineWords } from '../i18n/define.ts'

export const words = defineWords({ 'embed.allow': 'Allow' }, { 'embed.allow': '允许' })
