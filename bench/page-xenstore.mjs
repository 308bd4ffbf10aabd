// The XenStore explorer with 50,000 nodes, in Chromium on the production build: what a frame takes at worst while they come, while all are opened, scrolled
// through and filtered, and while 1,000 of them are written in a second, by dom0 itself: in the tree, in the time line beside it, and in the list of what
// differs from the moment before they came. A frame is the time between two of requestAnimationFrame; a task is one of the page's main thread, as Chromium's
// own trace has it: nothing else can run meanwhile. What a task waits for a processor is in its time, and not in its processor time.

const DIRECTORIES = 400
const NODES_EACH = 100
/** All in one directory. */
const LONG = 10_000
const SECONDS = 10
/** What a frame may take. */
const FRAME_MAX_MS = 50
/** A line of dom0's shell: so many writes at once, and a wait until the next. */
const WRITES = 100
const WAIT_SECONDS = 0.08

/** A line of root's shell, and its end. */
const inShell = (page, line) =>
  page.evaluate(async (text) => {
    const com1 = window.playground.console('com1')
    await com1.type(text)
    await com1.waitFor(/done-42[\s\S]*# $/, { timeoutMs: 300_000 })
  }, `${line}; echo done-$((6*7))`)

/** Frames and tasks while `act` runs. */
async function watched(page, cdp, act) {
  const events = []
  const collect = ({ value }) => {
    for (const { name, ph, dur, tdur, tid, pid, args } of value)
      if (name === 'RunTask' || name === 'thread_name')
        events.push({ name, ph, tid, pid, args, ms: dur / 1000, cpuMs: (tdur ?? dur) / 1000 })
  }
  cdp.on('Tracing.dataCollected', collect)
  const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve))
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel', '__metadata'],
    },
  })
  // To begin and to end a trace holds the browser up: that is none of the page's frames.
  await page.evaluate(() => {
    const frames = { gaps: [], over: false }
    Object.assign(window, { frames })
    let last
    requestAnimationFrame(function frame(now) {
      if (last !== undefined) frames.gaps.push(now - last)
      last = now
      if (!frames.over) requestAnimationFrame(frame)
    })
  })
  const from = performance.now()
  await act()
  const ms = performance.now() - from
  const gaps = await page.evaluate(() => {
    window.frames.over = true
    return window.frames.gaps
  })
  await cdp.send('Tracing.end')
  await complete
  cdp.off('Tracing.dataCollected', collect)
  return { ms, gaps, tasks: mainTasks(events) }
}

/** Of the process whose main thread has worked most, the page's: the machine has a process and a thread of its own. */
function mainTasks(events) {
  const main = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  const byThread = new Map([['', []]])
  for (const { name, ph, pid, tid, ms, cpuMs } of events) {
    const thread = `${pid} ${tid}`
    if (name !== 'RunTask' || ph !== 'X' || !main.has(thread)) continue
    if (!byThread.has(thread)) byThread.set(thread, [])
    byThread.get(thread).push({ ms, cpuMs })
  }
  return [...byThread.values()].sort((a, b) => total(b) - total(a))[0]
}

const total = (tasks) => tasks.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
const longest = (times) => times.reduce((most, ms) => Math.max(most, ms), 0)

/** 50,000 nodes, by dom0's own tools. */
const fill = (page) =>
  inShell(
    page,
    `for d in $(seq 0 ${DIRECTORIES - 1}); do xenstore-write $(seq -f "/bench/d$d/n%g v$d" 0 ${NODES_EACH - 1}); done; ` +
      `for d in $(seq 0 ${LONG / 100 - 1}); do xenstore-write $(seq -f "/bench/long/n$d-%g $d" 0 99); done`,
  )

const settled = (page) =>
  page.waitForFunction(() => document.querySelector('[data-testid=xenstore-tree]')?.ariaBusy !== 'true')
const frame = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
const byId = (page, id) => page.getByTestId(`xenstore-${id}`)
const choose = (page, view) => page.locator(`[data-testid=xenstore-tab][data-view=${view}]`).click()
const rowCount = (page) => byId(page, 'tree').evaluate((tree) => Number(tree.dataset.rows))

/** By the wheel, a page at a time, then from end to end as one who drags the bar. */
async function scrollThrough(page) {
  await byId(page, 'tree').evaluate(async (tree) => {
    const next = () => new Promise((done) => requestAnimationFrame(done))
    for (let i = 0; i < 60; i++) {
      tree.scrollTop += tree.clientHeight
      await next()
    }
    for (let i = 0; i <= 60; i++) {
      tree.scrollTop = (tree.scrollHeight * i) / 60
      await next()
    }
    tree.scrollTop = 0
  })
  await frame(page)
}

/** Letter by letter, back again, and away. */
async function filter(page) {
  const field = byId(page, 'filter')
  await field.click()
  await page.keyboard.type('long/n99', { delay: 60 })
  await settled(page)
  for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace', { delay: 60 })
  await settled(page)
  await page.keyboard.press('Escape')
  await frame(page)
}

async function follow(page) {
  const line = `i=0; while :; do i=$((i+37)); xenstore-write $(seq -f "/bench/d$((i%${DIRECTORIES}))/n%g $i" 0 ${WRITES - 1}); sleep ${WAIT_SECONDS}; done`
  await page.evaluate((text) => window.playground.console('com1').type(text), line)
  const before = await changes(page)
  const from = performance.now()
  await page.waitForTimeout(SECONDS * 1000)
  const rate = ((await changes(page)) - before) / ((performance.now() - from) / 1000)
  await page.evaluate(() => window.playground.console('com1').key('Ctrl+C'))
  return rate
}

const changes = (page) => page.evaluate(() => window.storeChanges)

/** `page` is at root's shell in dom0. */
export async function benchExplorer(page) {
  const cdp = await page.context().newCDPSession(page)
  await page.evaluate(() => {
    window.storeChanges = 0
    window.playground.on('xenstore', () => {
      window.storeChanges++
    })
    window.playground.ui.open('xenstore')
  })
  await byId(page, 'tree').waitFor()
  const of = '50,000 nodes in the explorer'
  const figures = []
  const add = (what, { gaps, tasks, ms }) => {
    figures.push(
      { name: `${of}, ${what}: longest frame`, unit: 'ms', value: longest(gaps) },
      {
        name: `${of}, ${what}: frames over ${FRAME_MAX_MS} ms`,
        unit: 'count',
        value: gaps.filter((ms) => ms > FRAME_MAX_MS).length,
      },
      { name: `${of}, ${what}: longest task`, unit: 'ms', value: longest(tasks.map((task) => task.ms)) },
      {
        name: `${of}, ${what}: longest task, processor time`,
        unit: 'ms',
        value: longest(tasks.map((task) => task.cpuMs)),
      },
      { name: `${of}, ${what}: main thread`, unit: '%', value: (total(tasks) / ms) * 100 },
    )
  }
  await choose(page, 'compare')
  await byId(page, 'mark').click()
  await choose(page, 'node')
  await page.evaluate(() => window.playground.clock.mode('turbo'))
  add('while they come', await watched(page, cdp, () => fill(page)))
  await page.evaluate(() => window.playground.clock.mode('live'))
  add(
    'all opened',
    await watched(page, cdp, async () => {
      await byId(page, 'expand').click()
      await frame(page)
    }),
  )
  const rows = await rowCount(page)
  if (rows < DIRECTORIES * NODES_EACH + LONG) throw new Error(`the tree has but ${rows} rows`)
  add('scrolled through', await watched(page, cdp, () => scrollThrough(page)))
  add('filtered', await watched(page, cdp, () => filter(page)))
  await byId(page, 'follow').click()
  let rate = 0
  add(
    'followed',
    await watched(page, cdp, async () => {
      rate = await follow(page)
    }),
  )
  await choose(page, 'changes')
  await byId(page, 'changes-scope').selectOption('all')
  add('followed in the time line', await watched(page, cdp, () => follow(page)))
  await choose(page, 'compare')
  await byId(page, 'diff').waitFor()
  add('followed in the comparison', await watched(page, cdp, () => follow(page)))
  await cdp.detach()
  return [...figures, { name: `${of}, followed: writes a second`, unit: 'count', value: rate }]
}
