/* Protocol-buffer messages, written by hand: the wire format (protobuf.dev, "Encoding") is tags, varints, fixed numbers and
 * bytes with their length. Private to the library.
 *
 *     size_t at = gt_proto_open(&out, 5);      field 5, a message:
 *     gt_proto_text(&out, 1, "loss");              its field 1
 *     gt_proto_close(&out, at); */
#ifndef GT_IO_PROTOBUF_H
#define GT_IO_PROTOBUF_H

#include "io/file.h"

/* A message that grows. After a failure, which is raised, nothing more is added. */
typedef struct gt_Proto {
    gt_Context *context;
    gt_Bytes bytes;
    bool failed;
} gt_Proto;

void gt_proto_integer(gt_Proto *out, int field, int64_t value); /* int32, int64, bool, enum */
void gt_proto_double(gt_Proto *out, int field, double value);
void gt_proto_float(gt_Proto *out, int field, float value);
void gt_proto_bytes(gt_Proto *out, int field, const void *data, size_t size);
void gt_proto_text(gt_Proto *out, int field, const char *text);
/* repeated double, packed */
void gt_proto_doubles(gt_Proto *out, int field, const double *values, int64_t count);
/* A message as a field: where it begins, for its end. */
size_t gt_proto_open(gt_Proto *out, int field);
void gt_proto_close(gt_Proto *out, size_t at);
void gt_proto_release(gt_Proto *out);

#endif
