/**
 * XenStore as its users meet it, on the whole host with two guests: the tools in domain 0 and in a guest, the book's dumpkey, xsh, and the examples of
 * /usr/share/doc/xen/examples, in which domains speak to each other. One boot for all: the tests follow each other.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { Ext2 } from '#lib/ondisk/ext2/fs.ts'
import { partition, readPartitions } from '#lib/ondisk/mbr.ts'
import { buildDiskAndKnown } from '../../../scripts/disk.mjs'
import { Dom0Host, freshDisk } from '../dom0-host.ts'

const EXAMPLES = '/usr/share/doc/xen/examples'

/** As people have written the recursion down: each prints all leaves below its argument as PATH=VALUE. */
const DUMPKEYS: readonly (readonly [what: string, text: string])[] = [
  [
    'the function keyword, local variables, nothing quoted',
    `function dumpkey() {
   local param=\${1}
   local key
   local result
   result=$(xenstore-list \${param})
   if [ "\${result}" != "" ] ; then
      for key in \${result} ; do dumpkey \${param}/\${key} ; done
   else
      echo -n \${param}'='
      xenstore-read \${param}
   fi
}
for key in /vm /local/domain /tool ; do dumpkey \${key} ; done
`,
  ],
  [
    'POSIX, quoted, a subshell a level',
    `dumpkey() (
  children=$(xenstore-list "$1") || exit
  if [ -n "$children" ]; then
    for child in $children; do
      dumpkey "$1/$child"
    done
  else
    printf '%s=%s\\n' "$1" "$(xenstore-read "$1")"
  fi
)
for top in /vm /local/domain /tool; do dumpkey "$top"; done
`,
  ],
  [
    'a pipe, backquotes, positional parameters, the keyword without parentheses',
    `function dumpkey
{
  if test -z "\`xenstore-list $1\`"
  then echo "$1=\`xenstore-read $1\`"
       return
  fi
  xenstore-list $1 | while read key; do dumpkey $1/$key; done
}
dumpkey /vm; dumpkey /local/domain; dumpkey /tool
`,
  ],
]

let host: Dom0Host
beforeAll(async () => {
  const base = await buildDiskAndKnown()
  const disk = freshDisk(base)
  const fs = Ext2.mount(partition(disk, readPartitions(disk)![0]!), { now: () => 0 })
  DUMPKEYS.forEach(([, text], i) => void fs.writeFile(`/root/dump${i}`, new TextEncoder().encode(text), 0o755))
  fs.unmount()
  host = new Dom0Host({ base, disk })
  host.boot()
  expect(host.run('xm create sebastian && xm create prospero').status).toBe(0)
  host.runFor(8)
}, 120_000)

const said = (command: string): string => {
  const { output, status } = host.run(command)
  return `${output}${output === '' ? '' : '\n'}${status}`
}

/** `body` on sebastian's console. */
const inSebastian = <T>(body: () => T): T => host.inGuest('sebastian', 'sebastian', body)

describe('dumpkey', () => {
  test.each(DUMPKEYS.map(([what], i) => [what, i] as const))(
    '%s: in bash and in sh it is xenstore-ls -f',
    (_what, i) => {
      // Leaves are what no other path begins with.
      const [bash = '', sh = '', ls = ''] = ['bash', 'sh', 'ls'].map((shell) =>
        shell === 'ls'
          ? host.run('for i in /vm /local/domain /tool; do xenstore-ls -f $i; done').output
          : host.run(`${shell} /root/dump${i}`).output,
      )
      const lines = ls.split('\n').map((line) => /^(\S+) = "(.*?)"?(?:\\\.\.\.")?$/.exec(line)!)
      const leaves = lines.filter(([, path], n) => !lines[n + 1]?.[1]?.startsWith(`${path}/`))
      const dumped = bash.split('\n').map((line) => line.split(/=(.*)/s))
      expect(dumped.map(([path]) => path)).toEqual(leaves.map(([, path]) => path))
      for (const [n, [, value = '']] of dumped.entries())
        expect(value.startsWith(leaves[n]![2]!), leaves[n]![0]).toBe(true)
      expect(dumped.length).toBeGreaterThan(100)
      expect(sh).toBe(bash)
    },
  )
})

describe('where the tools find the daemon', () => {
  const NODES = 'test -c /dev/xen/xenbus && test -f /proc/xen/xenbus'

  test('in domain 0: the kernel by either node, and the socket', () => {
    expect(said(NODES)).toBe('0')
    expect(said('xenstore-read domid; XENSTORED_PATH=/dev/xen/xenbus xenstore-read domid')).toBe('0\n0\n0')
    expect(said('xenstore-read -s domid')).toBe("xenstore-read: couldn't read path domid\n1")
    expect(said('xenstore-read -s /local/domain/0/domid')).toBe('0\n0')
    expect(said('XENSTORED_PATH=/var/run/xenstored/socket xenstore-read /local/domain/1/name')).toBe('sebastian\n0')
  })

  test('and why they do not', () => {
    expect(said('XENSTORED_PATH=/none xenstore-list /')).toBe(
      'xenstore-list: xs_domain_open: No such file or directory\n1',
    )
    expect(said('XENSTORED_RUNDIR=/none xenstore-list -s /')).toBe(
      'xenstore-list: xs_daemon_open: No such file or directory\n1',
    )
    expect(said("su nobody -s /bin/sh -c 'xenstore-list /; xenstore-list -s /; xsh -c ls'")).toBe(
      'xenstore-list: xs_domain_open: Permission denied\nxenstore-list: xs_daemon_open: Permission denied\nxsh: xs_domain_open: Permission denied\n1',
    )
  })

  test('in a guest: relative paths are its own, foreign ones are refused, and there is no socket', () => {
    inSebastian(() => {
      expect(said(NODES)).toBe('0')
      expect(said('xenstore-read domid name; XENSTORED_PATH=/dev/xen/xenbus xenstore-read name')).toBe(
        '1\nsebastian\nsebastian\n0',
      )
      expect(said('xenstore-write data/x 5 && xenstore-read /local/domain/1/data/x && xenstore-rm data')).toBe('5\n0')
      expect(said('xenstore-ls -fp memory')).toBe('memory/target = "131072"   (n1)\n0')
      expect(said('xenstore-list -s /')).toBe('xenstore-list: xs_daemon_open: No such file or directory\n1')
      expect(said('xenstore-ls')).toBe('xenstore-ls: xs_directory (/): Permission denied\n1')
      expect(said('xenstore-read /local/domain/2/name')).toBe(
        "xenstore-read: couldn't read path /local/domain/2/name\n1",
      )
      expect(said('xenstore-write /local/domain/2/name x')).toBe(
        'xenstore-write: could not write path /local/domain/2/name\n1',
      )
      expect(said('xenstore-exists /local/domain/0')).toBe('1')
      expect(said('xenstore-chmod name n2')).toBe(
        "xenstore-chmod: Error occurred setting permissions on 'name': Invalid argument\n1",
      )
      expect(said('xenstore-chmod /vm r1')).toBe(
        "xenstore-chmod: Error occurred setting permissions on '/vm': Permission denied\n1",
      )
      expect(said('xenstore-watch -n 1 name')).toBe('name\n0')
    })
  })
})

describe('xsh', () => {
  test('in domain 0 it begins at /, with -s too; watches tell what others do while the prompt stands', () => {
    host.type('TERM=dumb xsh -s\r')
    host.waitFor('xenstore:/> ')
    host.type('cd lo\t\t1\r')
    host.waitFor(/cd local\/domain\/1\nxenstore:\/local\/domain\/1> $/)
    host.type('watch /tool/x\r')
    host.waitFor(/\/tool\/x: No such file or directory\nxenstore:\/local\/domain\/1> $/)
    host.type('cat na\t\r')
    host.waitFor(/cat name \nsebastian\n/)
    host.type('write /tool/x "it moves"; rm /tool/x; frob\r')
    host.waitFor(/xsh: frob: command not found\n/)
    host.type('exit\r')
    host.waitFor(/\]# $/)
    expect(said('xsh -c "cat /none"; echo "cd /tool; ls" | xsh')).toBe(
      'cat: /none: No such file or directory\nxenstored\n0',
    )
  })

  test('in a guest it begins at home', () => {
    inSebastian(() => {
      host.type('TERM=dumb xsh\r')
      host.waitFor('xenstore:/local/domain/1> ')
      host.type('cat name; cat ../2/name; cd /tool; write /tool/x 1; cd /; cd; pwd\r')
      host.waitFor(
        'sebastian\ncat: ../2/name: Permission denied\ncd: /tool: Permission denied\nwrite: /tool/x: Permission denied\ncd: /: Permission denied\n/local/domain/1\n',
      )
      host.type('watch memory\r')
      host.waitFor(/\/local\/domain\/1\/memory = ""\nxenstore:\/local\/domain\/1> $/)
      host.type('cat nam')
      host.waitFor(/cat nam$/)
      host.type('\x03')
      host.waitFor(/\^C\nxenstore:\/local\/domain\/1> $/)
      host.type('\x04')
      host.waitFor(/exit\n+\[root@sebastian ~\]# $/)
      expect(said('cat ~/.xsh_history | wc -l')).toBe('2\n0')
    })
  })
})

describe('the examples', () => {
  test('without domain 0’s leave a guest may not, in the tools’ own words', () => {
    inSebastian(() => {
      host.run(`cd ${EXAMPLES}`)
      expect(said('./talk < /dev/null')).toBe('talk: domain 0 has not allowed this domain to talk; there: talk -a 1\n1')
      expect(said('./talk -a 1')).toBe('xenstore-write: could not write path /tool/talk\n1')
      expect(said('./announce hello')).toBe('xenstore-write: could not write path /tool/announce\n1')
      expect(said('xenstore-write /tool/talk/1/1 hello')).toBe('xenstore-write: could not write path /tool/talk/1/1\n1')
      expect(said('xenstore-list /tool')).toBe('xenstore-list: could not list path /tool\n1')
    })
  })

  test('announce reaches all domains', () => {
    for (const guest of ['sebastian', 'prospero'])
      host.inGuest(guest, guest, () => host.run(`(${EXAMPLES}/announced > /dev/null 2>&1 &)`))
    expect(said(`${EXAMPLES}/announce`)).toBe('Usage: announce WORDS...\n1')
    expect(said(`${EXAMPLES}/announce backup at 02:00; xenstore-ls -p /tool | grep announce`)).toMatch(
      /^announce = "backup at 02:00" [ .]+ \(r0\)\n0$/,
    )
    host.runFor(1)
    for (const guest of ['sebastian', 'prospero']) {
      // Its console has kept it for whoever looks.
      host.type(`xm console ${guest}\r`)
      host.waitFor('Announcement: backup at 02:00\n')
      host.type('\x1d')
      host.waitFor(/\[root@xenhost [^\]]*\]# $/)
    }
  })

  test('talk: what is typed in one domain appears in the others', () => {
    expect(said(`${EXAMPLES}/talk -a 1 2; xenstore-ls -p /tool/talk`)).toMatch(
      /^0 = "" [ .]+ \(r0\)\n1 = "" [ .]+ \(r1\)\n2 = "" [ .]+ \(r2\)\n0$/,
    )
    // prospero and domain 0 listen into files; they speak what comes through a pipe.
    const listen = `mkfifo /root/mouth; (sleep 1000 > /root/mouth &); (${EXAMPLES}/talk < /root/mouth > /root/ear 2>&1 &); sleep 2`
    host.inGuest('prospero', 'prospero', () => host.run(listen))
    host.run(listen)
    inSebastian(() => {
      host.type(`${EXAMPLES}/talk\r`)
      host.runFor(2)
      host.type('good evening\r')
      host.runFor(1)
      host.type('a\\tb -n "q" $HOME *\r')
      host.runFor(1)
      host.type('\x04')
      host.waitFor(/\[root@sebastian [^\]]*\]# $/)
      expect(said('ls /tmp; xenstore-list /tool/talk/1')).toBe('0')
    })
    const heard = 'sebastian: good evening\nsebastian: a\\\\tb -n "q" $HOME *'
    expect(said('echo "I am here" > /root/mouth; sleep 1; cat /root/ear')).toBe(`${heard}\n0`)
    host.inGuest('prospero', 'prospero', () => {
      expect(said('cat /root/ear')).toBe(`${heard}\nDomain-0: I am here\n0`)
      expect(said('xenstore-write /tool/talk/1/9 "sebastian: I am prospero"')).toBe(
        'xenstore-write: could not write path /tool/talk/1/9\n1',
      )
      host.run('for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i > /root/mouth; done; sleep 3')
      expect(said('xenstore-list /tool/talk/2 | wc -l')).toBe('10\n0')
    })
    const prosperos = host.run('grep prospero /root/ear').output
    expect(prosperos.split('\n')).toEqual(Array.from({ length: 12 }, (_, i) => `prospero: ${i + 1}`))
  })
})
