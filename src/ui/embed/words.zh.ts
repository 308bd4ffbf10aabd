/** The same in Chinese. */
import type { en } from './words.ts'

export const zh: Record<keyof typeof en, string> = {
  'embed.asks': '{origin} 想要控制这台机器。',
  'embed.asks.nameless': '外层页面想要控制这台机器。它没有自己的地址。',
  'embed.why': '它将可以键入、按机器的按钮、读取机器的磁盘。您的计算机不会受到影响。',
  'embed.once': '允许一次',
  'embed.always': '始终允许',
  'embed.refuse': '拒绝',
  'embed.close': '关闭',
  'embed.may': '可以控制这台机器的页面',
  'embed.nameless': '没有地址的页面',
  'embed.revoke': '撤回',
  'embed.revoke.of': '撤回 {origin} 的许可',
  'embed.link.value': '这里无法理解该值。',
  'embed.link.elsewhere': '磁带只能位于本站或链接自身之中。',
  'embed.link.unreachable': '无法取得。',
  'embed.link.no-tape': '这不是磁带。',
  'embed.tape.offered': '此链接带有一盘磁带：它会在一台独立的机器中自动键入。',
  'embed.tape.why': '仅在您信任链接来源时播放。当前运行的机器将被替换。',
  'embed.tape.play': '播放',
  'embed.tape.playing': '正在播放磁带 {name} …',
  'embed.tape.played': '磁带 {name} 已播完。',
}
