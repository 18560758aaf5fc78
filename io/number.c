/* Numbers as text. Nearly all numbers of real files have at most 19 digits and a small exponent:
 * those are read exactly with one multiplication or division of two exact doubles (W. D. Clinger,
 * How to read floating point numbers accurately, 1990). The rest, and what is written, goes through
 * core/text.h. */
#include "io/number.h"
#include "core/text.h"

#include <float.h>
#include <math.h>

bool gt_parse_integer(const char *text, size_t size, int64_t *value)
{
    size_t i = size > 0 && (text[0] == '-' || text[0] == '+');
    bool negative = i && text[0] == '-';
    uint64_t most = (uint64_t)INT64_MAX + negative, sum = 0;
    if (i == size)
        return false;
    for (; i < size; i++) {
        uint64_t next = (uint64_t)(text[i] - '0');
        if (!gt_is_digit(text[i]) || sum > (most - next) / 10)
            return false;
        sum = sum * 10 + next;
    }
    *value = !negative ? (int64_t)sum : sum == most ? INT64_MIN : -(int64_t)sum;
    return true;
}

/* mantissa * 10^exponent, if both are exact as doubles: then one rounding is all there is. */
static bool exact_product(uint64_t mantissa, int64_t exponent, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (FLT_EVAL_METHOD != 0 || mantissa > (uint64_t)1 << 53 || exponent < -22 || exponent > 22)
        return false;
    *value =
        exponent < 0 ? (double)mantissa / power[-exponent] : (double)mantissa * power[exponent];
    return true;
}

bool gt_parse_decimal(const char *text, size_t size, double *value)
{
    const char *at = text, *end = text + size;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    uint64_t mantissa = 0;
    int64_t exponent = 0;
    int digits = 0, significant = 0;
    bool fraction = false;
    for (; at < end && (gt_is_digit(*at) || (*at == '.' && !fraction)); at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        digits = 1;
        exponent -= fraction;
        if (significant < 19) /* more would overflow the mantissa; strtod sees to them */
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
        significant += mantissa != 0 && significant < 20;
    }
    if (!digits)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        int64_t written = 0;
        at++;
        bool down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        if (at == end)
            return false;
        for (; at < end && gt_is_digit(*at); at++)
            written = written < 100000000 ? written * 10 + (*at - '0') : written;
        exponent += down ? -written : written;
    }
    if (at != end)
        return false;
    if (significant >= 20 || !exact_product(mantissa, exponent, value)) {
        *value = fabs(gt_text_number(text));
    }
    if (negative)
        *value = -*value;
    return true;
}

const char *gt_number_text(double value, bool single, char text[GT_NUMBER_TEXT])
{
    if (isnan(value) || isinf(value)) {
        gt_text(text, GT_NUMBER_TEXT, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return text;
    }
    for (int digits = single ? 6 : 15; digits <= (single ? 9 : 17); digits++) {
        gt_text(text, GT_NUMBER_TEXT, "%.*g", digits, value);
        double back = gt_text_number(text);
        if (single ? (float)back == (float)value : back == value)
            break;
    }
    return text;
}
