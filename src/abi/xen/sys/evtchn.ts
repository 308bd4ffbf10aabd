/**
 * Mirrors linux/include/xen/public/evtchn.h: /dev/xen/evtchn. read(2) gives the ports that have fired, four bytes each, which are masked from then on;
 * write(2) of ports unmasks them. Arguments and results as bytes of structs of u32; each bind answers the local port as the call's result.
 */
/** u32 virq. */
export const IOCTL_EVTCHN_BIND_VIRQ = 0x44500
/** u32 remote_domain, remote_port. */
export const IOCTL_EVTCHN_BIND_INTERDOMAIN = 0x84501
/** u32 remote_domain. */
export const IOCTL_EVTCHN_BIND_UNBOUND_PORT = 0x44502
/** u32 port. */
export const IOCTL_EVTCHN_UNBIND = 0x44503
/** u32 port. */
export const IOCTL_EVTCHN_NOTIFY = 0x44504
/** No argument: what has fired and was not read is forgotten. */
export const IOCTL_EVTCHN_RESET = 0x4505
