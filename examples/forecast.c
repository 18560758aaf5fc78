/* Forecasts a chaotic series with a GRU.
 *
 * The equation of Mackey and Glass (1977) is about blood cells that are made with a delay:
 *
 *     dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x
 *
 * The network sees 32 values, one every 3 units of time, and says what comes 5 values later. The last fifth of the series
 * is for the test. The figure is the root of the mean square error over the standard deviation of the series; who says
 * "as now" gets 1.62, the network 0.013.
 */
#include "example.h"

enum { VALUES = 4000, SEEN = 32, AHEAD = 5, EVERY = 3, DELAY = 17, FINE = 10 };

static double slope(double now, double before)
{
    return 0.2 * before / (1 + pow(before, 10)) - 0.1 * now;
}

/* Heun's method with steps of 1 / FINE; the first 100 values, where the beginning is forgotten, are left out. */
static void mackey_glass(float *series)
{
    static double x[DELAY * FINE + (VALUES + 100) * EVERY * FINE + 1];
    const int begin = DELAY * FINE, per_value = EVERY * FINE;
    for (int i = 0; i <= begin; i++)
        x[i] = 1.2;
    for (int i = begin; i < begin + (VALUES + 100) * per_value; i++) {
        double first = slope(x[i], x[i - begin]);
        double second = slope(x[i] + first / FINE, x[i - begin + 1]);
        x[i + 1] = x[i] + (first + second) / 2 / FINE;
    }
    for (int i = 0; i < VALUES; i++)
        series[i] = (float)x[begin + (i + 100) * per_value];
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    float series[VALUES];
    mackey_glass(series);
    enum { ROWS = VALUES - SEEN - AHEAD, KNOWN = ROWS / 5 * 4 };
    static float x[ROWS][SEEN], y[ROWS];
    double persistence = 0;
    for (int i = 0; i < ROWS; i++) {
        memcpy(x[i], series + i, sizeof x[i]);
        y[i] = series[i + SEEN - 1 + AHEAD];
        if (i >= KNOWN + SEEN)
            persistence += pow(y[i] - x[i][SEEN - 1], 2) / (ROWS - KNOWN - SEEN);
    }
    /* Between the parts a gap of SEEN rows, so that no value is in both. */
    const int first = KNOWN + SEEN, rest = ROWS - first;
    gt_Dataset *train =
        gt_dataset_from_tensors(gt_from_data(x, gt_shape(KNOWN, SEEN, 1), GT_FLOAT32),
                                gt_from_data(y, gt_shape(KNOWN, 1), GT_FLOAT32));
    gt_Dataset *test =
        gt_dataset_from_tensors(gt_from_data(x[first], gt_shape(rest, SEEN, 1), GT_FLOAT32),
                                gt_from_data(y + first, gt_shape(rest, 1), GT_FLOAT32));

    /* The series has a mean and a scale, which are learned from the data and saved with the model. */
    gt_Layer *normalize = gt_Normalization();
    gt_adapt(normalize, train);
    gt_Layer *model = gt_Sequential(normalize, gt_GRU(32), gt_Dense(1));
    gt_compile(model, .optimizer = gt_Adam(5e-3), .loss = gt_MeanSquaredError());
    gt_fit(model, train, .epochs = example.small ? 5 : 40, .validation = test);
    double deviation = gt_item(gt_std(gt_from_data(series, gt_shape(VALUES), GT_FLOAT32)));
    printf("error of \"as now\": %.3f of the deviation\n", sqrt(persistence) / deviation);
    return example_end("error of the forecast", sqrt(gt_evaluate(model, test).loss) / deviation, 0,
                       example.small ? 0.3 : 0.05);
}
