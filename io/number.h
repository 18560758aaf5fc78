/* Numbers as text, the same under every locale: for CSV and JSON. Correctly rounded both ways.
 * Leans on core/text.h. */
#ifndef GT_IO_NUMBER_H
#define GT_IO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GT_NUMBER_TEXT 32

/* "12", "-3"; false if it is anything else or does not fit. */
bool gt_parse_integer(const char *text, size_t size, int64_t *value);
/* "1", "-1.5e-3", ".5", "1.": decimal numbers only. What is too large or too small for a double
 * becomes infinity or zero, as rounding says. The byte behind the text must be there, and no part
 * of a number: a delimiter, a quote, a 0. */
bool gt_parse_decimal(const char *text, size_t size, double *value);
/* The shortest text of at most `digits` digits that reads back as the same number; "nan", "inf",
 * "-inf". `single`: as the same float. */
const char *gt_number_text(double value, bool single, char text[GT_NUMBER_TEXT]);

#endif
