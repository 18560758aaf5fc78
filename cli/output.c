/* Files that the command writes by itself. As the library's they are written under another name and renamed, so that a full disk
 * leaves the old one. */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_SPARED 16

static const char *spared[MOST_SPARED];
static int spared_count;

void output_spares(const char *path)
{
    if (path && spared_count < MOST_SPARED)
        spared[spared_count++] = path;
}

/* The same name, or another one of the same file. A terminal may be read and written. */
static bool is_same(const char *a, const char *b)
{
    struct stat x, y;
    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
                                 x.st_ino == y.st_ino);
}

bool output_free(const char *path)
{
    char folder[1024] = ".";
    struct stat old;
    const char *slash = strrchr(path, '/');
    if (!*path)
        return fail("the name of an output is empty"), false;
    if (strcmp(path, "-") == 0)
        return fail("-: standard output cannot have it; ./- is a file of that name"), false;
    for (int i = 0; i < spared_count; i++)
        if (is_same(path, spared[i]))
            return fail("%s: the output would replace what is read, or another output", path), false;
    bool exists = stat(path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode))
        return fail("%s: cannot be made: it is a folder", path), false;
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash == path ? 1 : slash - path), path);
    if (access(exists && !S_ISREG(old.st_mode) ? path : folder, W_OK) == 0)
        return true;
    return fail("%s: cannot be made: %s: %s", path, folder, strerror(errno)), false;
}

/* A new file beside it, with the permissions that it has or that a new one gets. */
static FILE *open_temporary(Output *output, const struct stat *old)
{
    int n = snprintf(output->temporary, sizeof output->temporary, "%s.XXXXXX", output->path);
    errno = ENAMETOOLONG;
    int descriptor =
        n > 0 && (size_t)n < sizeof output->temporary ? mkstemp(output->temporary) : -1;
    if (descriptor < 0)
        return NULL;
    mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, old ? old->st_mode & 0777 : 0666 & ~mask);
    return fdopen(descriptor, "w");
}

bool output_open(Output *output, const char *path)
{
    struct stat old;
    *output = (Output){.file = stdout, .path = path};
    if (!path || strcmp(path, "-") == 0) {
        output->path = NULL;
        return true;
    }
    if (!output_free(path))
        return false;
    bool exists = stat(path, &old) == 0;
    output->file = exists && !S_ISREG(old.st_mode) ? fopen(path, "w")
                                                   : open_temporary(output, exists ? &old : NULL);
    if (!output->file)
        fail("%s: cannot be made: %s", path, strerror(errno));
    return output->file != NULL;
}

int output_close(Output *output)
{
    const char *path = output->path;
    int status = finish_output(output->file, path ? path : "standard output");
    if (!path)
        return status;
    if (fclose(output->file) != 0 && status == EXIT_SUCCESS)
        status = fail("%s: cannot be written: %s", path, strerror(errno));
    if (!output->temporary[0])
        return status;
    if (status == EXIT_SUCCESS && rename(output->temporary, path) != 0)
        status = fail("%s: cannot be put in place: %s", path, strerror(errno));
    if (status != EXIT_SUCCESS)
        unlink(output->temporary);
    return status;
}
