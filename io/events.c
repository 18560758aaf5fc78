/* TensorBoard's event files. The numbers of fields are those of TensorFlow's event.proto, summary.proto, histogram.proto. */
#include "io/events.h"
#include "core/inside.h"
#include "core/text.h"
#include "io/png.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVENT_TIME = 1, EVENT_STEP, EVENT_VERSION, EVENT_GRAPH, EVENT_SUMMARY };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_NUMBER = 2, VALUE_IMAGE = 4, VALUE_HISTOGRAM = 5 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH, IMAGE_CHANNELS, IMAGE_BYTES };
enum { HISTOGRAM_MIN = 1, HISTOGRAM_MAX, HISTOGRAM_COUNT, HISTOGRAM_SUM, HISTOGRAM_SQUARES, HISTOGRAM_LIMITS, HISTOGRAM_BUCKETS };

/* ---- records ---- */

uint32_t gt_masked_crc32c(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

static void put_little(char *into, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        into[i] = (char)(number >> 8 * i);
}

static void add_record(gt_EventFile *file, gt_Proto *event)
{
    gt_Bytes *out = &file->pending;
    size_t size = event->bytes.size;
    if (event->failed || !gt_bytes_reserve(event->context, out, size + 16))
        return; /* raised, and gt_events_flush says so */
    char *at = out->data + out->size;
    put_little(at, size, 8);
    put_little(at + 8, gt_masked_crc32c(at, 8), 4);
    memcpy(at + 12, event->bytes.data, size);
    put_little(at + 12 + size, gt_masked_crc32c(at + 12, size), 4);
    out->size += size + 16;
}

static gt_Proto begin_event(const gt_EventFile *file)
{
    struct timespec now = {0, 0};
    gt_Proto event = {.context = file->summary.context};
    clock_gettime(CLOCK_REALTIME, &now);
    gt_proto_double(&event, EVENT_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    return event;
}

/* ---- the file ---- */

bool gt_events_open(gt_Context *context, gt_EventFile *file, const char *folder)
{
    static atomic_int opened;
    char host[65] = "localhost", words[GT_SYSTEM_TEXT];
    *file = (gt_EventFile){.summary.context = context};
    gethostname(host, sizeof host - 1);
    int n = snprintf(file->path, sizeof file->path, "%s/events.out.tfevents.%lld.%s.%ld.%d", folder,
                     (long long)time(NULL), host, (long)getpid(), atomic_fetch_add(&opened, 1));
    if (n < 0 || (size_t)n >= sizeof file->path) {
        gt_raise(context, GT_IO, NULL, NULL, "%.80s...: the path is too long", folder);
        return false;
    }
    if (gt_make_folders(context, file->path) != GT_OK)
        return false;
    int descriptor = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        gt_raise(context, GT_IO, NULL, NULL, "%s: cannot be created: %s", file->path,
                 gt_system_text(words, errno));
        return false;
    }
    file->descriptor = descriptor + 1;
    gt_Proto event = begin_event(file);
    gt_proto_text(&event, EVENT_VERSION, "brain.Event:2");
    add_record(file, &event);
    gt_proto_release(&event);
    if (gt_events_flush(file) == GT_OK)
        return true;
    unlink(file->path);
    gt_events_close(file);
    return false;
}

gt_Status gt_events_flush(gt_EventFile *file)
{
    gt_Context *context = file->summary.context;
    if (file->descriptor &&
        gt_file_append(context, file->path, file->descriptor - 1, file->pending.data, file->pending.size, NULL))
        file->pending.size = 0;
    return gt_context_status(context);
}

void gt_events_close(gt_EventFile *file)
{
    if (!file->descriptor)
        return;
    close(file->descriptor - 1);
    gt_bytes_release(file->summary.context, &file->pending);
    gt_proto_release(&file->summary);
    *file = (gt_EventFile){0};
}

/* ---- events ---- */

static size_t open_value(gt_EventFile *file, const char *tag)
{
    size_t at = gt_proto_open(&file->summary, SUMMARY_VALUE);
    gt_proto_text(&file->summary, VALUE_TAG, tag);
    return at;
}

void gt_events_number(gt_EventFile *file, const char *tag, double value)
{
    size_t at = open_value(file, tag);
    gt_proto_float(&file->summary, VALUE_NUMBER, (float)value);
    gt_proto_close(&file->summary, at);
}

enum { BINS = 30 };

void gt_events_histogram(gt_EventFile *file, const char *tag, const double *values, int64_t count)
{
    double least = INFINITY, most = -INFINITY, sum = 0, squares = 0, limits[BINS], bins[BINS] = {0};
    int64_t finite = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            least = fmin(least, values[i]);
            most = fmax(most, values[i]);
            sum += values[i];
            squares += values[i] * values[i];
            finite++;
        }
    if (finite == 0)
        least = most = 0;
    double width = most > least ? (most - least) / BINS : 1;
    for (int i = 0; i < BINS; i++)
        limits[i] = least + width * (i + 1);
    for (int64_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            int bin = (int)((values[i] - least) / width);
            bins[bin < BINS ? bin : BINS - 1]++;
        }
    size_t at = open_value(file, tag), in = gt_proto_open(&file->summary, VALUE_HISTOGRAM);
    gt_proto_double(&file->summary, HISTOGRAM_MIN, least);
    gt_proto_double(&file->summary, HISTOGRAM_MAX, most);
    gt_proto_double(&file->summary, HISTOGRAM_COUNT, (double)finite);
    gt_proto_double(&file->summary, HISTOGRAM_SUM, sum);
    gt_proto_double(&file->summary, HISTOGRAM_SQUARES, squares);
    gt_proto_doubles(&file->summary, HISTOGRAM_LIMITS, limits, BINS);
    gt_proto_doubles(&file->summary, HISTOGRAM_BUCKETS, bins, BINS);
    gt_proto_close(&file->summary, in);
    gt_proto_close(&file->summary, at);
}

void gt_events_picture(gt_EventFile *file, const char *tag, const unsigned char *grey, int64_t width,
                       int64_t height)
{
    gt_Bytes png = {0};
    gt_Context *context = file->summary.context;
    if (gt_png_put(context, &png, grey, width, height)) {
        size_t at = open_value(file, tag), in = gt_proto_open(&file->summary, VALUE_IMAGE);
        gt_proto_integer(&file->summary, IMAGE_HEIGHT, height);
        gt_proto_integer(&file->summary, IMAGE_WIDTH, width);
        gt_proto_integer(&file->summary, IMAGE_CHANNELS, 1);
        gt_proto_bytes(&file->summary, IMAGE_BYTES, png.data, png.size);
        gt_proto_close(&file->summary, in);
        gt_proto_close(&file->summary, at);
    }
    gt_bytes_release(context, &png);
}

void gt_events_add(gt_EventFile *file, int64_t step)
{
    gt_Proto event = begin_event(file);
    event.failed |= file->summary.failed;
    gt_proto_integer(&event, EVENT_STEP, step);
    gt_proto_bytes(&event, EVENT_SUMMARY, file->summary.bytes.data, file->summary.bytes.size);
    add_record(file, &event);
    gt_proto_release(&event);
    file->summary.bytes.size = 0;
}

void gt_events_add_graph(gt_EventFile *file, const gt_Proto *graph)
{
    gt_Proto event = begin_event(file);
    event.failed |= graph->failed;
    gt_proto_bytes(&event, EVENT_GRAPH, graph->bytes.data, graph->bytes.size);
    add_record(file, &event);
    gt_proto_release(&event);
}
