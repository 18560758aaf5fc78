/* Callbacks: what happens at the 14 hooks of gt_fit, gt_evaluate and gt_predict.
 *
 *     gt_fit(model, train, .epochs = 100, .validation = test,
 *            .callbacks = gt_callbacks(gt_EarlyStopping(.patience = 3, .restore_best_weights = true),
 *                                      gt_ModelCheckpoint("best.gradtape", .save_best_only = true),
 *                                      gt_CSVLogger("log.csv")));
 *
 * The built-in ones are in train/callbacks/. One of your own is a class with one function, `on`:
 *
 *     static gt_Status good_enough(const gt_CallbackArgs *in)
 *     {
 *         double accuracy;
 *         if (gt_logged(in, "val_accuracy", &accuracy) && accuracy > 0.99)
 *             gt_stop(in);
 *         return gt_status();
 *     }
 *     static const gt_CallbackClass good_enough_class = {.size = sizeof good_enough_class,
 *                                                        .name = "good_enough",
 *                                                        .hooks = GT_HOOK_BIT(GT_HOOK_EPOCH_END),
 *                                                        .on = good_enough};
 *     ... .callbacks = gt_callbacks(gt_callback_new(&good_enough_class, NULL))
 *
 * What a callback remembers from hook to hook is in variables, so checkpoints hold it and a resumed run goes on with it. */
#ifndef GT_TRAIN_CALLBACK_H
#define GT_TRAIN_CALLBACK_H

#include "core/keyword.h"
#include "core/tensor.h"
#include "layers/layer.h"
#include "train/dataset.h"

GT_BEGIN

/* Something that gt_fit, gt_evaluate and gt_predict tell of what they do. */
typedef struct gt_Callback gt_Callback;

/* The hooks, as Keras's: on_train_begin, ... An end is the number after its begin. */
typedef enum gt_Hook {
    GT_HOOK_TRAIN_BEGIN = 0, /* gt_fit, before the first epoch; the model is built */
    GT_HOOK_TRAIN_END = 1,   /* after the last one, not after a failure, nor where .stop interrupted it */
    GT_HOOK_EPOCH_BEGIN = 2,
    GT_HOOK_EPOCH_END = 3, /* after validation; its numbers are logged as val_loss, ... */
    GT_HOOK_TRAIN_BATCH_BEGIN = 4,
    GT_HOOK_TRAIN_BATCH_END = 5, /* what is logged: loss and metrics of the epoch so far */
    GT_HOOK_TEST_BEGIN = 6,      /* gt_evaluate, and the validation of gt_fit */
    GT_HOOK_TEST_END = 7,
    GT_HOOK_TEST_BATCH_BEGIN = 8,
    GT_HOOK_TEST_BATCH_END = 9,
    GT_HOOK_PREDICT_BEGIN = 10, /* gt_predict */
    GT_HOOK_PREDICT_END = 11,
    GT_HOOK_PREDICT_BATCH_BEGIN = 12,
    GT_HOOK_PREDICT_BATCH_END = 13 /* its predictions are `outputs` */
} gt_Hook;
#define GT_HOOK_COUNT     14
#define GT_HOOK_BIT(hook) (1u << (hook))
#define GT_MAX_OUTER      2

/* What a callback is told. */
typedef struct gt_CallbackArgs {
    uint32_t size; /* of this struct */
    gt_Hook hook;
    gt_Callback *callback;
    const void *options;        /* the class's option struct, filled in; NULL: it has none */
    gt_Variable *const *states; /* those of the class in its order, then those that its build added */
    void *memory;               /* as many bytes as the class said */
    gt_Layer *model;
    gt_Dataset *dataset;    /* that of this run: of a validation the validation's */
    int64_t epoch, epochs;  /* from 0, and its number when the last one ends; -1 outside of gt_fit */
    int64_t batch, batches; /* from 0; -1 between batches; of an epoch, -1: not known */
    gt_Tensors outputs;     /* at PREDICT_BATCH_END: the model's */
    bool resumed;           /* gt_fit goes on where another one was: what is remembered stays */
    bool validation;        /* a TEST hook inside gt_fit */
    bool interrupted;       /* at TRAIN_END, of those around the others alone: by .stop, to be resumed later */
    struct gt_CallbackRun *run; /* the library's */
} gt_CallbackArgs;

/* Something that a callback remembers: a float64 variable, one number. */
typedef struct gt_CallbackState {
    const char *name; /* "wait" */
    double initial;
} gt_CallbackState;

/* The class of a callback: its options, what it remembers, and the function that hears of each hook. */
typedef struct gt_CallbackClass {
    uint32_t size;    /* of this struct */
    const char *name; /* "early_stopping"; what files say */
    uint32_t hooks;   /* that it is told of, GT_HOOK_BIT(...) | ...; 0: all of them */
    const gt_OptionType *options;   /* its strings are copied; NULL: none */
    const gt_CallbackState *states; /* ends with a NULL name; NULL: none */
    size_t memory;                  /* bytes for what no file keeps, zeros at first */
    /* Raises what is wrong with the options, when it is made; NULL: nothing can be. */
    gt_Status (*check)(const void *options);
    /* Before its first run with a built model, and before a checkpoint fills it: adds states that depend on the model
     * (gt_callback_add_state). NULL: none. */
    gt_Status (*build)(const gt_CallbackArgs *in);
    /* One of its hooks. What fails ends the run with that error. */
    gt_Status (*on)(const gt_CallbackArgs *in);
    /* When it is freed: what `memory` refers to. NULL: nothing. */
    void (*close)(void *memory);
    /* Around the others: told of a begin before those of a smaller number, and of an end after them; above 0, when the
     * history knows the epoch. For those that save the run: what the others remember is then that of the same moment. */
    int outer;
    const char *function; /* "EarlyStopping": gt_EarlyStopping makes it; NULL: another one */
    const char *keras;    /* the name of Keras's class; NULL: it has none */
    const char *summary;  /* one line for the documentation */
} gt_CallbackClass;

/* ---- for `on` ---- */

/* The number called "loss", "val_accuracy", ... at this hook, as Keras's logs have it. False without an error if there is
 * none. */
#define gt_logged(in, name, value) gt_logged_at(GT_HERE, in, name, value)
GT_API bool gt_logged_at(const char *here, const gt_CallbackArgs *in, const char *name,
                         double *value);
/* How many there are, and the name of each; -1 and "" on failure. */
#define gt_logged_count(in) gt_logged_count_at(GT_HERE, in)
GT_API int gt_logged_count_at(const char *here, const gt_CallbackArgs *in);
#define gt_logged_name(in, index) gt_logged_name_at(GT_HERE, in, index)
GT_API const char *gt_logged_name_at(const char *here, const gt_CallbackArgs *in, int index);
/* Adds a number at EPOCH_END, for the callbacks after this one and for the progress, or changes one; at most 8 new names. */
#define gt_set_logged(in, name, value) gt_set_logged_at(GT_HERE, in, name, value)
GT_API gt_Status gt_set_logged_at(const char *here, const gt_CallbackArgs *in, const char *name,
                                  double value);
/* Ends the run after this batch or epoch, as model.stop_training = True in Keras: the epoch is closed, with its validation
 * and hooks. In a validation it is the training that ends. */
#define gt_stop(in) gt_stop_at(GT_HERE, in)
GT_API gt_Status gt_stop_at(const char *here, const gt_CallbackArgs *in);
/* One more state, in `build`: of that spec, zeros. `name` is copied, and unique in the callback; '/' may be in it. */
#define gt_callback_add_state(callback, name, spec)                                                \
    gt_callback_add_state_at(GT_HERE, callback, name, spec)
GT_API gt_Variable *gt_callback_add_state_at(const char *here, gt_Callback *callback,
                                             const char *name, gt_Spec spec);

/* ---- callbacks ---- */

/* A new callback, floating: gt_fit takes it over, and the model holds it until its next gt_fit with other ones, so that
 * it can be asked afterwards. gt_evaluate and gt_predict take it for their run. Else gt_callback_free, or it is freed with
 * the context. The class must outlive it. */
#define gt_callback_new(...) gt_callback_new_at(GT_HERE, __VA_ARGS__)
GT_API gt_Callback *gt_callback_new_at(const char *here, const gt_CallbackClass *type,
                                       const void *options);
/* Its class, and its options as filled in; NULL on failure. */
#define gt_callback_class(callback) gt_callback_class_at(GT_HERE, callback)
GT_API const gt_CallbackClass *gt_callback_class_at(const char *here, const gt_Callback *callback);
#define gt_callback_options(callback) gt_callback_options_at(GT_HERE, callback)
GT_API const void *gt_callback_options_at(const char *here, const gt_Callback *callback);
/* What it remembers under that name: gt_callback_state(early, "best"). A variable; NULL with an error if there is none. */
#define gt_callback_state(callback, name) gt_callback_state_at(GT_HERE, callback, name)
GT_API gt_Variable *gt_callback_state_at(const char *here, const gt_Callback *callback,
                                         const char *name);
/* All of it, to be saved. */
#define gt_callback_variables(callback) gt_callback_variables_at(GT_HERE, callback)
GT_API gt_Tensors gt_callback_variables_at(const char *here, const gt_Callback *callback);
/* Drops the caller's hold. NULL is ignored. */
GT_API void gt_callback_free(gt_Callback *callback);

/* All built-in classes; count gets how many. Static storage. */
GT_API const gt_CallbackClass *const *gt_callback_classes(int *count);
/* The built-in class of that name, ours ("early_stopping") or Keras's ("EarlyStopping"); NULL without an error if there
 * is none. */
GT_API const gt_CallbackClass *gt_callback_class_find(const char *name);

/* A few callbacks in order: gt_callbacks(a, b). It borrows the array. */
typedef struct gt_Callbacks {
    gt_Callback *const *items;
    int32_t count;
} gt_Callbacks;
/* From an array that ends with GT_LIST_END. */
GT_API gt_Callbacks gt_callbacks_list(gt_Callback *const *items);

GT_END

#ifdef __cplusplus
#include <cstddef>
template <std::size_t N> struct gt_CallbackArray {
    gt_Callback *items[N];
    operator gt_Callbacks() const
    {
        gt_Callbacks list = {items, static_cast<int32_t>(N)};
        return list;
    }
};
/* Lives to the end of the full expression. */
template <class... T> inline gt_CallbackArray<sizeof...(T)> gt_callbacks(T... t)
{
    return gt_CallbackArray<sizeof...(T)>{{t...}};
}
#else
/* gt_callbacks(gt_EarlyStopping(), gt_CSVLogger("log.csv")): lives as long as the block it is written in. */
#define gt_callbacks(...)                                                                          \
    gt_callbacks_list((gt_Callback *const[]){GT_LIST(GT_LIST_END, __VA_ARGS__)})
#endif

#endif
