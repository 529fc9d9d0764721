// A disk on which syncs are slow: preloaded, it sleeps before each fsync and
// fdatasync for as many milliseconds as the file named by SYNC_DELAY_FILE says.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void delay(void) {
    const char *path = getenv("SYNC_DELAY_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    char text[16] = {0};
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    long ms = size > 0 ? atol(text) : 0;
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
    while (ms > 0 && nanosleep(&rest, &rest) != 0) {
    }
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    delay();
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    delay();
    return real(file);
}
