/** vCPUs: their life, their timers, what they are told of their time. */
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOSYS, EPERM, ETIME } from '#abi/xen/errno.ts'
import { EVTCHNOP_bind_virq, evtchn_bind_virq } from '#abi/xen/event_channel.ts'
import {
  SCHEDOP_block,
  SCHEDOP_poll,
  SCHEDOP_remote_shutdown,
  SCHEDOP_shutdown,
  SCHEDOP_yield,
  SHUTDOWN_crash,
  SHUTDOWN_reboot,
  SHUTDOWN_suspend,
  sched_poll,
  sched_remote_shutdown,
} from '#abi/xen/sched.ts'
import * as v from '#abi/xen/vcpu.ts'
import {
  __HYPERVISOR_sched_op,
  __HYPERVISOR_sched_op_compat,
  __HYPERVISOR_set_timer_op,
  __HYPERVISOR_vcpu_op,
  HYPERVISOR_VIRT_START,
  shared_info,
  VIRQ_TIMER,
  vcpu_info,
} from '#abi/xen/xen.ts'
import { type Guest, MAIN, MS, PEER, RUN, sched, type TestGuest } from './kit.ts'

const vcpuOp = (g: Guest, command: number, vcpu: number, pointer = 0): number =>
  g.call(__HYPERVISOR_vcpu_op, command, vcpu, pointer)

/** A second vCPU begins where the first did, with the same start_info. */
export function initialise(g: Guest, vcpu: number): number {
  const at = g.page(1)
  g.mem.fill(at, v.vcpu_guest_context.size, 0)
  v.vcpu_guest_context.write(g.mem, at, {
    flags: BigInt(v.VGCF_in_kernel),
    rsi: g.vcpu.startInfo,
    rip: g.vcpu.startInfo,
    cs: v.FLAT_KERNEL_CS,
    ss: v.FLAT_KERNEL_SS,
    kernel_ss: BigInt(v.FLAT_KERNEL_SS),
    ctrlreg3: BigInt(g.frameOf(-0x80000000)) << 12n,
  })
  return vcpuOp(g, v.VCPUOP_initialise, vcpu, at)
}

export function start(g: Guest, vcpu: number): void {
  g.is(initialise(g, vcpu), 0, 'initialise')
  g.is(vcpuOp(g, v.VCPUOP_up, vcpu), 0, 'up')
}

const timerPort = (g: Guest): number => {
  const { result, out } = g.evtchn(EVTCHNOP_bind_virq, evtchn_bind_virq, { virq: VIRQ_TIMER, vcpu: 0 })
  g.is(result, 0, 'bind_virq')
  return out.port
}

const runstate = (g: Guest, vcpu: number) => {
  g.is(vcpuOp(g, v.VCPUOP_get_runstate_info, vcpu, g.page(2)), 0, 'get_runstate_info')
  return v.vcpu_runstate_info.read(g.mem, g.page(2))
}

export const cpus: Readonly<Record<string, TestGuest>> = {
  'vcpu-hotplug': {
    shows: 'a second vCPU is initialised once, goes up, down and up again',
    vcpus: 2,
    *main(g) {
      g.is(vcpuOp(g, v.VCPUOP_is_up, 0), 1, 'vCPU 0 is up')
      g.is(vcpuOp(g, v.VCPUOP_is_up, 1), 0, 'vCPU 1 is down')
      g.is(vcpuOp(g, v.VCPUOP_up, 1), -EINVAL, 'up without a context')
      start(g, 1)
      g.is(initialise(g, 1), -EEXIST, 'initialise again')
      yield* g.until(() => (g.common.ran ?? 0) > 2, 'vCPU 1 runs')
      g.is(vcpuOp(g, v.VCPUOP_is_up, 1), 1, 'vCPU 1 is up')
      g.is(vcpuOp(g, v.VCPUOP_down, 1), 0, 'down')
      yield* g.sleep(MS)
      const then = g.common.ran
      yield* g.sleep(5 * MS)
      g.is(g.common.ran, then, 'runs while it is down')
      g.is(runstate(g, 1).state, v.RUNSTATE_offline, 'runstate')
      g.is(vcpuOp(g, v.VCPUOP_up, 1), 0, 'up again')
      yield* g.until(() => g.common.ran! > then!, 'vCPU 1 runs again')
    },
    *second(g) {
      for (;;) {
        g.common.ran = (g.common.ran ?? 0) + 1
        yield RUN
      }
    },
  },
  'vcpu-refused': {
    shows: 'a vCPU that is none, a command that is none, and what another vCPU may not set',
    vcpus: 2,
    *main(g) {
      g.is(vcpuOp(g, v.VCPUOP_is_up, 5), -ENOENT, 'no vCPU')
      g.is(vcpuOp(g, v.VCPUOP_is_up, 64), -EINVAL, 'more than there can be')
      g.is(vcpuOp(g, 50, 0), -ENOSYS, 'no command')
      g.put(v.vcpu_set_singleshot_timer, { timeout_abs_ns: 1n })
      g.is(vcpuOp(g, v.VCPUOP_set_singleshot_timer, 1, g.at), -EINVAL, 'another’s singleshot timer')
      g.is(vcpuOp(g, v.VCPUOP_stop_singleshot_timer, 1), -EINVAL, 'another’s singleshot timer')
      g.is(vcpuOp(g, v.VCPUOP_get_physid, 0, g.at), -EINVAL, 'get_physid of a vCPU that is not pinned')
      yield RUN
    },
  },
  'vcpu-nmi': {
    shows: 'an NMI is sent to a vCPU of one’s own, and to none that is none',
    *main(g) {
      g.is(vcpuOp(g, v.VCPUOP_send_nmi, 0), 0, 'send_nmi')
      g.is(vcpuOp(g, v.VCPUOP_send_nmi, 3), -ENOENT, 'send_nmi to no vCPU')
      yield RUN
    },
  },
  'vcpu-physid-dom0': {
    shows: 'dom0, whose vCPUs are not pinned, gets no physical ids either',
    dom0: true,
    *main(g) {
      g.is(vcpuOp(g, v.VCPUOP_get_physid, 0, g.at), -EINVAL, 'get_physid')
      yield RUN
    },
  },
  'vcpu-physid-pinned': {
    shows: 'dom0 whose vCPUs are pinned knows their processors',
    dom0: true,
    options: 'dom0_vcpus_pin',
    *main(g) {
      g.is(vcpuOp(g, v.VCPUOP_get_physid, 0, g.at), 0, 'get_physid')
      yield RUN
    },
  },
  'vcpu-info': {
    shows: 'a vcpu_info of the guest’s own choice is used from then on, once and for all',
    *main(g) {
      g.shared
      const mfn = BigInt(g.frameOf(g.page(3)))
      const register = (values: { mfn: bigint; offset: number }): number =>
        g.op(__HYPERVISOR_vcpu_op, v.VCPUOP_register_vcpu_info, v.vcpu_register_vcpu_info, values).result
      const at = (values: { mfn: bigint; offset: number }): number => {
        g.put(v.vcpu_register_vcpu_info, values)
        return vcpuOp(g, v.VCPUOP_register_vcpu_info, 0, g.at)
      }
      g.ok(register({ mfn, offset: 0 }) < 0, 'a pointer that is no vCPU')
      g.is(at({ mfn, offset: 4090 }), -EINVAL, 'across the end of the page')
      g.is(at({ mfn: BigInt(g.frameOf(-0x80000000)), offset: 0 }), -EINVAL, 'a page table')
      g.is(at({ mfn, offset: 128 }), 0, 'register_vcpu_info')
      g.is(vcpu_info.fields.evtchn_upcall_pending.get(g.mem, g.page(3) + 128), 1, 'pending')
      g.is(at({ mfn, offset: 128 }), -EINVAL, 'again')
      g.ok(vcpu_info.fields.time_tsc_to_system_mul.get(g.mem, g.page(3) + 128) > 0, 'its clock')
      yield RUN
    },
  },
  runstate: {
    shows: 'the times of the four runstates add up to all there was, and the area is written when it runs',
    *main(g) {
      const area = g.page(3)
      g.put(v.vcpu_register_runstate_memory_area, { addr: area })
      g.is(vcpuOp(g, v.VCPUOP_register_runstate_memory_area, 0, g.at), 0, 'register_runstate_memory_area')
      const all = (r: ReturnType<typeof runstate>): bigint =>
        r.time_running + r.time_runnable + r.time_blocked + r.time_offline
      const before = runstate(g, 0)
      yield* g.sleep(20 * MS)
      const after = runstate(g, 0)
      g.is(after.state, v.RUNSTATE_running, 'state')
      g.is(after.state_entry_time - before.state_entry_time, all(after) - all(before), 'the sum of the times')
      g.ok(after.time_blocked - before.time_blocked >= BigInt(19 * MS), 'it has been blocked for 20 ms')
      g.is(v.vcpu_runstate_info.fields.state.get(g.mem, area), v.RUNSTATE_running, 'state in the area')
      g.is(v.vcpu_runstate_info.fields.state_entry_time.get(g.mem, area), after.state_entry_time, 'time in the area')
      g.put(v.vcpu_register_runstate_memory_area, { addr: HYPERVISOR_VIRT_START })
      g.is(vcpuOp(g, v.VCPUOP_register_runstate_memory_area, 0, g.at), -EFAULT, 'an area of Xen’s')
    },
  },
  'steal-time': {
    shows: 'of three busy vCPUs on two processors one always waits: it is runnable, and knows it',
    vcpus: 2,
    *main(g) {
      start(g, 1)
      const end = g.now() + 100 * MS
      while (g.now() < end) yield RUN
      g.ok(runstate(g, 0).time_runnable + runstate(g, 1).time_runnable > BigInt(10 * MS), 'nobody has waited')
    },
    *second() {
      for (;;) yield RUN
    },
    *peer(g) {
      const end = g.now() + 100 * MS
      while (g.now() < end) yield RUN
    },
  },
  'timer-periodic': {
    shows: 'VIRQ_TIMER comes every 10 ms to who runs, as often as asked for, and not at all when stopped',
    *main(g) {
      const port = timerPort(g)
      const during = function* (ns: number) {
        const [from, end] = [g.events.length, g.now() + ns]
        while (g.now() < end) yield RUN
        return g.events.slice(from).filter((event) => event === port).length
      }
      const usual = yield* during(100 * MS)
      g.ok(usual >= 8 && usual <= 12, `${usual} ticks in 100 ms`)
      g.put(v.vcpu_set_periodic_timer, { period_ns: BigInt(2 * MS) })
      g.is(vcpuOp(g, v.VCPUOP_set_periodic_timer, 0, g.at), 0, 'set_periodic_timer')
      const often = yield* during(40 * MS)
      g.ok(often >= 16 && often <= 24, `${often} ticks in 40 ms`)
      g.put(v.vcpu_set_periodic_timer, { period_ns: 999_999n })
      g.is(vcpuOp(g, v.VCPUOP_set_periodic_timer, 0, g.at), -EINVAL, 'less than a millisecond')
      g.is(vcpuOp(g, v.VCPUOP_stop_periodic_timer, 0), 0, 'stop_periodic_timer')
      g.is(yield* during(30 * MS), 0, 'ticks when stopped')
    },
  },
  'timer-singleshot': {
    shows: 'a singleshot timer fires at its time, is stopped, and refuses the past when told so',
    *main(g) {
      const port = timerPort(g)
      vcpuOp(g, v.VCPUOP_stop_periodic_timer, 0)
      const set = (at: number, flags = 0): number => {
        g.put(v.vcpu_set_singleshot_timer, { timeout_abs_ns: BigInt(at), flags })
        return vcpuOp(g, v.VCPUOP_set_singleshot_timer, 0, g.at)
      }
      const at = g.now() + 3 * MS
      g.is(set(at), 0, 'set_singleshot_timer')
      yield g.poll([port], at + 20 * MS)
      g.ok(g.now() >= at && g.now() < at + MS, 'it fires at its time')
      g.take(port)
      g.is(set(g.now() - MS, v.VCPU_SSHOTTMR_future), -ETIME, 'the past')
      g.is(set(g.now() + 2 * MS), 0, 'set_singleshot_timer')
      g.is(vcpuOp(g, v.VCPUOP_stop_singleshot_timer, 0), 0, 'stop_singleshot_timer')
      yield* g.sleep(5 * MS)
      g.ok(!g.take(port), 'it has fired, stopped')
    },
  },
  'set-timer': {
    shows: 'set_timer_op fires VIRQ_TIMER at its time; 0 stops it',
    *main(g) {
      const port = timerPort(g)
      vcpuOp(g, v.VCPUOP_stop_periodic_timer, 0)
      const at = g.now() + 4 * MS
      g.is(g.call(__HYPERVISOR_set_timer_op, at), 0, 'set_timer_op')
      yield g.poll([port], at + 20 * MS)
      g.ok(g.now() >= at && g.now() < at + MS, 'it fires at its time')
      g.take(port)
      g.call(__HYPERVISOR_set_timer_op, g.now() + 2 * MS)
      g.is(g.call(__HYPERVISOR_set_timer_op, 0), 0, 'stop')
      yield* g.sleep(5 * MS)
      g.ok(!g.take(port), 'it has fired, stopped')
    },
  },
  pvclock: {
    shows: 'system time goes forward at the pace of the TSC, and the wall clock is of this century',
    *main(g) {
      let last = g.now()
      for (let i = 0; i < 200; i++) {
        yield i % 3 === 0 ? sched(SCHEDOP_yield, 0) : RUN
        const now = g.now()
        g.ok(now >= last, `${now} after ${last}`)
        last = now
      }
      g.is(g.mem.read32(g.info + 32) % 2, 0, 'the version between updates')
      const { wc_sec } = shared_info.fields
      g.ok(wc_sec.get(g.mem, g.shared) > 1_200_000_000, 'the wall clock')
    },
  },
  'sched-poll': {
    shows: 'poll waits for any of its ports or for the time, and refuses too many and what is none',
    *main(g) {
      const port = timerPort(g)
      const from = g.now()
      yield g.poll([], from + 2 * MS)
      g.ok(g.now() >= from + 2 * MS, 'the time has come')
      g.is(g.call(__HYPERVISOR_set_timer_op, g.now() + MS), 0, 'set_timer_op')
      yield g.poll([100, port], g.now() + 50 * MS)
      g.ok(g.now() < from + 10 * MS, 'the event has come')
      g.put(sched_poll, { ports: g.at + 64, nr_ports: 129, timeout: 0n })
      g.is(yield sched(SCHEDOP_poll, g.at), -EINVAL, '129 ports')
      g.is(yield g.poll([4096], 0), -EINVAL, 'a port that is none')
      g.is(yield sched(9, 0), -ENOSYS, 'no command')
    },
  },
  'sched-block': {
    shows: 'block sleeps until an event, and unmasks events by the same stroke',
    *main(g) {
      timerPort(g)
      vcpu_info.fields.evtchn_upcall_mask.set(g.mem, g.info, 1)
      g.call(__HYPERVISOR_set_timer_op, g.now() + 2 * MS)
      const upcalls = g.upcalls
      g.is(yield sched(SCHEDOP_block, 0), 0, 'block')
      g.ok(g.upcalls > upcalls, 'no upcall has woken it')
      g.is(yield sched(SCHEDOP_yield, 0), 0, 'yield')
      g.is(g.call(__HYPERVISOR_sched_op, SCHEDOP_block, 0), -EINVAL, 'block in the middle of its code')
    },
  },
  'sched-compat': {
    shows: 'the older scheduling hypercall yields and blocks, and has no poll',
    *main(g) {
      timerPort(g)
      const compat = (...args: number[]) => ({ kind: 'hypercall', nr: __HYPERVISOR_sched_op_compat, args }) as const
      g.is(yield compat(SCHEDOP_yield, 0), 0, 'yield')
      g.call(__HYPERVISOR_set_timer_op, g.now() + MS)
      g.shared
      g.is(yield compat(SCHEDOP_block, 0), 0, 'block')
      g.is(yield compat(SCHEDOP_poll, g.at), -ENOSYS, 'poll')
    },
  },
  'sched-compat-shutdown': {
    shows: 'its shutdown takes the reason itself',
    ends: SHUTDOWN_suspend,
    *main() {
      yield { kind: 'hypercall', nr: __HYPERVISOR_sched_op_compat, args: [SCHEDOP_shutdown, SHUTDOWN_suspend] }
    },
  },
  'shutdown-reboot': {
    shows: 'who asks for a reboot is shut down with that reason',
    ends: SHUTDOWN_reboot,
    *main(g) {
      yield g.off(SHUTDOWN_reboot)
    },
  },
  'shutdown-crash': {
    shows: 'who reports its own crash is shut down with that reason',
    ends: SHUTDOWN_crash,
    *main(g) {
      yield g.off(SHUTDOWN_crash)
    },
  },
  'remote-shutdown': {
    shows: 'no domain shuts another down',
    *main(g) {
      yield* g.sleep(3 * MS)
    },
    *peer(g) {
      const remote = (domain_id: number): number =>
        g.op(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, sched_remote_shutdown, { domain_id, reason: 3 }).result
      g.is(remote(MAIN), -EPERM, 'remote_shutdown')
      g.is(remote(0), -EPERM, 'remote_shutdown of dom0')
      g.ok(remote(9) < 0, 'remote_shutdown of none')
      yield RUN
    },
  },
  'remote-shutdown-dom0': {
    shows: 'dom0 shuts another domain down, with any reason',
    dom0: true,
    *main(g) {
      const remote = (domain_id: number): number =>
        g.op(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, sched_remote_shutdown, {
          domain_id,
          reason: SHUTDOWN_reboot,
        }).result
      g.is(remote(PEER), 0, 'remote_shutdown')
      g.ok(remote(9) < 0, 'remote_shutdown of none')
      yield RUN
    },
    *peer() {
      for (;;) yield RUN
    },
  },
}
