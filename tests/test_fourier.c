/* Fourier transforms: against the definition in long double for every length up to 200 and some large
 * ones; against Keras, NumPy and SciPy (tests/oracle/fourier.safetensors, written by make_fourier.py),
 * values and gradients; their laws; the same bits; bad input. */
#include <criterion/criterion.h>

#include "gradtape.h"
#include "leaks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double noise(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (float)((double)(z >> 11) * 0x1p-52 - 1); /* the same number in float32 */
}

static gt_Tensor *random_tensor(gt_Shape shape, gt_DType dtype, uint64_t seed)
{
    int64_t size = 1;
    for (int d = 0; d < shape.rank; d++)
        size *= shape.dims[d];
    double *numbers = malloc((size_t)(size + 1) * sizeof *numbers);
    for (int64_t i = 0; i < size; i++)
        numbers[i] = noise(&seed);
    gt_Tensor *x = gt_from_values_at(NULL, shape, dtype, size, numbers);
    free(numbers);
    return x;
}

/* |a - b| / |b|, as vectors. */
static double distance(const gt_Tensor *a, const gt_Tensor *b)
{
    double off = 0, size = 0;
    int64_t n = gt_size(a);
    cr_assert(n >= 0 && n == gt_size(b), "%s", gt_error_message());
    for (int64_t i = 0; i < n; i++) {
        double x = gt_element(a, i), y = gt_element(b, i);
        off += (x - y) * (x - y);
        size += y * y;
    }
    return n ? sqrt(off / (size > 0 ? size : 1)) : 0;
}

static gt_Complex random_complex(gt_Shape shape, gt_DType dtype, uint64_t seed)
{
    return gt_complex(random_tensor(shape, dtype, seed), random_tensor(shape, dtype, seed + 1000));
}

/* ---- the definition ---- */

/* Every `step`th number of the transforms of `rows` rows, and the way back. */
static double error_of(int64_t n, int64_t rows, int64_t step, gt_DType dtype, bool real)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Complex z = random_complex(gt_shape(rows, n), dtype, (uint64_t)n);
    if (real)
        z = gt_complex(z.real, 0);
    gt_Complex y = real ? gt_rfft(z.real) : gt_fft(z);
    gt_Complex back = real ? gt_complex(gt_irfft(y, .fft_length = n), 0) : gt_ifft(y);
    cr_assert(gt_status() == GT_OK, "%d: %s", (int)n, gt_error_message());
    double worst = fmax(distance(back.real, z.real), real ? 0 : distance(back.imag, z.imag));
    int64_t bins = real ? n / 2 + 1 : n;
    cr_assert(gt_last(gt_tensor_shape(y.real)) == bins);
    long double *c = malloc((size_t)n * sizeof *c), *s = malloc((size_t)n * sizeof *s);
    for (int64_t i = 0; i < n; i++) {
        long double angle = 2 * 3.141592653589793238462643383279502884L * (long double)i / n;
        c[i] = cosl(angle);
        s[i] = sinl(angle);
    }
    for (int64_t r = 0; r < rows; r++) {
        long double off = 0, size = 0;
        for (int64_t k = 0; k < bins; k += step) {
            long double re = 0, im = 0;
            for (int64_t j = 0, at = 0; j < n; j++, at = (at + k) % n) {
                long double a = gt_element(z.real, r * n + j), b = gt_element(z.imag, r * n + j);
                re += a * c[at] + b * s[at];
                im += b * c[at] - a * s[at];
            }
            long double d_re = gt_element(y.real, r * bins + k) - re;
            long double d_im = gt_element(y.imag, r * bins + k) - im;
            off += d_re * d_re + d_im * d_im;
            size += re * re + im * im;
        }
        worst = fmax(worst, (double)sqrtl(off / size));
    }
    free(c);
    free(s);
    gt_scope_end(scope);
    return worst;
}

static void check_length(int64_t n, int64_t rows, int64_t step)
{
    for (int real = 0; real < 2; real++) {
        double levels = log2((double)(n > 1 ? n : 2));
        double f32 = error_of(n, rows, step, GT_FLOAT32, real) / levels;
        double f64 = error_of(n, rows, step, GT_FLOAT64, real) / levels;
        cr_assert(f32 <= 8e-8, "n = %d, %s, float32: %g", (int)n, real ? "real" : "complex", f32);
        cr_assert(f64 <= 2.5e-16, "n = %d, %s, float64: %g", (int)n, real ? "real" : "complex",
                  f64);
    }
}

Test(fourier, definition)
{
    for (int64_t n = 1; n <= 200; n++)
        check_length(n, n % 2 ? 1 + n % 5 : 17, n < 100 ? 1 : 7); /* one group and a part of one */
    static const int64_t large[] = {1000, 1024, 2187, 4096, 10007, 16807, 65537, 100000, 131074};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        check_length(large[i], 1, large[i] / 7);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- the oracle ---- */

typedef struct Stft {
    const char *name;
    int64_t length, stride, fft_length;
    gt_Window window;
    bool own, center;
    int64_t cropped;
} Stft;
static const Stft stfts[] = {
    {"hann", 8, 4, 8, GT_WINDOW_HANN, false, true, 7},
    {"hamming", 8, 2, 8, GT_WINDOW_HAMMING, false, true, 7},
    {"wide", 5, 2, 8, GT_WINDOW_HANN, false, true, 7},
    {"odd", 5, 2, 7, GT_WINDOW_HAMMING, false, true, 7},
    {"left", 6, 3, 6, GT_WINDOW_HANN, false, false, 7},
    {"none", 4, 4, 4, GT_WINDOW_NONE, false, false, 7},
    {"own", 5, 1, 6, GT_WINDOW_HANN, true, false, 7},
    {"short", 1, 1, 2, GT_WINDOW_HANN, false, true, 3},
};

static bool begins(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

static const Stft *find_stft(const char *name)
{
    for (size_t i = 0; i < sizeof stfts / sizeof *stfts; i++)
        if (begins(name, stfts[i].name))
            return &stfts[i];
    cr_assert(false, "stft %s", name);
    return NULL;
}

/* A case by its name; the number of results. */
static int compute(const gt_TensorFile *file, const char *name, gt_Tensor **in, gt_Tensor **out)
{
    gt_Complex z = {in[0], in[1]}, y = {NULL, NULL};
    int n = 0, stride = 0;
    if (sscanf(name, "fft_axis%d", &n) == 1)
        y = gt_fft(z, .axis = n);
    else if (begins(name, "fft2"))
        y = gt_fft2(z);
    else if (begins(name, "ifft2"))
        y = gt_ifft2(z);
    else if (begins(name, "fft"))
        y = gt_fft(z);
    else if (begins(name, "ifft"))
        y = gt_ifft(z);
    else if (sscanf(name, "rfft_length%d", &n) == 1)
        y = gt_rfft(in[0], .fft_length = n);
    else if (begins(name, "rfft"))
        y = gt_rfft(in[0]);
    else if (sscanf(name, "irfft_length%d", &n) == 1)
        y.real = gt_irfft(z, .fft_length = n);
    else if (begins(name, "irfft"))
        y.real = gt_irfft(z);
    else if (sscanf(name, "sequences_%d_%d", &n, &stride) == 2)
        y.real = gt_extract_sequences(in[0], n, stride);
    else if (begins(name, "stft_") || begins(name, "istft_")) {
        bool inverse = *name == 'i';
        const Stft *s = find_stft(name + (inverse ? 6 : 5));
        gt_Tensor *own = gt_cast(gt_tensor_file_load_named(file, "own_window"), gt_dtype(in[0]));
        own = s->own ? own : NULL;
        int64_t length = strstr(name, "cropped") ? s->cropped : GT_NONE;
        if (inverse)
            y.real = gt_istft(z, s->length, s->stride, s->fft_length, .window = s->window,
                              .weights = own, .center = s->center, .length = length);
        else
            y = gt_stft(in[0], s->length, s->stride, s->fft_length, .window = s->window,
                        .weights = own, .center = s->center);
    } else if (strcmp(name, "multiply") == 0)
        y = gt_complex_multiply(z, gt_complex(in[2], in[3]));
    else if (strcmp(name, "divide") == 0)
        y = gt_complex_divide(z, gt_complex(in[2], in[3]));
    else if (strcmp(name, "abs") == 0)
        y.real = gt_complex_abs(z);
    else if (strcmp(name, "angle") == 0)
        y.real = gt_angle(z);
    else if (strcmp(name, "conj") == 0)
        y = gt_conj(z);
    else if (strcmp(name, "view_as_complex") == 0)
        y = gt_view_as_complex(in[0]);
    else if (strcmp(name, "view_as_real") == 0)
        y.real = gt_view_as_real(z);
    else
        cr_assert(false, "case %s", name);
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
    out[0] = y.real;
    out[1] = y.imag;
    return y.imag ? 2 : 1;
}

static gt_Tensor *oracle_part(const gt_TensorFile *file, const char *name, const char *kind, int i)
{
    char full[128];
    snprintf(full, sizeof full, "%s.%s%d", name, kind, i);
    return gt_tensor_file_find(file, full) < 0 ? NULL : gt_tensor_file_load_named(file, full);
}

static void compare(const char *name, const char *what, int i, gt_Tensor *got, gt_Tensor *expected)
{
    bool f32 = gt_dtype(got) == GT_FLOAT32;
    cr_assert(gt_shape_equal(gt_tensor_shape(got), gt_tensor_shape(expected)), "%s: shape of %s %d",
              name, what, i);
    double off = distance(got, expected);
    cr_assert(off <= (f32 ? 1e-5 : 1e-13), "%s, %s: %s %d is %g off", name,
              f32 ? "float32" : "float64", what, i, off);
}

static void replay(const gt_TensorFile *file, const char *name, gt_DType dtype)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *in[4] = {NULL}, *out[2], *slope[4], *loss = NULL;
    int inputs = 0;
    for (gt_Tensor *x; inputs < 4 && (x = oracle_part(file, name, "in", inputs)); inputs++)
        gt_watch(tape, in[inputs] = gt_cast(x, dtype));
    int outputs = compute(file, name, in, out);
    cr_assert(!oracle_part(file, name, "out", outputs), "%s: a result is missing", name);
    for (int k = 0; k < outputs; k++) {
        compare(name, "result", k, out[k], oracle_part(file, name, "out", k));
        int64_t size = gt_size(out[k]);
        double *weights = malloc((size_t)(size + 1) * sizeof *weights);
        for (int64_t i = 0; i < size; i++)
            weights[i] = sin(1 + 3.7 * k + 1.3 * (double)i);
        gt_Tensor *w = gt_from_values_at(NULL, gt_tensor_shape(out[k]), dtype, size, weights);
        free(weights);
        gt_Tensor *part = gt_sum(gt_multiply(out[k], w));
        loss = loss ? gt_add(loss, part) : part;
    }
    gt_gradients(tape, gt_tensors(loss), ((gt_Tensors){in, inputs}), slope,
                 .unconnected = GT_UNCONNECTED_ZERO);
    cr_assert(gt_status() == GT_OK, "%s: %s", name, gt_error_message());
    for (int i = 0; i < inputs; i++)
        compare(name, "gradient", i, slope[i], oracle_part(file, name, "slope", i));
    gt_tape_end(tape);
}

Test(fourier, oracle)
{
    char path[1024];
    const char *source = getenv("GT_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/oracle/fourier.safetensors", source ? source : ".");
    gt_TensorFile *file = gt_open_tensors(path);
    cr_assert_not_null(file, "%s", gt_error_message());
    int cases = 0;
    for (int64_t i = 0; i < gt_tensor_file_count(file); i++) {
        char name[128];
        snprintf(name, sizeof name, "%s", gt_tensor_file_name(file, i));
        char *end = strstr(name, ".out0");
        if (!end)
            continue;
        *end = '\0';
        replay(file, name, GT_FLOAT64);
        replay(file, name, GT_FLOAT32);
        cases++;
    }
    fprintf(stderr, "%d cases\n", cases);
    cr_assert(cases > 80);
    gt_tensor_file_free(file);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- laws ---- */

Test(fourier, parseval_and_shift)
{
    static const int64_t lengths[] = {1, 2, 7, 12, 37, 64, 1000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        gt_Scope *scope = gt_scope_begin();
        int64_t n = lengths[i];
        gt_Complex z = random_complex(gt_shape(3, n), GT_FLOAT64, 5), y = gt_fft(z);
        double before = gt_item(gt_sum(gt_square(gt_complex_abs(z))));
        double after = gt_item(gt_sum(gt_square(gt_complex_abs(y)))) / (double)n;
        cr_assert(fabs(after - before) <= 1e-13 * before, "%d: %g, %g", (int)n, before, after);
        /* x[j - 1] has the spectrum y[k] e^(-2 pi i k / n) */
        gt_Tensor *angle = gt_multiply(gt_arange(0, (double)n, 1, .dtype = GT_FLOAT64),
                                       -2 * 3.14159265358979323846 / (double)n);
        gt_Complex turned = gt_complex_multiply(y, gt_complex(gt_cos(angle), gt_sin(angle)));
        gt_Complex shifted =
            gt_fft(gt_complex(gt_roll(z.real, 1, .axis = -1), gt_roll(z.imag, 1, .axis = -1)));
        cr_assert(distance(shifted.real, turned.real) <= 1e-13 &&
                      distance(shifted.imag, turned.imag) <= 1e-13,
                  "%d: %s", (int)n, gt_error_message());
        gt_scope_end(scope);
    }
}

/* Convolution is multiplication of spectra. */
Test(fourier, convolution)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *a = gt_array64(gt_shape(3), 1, 2, 3), *b = gt_array64(gt_shape(2), 10, 1);
    gt_Complex product =
        gt_complex_multiply(gt_rfft(a, .fft_length = 5), gt_rfft(b, .fft_length = 5));
    gt_Tensor *c = gt_irfft(product, .fft_length = 5);
    cr_assert(distance(c, gt_array64(gt_shape(5), 10, 21, 32, 3, 0)) <= 1e-15);
    gt_scope_end(scope);
}

static void round_trip(int64_t n, int64_t length, int64_t stride, int64_t fft_length,
                       gt_stft_options options, gt_DType dtype)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = random_tensor(gt_shape(2, n), dtype, 3);
    gt_Complex z = gt_stft_at("here", x, length, stride, fft_length, &options);
    options.length = n;
    gt_Tensor *back = gt_istft_at("here", z, length, stride, fft_length, &options);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    /* What no whole sequence covers, and what only zeros of a window cover, is lost. */
    int64_t first = options.center ? 0 : stride, last = n - (options.center ? stride : fft_length);
    gt_Shape begin = gt_shape(0, first), size = gt_shape(2, last - first);
    double off = distance(gt_slice(back, begin, size), gt_slice(x, begin, size));
    cr_assert(off <= (dtype == GT_FLOAT32 ? 1e-6 : 1e-14), "%d %d %d: %g", (int)length, (int)stride,
              (int)fft_length, off);
    gt_scope_end(scope);
}

Test(fourier, stft_round_trip)
{
    for (int f64 = 0; f64 < 2; f64++)
        for (int window = GT_WINDOW_HANN; window <= GT_WINDOW_NONE; window++)
            for (int center = 0; center < 2; center++) {
                gt_DType dtype = f64 ? GT_FLOAT64 : GT_FLOAT32;
                gt_stft_options options =
                    GT_VALUES(gt_stft_options, (gt_Window)window, NULL, center, GT_NONE);
                round_trip(1000, 64, 16, 64, options, dtype);
                round_trip(640, 64, 32, 64, options, dtype);
                round_trip(301, 25, 10, 25, options, dtype);
                round_trip(200, 1, 1, 1, options, dtype);
                round_trip(40000, 500, 230, 512, options, dtype); /* more than one tile of work */
            }
    gt_Scope *scope = gt_scope_begin(); /* more than there is: zeros */
    gt_Tensor *x = random_tensor(gt_shape(16), GT_FLOAT64, 1);
    gt_Tensor *y = gt_istft(gt_stft(x, 8, 4, 8), 8, 4, 8, .length = 24);
    cr_assert(gt_size(y) == 24 && gt_element(y, 23) == 0 && gt_element(y, 22) == 0, "%s",
              gt_error_message());
    cr_assert(fabs(gt_element(y, 3) - gt_element(x, 3)) < 1e-15);
    gt_Tensor *faint = gt_full(gt_shape(4), 1e-6, .dtype = GT_FLOAT64); /* squares below 1e-10 */
    y = gt_istft(gt_stft(x, 4, 4, 4, .weights = faint, .center = false), 4, 4, 4, .weights = faint,
                 .center = false);
    cr_assert(distance(gt_multiply(y, 1e12), x) <= 1e-14, "%s", gt_error_message());
    gt_scope_end(scope);
}

/* Of many sequences: the gradient of their sum says in how many of them a number is. */
Test(fourier, long_sequences)
{
    const int64_t n = 50000, length = 512, stride = 230, count = 1 + (n - length) / stride;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = random_tensor(gt_shape(n), GT_FLOAT64, 1);
    gt_watch(tape, x);
    gt_Tensor *y = gt_extract_sequences(x, length, stride);
    gt_Tensor *g = gt_gradient(tape, gt_sum(y), x);
    cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
    double *expected = calloc((size_t)n, sizeof *expected);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < length; j++) {
            expected[i * stride + j]++;
            cr_assert(gt_element(y, i * length + j) == gt_element(x, i * stride + j));
        }
    for (int64_t i = 0; i < n; i++)
        cr_assert(gt_element(g, i) == expected[i], "%d: %g", (int)i, gt_element(g, i));
    free(expected);
    gt_tape_end(tape);
}

/* ---- the same bits, no allocation ---- */

static void same_bits(const gt_Tensor *a, const void *b, int64_t from, int64_t n)
{
    size_t element = gt_dtype_size(gt_dtype(a));
    cr_assert(memcmp((const char *)gt_data(a) + (size_t)from * element, b, (size_t)n * element) ==
              0);
}

/* A row by itself has the bits that it has among others, whatever the number of threads. */
Test(fourier, same_bits)
{
    static const int64_t lengths[] = {6, 37, 256, 1000, 5000};
    for (int f64 = 0; f64 < 2; f64++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            int64_t n = lengths[i], rows = 21;
            gt_Scope *scope = gt_scope_begin();
            gt_Complex z = random_complex(gt_shape(rows, n), f64 ? GT_FLOAT64 : GT_FLOAT32, 9);
            gt_Complex y = gt_fft(z), half = gt_rfft(z.real);
            gt_Tensor *back = gt_irfft(half);
            gt_set_threads(3);
            gt_Complex y3 = gt_fft(z), half3 = gt_rfft(z.real);
            gt_Tensor *back3 = gt_irfft(half3);
            gt_set_threads(1);
            cr_assert(gt_status() == GT_OK, "%s", gt_error_message());
            same_bits(y.real, gt_data(y3.real), 0, rows * n);
            same_bits(y.imag, gt_data(y3.imag), 0, rows * n);
            same_bits(half.imag, gt_data(half3.imag), 0, rows * (n / 2 + 1));
            same_bits(back, gt_data(back3), 0, rows * (n / 2 * 2));
            for (int64_t r = 0; r < rows; r += 10) {
                gt_Shape begin = gt_shape(r, 0), size = gt_shape(1, n);
                gt_Complex one = {gt_slice(z.real, begin, size), gt_slice(z.imag, begin, size)};
                same_bits(y.real, gt_data(gt_fft(one).real), r * n, n);
                same_bits(half.real, gt_data(gt_rfft(one.real).real), r * (n / 2 + 1), n / 2 + 1);
            }
            gt_Complex columns =
                gt_fft(gt_complex(gt_transpose(z.real), gt_transpose(z.imag)), .axis = 0);
            same_bits(y.imag, gt_data(gt_transpose(columns.imag)), 0, rows * n);
            gt_scope_end(scope);
        }
    gt_context_free(NULL);
    assert_no_leaks();
}

Test(fourier, allocates_nothing_again)
{
    int64_t calls = 0;
    for (int round = 0; round < 3; round++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *x = gt_from_values_at(NULL, gt_shape(2), GT_FLOAT32, 2, (const double[]){1, 2});
        gt_Complex z = gt_stft(gt_tile(x, gt_shape(2000)), 400, 160, 512);
        gt_Tensor *y = gt_istft(z, 400, 160, 512);
        cr_assert(y && gt_fft(gt_complex(y, y)).imag, "%s", gt_error_message());
        gt_scope_end(scope);
        if (round == 2)
            cr_assert(gt_memory_stats().allocator_calls == calls);
        calls = gt_memory_stats().allocator_calls;
    }
}

/* ---- bad input ---- */

#define REFUSES(call, text)                                                                        \
    do {                                                                                           \
        cr_assert(!(call), "%s was taken", #call);                                                 \
        cr_assert(gt_status() == GT_INVALID && strstr(gt_error_message(), text), "%s: %s", #call,  \
                  gt_error_message());                                                             \
        gt_error_clear();                                                                          \
    } while (0)

Test(fourier, bad_input)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = random_tensor(gt_shape(2, 8), GT_FLOAT32, 1);
    gt_Tensor *d = random_tensor(gt_shape(2, 8), GT_FLOAT64, 1);
    gt_Tensor *y = random_tensor(gt_shape(2, 5), GT_FLOAT32, 1), *number = gt_scalar(1, GT_FLOAT32);
    gt_Tensor *whole = gt_full(gt_shape(2, 8), 1, .dtype = GT_INT32);
    gt_Tensor *none = gt_zeros(gt_shape(2, 0));
    gt_Complex z = gt_complex(x, x), torn = {x, y}, mixed = {x, d}, nothing = gt_complex(none, 0);
    cr_assert(gt_status() == GT_OK);

    REFUSES(gt_complex(x, y).real, "one shape and dtype (got float32 (2, 8), float32 (2, 5))");
    REFUSES(gt_complex(x, y).imag, "must have one shape and dtype");
    REFUSES(gt_complex(x, d).real, "float64");
    REFUSES(gt_complex(whole, whole).real, "int32");
    REFUSES(gt_complex(x, NULL).real, "complex");
    REFUSES(gt_fft(torn).real, "fft: ");
    REFUSES(gt_fft(torn).imag, "must have one shape and dtype");
    REFUSES(gt_ifft(mixed).real, "must have one shape and dtype");
    REFUSES(gt_fft(((gt_Complex){x, NULL})).real, "fft");
    REFUSES(gt_fft(((gt_Complex){NULL, NULL})).real, "fft");
    REFUSES(gt_fft(z, .axis = 2).real, "axis 2");
    REFUSES(gt_fft(z, .axis = -3).real, "axis -3");
    REFUSES(gt_fft(gt_complex(number, 0)).real, "axis");
    REFUSES(gt_fft(nothing).real, "axis 1 must not be empty (got (2, 0))");
    REFUSES(gt_fft2(gt_complex(gt_ravel(x), 0)).real, "at least 2 axes (got (16,))");
    REFUSES(gt_ifft2(torn).imag, "must have one shape and dtype");
    REFUSES(gt_rfft(x, .fft_length = 0).real, "fft_length must be >= 1 (got 0 for (2, 8))");
    REFUSES(gt_rfft(x, .fft_length = -4).real, "got -4");
    REFUSES(gt_rfft(x, .fft_length = INT64_MAX).real, "rfft");
    REFUSES(gt_rfft(whole).real, "int32");
    REFUSES(gt_rfft(number).real, "axis");
    REFUSES(gt_rfft(none).real, "must not be empty");
    REFUSES(gt_irfft(torn), "must have one shape and dtype");
    REFUSES(gt_irfft(z, .fft_length = 0), "must be >= 1");
    REFUSES(gt_irfft(gt_complex(gt_array(gt_shape(2, 1), 1, 2), 0)),
            "fft_length must be >= 1 (got 0 for (2, 1))");
    REFUSES(gt_irfft(nothing), "must not be empty");

    REFUSES(gt_complex_multiply(z, torn).real, "must have one shape and dtype");
    REFUSES(gt_complex_multiply(z, gt_complex(y, 0)).imag, "complex_multiply");
    REFUSES(gt_complex_divide(torn, z).real, "must have one shape and dtype");
    REFUSES(gt_complex_abs(mixed), "must have one shape and dtype");
    REFUSES(gt_angle(torn), "must have one shape and dtype");
    REFUSES(gt_conj(torn).real, "must have one shape and dtype");
    REFUSES(gt_view_as_complex(x).real,
            "the last axis must have size 2, real and imaginary part (got (2, 8))");
    REFUSES(gt_view_as_complex(number).real, "(got ())");
    REFUSES(gt_view_as_real(torn), "must have one shape and dtype");

    REFUSES(gt_extract_sequences(x, 0, 1),
            "sequence_length must be in [1, 8] and sequence_stride >= 1 (got 0, 1)");
    REFUSES(gt_extract_sequences(x, 2, 0), "(got 2, 0)");
    REFUSES(gt_extract_sequences(x, 9, 1), "(got 9, 1)");
    REFUSES(gt_extract_sequences(number, 1, 1), "axis");
    REFUSES(gt_extract_sequences(gt_full(gt_shape(1, 1, 1, 1, 1, 1, 1, 4), 1), 2, 1),
            "more than 8");
    REFUSES(gt_stft(x, 0, 1, 4).real, "sequence_length and sequence_stride must be >= 1, "
                                      "fft_length >= sequence_length (got 0, 1, 4)");
    REFUSES(gt_stft(x, 4, 0, 4).real, "(got 4, 0, 4)");
    REFUSES(gt_stft(x, 4, 1, 3).imag, "(got 4, 1, 3)");
    REFUSES(gt_stft(whole, 4, 1, 4).real, "int32");
    REFUSES(gt_stft(x, 4, 1, 16).real, "more than fft_length / 2 = 8 elements (got 8)");
    REFUSES(gt_stft(x, 4, 1, 16, .center = false).real, "must be in [1, 8]");
    REFUSES(gt_stft(x, 4, 1, 4, .window = (gt_Window)9).real, "unknown window 9");
    REFUSES(gt_stft(x, 4, 1, 4, .weights = x).real,
            "weights must be float32 (4,) (got float32 (2, 8))");
    REFUSES(gt_stft(d, 2, 1, 4, .weights = gt_array(gt_shape(2), 1, 1)).real,
            "weights must be float64 (2,) (got float32 (2,))");
    gt_Complex frames = gt_complex(random_tensor(gt_shape(6, 3), GT_FLOAT32, 1), 0);
    REFUSES(gt_istft(frames, 4, 1, 6), "(..., sequences, fft_length / 2 + 1 = 4) (got (6, 3))");
    REFUSES(gt_istft(torn, 4, 1, 4), "must have one shape and dtype");
    REFUSES(gt_istft(frames, 5, 1, 4), "(got 5, 1, 4)");
    REFUSES(gt_istft(frames, 4, INT64_MAX / 2, 4), "too large");
    REFUSES(gt_istft(frames, 4, 1, 4, .length = -1), "length must be >= 0 (got -1)");
    REFUSES(gt_istft(gt_complex(gt_array(gt_shape(3), 1, 2, 3), 0), 4, 1, 4), "(got (3,))");

    gt_Complex empty = gt_complex(gt_zeros(gt_shape(0, 6)), 0); /* nothing is not wrong */
    cr_assert(gt_size(gt_fft(empty).real) == 0 && gt_size(gt_rfft(empty.real).imag) == 0);
    cr_assert(gt_size(gt_irfft(empty)) == 0 &&
              gt_size(gt_extract_sequences(empty.real, 2, 1)) == 0);
    cr_assert(gt_size(gt_istft(gt_stft(empty.real, 2, 1, 2), 2, 1, 2)) == 0, "%s",
              gt_error_message());
    gt_scope_end(scope);
    gt_context_free(NULL);
    assert_no_leaks();
}

/* ---- no memory ---- */

static void *limited_allocate(void *user, size_t bytes, size_t alignment)
{
    long *left = user;
    if (--*left < 0)
        return NULL;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void limited_release(void *user, void *memory, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(memory);
}

static gt_Status spectral_step(void)
{
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *x = random_tensor(gt_shape(2, 70), GT_FLOAT32, 4);
    gt_watch(tape, x);
    gt_Complex z = gt_stft(x, 37, 9, 41);
    gt_Tensor *y = gt_istft(z, 37, 9, 41);
    gt_gradient(tape, gt_sum(gt_add(gt_sum(gt_complex_abs(z)), gt_sum(gt_square(y)))), x);
    gt_tape_end(tape);
    return gt_status();
}

/* Every allocation of a step may fail: an error comes back, and the next step works. */
Test(fourier, out_of_memory)
{
    gt_Context *mine = gt_context_use(NULL);
    bool finished = false;
    for (long n = 0; !finished; n++) {
        long left = 1000000;
        gt_Allocator allocator = {limited_allocate, limited_release, &left};
        gt_Context *context = gt_context_create(.allocator = &allocator, .pooling = false);
        gt_context_use(context);
        left = n;
        finished = spectral_step() == GT_OK;
        cr_assert(finished || gt_status() == GT_NO_MEMORY, "%s", gt_error_message());
        gt_error_clear();
        left = 1000000;
        cr_assert(spectral_step() == GT_OK, "after %ld: %s", n, gt_error_message());
        cr_assert(gt_memory_stats().records == 0);
        gt_context_free(context);
        cr_assert(n < 5000);
    }
    gt_context_use(mine);
    gt_context_free(NULL);
    assert_no_leaks();
}
