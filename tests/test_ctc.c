/* Connectionist temporal classification: losses and derivatives of tests/oracle/ctc.safetensors
 * (made by make_ctc.py), the sum over all alignments written out, edges, threads, bad input. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- against JAX ---- */

static gt_TensorFile *open_oracle(void)
{
    char path[1024];
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/oracle/ctc.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert_not_null(file, "%s", gt_error_message());
    return file;
}

static gt_Tensor *part(const gt_TensorFile *file, const char *name, const char *what)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%s", name, what);
    gt_Tensor *tensor = gt_tensor_file_load_named(file, full);
    cr_assert(tensor, "%s", gt_error_message());
    return tensor;
}

static void near(const char *name, const char *what, gt_Tensor *got, gt_Tensor *expected,
                 double tolerance)
{
    cr_assert(got, "%s, %s: %s", name, what, gt_error_message());
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)), "%s, %s", name,
              what);
    for (int64_t i = 0; i < gt_size(got); i++)
        cr_assert(fabs(gt_element(got, i) - gt_element(expected, i)) <=
                      tolerance * fmax(1, fabs(gt_element(expected, i))),
                  "%s, %s: %.12g at %d, not %.12g", name, what, gt_element(got, i), (int)i,
                  gt_element(expected, i));
}

static void replay(const gt_TensorFile *file, const char *name, gt_DType dtype, gt_DType whole,
                   double tolerance)
{
    gt_Tape *outer = gt_tape_begin(), *inner = gt_tape_begin();
    gt_Tensor *x = gt_cast(part(file, name, "output"), dtype);
    gt_watch(outer, x);
    gt_watch(inner, x);
    gt_Tensor *loss = gt_ctc_loss(gt_cast(part(file, name, "target"), whole), x,
                                  gt_cast(part(file, name, "target_length"), whole),
                                  gt_cast(part(file, name, "output_length"), whole),
                                  .mask_index = (int64_t)gt_item(part(file, name, "mask")));
    near(name, "loss", loss, part(file, name, "loss"), tolerance);
    gt_Tensor *total = gt_sum(gt_multiply(loss, gt_cast(part(file, name, "up"), dtype)));
    gt_Tensor *g = gt_gradient(inner, total, x);
    near(name, "gradient", g, part(file, name, "gradient"), tolerance);
    gt_tape_end(inner);
    gt_Tensor *along = gt_sum(gt_multiply(g, gt_cast(part(file, name, "direction"), dtype)));
    near(name, "second", gt_gradient(outer, along, x), part(file, name, "second"), tolerance);
    gt_tape_end(outer);
}

Test(ctc, oracle)
{
    static const char *const names[] = {"plain", "repeats",   "lengths", "tight",
                                        "mask",  "mask_last", "long"};
    gt_TensorFile *file = open_oracle();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        replay(file, names[i], GT_FLOAT64, GT_INT32, 1e-10);
        replay(file, names[i], GT_FLOAT64, GT_INT64, 1e-10);
        replay(file, names[i], GT_FLOAT32, GT_UINT8, 1e-3);
    }
    fprintf(stderr, "%s\n", gt_tensor_file_metadata(file, "source"));
    gt_tensor_file_free(file);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- against all alignments ---- */

enum { STEPS = 5, CLASSES = 3, LABELS = 3 };

/* Of one sample: -log of the sum over all CLASSES^steps alignments that give the labels. */
static double by_definition(const double *logits, int steps, const int32_t *labels, int length,
                            int blank)
{
    int count = 1;
    double sum = 0;
    for (int t = 0; t < steps; t++)
        count *= CLASSES;
    for (int code = 0; code < count; code++) {
        int before = -1, written = 0, rest = code;
        double p = 1;
        bool same = true;
        for (int t = 0; t < steps; t++, rest /= CLASSES) {
            int class = rest % CLASSES;
            double all = 0;
            for (int c = 0; c < CLASSES; c++)
                all += exp(logits[t * CLASSES + c]);
            p *= exp(logits[t * CLASSES + class]) / all;
            if (class != before && class != blank) {
                same = same && written < length && labels[written] == class;
                written++;
            }
            before = class;
        }
        sum += same && written == length ? p : 0;
    }
    return -log(sum);
}

Test(ctc, all_alignments)
{
    enum { ALL = 1 + 2 + 4 + 8 };
    int compared = 0, impossible = 0;
    for (int blank = 0; blank < CLASSES; blank++)
        for (int steps = 0; steps <= STEPS; steps++) {
            gt_Tape *tape = gt_tape_begin();
            double logits[ALL * STEPS * CLASSES];
            int32_t labels[ALL * LABELS] = {0}, lengths[ALL], all_steps[ALL];
            int row = 0;
            for (int length = 0; length <= LABELS; length++)
                for (int code = 0; code < 1 << length; code++, row++) {
                    lengths[row] = length;
                    all_steps[row] = steps;
                    for (int k = 0; k < LABELS; k++) /* what is beyond the length may be anything */
                        labels[row * LABELS + k] =
                            k < length ? (blank + 1 + (code >> k & 1)) % CLASSES : -7;
                }
            for (int i = 0; i < ALL * STEPS * CLASSES; i++) {
                int t = i / CLASSES % STEPS;
                logits[i] = t < steps ? 2 * sin(1.3 * i + blank) : t % 2 ? NAN : INFINITY;
            }
            gt_Tensor *x = gt_from_values_at(NULL, gt_shape(ALL, STEPS, CLASSES), GT_FLOAT64,
                                             ALL * STEPS * CLASSES, logits);
            gt_watch(tape, x);
            gt_Tensor *loss =
                gt_ctc_loss(gt_from_data(labels, gt_shape(ALL, LABELS), GT_INT32), x,
                            gt_from_data(lengths, gt_shape(ALL), GT_INT32),
                            gt_from_data(all_steps, gt_shape(ALL), GT_INT32), .mask_index = blank);
            gt_Tensor *g = gt_gradient(tape, gt_sum(loss), x);
            cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
            for (int r = 0; r < ALL; r++, compared++) {
                double *own = logits + r * STEPS * CLASSES;
                double expected = by_definition(own, steps, labels + r * LABELS, lengths[r], blank);
                double got = gt_element(loss, r);
                cr_assert(got == expected || fabs(got - expected) < 1e-12, "%.12g, not %.12g", got,
                          expected);
                for (int i = 0; i < STEPS * CLASSES; i++) {
                    double slope = gt_element(g, r * STEPS * CLASSES + i), at = own[i], side[2];
                    if (isinf(expected) || i >= steps * CLASSES) {
                        cr_assert(slope == 0);
                        continue;
                    }
                    for (int k = 0; k < 2; k++) {
                        own[i] = at + (k ? -1e-5 : 1e-5);
                        side[k] = by_definition(own, steps, labels + r * LABELS, lengths[r], blank);
                    }
                    own[i] = at;
                    cr_assert(fabs(slope - (side[0] - side[1]) / 2e-5) < 1e-8);
                }
                impossible += isinf(expected);
            }
            gt_tape_end(tape);
        }
    cr_assert(compared == 3 * 6 * ALL && impossible > 0);
}

/* ---- decoding, against Keras ---- */

#define BEAM .strategy = GT_CTC_STRATEGY_BEAM_SEARCH
#define DECODINGS(F)                                                                               \
    F(greedy, gt_ctc_decode(x, n))                                                                 \
    F(greedy_repeated, gt_ctc_decode(x, n, .merge_repeated = false))                               \
    F(greedy_mask, gt_ctc_decode(x, n, .mask_index = 2))                                           \
    F(beam, gt_ctc_decode(x, n, BEAM))                                                             \
    F(beam_top, gt_ctc_decode(x, n, BEAM, .beam_width = 50, .top_paths = 4))                       \
    F(beam_mask, gt_ctc_decode(x, n, BEAM, .beam_width = 60, .top_paths = 3, .mask_index = -1))    \
    F(beam_narrow, gt_ctc_decode(x, n, BEAM, .beam_width = 4, .top_paths = 4))                     \
    F(beam_one, gt_ctc_decode(x, n, BEAM, .beam_width = 1))                                        \
    F(beam_large, gt_ctc_decode(x, n, BEAM, .top_paths = 5))

static void decoded(const gt_TensorFile *file, const char *name, gt_CtcDecoded got)
{
    near(name, "labels", got.labels, part(file, name, "labels"), 0);
    near(name, "scores", got.scores, part(file, name, "scores"), 1e-5);
}

Test(ctc, decoding)
{
    gt_TensorFile *file = open_oracle();
#define REPLAY(name, call)                                                                         \
    for (int i = 0; i < 2; i++) {                                                                  \
        gt_Tensor *x =                                                                             \
            gt_cast(part(file, "decode_" #name, "output"), i ? GT_FLOAT64 : GT_FLOAT32);           \
        gt_Tensor *n = part(file, "decode_" #name, "output_length");                               \
        decoded(file, "decode_" #name, call);                                                      \
    }
    DECODINGS(REPLAY)
    gt_tensor_file_free(file);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* A beam that holds all there is finds all labels that are possible, with the score that gt_ctc_loss
 * gives them. */
Test(ctc, decoding_everything)
{
    enum { ALL = 64, TIME = 4 };
    double logits[TIME * CLASSES], total = 0;
    for (int i = 0; i < TIME * CLASSES; i++)
        logits[i] = 1.5 * cos(2.3 * i * i);
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x =
        gt_from_values_at(NULL, gt_shape(1, TIME, CLASSES), GT_FLOAT64, TIME * CLASSES, logits);
    gt_Tensor *time = gt_full(gt_shape(1), TIME, .dtype = GT_INT32);
    gt_CtcDecoded found = gt_ctc_decode(x, time, BEAM, .beam_width = ALL, .top_paths = ALL);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    int paths = 0;
    for (; paths < ALL && gt_element(found.scores, paths) > -INFINITY; paths++) {
        gt_Tensor *labels = gt_reshape(
            gt_slice(found.labels, gt_shape(paths, 0, 0), gt_shape(1, -1, -1)), gt_shape(1, TIME));
        gt_Tensor *length = gt_sum(gt_cast(gt_greater_equal(labels, 0), GT_INT32), .axis = 1);
        double loss = gt_item(gt_ctc_loss(labels, x, length, time));
        cr_assert(fabs(loss + gt_element(found.scores, paths)) < 1e-12, "%s", gt_error_message());
        cr_assert(paths == 0 ||
                  gt_element(found.scores, paths) <= gt_element(found.scores, paths - 1));
        total += exp(-loss);
    }
    /* with n labels and r equal neighbours, n + r <= 4: 1 + 2 + 4 + 6 + 2 */
    cr_assert(fabs(total - 1) < 1e-12 && paths == 15, "%d paths have %.12g", paths, total);
    for (; paths < ALL; paths++)
        for (int t = 0; t < TIME; t++)
            cr_assert(gt_element(found.labels, paths * TIME + t) == -1);
    gt_scope_end(scope);
}

/* ---- any number of threads, in a plan, to the third order ---- */

enum { BATCH = 11, LONG = 70, MANY = 9, MOST_LABELS = 20 };

static gt_Status losses(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    (void)context;
    gt_Tape *tape = gt_tape_begin();
    gt_watch(tape, in[1]);
    out[0] = gt_ctc_loss(in[0], in[1], in[2], in[3]);
    out[1] = gt_keep(gt_gradient(tape, gt_sum(out[0]), in[1]));
    gt_keep(out[0]);
    return gt_tape_end(tape);
}

static void big_batch(gt_Tensor *in[4], gt_DType dtype)
{
    static double logits[BATCH * LONG * MANY];
    int32_t labels[BATCH * MOST_LABELS], lengths[BATCH], steps[BATCH];
    for (int i = 0; i < BATCH * LONG * MANY; i++)
        logits[i] = 3 * sin(0.7 * i * i + 0.1);
    for (int i = 0; i < BATCH * MOST_LABELS; i++)
        labels[i] = 1 + i * i / 3 % (MANY - 1);
    for (int i = 0; i < BATCH; i++) {
        lengths[i] = i % 2 ? MOST_LABELS : i;
        steps[i] = LONG - i;
    }
    in[0] = gt_from_data(labels, gt_shape(BATCH, MOST_LABELS), GT_INT32);
    in[1] =
        gt_from_values_at(NULL, gt_shape(BATCH, LONG, MANY), dtype, BATCH * LONG * MANY, logits);
    in[2] = gt_from_data(lengths, gt_shape(BATCH), GT_INT32);
    in[3] = gt_from_data(steps, gt_shape(BATCH), GT_INT32);
}

static void same_bits(gt_Tensor *const *a, gt_Tensor *const *b, const char *what)
{
    for (int k = 0; k < 2; k++)
        cr_assert(memcmp(gt_data(a[k]), gt_data(b[k]),
                         (size_t)gt_size(a[k]) * gt_dtype_size(gt_dtype(a[k]))) == 0,
                  "%s: output %d has other bits", what, k);
}

Test(ctc, same_bits)
{
    const gt_DType types[] = {GT_FLOAT32, GT_FLOAT64};
    for (int i = 0; i < 2; i++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *in[4], *one[2], *other[2];
        big_batch(in, types[i]);
        cr_assert(losses(NULL, in, one) == GT_OK, "%s", gt_error_message());
        cr_assert(gt_set_threads(3) == GT_OK);
        losses(NULL, in, other);
        same_bits(one, other, "three threads");
        cr_assert(gt_set_threads(1) == GT_OK);
        gt_Function *function = gt_function(losses, NULL, .outputs = 2);
        for (int round = 0; round < 3; round++)
            gt_function_call(function, ((gt_Tensors){in, 4}), other);
        cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
        same_bits(one, other, "a plan");
        gt_function_free(function);
        for (int r = 0; r < BATCH; r++) { /* a sample by itself */
            gt_Tensor *alone[4], *lone[2];
            for (int k = 0; k < 4; k++)
                alone[k] = gt_take(in[k], gt_full(gt_shape(1), r, .dtype = GT_INT32), .axis = 0);
            losses(NULL, alone, lone);
            cr_assert(gt_element(lone[0], 0) == gt_element(one[0], r), "%s", gt_error_message());
        }
        gt_scope_end(scope);
    }
    gt_context_free(NULL);
    assert_no_leaks();
}

static double third(const double *logits, double *gradient)
{
    gt_Tape *tape[3];
    for (int k = 0; k < 3; k++)
        tape[k] = gt_tape_begin();
    gt_Tensor *x = gt_from_values_at(NULL, gt_shape(1, 4, 3), GT_FLOAT64, 12, logits);
    for (int k = 0; k < 3; k++)
        gt_watch(tape[k], x);
    int32_t labels[2] = {1, 1}, length = 2, steps = 4;
    gt_Tensor *y = gt_ctc_loss(gt_from_data(labels, gt_shape(1, 2), GT_INT32), x,
                               gt_from_data(&length, gt_shape(1), GT_INT32),
                               gt_from_data(&steps, gt_shape(1), GT_INT32));
    gt_Tensor *weights =
        gt_sin(gt_reshape(gt_arange(0, 12, 1, .dtype = GT_FLOAT64), gt_shape(1, 4, 3)));
    for (int k = 2; k > 0; k--) {
        y = gt_multiply(gt_gradient(tape[k], gt_sum(y), x), weights);
        gt_tape_end(tape[k]);
    }
    gt_Tensor *value = gt_sum(y), *g = gt_gradient(tape[0], value, x);
    for (int i = 0; gradient && i < 12; i++)
        gradient[i] = gt_element(g, i);
    double at = gt_item(value);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    gt_tape_end(tape[0]);
    return at;
}

Test(ctc, third_order)
{
    double logits[12], gradient[12];
    for (int i = 0; i < 12; i++)
        logits[i] = cos(1.1 * i);
    third(logits, gradient);
    for (int i = 0; i < 12; i++) {
        double at = logits[i];
        logits[i] = at + 1e-5;
        double up = third(logits, NULL);
        logits[i] = at - 1e-5;
        double down = third(logits, NULL);
        logits[i] = at;
        cr_assert(fabs(gradient[i] - (up - down) / 2e-5) < 1e-8);
    }
}

/* ---- edges and bad input ---- */

static gt_Tensor *whole(gt_Shape shape, int32_t a, int32_t b)
{
    return gt_from_values_at(NULL, shape, GT_INT32, 2, (const double[]){a, b});
}

Test(ctc, edges)
{
    gt_Tape *tape = gt_tape_begin(.persistent = true);
    gt_Tensor *zeros = whole(gt_shape(2), 0, 0), *labels = whole(gt_shape(2, 1), 1, 2);
    gt_Tensor *x = gt_zeros(gt_shape(2, 3, 3)), *none = gt_zeros(gt_shape(2, 0, 3));
    gt_watch(tape, x);
    /* no label possible in no time; nothing in no time; blanks alone; no labels at all */
    gt_Tensor *loss = gt_ctc_loss(labels, none, whole(gt_shape(2), 1, 0), zeros);
    cr_assert(gt_element(loss, 0) == INFINITY && gt_element(loss, 1) == 0, "%s",
              gt_error_message());
    loss = gt_ctc_loss(labels, x, zeros, whole(gt_shape(2), 3, 1));
    cr_assert(fabs(gt_element(loss, 0) - 3 * log(3)) < 1e-6 &&
              fabs(gt_element(loss, 1) - log(3)) < 1e-6);
    loss = gt_ctc_loss(gt_zeros(gt_shape(2, 0), .dtype = GT_INT64), x, zeros,
                       whole(gt_shape(2), 3, 0));
    cr_assert(fabs(gt_element(loss, 0) - 3 * log(3)) < 1e-6 && gt_element(loss, 1) == 0);
    gt_Tensor *g = gt_gradient(tape, gt_sum(loss), x);
    for (int i = 0; i < 9; i++)
        cr_assert(fabs(gt_element(g, i) - (i % 3 ? 1.0 / 3 : -2.0 / 3)) < 1e-6 &&
                  gt_element(g, 9 + i) == 0);
    /* a class that is impossible is as good as none, and so are labels of it */
    gt_Tensor *two = gt_array64(gt_shape(1, 3, 2), 0.3, 1, -0.5, 0.2, 0, 0.7);
    gt_Tensor *three = gt_array64(gt_shape(1, 3, 3), 0.3, 1, (double)-INFINITY, -0.5, 0.2,
                                  (double)-INFINITY, 0, 0.7, (double)-INFINITY);
    gt_Tensor *length = gt_full(gt_shape(1), 1, .dtype = GT_INT32), *time = gt_multiply(length, 3);
    gt_Tensor *label = gt_full(gt_shape(1, 1), 1, .dtype = GT_INT32);
    gt_watch(tape, two);
    gt_watch(tape, three);
    gt_Tensor *both =
        gt_add(gt_ctc_loss(label, two, length, time), gt_ctc_loss(label, three, length, time));
    gt_Tensor *never = gt_ctc_loss(gt_multiply(label, 2), three, length, time);
    cr_assert(gt_item(never) == INFINITY, "%s", gt_error_message());
    gt_Tensor *sources[2] = {two, three}, *slopes[2];
    gt_gradients(tape, gt_tensors(gt_add(both, never)), ((gt_Tensors){sources, 2}), slopes);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    for (int i = 0; i < 9; i++)
        cr_assert(i % 3 == 2 ? gt_element(slopes[1], i) == 0
                             : fabs(gt_element(slopes[1], i) -
                                    gt_element(slopes[0], i / 3 * 2 + i % 3)) < 1e-15);
    /* nobody */
    gt_Tensor *nobody = gt_zeros(gt_shape(0), .dtype = GT_INT32);
    loss = gt_ctc_loss(gt_zeros(gt_shape(0, 4), .dtype = GT_INT32), gt_zeros(gt_shape(0, 5, 3)),
                       nobody, nobody);
    cr_assert(gt_shape_equal(gt_tensor_shape(loss), gt_shape(0)), "%s", gt_error_message());
    gt_tape_end(tape);
}

#define REFUSES(expression, text)                                                                  \
    do {                                                                                           \
        cr_assert(!(expression), "%s was taken", #expression);                                     \
        cr_assert(gt_status() == GT_INVALID && strstr(gt_error_message(), text), "%s: %s",         \
                  #expression, gt_error_message());                                                \
        gt_error_clear();                                                                          \
    } while (0)

Test(ctc, errors)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *y = whole(gt_shape(2, 1), 1, 2), *x = gt_zeros(gt_shape(2, 3, 4));
    gt_Tensor *one = whole(gt_shape(2), 1, 1), *three = whole(gt_shape(2), 3, 3);
    REFUSES(gt_ctc_loss(whole(gt_shape(2, 1), 1, 4), x, one, three),
            "ctc_loss: ctc_states: labels must be in [0, 4) and not the mask_index, 0 (got 4, "
            "label 0 of row 1)");
    REFUSES(gt_ctc_loss(whole(gt_shape(2, 1), -1, 1), x, one, three), "(got -1, label 0 of row 0)");
    REFUSES(gt_ctc_loss(whole(gt_shape(2, 1), 1, 0), x, one, three), "(got 0, label 0 of row 1)");
    REFUSES(gt_ctc_loss(y, x, one, three, .mask_index = 2),
            "not the mask_index, 2 (got 2, label 0 of row 1)");
    REFUSES(gt_ctc_loss(y, x, one, three, .mask_index = 4),
            "mask_index must be one of 4 classes (got 4)");
    REFUSES(gt_ctc_loss(y, x, one, three, .mask_index = -5), "(got -5)");
    REFUSES(gt_ctc_loss(y, x, whole(gt_shape(2), 1, 2), three),
            "target_length of row 1 must be in [0, 1] (got 2)");
    REFUSES(gt_ctc_loss(y, x, whole(gt_shape(2), -1, 1), three),
            "target_length of row 0 must be in [0, 1] (got -1)");
    REFUSES(gt_ctc_loss(y, x, one, whole(gt_shape(2), 3, 4)),
            "output_length of row 1 must be in [0, 3] (got 4)");
    REFUSES(gt_ctc_loss(y, x, one, whole(gt_shape(2), -3, 3)),
            "output_length of row 0 must be in [0, 3] (got -3)");
    REFUSES(gt_ctc_loss(one, x, one, three), "(got (2,) and (2, 3, 4))");
    REFUSES(gt_ctc_loss(y, gt_zeros(gt_shape(2, 4)), one, three), "(got (2, 1) and (2, 4))");
    REFUSES(gt_ctc_loss(y, gt_zeros(gt_shape(3, 3, 4)), one, three), "(got (2, 1) and (3, 3, 4))");
    REFUSES(gt_ctc_loss(y, x, y, three),
            "lengths must be (batch) for a target (2, 1) (got (2, 1))");
    REFUSES(gt_ctc_loss(y, x, one, gt_zeros(gt_shape(3), .dtype = GT_INT32)), "(got (3,))");
    REFUSES(gt_ctc_loss(gt_cast(y, GT_FLOAT32), x, one, three), "dtype float32 is not supported");
    REFUSES(gt_ctc_loss(y, gt_cast(x, GT_INT32), one, three), "dtype int32 is not supported");
    REFUSES(gt_ctc_loss(y, x, gt_cast(one, GT_FLOAT32), three), "dtype float32 is not supported");
    REFUSES(gt_ctc_loss(y, x, one, gt_cast(three, GT_BOOL)), "dtype bool is not supported");
    REFUSES(gt_ctc_loss(NULL, x, one, three), "ctc_loss: ");
    REFUSES(gt_ctc_loss(y, x, one, NULL), "ctc_loss: ");
    REFUSES(gt_ctc_decode(x, one, .mask_index = 4).labels,
            "mask_index must be one of 4 classes (got 4)");
    REFUSES(gt_ctc_decode(x, one, .strategy = (gt_CtcStrategy)2).labels, "unknown strategy 2");
    REFUSES(gt_ctc_decode(x, one, BEAM, .top_paths = 0).labels,
            "top_paths must be in [1, 100], the beam_width (got 0)");
    REFUSES(gt_ctc_decode(x, one, BEAM, .beam_width = 3, .top_paths = 4).scores,
            "top_paths must be in [1, 3], the beam_width (got 4)");
    REFUSES(gt_ctc_decode(x, one, BEAM, .beam_width = (int64_t)1 << 60).labels, "is too large");
    REFUSES(gt_ctc_decode(x, whole(gt_shape(2), 3, 4)).labels,
            "output_length of row 1 must be in [0, 3] (got 4)");
    REFUSES(gt_ctc_decode(x, whole(gt_shape(2), -1, 4), BEAM).labels,
            "output_length of row 0 must be in [0, 3] (got -1)");
    REFUSES(gt_ctc_decode(y, one).labels, "dtype int32 is not supported");
    REFUSES(gt_ctc_decode(gt_zeros(gt_shape(2, 3)), one).labels,
            "output must be (batch, steps, classes) (got (2, 3))");
    REFUSES(gt_ctc_decode(x, y).labels,
            "lengths must be (batch) for an output (2, 3, 4) (got (2, 1))");
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}
