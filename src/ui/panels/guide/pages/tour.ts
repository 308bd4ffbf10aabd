/** The first page: once through the host, from its boot menu to its end. */
import { commands } from '../steps.ts'
import { command, line, type Page, seen, text } from './page.ts'

const SEBASTIAN = 'sebastian'

export const tour: Page = {
  id: 'tour',
  title: { en: 'Once through a Xen host', zh: '走一遍 Xen 主机' },
  intro: {
    en: 'Ten short stops, from the boot menu to the power switch. A command runs at a click: it is typed into the console as if you had typed it.',
    zh: '十个短站，从启动菜单到关机。命令点一下就会运行：它像您亲手键入的一样进入控制台。',
  },
  sections: [
    {
      id: 'menu',
      layer: 'machine',
      title: { en: 'The machine and its boot menu', zh: '机器和它的启动菜单' },
      blocks: [
        text(
          'This tab holds a [[machine|PC]]. Its [[firmware]] has tested the hardware and loaded [[grub]] from the disk, whose menu you see on the [[com1]].',
          '这个标签页里有一台 [[machine|PC]]。它的[[firmware]]检测了硬件，从磁盘装入了 [[grub]]，它的菜单就在[[com1]]上。',
        ),
        command(commands.boot),
        seen(
          'GRUB prints each line of the chosen entry as it obeys it: `kernel` loads Xen, `module` loads dom0’s kernel beside it. Both are files on the disk; the panel “Boot menu” edits the list.',
          'GRUB 执行选中条目的每一行时都会显示出来：`kernel` 装入 Xen，`module` 在旁边装入 dom0 的内核。两者都是磁盘上的文件；“启动菜单”面板可以编辑这份清单。',
        ),
        { kind: 'panel', panel: 'boot-menu' },
      ],
    },
    {
      id: 'xen',
      layer: 'xen',
      title: { en: 'Xen starts', zh: 'Xen 启动' },
      blocks: [
        text(
          'Lines that begin with `(XEN)` are the [[hypervisor|hypervisor’s]]. It counts memory and processors, then builds the first [[domain]] from the module it found and lets it run. From then on Xen is silent: it only shares out time and memory.',
          '以 `(XEN)` 开头的行来自 [[hypervisor|hypervisor]]。它清点内存和处理器，用找到的模块构建第一个[[domain]]，让它运行。此后 Xen 便不再出声：它只分配时间和内存。',
        ),
        text(
          'The last of them, `*** Serial input -> DOM0`, tells where your keys go now.',
          '最后一行 `*** Serial input -> DOM0` 说明了现在的按键送往哪里。',
        ),
      ],
    },
    {
      id: 'login',
      layer: 'dom0',
      title: { en: 'Log in to dom0', zh: '登录 dom0' },
      blocks: [
        text(
          '[[dom0]] is a Linux like any other, here CentOS 5. It owns the disk and the serial port, and runs the daemons that manage the rest. `root` has no password.',
          '[[dom0]] 是一个普通的 Linux，这里是 CentOS 5。磁盘和串口归它所有，管理其余部分的守护进程也运行在它里面。`root` 没有密码。',
        ),
        command(commands.login),
        line('info', 'xm info'),
        seen(
          'What Xen says of the host: two processors, all memory and how much of it is free, and its version. dom0 itself has only 256 MiB, because the boot entry says `dom0_mem=262144`.',
          'Xen 对这台主机的描述：两个处理器、全部内存和空闲内存，以及它的版本。dom0 自己只有 256 MiB，因为引导条目里写着 `dom0_mem=262144`。',
        ),
        line('dmesg', 'xm dmesg | head -20'),
        seen(
          'Xen’s own log, kept in its memory: what went past at boot can still be read.',
          'Xen 自己的日志，保存在它的内存里：引导时一闪而过的内容仍可以读到。',
        ),
      ],
    },
    {
      id: 'list',
      layer: 'dom0',
      title: { en: 'Who is there?', zh: '有哪些域？' },
      blocks: [
        command(commands.list),
        seen(
          'One row a domain: its number, memory, virtual processors, state and the time it has used. `r` is running, `b` is blocked, that is: it waits for something. [[xm]] asks [[xend]], which asks Xen.',
          '每个域一行：编号、内存、虚拟处理器、状态和用掉的时间。`r` 是正在运行，`b` 是阻塞，也就是在等待。[[xm]] 问 [[xend]]，xend 再问 Xen。',
        ),
        { kind: 'panel', panel: 'domains' },
      ],
    },
    {
      id: 'create',
      layer: 'domu',
      title: { en: 'Start a guest', zh: '启动一个客户机' },
      blocks: [
        text(
          'A [[domu]] is described by a file. This one names a kernel, 128 MiB of memory and a file that serves as its disk.',
          '[[domu]] 由一个文件描述。这个文件指定了内核、128 MiB 内存，以及充当磁盘的一个文件。',
        ),
        line('config', 'cat /etc/xen/sebastian'),
        command(commands.create),
        seen(
          'xend takes memory for it, has Xen make the domain, lays the kernel into it, writes its devices to [[xenstore]] and lets it go. It boots while you read this.',
          'xend 为它取得内存，请 Xen 创建域，把内核放进去，把它的设备写入 [[xenstore]]，然后放行。您读到这里时它正在引导。',
        ),
        line('list-sebastian', 'xm list sebastian', { needs: SEBASTIAN }),
      ],
    },
    {
      id: 'console',
      layer: 'domu',
      title: { en: 'The guest’s console', zh: '客户机的控制台' },
      blocks: [
        text(
          'The guest has a console of its own. dom0 keeps it as a pseudo terminal; this page opens it as a tab, and you can log in there as `root`.',
          '客户机有自己的控制台。dom0 用一个伪终端保管它；本页面把它打开成一个标签页，您可以在那里以 `root` 登录。',
        ),
        { kind: 'panel', panel: `domain:${SEBASTIAN}`, needs: SEBASTIAN },
        text(
          'By hand, `xm console sebastian` in dom0 does the same; Ctrl-] leaves it. Its kernel is [[pv]]: `dmesg` there knows of no PC hardware, only of Xen.',
          '手工的做法是在 dom0 中运行 `xm console sebastian`，按 Ctrl-] 离开。它的内核是[[pv]]的：那里的 `dmesg` 不知道什么 PC 硬件，只知道 Xen。',
        ),
      ],
    },
    {
      id: 'xenstore',
      layer: 'dom0',
      title: { en: 'XenStore: what they tell each other', zh: 'XenStore：它们之间的留言' },
      blocks: [
        line('xs-ls', 'xenstore-ls /local/domain/0/backend', { needs: SEBASTIAN }),
        seen(
          'The back half of sebastian’s disk, as dom0 sees it. Its front half is in the guest’s own branch; each names the other, and `state = "4"` means that the [[split-driver|two halves]] are connected. The pages they share are in a [[grant-table]], and an [[event-channel]] rings the bell.',
          '这是 dom0 眼中 sebastian 磁盘的后半。前半在客户机自己的分支里；两者互相写明对方，`state = "4"` 表示[[split-driver|两半]]已经连上。它们共用的内存页登记在[[grant-table]]里，[[event-channel]]负责敲铃。',
        ),
        line('xs-vm', 'xenstore-ls /local/domain', { needs: SEBASTIAN }),
        seen(
          'The panel shows the same tree, live, and lights up what changes. Look for `memory/target` in sebastian’s branch: the next stop changes it.',
          '面板显示的是同一棵树，实时更新，变化之处会亮起来。请找到 sebastian 分支里的 `memory/target`：下一站就要改变它。',
        ),
        { kind: 'panel', panel: 'xenstore' },
      ],
    },
    {
      id: 'balloon',
      layer: 'domu',
      title: { en: 'Memory moves', zh: '移动内存' },
      blocks: [
        text(
          'Memory goes back and forth while a guest runs. `xm mem-set` writes a new target; the [[balloon]] in the guest reads it and gives [[frame|frames]] back to Xen, one by one.',
          '客户机运行时，内存也可以来回移动。`xm mem-set` 写下新的目标；客户机里的[[balloon]]读到它，把[[frame]]一页一页还给 Xen。',
        ),
        line('mem-set-96', 'xm mem-set sebastian 96', { needs: SEBASTIAN }),
        line('list-96', 'xm list sebastian', { needs: SEBASTIAN }),
        seen(
          'Its card shows the frames that it really has beside the target. In the explorer you can write the target yourself: it is the same request.',
          '它的卡片把实际拥有的页帧与目标并列显示。您也可以在 XenStore 面板里自己改写目标：那是同样的请求。',
        ),
        line('mem-set-128', 'xm mem-set sebastian 128', { needs: SEBASTIAN }),
        seen(
          '128 MiB is its ceiling: `memory = 128` in the file said so.',
          '128 MiB 是它的上限：配置文件里写着 `memory = 128`。',
        ),
      ],
    },
    {
      id: 'beneath',
      layer: 'xen',
      title: { en: 'Beneath them all: Xen’s own console', zh: '在一切之下：Xen 自己的控制台' },
      blocks: [
        text(
          'Ctrl-A three times takes the serial line from dom0 and gives it to Xen. It works whatever the domains do, even when dom0 is stuck.',
          '连按三次 Ctrl-A，串口就从 dom0 交到 Xen 手里。无论各个域在做什么，哪怕 dom0 卡住了，它都有效。',
        ),
        command(commands.escape),
        command(commands['xen-help']),
        seen(
          'Each key is a small report on the spot. Mind `R`: it restarts the machine, and nobody is asked.',
          '每个键当场给出一份小报告。小心 `R`：它会直接重启机器，不问任何人。',
        ),
        command({ id: 'xen-q', act: { kind: 'xen-key', key: 'q' } }),
        seen(
          'All domains as Xen knows them: states, pages, processors, event channels. Names are unknown here; they are xend’s.',
          '这是 Xen 所知道的各个域：状态、页数、处理器、事件通道。这里没有名字，名字是 xend 的事。',
        ),
        command(commands.back),
      ],
    },
    {
      id: 'shutdown',
      layer: 'dom0',
      title: { en: 'Put it to bed', zh: '收工' },
      blocks: [
        text(
          'What is written to the disk and synced outlives a reload of this page. Leave a note, and look for it next time.',
          '写入磁盘并同步过的内容，重新加载本页面后仍在。留张字条，下次再来找它。',
        ),
        line('note', 'echo it was here > note; sync'),
        line('note-read', 'cat note'),
        line('shutdown', 'xm shutdown -w sebastian', { needs: SEBASTIAN }),
        seen(
          'xend writes `shutdown` into the guest’s branch of XenStore; the guest’s kernel reads it and goes down by itself, as if somebody had typed `halt` inside.',
          'xend 把 `shutdown` 写进客户机在 XenStore 中的分支；客户机的内核读到后自己关机，就像有人在里面键入了 `halt`。',
        ),
        line('poweroff', 'poweroff'),
        seen(
          'dom0 stops its services, tells Xen, and Xen switches the power off. The button at the top switches it on again.',
          'dom0 停下各项服务，告诉 Xen，由 Xen 切断电源。上方的按钮可以再次开机。',
        ),
      ],
    },
  ],
}
