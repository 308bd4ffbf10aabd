/** The same in Chinese. */
import type { en } from './words.ts'

export const zh: Record<keyof typeof en, string> = {
  'record.title': '运行记录',
  'record.what': '进入这台机器的一切都在输入日志中；重新播放日志，将逐位得到相同的运行。',
  'record.save': '保存输入日志',
  'record.saved': '已保存：{count} 个输入，虚拟时间 {seconds} 秒。结束时的摘要：',
  'record.replay': '重放输入日志…',
  'record.replaying': '正在重放…',
  'record.replayed': '重放完毕，机器从日志结束处继续运行。该处的摘要：',
  'record.digest': '当前摘要',
  'record.is': '整台机器的摘要：',
  'record.cast': '将 {line} 存为 asciicast',
  'record.cast.saved': '{line} 已保存：{count} 段输出，按虚拟时间。',
  'record.tape': '磁带（VHS）',
  'record.tape.help': '磁带在一台独立的机器上从开机播放，该机器将取代当前机器。',
  'record.tape.open': '打开磁带…',
  'record.play': '播放磁带',
  'record.playing': '正在播放磁带…',
  'record.played': '磁带的每个 Wait 都已满足。结束时的摘要：',
  'record.unmet': '磁带未能播完：',
  'record.failed': '被拒绝：{why}',
}
