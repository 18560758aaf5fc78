/* gt_foreign_operation: an operation from a C function on arrays, and one from its gradient function. foreign_record.h has
 * the order of the steps. Nothing is registered unless everything succeeded. */
#include "ops/foreign/foreign_record.h"
#include "core/inside.h"

#ifdef GT_HAVE_FFI

#include "core/text.h"
#include "ops/kit.h"

#include <dlfcn.h>
#include <string.h>

GT_OPTION_TYPE(gt_foreign_operation_options, gt_foreign_operation_OPTIONS);

static void destroy_foreign(gt_Object *object)
{
    gt_Foreign *self = (gt_Foreign *)object;
    if (self->library)
        dlclose(self->library);
    self->library = NULL;
}

static const gt_ObjectKind foreign_kind = {"operation", destroy_foreign, true};

static gt_Status find_function(const gt_ForeignMaker *maker, gt_Foreign *self,
                               const gt_CFunction *function, void *library, const char *path)
{
    self->function = function->address;
    if (self->function)
        return GT_OK;
    if (!function->symbol)
        return gt_foreign_wrong(maker, "the function is NULL");
    if (!library)
        return gt_foreign_wrong(
            maker,
            "the function %.80s is to be found in a library; which one, .library, is "
            "not given",
            function->symbol);
    void *address = dlsym(library, function->symbol);
    if (!address)
        return gt_raise(maker->context, GT_IO, maker->here, maker->name,
                        "no function %.80s in %.200s", function->symbol, path);
    memcpy(&self->function, &address, sizeof address);
    return GT_OK;
}

static gt_Status prepare_call(const gt_ForeignMaker *maker, gt_Foreign *self)
{
    const gt_Signature *signature = &self->signature;
    for (int p = 0; p < signature->parameters; p++)
        self->type[p] = signature->parameter[p].array ? &ffi_type_pointer
                                                      : gt_ffi_type(signature->parameter[p].type);
    if (ffi_prep_cif(&self->cif, FFI_DEFAULT_ABI, (unsigned)signature->parameters,
                     gt_ffi_type(signature->result), self->type) == FFI_OK)
        return GT_OK;
    return gt_raise(maker->context, GT_UNSUPPORTED, maker->here, maker->name,
                    "libffi cannot call a function of this type");
}

static void fill_record(gt_Foreign *self)
{
    gt_Operation *operation = &self->custom.operation;
    operation->options = gt_foreign_call_options;
    operation->inputs_min = operation->inputs_max = (uint8_t)self->inputs;
    operation->outputs = (uint8_t)self->outputs;
    operation->shape = gt_foreign_shape_rule;
    operation->run = gt_foreign_run;
}

static gt_Foreign *make_gradient(const gt_ForeignMaker *maker, gt_Foreign *forward,
                                 const char *name, const gt_foreign_operation_options *options)
{
    gt_Foreign *self = gt_custom_new(maker->context, maker->here, maker->name, &foreign_kind,
                                     sizeof *self, name, "_gradient");
    if (!self)
        return NULL;
    if (gt_foreign_read(maker, &self->signature, options->gradient.signature) == GT_OK &&
        gt_foreign_understand_gradient(maker, self, forward) == GT_OK &&
        find_function(maker, self, &options->gradient, forward->library, options->library) ==
            GT_OK &&
        prepare_call(maker, self) == GT_OK) {
        fill_record(self);
        self->custom.operation.flags = GT_OP_NOT_DIFFERENTIABLE;
        self->custom.operation.why_not =
            "it is a gradient function in C; a rule written with operations can be differentiated";
        return self;
    }
    gt_object_release(&self->custom.object);
    return NULL;
}

static gt_Status make_forward(const gt_ForeignMaker *maker, gt_Foreign *self,
                              const gt_foreign_operation_options *options)
{
    gt_Operation *operation = &self->custom.operation;
    self->shape = options->shape;
    operation->samples = options->samples;
    if (gt_foreign_read(maker, &self->signature, options->function.signature) != GT_OK ||
        gt_foreign_assign_roles(maker, self) != GT_OK ||
        gt_foreign_check_bounds(maker, self) != GT_OK)
        return gt_status();
    if (options->library && !(self->library = dlopen(options->library, RTLD_NOW | RTLD_LOCAL))) {
        gt_PlainLocale locale = gt_plain_locale_enter();
        const char *why = dlerror();
        gt_raise(maker->context, GT_IO, maker->here, maker->name,
                 "the library cannot be opened: %.300s", why ? why : options->library);
        gt_plain_locale_leave(locale);
        return gt_status();
    }
    if (find_function(maker, self, &options->function, self->library, options->library) != GT_OK ||
        prepare_call(maker, self) != GT_OK)
        return gt_status();
    fill_record(self);
    if (options->rule) {
        operation->gradient = options->rule;
        operation->saves_inputs =
            options->saves_inputs & (self->inputs < 64 ? (UINT64_C(1) << self->inputs) - 1 : ~0ull);
        operation->saves_outputs = options->saves_outputs & ((UINT32_C(1) << self->outputs) - 1);
    } else if (options->gradient.address || options->gradient.symbol) {
        operation->gradient = gt_foreign_gradient_rule;
    } else {
        operation->flags = GT_OP_NOT_DIFFERENTIABLE;
        operation->why_not = "it was made from a C function without a gradient";
    }
    return GT_OK;
}

const gt_Operation *gt_foreign_operation_at(const char *here, const char *name,
                                            const gt_foreign_operation_options *given)
{
    gt_Context *context = gt_enter();
    if (!context)
        return NULL;
    gt_foreign_operation_options options;
    GT_TAKE(gt_foreign_operation_options, &options, given);
    gt_Foreign *self =
        gt_custom_new(context, here, "foreign_operation", &foreign_kind, sizeof *self, name, "");
    if (!self)
        return NULL;
    gt_ForeignMaker maker = {context, here, self->custom.name};
    if (make_forward(&maker, self, &options) == GT_OK &&
        self->custom.operation.gradient == gt_foreign_gradient_rule)
        self->gradient = make_gradient(&maker, self, name, &options);
    if (gt_context_status(context) == GT_OK)
        return gt_custom_register(context, self->gradient ? 2 : 1,
                                  (gt_Custom *[]){&self->custom, (gt_Custom *)self->gradient});
    gt_object_release(&self->custom.object);
    return NULL;
}

#else

const gt_Operation *gt_foreign_operation_at(const char *here, const char *name,
                                            const gt_foreign_operation_options *given)
{
    (void)given;
    gt_Context *context = gt_enter();
    if (context)
        gt_raise(context, GT_UNSUPPORTED, here, "foreign_operation",
                 "%.80s: this build has no libffi, which calls C functions; "
                 "gt_elementwise_operation and gt_register_operation need none",
                 name ? name : "NULL");
    return NULL;
}

#endif
