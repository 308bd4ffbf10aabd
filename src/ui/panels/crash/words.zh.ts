/** The same in Chinese. */
import type { en } from './words.ts'

export const zh: Record<keyof typeof en, string> = {
  'trouble.label': '故障',
  'trouble.details': '详情',
  'trouble.dismiss': '收起',

  'trouble.off.title': '机器已关闭',
  'trouble.off.text': '什么都没有运行。按电源按钮或这里的按钮即可开机。',
  'trouble.off.safe': '写入磁盘的内容都保留着。',
  'trouble.off.action': '开机',

  'trouble.halted.title': '机器已停止',
  'trouble.halted.text': '它的处理器已彻底停下，不会再自行发生任何事。',
  'trouble.halted.safe': '已同步到磁盘的内容都在。',
  'trouble.halted.action': '复位',

  'trouble.panic.title': 'Xen 发生 panic',
  'trouble.panic.text': 'hypervisor 遇到了无法继续的情况：{message}',
  'trouble.panic.safe': '已同步到磁盘的内容都在。如果启动时没有加 noreboot，机器会在五秒后自行重启。',
  'trouble.panic.action': '复位',

  'trouble.dom0.title': 'dom0 已死',
  'trouble.dom0.text':
    '0 号域崩溃了，Xen 自己安然无恙。没有 dom0，磁盘和控制台就无人服务，所以 Xen 会在五秒后重启机器；如果启动时加了 noreboot，则停机。',
  'trouble.dom0.safe': '已同步到磁盘的内容都在；下次引导时会检查文件系统。',
  'trouble.dom0.action': '复位',

  'trouble.crash.title': '一个映像崩溃了：{image}',
  'trouble.crash.text': '机器上运行的代码犯了无法挽回的错，机器已停下。',
  'trouble.crash.safe': '停下的只是虚拟机里的代码。浏览器和本页面都安全。',
  'trouble.crash.action': '复位',
  'trouble.crash.message': '原因',
  'trouble.crash.where': '位置',
  'trouble.crash.where.unknown': '未知',
  'trouble.crash.at': '时间',
  'trouble.crash.at.value': '虚拟时间 {seconds} 秒',
  'trouble.crash.stack': '调用栈，最内层在前',

  'trouble.hung.title': '机器没有回应',
  'trouble.hung.text': '里面的某些东西让它的 worker 忙了十秒以上。它也许会自行恢复，也可以重新开始。',
  'trouble.hung.safe': '本页面和浏览器都安全，已同步到磁盘的内容也一样。',
  'trouble.hung.action': '启动一台新机器',

  'trouble.dead.title': '机器不在了',
  'trouble.dead.text': '承载它的 worker 已终止，多半是里面的代码用尽了内存。',
  'trouble.dead.safe': '本页面和浏览器都安全，已同步到磁盘的内容也一样。',
  'trouble.dead.action': '启动一台新机器',

  'trouble.memory.title': '浏览器拒绝了 {mib} MiB 内存',
  'trouble.memory.text': '机器没能造出来。小一些的机器也许放得下；关闭其他标签页也有帮助。',
  'trouble.memory.safe': '什么都没有启动，也没有丢失任何东西。',
  'trouble.memory.action': '用 {mib} MiB 开机',

  'trouble.offline.title': '机器没能加载',
  'trouble.offline.text': '它的文件没有取到：没有网络，或者服务器没有应答，而浏览器还没有保存这些文件。',
  'trouble.offline.safe': '什么都没有启动，也没有丢失任何东西。',
  'trouble.offline.action': '再试一次',

  'trouble.storage-denied.title': '浏览器不为本页面保存任何东西',
  'trouble.storage-denied.text': '它拒绝存储，隐私窗口就是这样。机器使用临时磁盘，页面关闭后就没有了。',
  'trouble.storage-denied.safe': '一切照常可用；您可以自己把磁盘存成文件。',
  'trouble.storage-denied.action': '导出磁盘',

  'trouble.storage-full.title': '存储空间已满',
  'trouble.storage-full.text': '机器最后写入的内容，浏览器已没有地方存放。从现在起磁盘是临时的。',
  'trouble.storage-full.safe': '之前保存的内容是安全的。之后的只在本页面里。',
  'trouble.storage-full.action': '导出磁盘',

  'trouble.storage-failed.title': '浏览器的存储出了故障',
  'trouble.storage-failed.text': '它无法读取或保存磁盘，而且不是因为空间不足。从现在起磁盘是临时的。',
  'trouble.storage-failed.safe': '之前保存的内容没有改动。之后的只在本页面里。',
  'trouble.storage-failed.action': '导出磁盘',

  'trouble.other-tab.title': '另一个标签页正在使用磁盘',
  'trouble.other-tab.text': '同一时刻只有一个标签页可以写入。这一个使用自己的临时磁盘。',
  'trouble.other-tab.safe': '另一个标签页的机器不受影响。',
  'trouble.other-tab.action': '改由这里使用',

  'trouble.lost-lock.title': '另一个标签页接管了磁盘',
  'trouble.lost-lock.text': '这里的机器继续运行，但从现在起写入的内容在页面关闭后就没有了。',
  'trouble.lost-lock.safe': '之前保存的内容是安全的；另一个标签页从那里继续。',
  'trouble.lost-lock.action': '收回来',

  'trouble.base-changed.title': '您的磁盘来自本页面的旧版本',
  'trouble.base-changed.text': '本页面带来了更新的磁盘。您的磁盘连同它当初的基础都保留着，机器就是从它引导的。',
  'trouble.base-changed.safe': '您的内容没有任何改动。',
  'trouble.base-changed.action': '保留我的磁盘',
  'trouble.base-changed.export': '导出它',
  'trouble.base-changed.discard': '丢弃它，使用新的',

  'trouble.import.title': '那个文件不是磁盘映像',
  'trouble.import.text': '它被拒绝了：{message}',
  'trouble.import.safe': '机器自己的磁盘没有变动。',
  'trouble.import.action': '选择另一个文件',

  'trouble.link.title': '这个地址无法照办',
  'trouble.link.text': '它要求“{what}”：{why}',
  'trouble.link.safe': '这一部分被略去；其余就像它不存在一样。',
  'trouble.link.action': '不管它，继续',

  'trouble.old-browser.title': '这个浏览器太旧，运行不了 Xen Playground',
  'trouble.old-browser.text': '本页面里要运行一整台机器。它需要 WebAssembly 等功能，而这个浏览器缺少：',
  'trouble.old-browser.safe': '什么都没有启动。换用较新的 Firefox、Chrome、Edge 或 Safari 即可。',
  'trouble.old-browser.action': '再试一次',
}
