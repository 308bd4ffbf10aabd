/** The one glossary: what the page and its guide mean by their words. Xen's own terms stay in every language. */
import type { Lang } from '../../i18n/index.ts'

export interface Entry {
  readonly term: string
  readonly text: string
}

export type LayerName = 'machine' | 'xen' | 'dom0' | 'domu'

export interface GlossaryRow extends Readonly<Record<Lang, Entry>> {
  readonly layer: LayerName
}

export const glossary = {
  machine: {
    layer: 'machine',
    en: {
      term: 'machine',
      text: 'The PC that this tab holds: memory, two processors, serial ports, a disk. It is there to be switched on, reset and broken.',
    },
    zh: { term: '机器', text: '这个标签页里的 PC：内存、两个处理器、串口、一块磁盘。可以开机、复位，弄坏也无妨。' },
  },
  firmware: {
    layer: 'machine',
    en: {
      term: 'firmware',
      text: 'The first code that runs after power-on (a PC’s BIOS). It tests the hardware and loads the first sector of the disk.',
    },
    zh: { term: '固件', text: '开机后最先运行的代码（PC 的 BIOS）。它检测硬件，并装入磁盘的第一个扇区。' },
  },
  grub: {
    layer: 'machine',
    en: {
      term: 'GRUB',
      text: 'The boot loader, version 0.97. It reads /boot/grub/menu.lst, shows a menu, and puts Xen and dom0’s kernel into memory.',
    },
    zh: {
      term: 'GRUB',
      text: '引导程序，0.97 版。它读取 /boot/grub/menu.lst，显示菜单，把 Xen 和 dom0 的内核装入内存。',
    },
  },
  com1: {
    layer: 'machine',
    en: {
      term: 'serial console',
      text: 'A terminal on the PC’s first serial port, COM1. Servers are managed by it: it works from the boot menu to the very end.',
    },
    zh: { term: '串口控制台', text: '接在 PC 第一个串口 COM1 上的终端。服务器靠它管理：从启动菜单到最后一刻都能用。' },
  },
  hypervisor: {
    layer: 'xen',
    en: {
      term: 'Xen',
      text: 'The hypervisor: it owns processors and memory and gives each domain its share. It has no drivers for disks and no shell; those are dom0’s.',
    },
    zh: {
      term: 'Xen',
      text: '即 hypervisor：它掌管处理器和内存，分给各个域。它没有磁盘驱动，也没有 shell，那些都在 dom0 里。',
    },
  },
  domain: {
    layer: 'xen',
    en: {
      term: 'domain',
      text: 'A virtual machine on Xen. Each has a number; numbers are given in order and never again until the host restarts.',
    },
    zh: { term: '域', text: 'Xen 上的一台虚拟机。每个域有一个编号，按次序给出；主机重启之前不会重复使用。' },
  },
  dom0: {
    layer: 'dom0',
    en: {
      term: 'dom0',
      text: 'Domain 0, the first one. It drives the real hardware, and its tools create, watch and end the other domains.',
    },
    zh: { term: 'dom0', text: '0 号域，第一个域。它驱动真实的硬件；创建、照看和结束其他域的工具都在它里面。' },
  },
  domu: {
    layer: 'domu',
    en: {
      term: 'domU',
      text: 'Any domain but dom0 (U: unprivileged). Its disk and network cards are served by dom0.',
    },
    zh: { term: 'domU', text: 'dom0 以外的任何域（U 即 unprivileged，无特权）。它的磁盘和网卡由 dom0 提供。' },
  },
  pv: {
    layer: 'domu',
    en: {
      term: 'paravirtual',
      text: 'A kernel that knows it runs on Xen and asks it for things (hypercalls), instead of driving a PC that is not there.',
    },
    zh: {
      term: '半虚拟化',
      text: '内核知道自己运行在 Xen 上，有事直接请求 Xen（hypercall），而不是去驱动一台并不存在的 PC。',
    },
  },
  xm: {
    layer: 'dom0',
    en: {
      term: 'xm',
      text: 'The command of dom0’s administrator: xm list, xm create, xm mem-set, xm shutdown … It asks xend.',
    },
    zh: { term: 'xm', text: 'dom0 管理员的命令：xm list、xm create、xm mem-set、xm shutdown……它去找 xend 办事。' },
  },
  xend: {
    layer: 'dom0',
    en: {
      term: 'xend',
      text: 'The daemon in dom0 that builds domains and keeps account of them. It writes what it knows to XenStore.',
    },
    zh: { term: 'xend', text: 'dom0 里的守护进程，负责构建各个域并登记在册。它把所知道的写进 XenStore。' },
  },
  xenstore: {
    layer: 'dom0',
    en: {
      term: 'XenStore',
      text: 'A small tree of keys and values that all domains share, kept by the daemon xenstored. Drivers find each other there.',
    },
    zh: { term: 'XenStore', text: '所有域共用的一棵小小的键值树，由守护进程 xenstored 保管。驱动程序在那里找到彼此。' },
  },
  'event-channel': {
    layer: 'xen',
    en: {
      term: 'event channel',
      text: 'Xen’s interrupt between domains: one end notifies, the other end’s kernel is called.',
    },
    zh: { term: '事件通道', text: 'event channel：Xen 在域之间传递的中断。一端通知，另一端的内核就被唤起。' },
  },
  'grant-table': {
    layer: 'xen',
    en: {
      term: 'grant table',
      text: 'The list by which a domain allows another to use certain pages of its memory: how disk blocks get from dom0 to a guest.',
    },
    zh: {
      term: '授权表',
      text: 'grant table：一个域凭它允许另一个域使用自己的某些内存页。磁盘块就是这样从 dom0 到客户机的。',
    },
  },
  balloon: {
    layer: 'domu',
    en: {
      term: 'balloon',
      text: 'A driver in the guest that takes memory away from its kernel and gives it back to Xen, or the other way, while the guest runs.',
    },
    zh: { term: '气球内存', text: '客户机里的一个驱动（balloon）：在运行中从自己的内核取走内存还给 Xen，或者反过来。' },
  },
  frame: {
    layer: 'xen',
    en: { term: 'frame', text: 'A page of the machine’s real memory, 4 KiB. Xen knows for each one whose it is.' },
    zh: { term: '页帧', text: '机器真实内存中的一页，4 KiB。每一页归谁，Xen 都知道。' },
  },
  'split-driver': {
    layer: 'domu',
    en: {
      term: 'split driver',
      text: 'A driver in two halves: the front end in the guest asks, the back end in dom0 does it on the real device.',
    },
    zh: { term: '分离驱动', text: '分成两半的驱动：前端在客户机里提出请求，后端在 dom0 里用真实设备完成。' },
  },
  'host-link': {
    layer: 'machine',
    en: {
      term: 'host link',
      text: 'The way by which this page’s panels reach programs in dom0: as a client’s connection, with the rights that such a client has.',
    },
    zh: { term: '主机链路', text: '页面上的面板到达 dom0 中程序的途径：就像一个客户端的连接，权限也与之相同。' },
  },
} as const satisfies Record<string, GlossaryRow>

export type TermId = keyof typeof glossary

export const isTermId = (id: string): id is TermId => Object.hasOwn(glossary, id)
