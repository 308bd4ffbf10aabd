/*
 * Debian's xenstored and oxenstored outside Xen: what they ask of a hypervisor is answered from a folder (XENSTORED_RUNDIR) instead.
 *
 *   FOLDER/xsd_kva, xsd_port   what /proc/xen has of these names: dom0's ring page and port
 *   FOLDER/domain-N            domain N is alive as long as this file is there; its first page is the domain's ring
 *   FOLDER/events              a pipe: four bytes of a port, little-endian, are an event. 1: VIRQ_DOM_EXC; 100 + N: from domain N
 *
 * All files that they would make below /var/run, /var/log and /proc/xen lie in the folder, and they die with whoever started them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PAGE 4096
#define PATH_BYTES 256
#define DOM_EXC_PORT 1
#define FIRST_DOMAIN_PORT 100

static char folder[PATH_BYTES - 64];
/* Whatever a handle points to. */
static int handle;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("XENSTORED_RUNDIR");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (name == NULL || strlen(name) >= sizeof(folder)) {
        fprintf(stderr, "xenstored-real: no XENSTORED_RUNDIR\n");
        _exit(1);
    }
    strcpy(folder, name);
}

static const char *moved(const char *path, char *buffer)
{
    static const char *const places[] = {"/var/run/xen", "/run/xen", "/var/log/xen", "/var/lib/xen", "/proc/xen", "/dev/xen"};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        if (strncmp(path, places[i], strlen(places[i])) == 0) {
            snprintf(buffer, PATH_BYTES, "%s/%.60s", folder, strrchr(path, '/') + 1);
            return buffer;
        }
    return path;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open(const char *path, int flags, ...)
{
    char buffer[PATH_BYTES];
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return REAL(open)(moved(path, buffer), flags, mode);
}

int open64(const char *path, int flags, ...)
{
    char buffer[PATH_BYTES];
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return REAL(open64)(moved(path, buffer), flags, mode);
}

int mkdir(const char *path, mode_t mode)
{
    char buffer[PATH_BYTES];
    if (moved(path, buffer) == path)
        return REAL(mkdir)(path, mode);
    errno = EEXIST;
    return -1;
}

int unlink(const char *path)
{
    char buffer[PATH_BYTES];
    return REAL(unlink)(moved(path, buffer));
}

int chmod(const char *path, mode_t mode)
{
    char buffer[PATH_BYTES];
    return REAL(chmod)(moved(path, buffer), mode);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    char buffer[PATH_BYTES];
    struct sockaddr_un un;
    if (address->sa_family != AF_UNIX || length > sizeof(un))
        return REAL(bind)(fd, address, length);
    memset(&un, 0, sizeof(un));
    memcpy(&un, address, length);
    const char *path = moved(un.sun_path, buffer);
    if (path == buffer)
        snprintf(un.sun_path, sizeof(un.sun_path), "%.*s", (int)sizeof(un.sun_path) - 1, path);
    return REAL(bind)(fd, (struct sockaddr *)&un, sizeof(un));
}

/* They ask for more open files than a machine may allow, and would give up. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    (void)resource, (void)limit;
    return 0;
}

static int domain_file(uint32_t domid, int flags)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/domain-%u", folder, domid);
    return open(path, flags);
}

static int alive(uint32_t domid)
{
    int fd = domid == 0 ? open("/dev/null", O_RDONLY) : domain_file(domid, O_RDONLY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void *ring_of(uint32_t domid)
{
    int fd = domain_file(domid, O_RDWR);
    void *page = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return page == MAP_FAILED ? NULL : page;
}

/* libxenctrl */

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags)
{
    (void)logger, (void)dombuild_logger, (void)flags;
    return &handle;
}

int xc_interface_close(void *xch)
{
    (void)xch;
    return 0;
}

/* The beginning of xc_dominfo_t: the number, ssidref, the flags (none is set: it runs). The first living domain from `first` on. */
int xc_domain_getinfo(void *xch, uint32_t first, unsigned most, uint32_t *info)
{
    (void)xch;
    for (uint32_t domid = first; most > 0 && domid < 0x7ff0; domid++)
        if (alive(domid)) {
            memset(info, 0, 4 * sizeof(*info));
            info[0] = domid;
            return 1;
        }
    errno = ESRCH;
    return most > 0 ? -1 : 0;
}

/* The beginning of xc_domaininfo_t: the number in 16 bits, then the flags. */
int xc_domain_getinfolist(void *xch, uint32_t first, unsigned most, uint32_t *info)
{
    return xc_domain_getinfo(xch, first, most, info);
}

void *xc_map_foreign_range(void *xch, uint32_t domid, int size, int prot, unsigned long mfn)
{
    (void)xch, (void)size, (void)prot, (void)mfn;
    return ring_of(domid);
}

/* libxengnttab */

void *xengnttab_open(void *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return &handle;
}

int xengnttab_close(void *xgt)
{
    (void)xgt;
    return 0;
}

int xengnttab_set_max_grants(void *xgt, uint32_t count)
{
    (void)xgt, (void)count;
    return 0;
}

void *xengnttab_map_grant_ref(void *xgt, uint32_t domid, uint32_t ref, int prot)
{
    (void)xgt, (void)ref, (void)prot;
    return ring_of(domid);
}

int xengnttab_unmap(void *xgt, void *page, uint32_t count)
{
    (void)xgt;
    return munmap(page, (size_t)count * PAGE);
}

/* libxenevtchn */

static int events = -1;

void *xenevtchn_open(void *logger, unsigned flags)
{
    char path[PATH_BYTES];
    (void)logger, (void)flags;
    snprintf(path, sizeof(path), "%s/events", folder);
    events = open(path, O_RDWR);
    return events < 0 ? NULL : &handle;
}

int xenevtchn_fd(void *xce)
{
    (void)xce;
    return events;
}

int xenevtchn_bind_virq(void *xce, unsigned virq)
{
    (void)xce, (void)virq;
    return DOM_EXC_PORT;
}

int xenevtchn_bind_interdomain(void *xce, uint32_t domid, uint32_t port)
{
    (void)xce, (void)port;
    return FIRST_DOMAIN_PORT + (int)domid;
}

int xenevtchn_pending(void *xce)
{
    uint32_t port;
    (void)xce;
    return read(events, &port, sizeof(port)) == sizeof(port) ? (int)port : -1;
}

int xenevtchn_notify(void *xce, uint32_t port)
{
    (void)xce, (void)port;
    return 0;
}

int xenevtchn_unmask(void *xce, uint32_t port)
{
    (void)xce, (void)port;
    return 0;
}

int xenevtchn_unbind(void *xce, uint32_t port)
{
    (void)xce, (void)port;
    return 0;
}

int xenevtchn_close(void *xce)
{
    (void)xce;
    return 0;
}
