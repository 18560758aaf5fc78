/* Layers of sound: what the walks over the table of layers do not see. A tone is where it must be; models for any length and
 * batch; kernels learn; wrong inputs. */
#include "layer_mistakes.h"

#include <math.h>

enum { RATE = 8000, LENGTH = 2048 };

/* (batch, LENGTH) of cos(2 pi hertz t / RATE) */
static gt_Tensor *tone(double hertz, int64_t batch)
{
    gt_Tensor *t = gt_arange(0, LENGTH, 1, .dtype = GT_FLOAT64);
    gt_Tensor *wave = gt_cos(gt_multiply(t, 2 * 3.14159265358979323846 * hertz / RATE));
    return gt_broadcast_to(gt_cast(wave, GT_FLOAT32), gt_shape(batch, LENGTH));
}

/* 1000 Hz is frequency 16 of 128 / 8000 seconds, and its power is 1/2 in all. */
Test(layers_sound, tone_in_frames)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_expand_dims(tone(1000, 1), -1);
    gt_Layer *psd = gt_STFTSpectrogram(.mode = GT_SPECTROGRAM_MODE_PSD, .frame_length = 128,
                                       .scaling = GT_STFT_SCALING_SPECTRUM);
    gt_Tensor *y = gt_call(psd, x);
    cr_assert(has_shape(y, gt_shape(1, 31, 65)));
    for (int frame = 0; frame < 31; frame++) {
        for (int k = 0; k < 65; k++)
            cr_assert(k == 16 ||
                      gt_element(y, frame * 65 + k) < gt_element(y, frame * 65 + 16) / 3);
        cr_assert(fabs(gt_element(y, frame * 65 + 16) - 0.5) < 1e-3);
    }
    cr_assert(gt_trainable_variables(psd).count == 2);
    gt_layer_free(psd);
    ends(scope);
}

/* The loudest band is the one whose middle is nearest on the mel scale; nothing is 60 decibels below it. */
Test(layers_sound, tone_in_bands)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Layer *layer =
        gt_MelSpectrogram(.fft_length = 512, .sequence_stride = 256, .sampling_rate = RATE,
                          .num_mel_bins = 20, .min_freq = 0, .top_db = 60);
    gt_Tensor *y = gt_call(layer, tone(1500, 2));
    cr_assert(has_shape(y, gt_shape(2, 20, 9)));
    double step = 1127 * log1p(4000.0 / 700) / 21;
    int loudest = (int)lround(1127 * log1p(1500.0 / 700) / step) - 1;
    for (int frame = 1; frame < 8; frame++)
        for (int k = 0; k < 20; k++)
            cr_assert(k == loudest ||
                      gt_element(y, k * 9 + frame) < gt_element(y, loudest * 9 + frame));
    cr_assert(gt_item(gt_min(y)) >= gt_item(gt_max(y)) - 60.001);
    cr_assert(gt_variables(layer).count == 0);
    gt_Tensor *whole = gt_round(gt_multiply(tone(1500, 1), 1000));
    cr_assert(gt_dtype(gt_call(layer, gt_cast(whole, GT_INT32))) == GT_FLOAT32);
    cr_assert(gt_dtype(gt_call(layer, gt_cast(whole, GT_FLOAT16))) == GT_FLOAT16);
    gt_layer_free(layer);
    ends(scope);
}

Test(layers_sound, models_for_any_length)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_Input(gt_shape(-1, 2)), *sound = gt_Input(gt_shape(-1));
    gt_Tensor *y = gt_call(gt_STFTSpectrogram(.frame_length = 8, .expand_dims = true), x);
    gt_Tensor *z = gt_call(
        gt_MelSpectrogram(.fft_length = 16, .sequence_stride = 8, .num_mel_bins = 4), sound);
    gt_Layer *model = gt_Model(gt_tensors(x, sound), gt_tensors(y, z));
    cr_assert(model, "%s", gt_error_message());
    for (int64_t batch = 1; batch < 4; batch++) {
        gt_Tensor *second = NULL, *in = gt_uniform(gt_shape(batch, 20 + batch, 2));
        gt_Tensor *mono = gt_uniform(gt_shape(batch, 30 + 8 * batch));
        gt_Tensor *first =
            gt_call(model, in, .more = gt_tensors(mono), .outputs = gt_outputs(&second));
        cr_assert(has_shape(first, gt_shape(batch, (12 + batch) / 4 + 1, 5, 2)));
        cr_assert(has_shape(second, gt_shape(batch, 4, (30 + 8 * batch) / 8 + 1)));
    }
    gt_layer_free(model);
    ends(scope);
}

/* The kernels of a spectrogram are trained like any others, and not when the layer is frozen. */
Test(layers_sound, kernels_learn)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *x = gt_uniform(gt_shape(8, 64, 1)), *y = gt_mean(x, .axes = gt_axes(1, 2));
    gt_Layer *model =
        gt_Sequential(gt_STFTSpectrogram(.frame_length = 16), gt_Flatten(), gt_Dense(1));
    gt_compile(model, .optimizer = gt_Adam(1e-3), .loss = gt_MeanSquaredError());
    gt_Dataset *data = gt_dataset_from_tensors(x, y, .batch_size = 8);
    gt_History *history = gt_fit(model, data, .epochs = 30, .verbose = GT_VERBOSITY_SILENT);
    cr_assert(history &&
                  gt_history_get(history, "loss", -1) < 0.5 * gt_history_get(history, "loss", 0),
              "%s", gt_error_message());
    gt_history_free(history);
    gt_dataset_free(data);
    gt_layer_free(model);
    gt_Layer *frozen = gt_STFTSpectrogram(.frame_length = 16, .trainable = false);
    gt_call(frozen, x);
    cr_assert(gt_trainable_variables(frozen).count == 0 && gt_weights(frozen).count == 2);
    gt_layer_free(frozen);
    ends(scope);
}

Test(layers_sound, mistakes)
{
    gt_Scope *scope = gt_scope_begin();
    not_made(gt_STFTSpectrogram(.frame_length = 1), "frame_length must be > 1 (got 1)");
    not_made(gt_STFTSpectrogram(.frame_length = 8, .frame_step = 9),
             "frame_step must be from 1 to frame_length, 8 (got 9)");
    not_made(gt_STFTSpectrogram(.frame_length = 8, .frame_step = 0), "(got 0)");
    not_made(gt_STFTSpectrogram(.frame_length = 8, .fft_length = 7),
             "fft_length must be at least frame_length, 8 (got 7)");
    not_made(gt_STFTSpectrogram(.mode = (gt_SpectrogramMode)7), "unknown mode of spectrograms 7");
    not_made(gt_STFTSpectrogram(.padding = GT_PADDING_CAUSAL), "padding must be valid or same");
    not_made(gt_MelSpectrogram(.fft_length = 8, .sequence_length = 9),
             "sequence_length must be from 1");
    not_made(gt_MelSpectrogram(.sequence_stride = 0), "must be > 0 (got 0 and 128)");
    not_made(gt_MelSpectrogram(.num_mel_bins = 0), "must be > 0 (got 512 and 0)");
    not_made(gt_MelSpectrogram(.min_freq = 9000), "frequencies must rise from min_freq >= 0");
    not_made(gt_MelSpectrogram(.max_freq = 10), "frequencies must rise from min_freq >= 0");
    not_made(gt_MelSpectrogram(.sampling_rate = NAN), "sampling_rate nan");
    not_made(gt_MelSpectrogram(.min_power = 0), "min_power must be > 0");
    gt_Tensor *x = gt_ones(gt_shape(2, 3, 1));
    not_called(gt_STFTSpectrogram(.frame_length = 4), x, NULL, "stft_spectrogram");
    not_called(gt_STFTSpectrogram(), gt_ones(gt_shape(2, 3)), NULL, "dimensions");
    not_called(gt_MelSpectrogram(), gt_ones(gt_shape(2, 3)), NULL, "mel_spectrogram");
    gt_Layer *layer = gt_STFTSpectrogram(.frame_length = 2);
    cr_assert(gt_call(layer, x) && !gt_call(layer, gt_ones(gt_shape(2, 3, 2))));
    fails(GT_INVALID, "stft_spectrogram");
    cr_assert(gt_size(gt_call(layer, gt_ones(gt_shape(0, 3, 1)))) == 0);
    gt_layer_free(layer);
    ends(scope);
}
