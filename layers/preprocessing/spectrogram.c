/* STFTSpectrogram, MelSpectrogram: sound as pictures of its frequencies. */
#include "layers/preprocessing/spectrogram.h"
#include "layers/kit.h"
#include "layers/preprocessing/numbers.h"
#include "ops/array/cast.h"
#include "ops/array/indexing.h"
#include "ops/array/reshaping.h"
#include "ops/math/arithmetic.h"
#include "ops/math/math.h"
#include "ops/math/mel.h"

#include <math.h>

static gt_Status check_window(gt_Window window)
{
    if (window < GT_WINDOW_HANN || window > GT_WINDOW_NONE)
        return gt_fail(GT_INVALID, "unknown window %d", (int)window);
    return GT_OK;
}

/* ---- STFTSpectrogram ---- */

typedef struct STFTSpectrogram {
    gt_Layer base;
    gt_STFTSpectrogram_options options;
    int64_t step, frequencies, channels;
    gt_Variable *real_kernel, *imag_kernel; /* NULL: the mode has no use for it */
} STFTSpectrogram;

GT_OPTION_TYPE(gt_STFTSpectrogram_options, gt_STFTSpectrogram_OPTIONS);

static gt_Status stft_spectrogram_create(gt_Layer *layer)
{
    STFTSpectrogram *self = (STFTSpectrogram *)layer;
    const gt_STFTSpectrogram_options *o = &self->options;
    const int64_t frame = o->frame_length;
    int64_t fft = 2;
    if (frame < 2 || frame > INT32_MAX)
        return gt_fail(GT_INVALID, "frame_length must be > 1 (got %lld)", (long long)frame);
    self->step = o->frame_step == GT_NONE ? frame / 2 : o->frame_step;
    if (self->step < 1 || self->step > frame)
        return gt_fail(GT_INVALID, "frame_step must be from 1 to frame_length, %lld (got %lld)",
                       (long long)frame, (long long)self->step);
    while (fft < frame)
        fft *= 2;
    fft = o->fft_length == GT_NONE ? fft : o->fft_length;
    if (fft < frame || fft > INT32_MAX)
        return gt_fail(GT_INVALID, "fft_length must be at least frame_length, %lld (got %lld)",
                       (long long)frame, (long long)fft);
    self->frequencies = fft / 2 + 1;
    if (o->mode < GT_SPECTROGRAM_MODE_LOG || o->mode > GT_SPECTROGRAM_MODE_STFT)
        return gt_fail(GT_INVALID, "unknown mode of spectrograms %d", (int)o->mode);
    if (o->padding != GT_PADDING_VALID && o->padding != GT_PADDING_SAME)
        return gt_fail(GT_INVALID, "padding must be valid or same (got %d)", (int)o->padding);
    if (o->scaling < GT_STFT_SCALING_NONE || o->scaling > GT_STFT_SCALING_SPECTRUM)
        return gt_fail(GT_INVALID, "unknown scaling %d", (int)o->scaling);
    return check_window(o->window);
}

static gt_Variable *add_kernel(gt_Layer *layer, const char *name, gt_StftSide side)
{
    const STFTSpectrogram *self = (const STFTSpectrogram *)layer;
    const gt_STFTSpectrogram_options *o = &self->options;
    return gt_add_weight(layer, name, gt_shape(o->frame_length, 1, self->frequencies),
                         .initializer =
                             gt_STFTInitializer(.side = side, .window = o->window,
                                                .scaling = o->scaling, .periodic = o->periodic));
}

static gt_Status stft_spectrogram_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    STFTSpectrogram *self = (STFTSpectrogram *)layer;
    self->channels = gt_last(in->shape);
    gt_set_input_spec(layer, 0, .rank = 3, .dim = self->channels);
    if (self->options.mode != GT_SPECTROGRAM_MODE_IMAG)
        self->real_kernel = add_kernel(layer, "real_kernel", GT_STFT_SIDE_REAL);
    if (self->options.mode != GT_SPECTROGRAM_MODE_REAL)
        self->imag_kernel = add_kernel(layer, "imag_kernel", GT_STFT_SIDE_IMAG);
    return gt_status();
}

/* x (batch, time, channels) with the kernel for each channel by itself: (batch, frames, channels, frequencies). */
static gt_Tensor *part_of(const STFTSpectrogram *self, const gt_CallArgs *in, gt_Variable *kernel)
{
    gt_Tensor *x = gt_autocast(in, in->x), *k = gt_autocast(in, kernel);
    if (self->channels > 1)
        k = gt_tile(k, gt_shape(1, 1, self->channels));
    gt_Tensor *y = gt_conv(x, k, .strides = gt_shape(self->step), .groups = self->channels,
                           .padding = self->options.padding);
    return gt_reshape(y, gt_shape(self->channels, self->frequencies), .keep = 2);
}

/* All frequencies but the first and the last count twice, as each stands for two. */
static gt_Tensor *both_sides(gt_Tensor *power, int64_t frequencies)
{
    const gt_Shape begin = gt_shape(0, 0, 0, 1), size = gt_shape(-1, -1, -1, frequencies - 2);
    const gt_Shape border = gt_shape(0, 0, 0, 1);
    return gt_add(power, gt_pad(gt_slice(power, begin, size), border, border));
}

static gt_Tensor *magnitude(gt_Tensor *power)
{
    return gt_sqrt(gt_maximum(power, 1e-7));
}

static gt_Tensor *stft_spectrogram_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const STFTSpectrogram *self = (const STFTSpectrogram *)layer;
    gt_Tensor *real = self->real_kernel ? part_of(self, in, self->real_kernel) : NULL;
    gt_Tensor *imag = self->imag_kernel ? part_of(self, in, self->imag_kernel) : NULL;
    gt_Tensor *power = real && imag ? gt_add(gt_square(real), gt_square(imag)) : NULL, *y = NULL;
    switch (self->options.mode) {
    case GT_SPECTROGRAM_MODE_REAL:
        y = real;
        break;
    case GT_SPECTROGRAM_MODE_IMAG:
        y = imag;
        break;
    case GT_SPECTROGRAM_MODE_ANGLE:
        y = gt_arctan2(imag, real);
        break;
    case GT_SPECTROGRAM_MODE_STFT:
        y = gt_concatenate(gt_tensors(real, imag), .axis = -1);
        break;
    case GT_SPECTROGRAM_MODE_PSD:
        y = both_sides(power, self->frequencies);
        break;
    case GT_SPECTROGRAM_MODE_MAGNITUDE:
        y = magnitude(power);
        break;
    case GT_SPECTROGRAM_MODE_LOG:
        y = gt_log(gt_maximum(magnitude(power), 1e-7));
        break;
    }
    return self->options.expand_dims ? gt_swapaxes(y, -1, -2)
                                     : gt_reshape(y, gt_shape(-1), .keep = 2);
}

const gt_LayerClass gt_layer_class_stft_spectrogram = {
    GT_LAYER_RECORD("stft_spectrogram", "STFTSpectrogram", STFTSpectrogram,
                    "signals as the frequencies of their frames"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_STFTSpectrogram_options_type,
    .create = stft_spectrogram_create,
    .build = stft_spectrogram_build,
    .call = stft_spectrogram_call,
    .ports = GT_PORTS({"x", 0, 3, 3}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_STFTSpectrogram, .frame_length = 4, .frame_step = 3),
         .keras = "STFTSpectrogram(frame_length=4, frame_step=3)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 11, 1)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 3)},
        {.options = GT_LAYER_OPTIONS(gt_STFTSpectrogram, .mode = GT_SPECTROGRAM_MODE_PSD,
                                     .frame_length = 5, .fft_length = 6, .periodic = true,
                                     .window = GT_WINDOW_HAMMING,
                                     .scaling = GT_STFT_SCALING_SPECTRUM, .expand_dims = true),
         .keras = "STFTSpectrogram('psd', 5, fft_length=6, periodic=True, window='hamming', "
                  "scaling='spectrum', expand_dims=True)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 9, 2)),
         .output = GT_SAMPLE_SHAPE(2, 3, 4, 2)},
        {.options = GT_LAYER_OPTIONS(gt_STFTSpectrogram, .mode = GT_SPECTROGRAM_MODE_STFT,
                                     .frame_length = 3, .padding = GT_PADDING_SAME),
         .keras = "STFTSpectrogram('stft', 3, padding='same')",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 5, 2)),
         .output = GT_SAMPLE_SHAPE(2, 5, 12)},
        {.options = GT_LAYER_OPTIONS(gt_STFTSpectrogram, .mode = GT_SPECTROGRAM_MODE_REAL,
                                     .frame_length = 4),
         .keras = "STFTSpectrogram('real', 4)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 6, 1)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_STFTSpectrogram, .mode = GT_SPECTROGRAM_MODE_IMAG,
                                     .frame_length = 4),
         .keras = "STFTSpectrogram('imag', 4)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 6, 1)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3)},
        {.options = GT_LAYER_OPTIONS(gt_STFTSpectrogram, .mode = GT_SPECTROGRAM_MODE_ANGLE,
                                     .frame_length = 4),
         .keras = "STFTSpectrogram('angle', 4)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 6, 2)),
         .output = GT_SAMPLE_SHAPE(1, 2, 6)},
        {.options = GT_LAYER_OPTIONS(gt_STFTSpectrogram, .mode = GT_SPECTROGRAM_MODE_MAGNITUDE,
                                     .frame_length = 4),
         .keras = "STFTSpectrogram('magnitude', 4)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(1, 6, 1)),
         .output = GT_SAMPLE_SHAPE(1, 2, 3)}),
};

gt_Layer *gt_STFTSpectrogram_at(const char *here, const gt_STFTSpectrogram_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_stft_spectrogram, options);
}

/* ---- MelSpectrogram ---- */

typedef struct MelSpectrogram {
    gt_Layer base;
    gt_MelSpectrogram_options options;
    gt_Variable *bands; /* gt_mel_weights, made once; no weight of the layer */
} MelSpectrogram;

GT_OPTION_TYPE(gt_MelSpectrogram_options, gt_MelSpectrogram_OPTIONS);

static gt_Status mel_spectrogram_create(gt_Layer *layer)
{
    const gt_MelSpectrogram_options *o = &((const MelSpectrogram *)layer)->options;
    const int64_t length = o->sequence_length == GT_INHERIT ? o->fft_length : o->sequence_length;
    const double high = o->max_freq == GT_INHERIT ? o->sampling_rate / 2 : o->max_freq;
    if (o->fft_length < 2 || o->fft_length > INT32_MAX || length < 1 || length > o->fft_length)
        return gt_fail(
            GT_INVALID,
            "sequence_length must be from 1 to fft_length, and that > 1 (got %lld and %lld)",
            (long long)length, (long long)o->fft_length);
    if (o->sequence_stride < 1 || o->num_mel_bins < 1 || o->num_mel_bins > INT32_MAX)
        return gt_fail(GT_INVALID,
                       "sequence_stride and num_mel_bins must be > 0 (got %lld and %lld)",
                       (long long)o->sequence_stride, (long long)o->num_mel_bins);
    if (!(o->sampling_rate > 0) || !(o->min_freq >= 0) || !(high > o->min_freq) || !isfinite(high))
        return gt_fail(GT_INVALID,
                       "frequencies must rise from min_freq >= 0 (got %g to %g, sampling_rate %g)",
                       o->min_freq, high, o->sampling_rate);
    if (!(o->min_power > 0) || !isfinite(o->top_db) || !isfinite(o->ref_power) ||
        !isfinite(o->mag_exp))
        return gt_fail(
            GT_INVALID,
            "min_power must be > 0, ref_power, top_db and mag_exp finite (got %g, %g, %g, %g)",
            o->min_power, o->ref_power, o->top_db, o->mag_exp);
    return check_window(o->window);
}

static gt_Status mel_spectrogram_build(gt_Layer *layer, const gt_BuildArgs *in)
{
    (void)in;
    MelSpectrogram *self = (MelSpectrogram *)layer;
    const gt_MelSpectrogram_options *o = &self->options;
    gt_Tensor *bands =
        gt_mel_weights(o->fft_length / 2 + 1, o->num_mel_bins, .sampling_rate = o->sampling_rate,
                       .min_freq = o->min_freq, .max_freq = o->max_freq, .dtype = GT_FLOAT64);
    self->bands = gt_variable(bands, .trainable = false);
    return gt_status();
}

static gt_Tensor *mel_spectrogram_call(gt_Layer *layer, const gt_CallArgs *in)
{
    const MelSpectrogram *self = (const MelSpectrogram *)layer;
    const gt_MelSpectrogram_options *o = &self->options;
    gt_Tensor *given = gt_as_floats(layer, in->x), *x = gt_widened(given);
    gt_Tensor *y = gt_mel_spectrogram(
        x, .fft_length = o->fft_length, .sequence_length = o->sequence_length,
        .sequence_stride = o->sequence_stride, .window = o->window, .power_to_db = o->power_to_db,
        .top_db = o->top_db, .mag_exp = o->mag_exp, .min_power = o->min_power,
        .ref_power = o->ref_power, .weights = gt_cast(self->bands, gt_dtype(x)));
    return gt_cast(y, gt_dtype(given));
}

static void mel_spectrogram_destroy(gt_Layer *layer)
{
    gt_variable_release(((MelSpectrogram *)layer)->bands);
}

const gt_LayerClass gt_layer_class_mel_spectrogram = {
    GT_LAYER_RECORD("mel_spectrogram", "MelSpectrogram", MelSpectrogram,
                    "sound as bands of frequencies that are even to the ear"),
    .flags = GT_LAYER_DROPS_MASK,
    .options = &gt_MelSpectrogram_options_type,
    .create = mel_spectrogram_create,
    .build = mel_spectrogram_build,
    .call = mel_spectrogram_call,
    .destroy = mel_spectrogram_destroy,
    .ports = GT_PORTS({"x", GT_PORT_INTEGERS, 1, 0}),
    .samples = GT_LAYER_SAMPLES(
        {.options = GT_LAYER_OPTIONS(gt_MelSpectrogram, .fft_length = 16, .sequence_stride = 5,
                                     .num_mel_bins = 3, .top_db = 20),
         .keras = "MelSpectrogram(16, 5, num_mel_bins=3, top_db=20)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 20)),
         .masks = 1,
         .output = GT_SAMPLE_SHAPE(2, 3, 5)},
        {.options = GT_LAYER_OPTIONS(
             gt_MelSpectrogram, .fft_length = 8, .sequence_stride = 3, .sequence_length = 6,
             .window = GT_WINDOW_HAMMING, .sampling_rate = 1000, .num_mel_bins = 2, .min_freq = 30,
             .max_freq = 450, .mag_exp = 1, .min_power = 0.01, .ref_power = 3),
         .keras =
             "MelSpectrogram(8, 3, 6, 'hamming', 1000, 2, 30., 450., mag_exp=1., min_power=0.01, "
             "ref_power=3.)",
         .inputs = 1,
         .input = GT_INPUTS(GT_ANY(2, 2, 10)),
         .output = GT_SAMPLE_SHAPE(2, 2, 2, 4)},
        {.options =
             GT_LAYER_OPTIONS(gt_MelSpectrogram, .fft_length = 8, .sequence_stride = 4,
                              .num_mel_bins = 2, .window = GT_WINDOW_NONE, .power_to_db = false),
         .keras = "MelSpectrogram(8, 4, num_mel_bins=2, window=None, power_to_db=False)",
         .inputs = 1,
         .input = GT_INPUTS(GT_WHOLE(GT_INT32, -9, 9, 2, 9)),
         .output = GT_SAMPLE_SHAPE(2, 2, 3)}),
};

gt_Layer *gt_MelSpectrogram_at(const char *here, const gt_MelSpectrogram_options *options)
{
    return gt_layer_make_at(here, &gt_layer_class_mel_spectrogram, options);
}
