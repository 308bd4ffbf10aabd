import { defineWords } from '../../i18n/define.ts'

export const words = defineWords({ 'boot-menu.title': 'Boot menu' }, { 'boot-menu.title': '启动菜单' })
