/* A picture: texts that were written, and their way into a file. */
#include "pictures/svg.h"

#include <string.h>

GT_OPTION_TYPE(gt_picture_text_options, gt_picture_text_OPTIONS);

struct gt_Picture {
    gt_Object object;
    gt_Bytes svg, dot;
};

static void destroy_picture(gt_Object *object)
{
    gt_Picture *self = (gt_Picture *)object;
    gt_bytes_release(object->context, &self->svg);
    gt_bytes_release(object->context, &self->dot);
}

static const gt_ObjectKind picture_kind = {"picture", destroy_picture, false};

gt_Picture *gt_picture_new(gt_Context *context, gt_Bytes *svg, gt_Bytes *dot)
{
    gt_Picture *self = NULL;
    if (gt_context_status(context) == GT_OK)
        self = gt_object_new(context, &picture_kind, sizeof *self);
    if (self) {
        self->svg = *svg;
        self->dot = *dot;
    } else {
        gt_bytes_release(context, svg);
        gt_bytes_release(context, dot);
    }
    *svg = *dot = (gt_Bytes){0};
    return self;
}

/* The text of that format; NULL with an error raised if there is none. */
static const gt_Bytes *text_of(const gt_Picture *self, const char *here, const char *operation,
                               gt_PictureFormat format)
{
    if (format == GT_PICTURE_FORMAT_SVG)
        return &self->svg;
    if (format == GT_PICTURE_FORMAT_DOT && self->dot.data)
        return &self->dot;
    gt_raise(self->object.context, GT_INVALID, here, operation,
             format == GT_PICTURE_FORMAT_DOT
                 ? "only pictures of models and functions have DOT; this one has SVG"
                 : "unknown format %d",
             (int)format);
    return NULL;
}

const char *gt_picture_text_at(const char *here, const gt_Picture *self,
                               const gt_picture_text_options *given)
{
    static const char operation[] = "picture_text";
    gt_Context *context = gt_enter();
    if (!context || !gt_object_check(context, here, operation, self, &picture_kind))
        return "";
    gt_picture_text_options options;
    GT_TAKE(gt_picture_text_options, &options, given);
    const gt_Bytes *text = text_of(self, here, operation, options.format);
    return text ? text->data : "";
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static void write_text(gt_Context *context, const gt_Bytes *text, const char *path)
{
    gt_FileWriter writer;
    if (gt_file_create(context, &writer, path) && gt_file_write(&writer, text->data, text->size))
        gt_file_commit(&writer);
    gt_file_discard(&writer);
}

static void save(gt_Picture *self, const char *here, const char *path)
{
    static const char operation[] = "save_picture";
    gt_Context *context = self->object.context;
    const bool dot = path && (ends_with(path, ".dot") || ends_with(path, ".gv"));
    if (!path || (!dot && !ends_with(path, ".svg"))) {
        gt_raise(context, GT_INVALID, here, operation,
                 "the path must end with .svg, .dot or .gv (got \"%s\")", path ? path : "(NULL)");
        return;
    }
    const gt_Bytes *text =
        text_of(self, here, operation, dot ? GT_PICTURE_FORMAT_DOT : GT_PICTURE_FORMAT_SVG);
    gt_Site site = gt_site_enter(here, operation);
    if (text)
        write_text(context, text, path);
    gt_site_leave(&site);
}

gt_Status gt_save_picture_at(const char *here, gt_Picture *self, const char *path)
{
    gt_Context *context = gt_enter();
    if (context && gt_object_check(context, here, "save_picture", self, &picture_kind))
        save(self, here, path);
    gt_object_free("save_picture", self, &picture_kind);
    return gt_status();
}

void gt_picture_free(gt_Picture *picture)
{
    gt_object_free("picture_free", picture, &picture_kind);
}
