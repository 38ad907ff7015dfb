/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The holder unlinks the file while it has the lock, and who locks looks afterwards whether the
 * file still has its name: so nobody ends up with a lock on a file that others do not see.
 */
#include "collector/bundle/reservation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "common/io.h"

#define NAME_PREFIX HIDDEN_PREFIX "name-"
/*
 * A name that is taken may be free a moment later: its holder ends just then, or a run that tidies up
 * after killed ones has only tried the lock.
 */
#define ATTEMPTS 16
#define PAUSE_NS 5000000 /* between two of them */

int reservation_take(int dirfd, const char *name, struct reservation *ret, struct err *err)
{
    struct reservation reservation = {.dirfd = dirfd, .fd = -1};
    int length = snprintf(reservation.file, sizeof reservation.file, NAME_PREFIX "%s", name);
    for (int i = 0; i < ATTEMPTS && length < NAME_MAX; i++) {
        int fd = openat(dirfd, reservation.file,
                        O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (fd < 0)
            break;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            bool taken = errno == EWOULDBLOCK;
            close(fd);
            if (taken && i + 1 < ATTEMPTS) {
                nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
                continue;
            }
            if (taken)
                return err_set(err, ERR_EXISTS, "another run is writing '%s' at this moment", name);
            unlinkat(dirfd, reservation.file, 0);
            break;
        }
        struct stat status;
        if (fstat(fd, &status) == 0 && status.st_nlink > 0) {
            reservation.fd = fd;
            break;
        }
        close(fd);
    }
    *ret = reservation;
    return 0;
}

void reservation_release(struct reservation *reservation)
{
    if (reservation->fd >= 0)
        unlinkat(reservation->dirfd, reservation->file, 0);
    io_close(&reservation->fd);
}
