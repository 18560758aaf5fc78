/* TensorBoard's event files: records of events, each a message with a time, a step, and numbers, histograms, pictures or a
 * graph. A record is the length of its data, 8 bytes; a check of these; the data; a check of it (tensorflow/core/lib/io/
 * record_writer). The check is CRC-32C, turned by 15 bits and shifted, as there. Private to the library. */
#ifndef GT_IO_EVENTS_H
#define GT_IO_EVENTS_H

#include "io/protobuf.h"

/* An open file of events, and those that are not in it yet. Zeros: not open. */
typedef struct gt_EventFile {
    gt_Proto summary; /* of the event under way */
    gt_Bytes pending; /* records */
    int descriptor;   /* plus 1; 0: not open */
    char path[1024];
} gt_EventFile;

/* A new file events.out.tfevents.TIME.HOST.PROCESS.NUMBER in that folder, which is made. False: the error is raised. */
bool gt_events_open(gt_Context *context, gt_EventFile *file, const char *folder);
/* Parts of the next event. */
void gt_events_number(gt_EventFile *file, const char *tag, double value);
/* All elements: 30 bins of equal width from the smallest to the largest finite one. */
void gt_events_histogram(gt_EventFile *file, const char *tag, const double *values, int64_t count);
/* `grey` as gt_png_put takes it. */
void gt_events_picture(gt_EventFile *file, const char *tag, const unsigned char *grey, int64_t width,
                       int64_t height);
/* The event of that step, with these parts. */
void gt_events_add(gt_EventFile *file, int64_t step);
/* An event of its own: a GraphDef. */
void gt_events_add_graph(gt_EventFile *file, const gt_Proto *graph);
/* What was added is in the file, or the error is raised. */
gt_Status gt_events_flush(gt_EventFile *file);
void gt_events_close(gt_EventFile *file);

/* The check of bytes as records have it. */
uint32_t gt_masked_crc32c(const void *data, size_t size);

#endif
