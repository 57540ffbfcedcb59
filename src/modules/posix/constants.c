/* Integer constants of `posix`. */
#include "modules/posix/posix.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <linux/memfd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

/* Kinds of file actions of posix_spawn; ours, not the system's. */
enum { POSIX_SPAWN_OPEN, POSIX_SPAWN_CLOSE, POSIX_SPAWN_DUP2 };

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"CLD_CONTINUED", (long)CLD_CONTINUED},
    {"CLD_DUMPED", (long)CLD_DUMPED},
    {"CLD_EXITED", (long)CLD_EXITED},
    {"CLD_KILLED", (long)CLD_KILLED},
    {"CLD_STOPPED", (long)CLD_STOPPED},
    {"CLD_TRAPPED", (long)CLD_TRAPPED},
    {"EFD_CLOEXEC", (long)EFD_CLOEXEC},
    {"EFD_NONBLOCK", (long)EFD_NONBLOCK},
    {"EFD_SEMAPHORE", (long)EFD_SEMAPHORE},
    {"EX_CANTCREAT", (long)EX_CANTCREAT},
    {"EX_CONFIG", (long)EX_CONFIG},
    {"EX_DATAERR", (long)EX_DATAERR},
    {"EX_IOERR", (long)EX_IOERR},
    {"EX_NOHOST", (long)EX_NOHOST},
    {"EX_NOINPUT", (long)EX_NOINPUT},
    {"EX_NOPERM", (long)EX_NOPERM},
    {"EX_NOUSER", (long)EX_NOUSER},
    {"EX_OK", (long)EX_OK},
    {"EX_OSERR", (long)EX_OSERR},
    {"EX_OSFILE", (long)EX_OSFILE},
    {"EX_PROTOCOL", (long)EX_PROTOCOL},
    {"EX_SOFTWARE", (long)EX_SOFTWARE},
    {"EX_TEMPFAIL", (long)EX_TEMPFAIL},
    {"EX_UNAVAILABLE", (long)EX_UNAVAILABLE},
    {"EX_USAGE", (long)EX_USAGE},
    {"F_LOCK", (long)F_LOCK},
    {"F_OK", (long)F_OK},
    {"F_TEST", (long)F_TEST},
    {"F_TLOCK", (long)F_TLOCK},
    {"F_ULOCK", (long)F_ULOCK},
    {"GRND_NONBLOCK", (long)GRND_NONBLOCK},
    {"GRND_RANDOM", (long)GRND_RANDOM},
    {"MFD_ALLOW_SEALING", (long)MFD_ALLOW_SEALING},
    {"MFD_CLOEXEC", (long)MFD_CLOEXEC},
    {"MFD_HUGETLB", (long)MFD_HUGETLB},
    {"MFD_HUGE_16GB", (long)MFD_HUGE_16GB},
    {"MFD_HUGE_16MB", (long)MFD_HUGE_16MB},
    {"MFD_HUGE_1GB", (long)MFD_HUGE_1GB},
    {"MFD_HUGE_1MB", (long)MFD_HUGE_1MB},
    {"MFD_HUGE_256MB", (long)MFD_HUGE_256MB},
    {"MFD_HUGE_2GB", (long)MFD_HUGE_2GB},
    {"MFD_HUGE_2MB", (long)MFD_HUGE_2MB},
    {"MFD_HUGE_32MB", (long)MFD_HUGE_32MB},
    {"MFD_HUGE_512KB", (long)MFD_HUGE_512KB},
    {"MFD_HUGE_512MB", (long)MFD_HUGE_512MB},
    {"MFD_HUGE_64KB", (long)MFD_HUGE_64KB},
    {"MFD_HUGE_8MB", (long)MFD_HUGE_8MB},
    {"MFD_HUGE_MASK", (long)MFD_HUGE_MASK},
    {"MFD_HUGE_SHIFT", (long)MFD_HUGE_SHIFT},
    {"NGROUPS_MAX", (long)NGROUPS_MAX},
    {"O_ACCMODE", (long)O_ACCMODE},
    {"O_APPEND", (long)O_APPEND},
    {"O_ASYNC", (long)O_ASYNC},
    {"O_CLOEXEC", (long)O_CLOEXEC},
    {"O_CREAT", (long)O_CREAT},
    {"O_DIRECT", (long)O_DIRECT},
    {"O_DIRECTORY", (long)O_DIRECTORY},
    {"O_DSYNC", (long)O_DSYNC},
    {"O_EXCL", (long)O_EXCL},
    {"O_FSYNC", (long)O_FSYNC},
    {"O_LARGEFILE", (long)O_LARGEFILE},
    {"O_NDELAY", (long)O_NDELAY},
    {"O_NOATIME", (long)O_NOATIME},
    {"O_NOCTTY", (long)O_NOCTTY},
    {"O_NOFOLLOW", (long)O_NOFOLLOW},
    {"O_NONBLOCK", (long)O_NONBLOCK},
    {"O_PATH", (long)O_PATH},
    {"O_RDONLY", (long)O_RDONLY},
    {"O_RDWR", (long)O_RDWR},
    {"O_RSYNC", (long)O_RSYNC},
    {"O_SYNC", (long)O_SYNC},
    {"O_TMPFILE", (long)O_TMPFILE},
    {"O_TRUNC", (long)O_TRUNC},
    {"O_WRONLY", (long)O_WRONLY},
    {"POSIX_FADV_DONTNEED", (long)POSIX_FADV_DONTNEED},
    {"POSIX_FADV_NOREUSE", (long)POSIX_FADV_NOREUSE},
    {"POSIX_FADV_NORMAL", (long)POSIX_FADV_NORMAL},
    {"POSIX_FADV_RANDOM", (long)POSIX_FADV_RANDOM},
    {"POSIX_FADV_SEQUENTIAL", (long)POSIX_FADV_SEQUENTIAL},
    {"POSIX_FADV_WILLNEED", (long)POSIX_FADV_WILLNEED},
    {"POSIX_SPAWN_CLOSE", (long)POSIX_SPAWN_CLOSE},
    {"POSIX_SPAWN_DUP2", (long)POSIX_SPAWN_DUP2},
    {"POSIX_SPAWN_OPEN", (long)POSIX_SPAWN_OPEN},
    {"PRIO_PGRP", (long)PRIO_PGRP},
    {"PRIO_PROCESS", (long)PRIO_PROCESS},
    {"PRIO_USER", (long)PRIO_USER},
    {"P_ALL", (long)P_ALL},
    {"P_PGID", (long)P_PGID},
    {"P_PID", (long)P_PID},
    {"P_PIDFD", (long)P_PIDFD},
    {"RTLD_DEEPBIND", (long)RTLD_DEEPBIND},
    {"RTLD_GLOBAL", (long)RTLD_GLOBAL},
    {"RTLD_LAZY", (long)RTLD_LAZY},
    {"RTLD_LOCAL", (long)RTLD_LOCAL},
    {"RTLD_NODELETE", (long)RTLD_NODELETE},
    {"RTLD_NOLOAD", (long)RTLD_NOLOAD},
    {"RTLD_NOW", (long)RTLD_NOW},
    {"RWF_APPEND", (long)RWF_APPEND},
    {"RWF_DSYNC", (long)RWF_DSYNC},
    {"RWF_HIPRI", (long)RWF_HIPRI},
    {"RWF_NOWAIT", (long)RWF_NOWAIT},
    {"RWF_SYNC", (long)RWF_SYNC},
    {"R_OK", (long)R_OK},
    {"SCHED_BATCH", (long)SCHED_BATCH},
    {"SCHED_FIFO", (long)SCHED_FIFO},
    {"SCHED_IDLE", (long)SCHED_IDLE},
    {"SCHED_OTHER", (long)SCHED_OTHER},
    {"SCHED_RESET_ON_FORK", (long)SCHED_RESET_ON_FORK},
    {"SCHED_RR", (long)SCHED_RR},
    {"SEEK_DATA", (long)SEEK_DATA},
    {"SEEK_HOLE", (long)SEEK_HOLE},
    {"SPLICE_F_MORE", (long)SPLICE_F_MORE},
    {"SPLICE_F_MOVE", (long)SPLICE_F_MOVE},
    {"SPLICE_F_NONBLOCK", (long)SPLICE_F_NONBLOCK},
    {"ST_APPEND", (long)ST_APPEND},
    {"ST_MANDLOCK", (long)ST_MANDLOCK},
    {"ST_NOATIME", (long)ST_NOATIME},
    {"ST_NODEV", (long)ST_NODEV},
    {"ST_NODIRATIME", (long)ST_NODIRATIME},
    {"ST_NOEXEC", (long)ST_NOEXEC},
    {"ST_NOSUID", (long)ST_NOSUID},
    {"ST_RDONLY", (long)ST_RDONLY},
    {"ST_RELATIME", (long)ST_RELATIME},
    {"ST_SYNCHRONOUS", (long)ST_SYNCHRONOUS},
    {"ST_WRITE", (long)ST_WRITE},
    {"TMP_MAX", (long)TMP_MAX},
    {"WCONTINUED", (long)WCONTINUED},
    {"WEXITED", (long)WEXITED},
    {"WNOHANG", (long)WNOHANG},
    {"WNOWAIT", (long)WNOWAIT},
    {"WSTOPPED", (long)WSTOPPED},
    {"WUNTRACED", (long)WUNTRACED},
    {"W_OK", (long)W_OK},
    {"XATTR_CREATE", (long)XATTR_CREATE},
    {"XATTR_REPLACE", (long)XATTR_REPLACE},
    {"XATTR_SIZE_MAX", (long)XATTR_SIZE_MAX},
    {"X_OK", (long)X_OK},
};

int
kr_posix_constants_exec(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        if (PyModule_AddIntConstant(module, constants[i].name,
                                    constants[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}
