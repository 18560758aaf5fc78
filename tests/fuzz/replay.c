/* A fuzzer without libFuzzer: gives it the empty input and then every file of the folders named on
 * the command line, as a test that runs with any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    uint8_t *data = size >= 0 ? malloc((size_t)size + (size == 0)) : NULL;
    if (!data || fseek(file, 0, SEEK_SET) != 0 ||
        fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int count, char **words)
{
    const uint8_t nothing = 0;
    int files = 0;
    LLVMFuzzerTestOneInput(&nothing, 0);
    for (int i = 1; i < count; i++) {
        DIR *folder = opendir(words[i]);
        if (!folder) {
            fprintf(stderr, "%s: is not a folder that can be read\n", words[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            char path[4096];
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", words[i], entry->d_name);
            replay_file(path);
            files++;
        }
        closedir(folder);
    }
    printf("%d inputs\n", files);
    return files > 0 || count < 2 ? 0 : 1;
}
