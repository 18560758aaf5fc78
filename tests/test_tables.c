/* Tables as they come: headers, categories, labels, what is missing, delimiters and points, dates, text in UTF-16, and the
 * tables of scikit-learn as they are downloaded. */
#include <math.h>

#include "data_files.h"

/* The whole x, row after row, and y; the dataset in its own order. */
static void holds(gt_Dataset *data, int64_t rows, int64_t columns, const double *x, const double *y)
{
    ok();
    gt_Batch batch;
    gt_Spec spec = gt_dataset_x(data);
    cr_assert(spec.rank == 2 && spec.dims[0] == rows && spec.dims[1] == columns,
              "x is (%lld, %lld)", (long long)spec.dims[0], (long long)spec.dims[1]);
    cr_assert(gt_dataset_next(data, &batch) && batch.size == rows);
    for (int64_t i = 0; i < rows * columns; i++)
        cr_assert(fabs(gt_element(batch.x, i) - x[i]) <= 1e-6 * fabs(x[i]), "x %lld is %g, not %g",
                  (long long)i, gt_element(batch.x, i), x[i]);
    cr_assert(!y == !batch.y);
    for (int64_t i = 0; y && i < rows; i++)
        cr_assert(fabs(gt_element(batch.y, i) - y[i]) <= 1e-6 * fabs(y[i]), "y %lld is %g, not %g",
                  (long long)i, gt_element(batch.y, i), y[i]);
    gt_dataset_free(data);
}
#define NUMBERS(...) ((const double[]){__VA_ARGS__})
/* A table in its own order: read(text, .label = "y"). */
#define read(...)                                                                                  \
    gt_dataset_from_csv_at(                                                                        \
        "test", put_text("t.csv", GT_FIRST(__VA_ARGS__)),                                          \
        GT_KEYWORDS(gt_dataset_from_csv, .shuffle = false, GT_AFTER_1(__VA_ARGS__)))

static void named(gt_Dataset *data, int column, const char *name)
{
    const char *has = gt_dataset_column_name(data, column);
    cr_assert(has && strcmp(has, name) == 0, "column %d is called \"%s\"", column,
              has ? has : gt_error_message());
}

static const char people[] = "name,age,sex,fare,survived\n"
                             "\"Allen, \"\"Liz\"\"\",29,female,211.5,yes\n"
                             "Bob,40.5,male,26,no\n"
                             "Carl,,male,7.25,no\n"
                             "Dora,18,female,NA,yes\n";

Test(tables, people, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *data = read(people, .label = "survived", .columns = gt_names("age", "sex", "fare"),
                            .missing = GT_MISSING_MEAN);
    ok();
    named(data, 0, "age");
    named(data, 1, "sex");
    cr_assert(gt_dataset_class_count(data) == 2 &&
              strcmp(gt_dataset_class_name(data, 0), "no") == 0 &&
              strcmp(gt_dataset_class_name(data, 1), "yes") == 0);
    cr_assert(gt_dataset_category_count(data, 1) == 2 && gt_dataset_category_count(data, 0) == 0);
    cr_assert(strcmp(gt_dataset_category_name(data, 1, 1), "male") == 0);
    refused(gt_dataset_category_name(data, 1, 2), GT_INVALID, "names for 2 categories");
    refused(gt_dataset_category_name(data, 0, 0), GT_INVALID, "names for 0 categories");
    refused(gt_dataset_column_name(data, 3), GT_INVALID, "names for 3 columns");
    cr_assert_eq(gt_dataset_column_count(data), 3);
    gt_Dataset *plain = gt_dataset_from_tensors(gt_ones(gt_shape(2, 3)), NULL);
    cr_assert_eq(gt_dataset_column_count(plain), 0);
    gt_dataset_free(plain);
    cr_assert_eq(gt_dataset_column_count(NULL), -1);
    gt_error_clear();
    refused(gt_dataset_class_name(data, -1), GT_INVALID, "index -1 is out of range");
    cr_assert(gt_dataset_y(data).dtype == GT_INT32 && gt_dataset_y(data).rank == 1);
    double mean_age = (29 + 40.5 + 18) / 3, mean_fare = (211.5 + 26 + 7.25) / 3;
    holds(data, 4, 3, NUMBERS(29, 0, 211.5, 40.5, 1, 26, mean_age, 1, 7.25, 18, 0, mean_fare),
          NUMBERS(1, 0, 0, 1));

    /* the same without naming what stays; median; by number; one column for each category */
    data = read(people, .without = gt_names("name"), .label_column = 4,
                .missing = GT_MISSING_MEDIAN, .one_hot = true);
    ok();
    named(data, 1, "sex=female");
    named(data, 2, "sex=male");
    holds(data, 4, 4, NUMBERS(29, 1, 0, 211.5, 40.5, 0, 1, 26, 29, 0, 1, 7.25, 18, 1, 0, 26),
          NUMBERS(1, 0, 0, 1));
    holds(read(people, .without = gt_names("name", "sex"), .missing = GT_MISSING_DROP), 2, 2,
          NUMBERS(29, 211.5, 40.5, 26), NUMBERS(1, 0));
    holds(read(people, .columns = gt_names("3", "1"), .label_column = GT_NONE,
               .missing = GT_MISSING_VALUE, .missing_value = -1),
          4, 2, NUMBERS(211.5, 29, 26, 40.5, 7.25, -1, -1, 18), NULL);
    /* a dropped row's text is no category: Carl's row goes, and so does his name */
    data = read(people, .columns = gt_names("name", "age"), .label = "fare",
                .missing = GT_MISSING_DROP);
    ok();
    cr_assert(gt_dataset_category_count(data, 0) == 2 && gt_dataset_y(data).rank == 2 &&
              gt_dataset_y(data).dtype == GT_FLOAT32);
    cr_assert(strcmp(gt_dataset_category_name(data, 0, 0), "Allen, \"Liz\"") == 0, "%s",
              gt_dataset_category_name(data, 0, 0));
    holds(data, 2, 2, NUMBERS(0, 29, 1, 40.5), NUMBERS(211.5, 26));
    holds(read("a,w,y\n1,0.5,3\n2,2,4\n", .weight = "w", .label = "y"), 2, 1, NUMBERS(1, 2),
          NUMBERS(3, 4));
    data = read("a,w,y\n1,0.5,3\n2,2,4\n", .weight = "w", .label = "y");
    gt_Batch batch;
    cr_assert(gt_dataset_next(data, &batch) && gt_element(batch.weights[0], 1) == 2);
    gt_dataset_free(data);

    refused(read(people, .without = gt_names("name")), GT_FORMAT,
            "t.csv:4:2: a value is missing (column \"age\"); .missing says what becomes of it");
    refused(read(people, .label = "Survived"), GT_INVALID,
            "has no column \"Survived\": expected one of \"name\", \"age\", \"sex\", \"fare\", "
            "\"survived\"");
    refused(read(people, .label = "fare", .missing = GT_MISSING_MEAN), GT_FORMAT,
            ":5:4: a label is missing (column \"fare\"); .missing = GT_MISSING_DROP");
    refused(read(people, .columns = gt_names("age", "1")), GT_INVALID,
            "column \"age\" is named twice");
    refused(read(people, .columns = gt_names("survived")), GT_INVALID,
            "column \"survived\" is named twice");
    refused(read(people, .columns = gt_names("7")), GT_INVALID,
            "column 7 is out of range: it has 5 columns");
    refused(read(people, .missing = GT_MISSING_DROP, .max_categories = 1), GT_FORMAT,
            "column \"name\" has more than 1 different texts: expected categories; .without leaves "
            "it out");
    refused(read(people, .missing = -1), GT_INVALID, ".missing = GT_MISSING_VALUE, .missing_value");
    refused(read("a,b\n1,2\n", .dtype = GT_INT32), GT_INVALID, "dtype must be float32 or float64");
    refused(
        read("a\n1\n"), GT_INVALID,
        "no column is left for x beside labels and weights: the table has 1 column; .delimiter");
    refused(read("a,a\n1,2\n", .label = "a"), GT_INVALID, "two columns are called \"a\"");
}

Test(tables, missing, .init = open_folder, .fini = close_folder)
{
    /* words; among text only an empty field and what is said */
    static const char cars[] = "hp,country\n130,NA\n?,US\n-,?\n150,\n140,US\n";
    refused(
        read(cars, .label_column = GT_NONE), GT_FORMAT,
        "t.csv:3:1: \"?\" in column \"hp\" is not a number, and 3 other values of it are; if it "
        "stands for a missing value: .na = "
        "gt_names(\"?\")");
    gt_Dataset *data =
        read(cars, .label_column = GT_NONE, .na = gt_names("?", "-"), .missing = GT_MISSING_MEAN);
    ok();
    cr_assert(gt_dataset_category_count(data, 1) == 3 && !*gt_dataset_category_name(data, 1, 0) &&
              strcmp(gt_dataset_category_name(data, 1, 1), "NA") == 0);
    holds(data, 5, 2, NUMBERS(130, 1, 140, 2, 140, 0, 150, 0, 140, 2), NULL);
    holds(read("a,b\n1,null\n2,N/A\n3,nan\n4,9\n", .label_column = GT_NONE,
               .missing = GT_MISSING_MEDIAN),
          4, 2, NUMBERS(1, 9, 2, 9, 3, 9, 4, 9), NULL);
    refused(read("a,b\n1,\n2,\n", .label_column = GT_NONE, .missing = GT_MISSING_MEAN), GT_FORMAT,
            "column \"b\" has no value that could stand for the missing ones");
    refused(read("a,b\n1,\n2,\n", .label_column = GT_NONE, .missing = GT_MISSING_DROP), GT_FORMAT,
            "something is missing in every row");
    /* an even number of values: the mean of the middle two, as numpy.median */
    holds(read("a,b\n1,0\n4,0\n,0\n2,0\n10,0\n", .missing = GT_MISSING_MEDIAN), 5, 1,
          NUMBERS(1, 4, 3, 2, 10), NUMBERS(0, 0, 0, 0, 0));
}

Test(tables, headers, .init = open_folder, .fini = close_folder)
{
    /* found by looking */
    holds(read("1,2\n3,4\n"), 2, 1, NUMBERS(1, 3), NUMBERS(2, 4));
    holds(read("a,b\n3,4\n"), 1, 1, NUMBERS(3), NUMBERS(4));
    holds(read("\n\n# x\na,b\n3,4\n", .skip_rows = 3), 1, 1, NUMBERS(3), NUMBERS(4));
    holds(read("2019,2020\n3,4\n", .header = GT_HEADER_YES), 1, 1, NUMBERS(3), NUMBERS(4));
    /* all of it text: a header if nothing of it comes again */
    gt_Dataset *data = read("color,size\nred,big\nblue,small\nred,small\n");
    ok();
    named(data, 0, "color");
    holds(data, 3, 1, NUMBERS(1, 0, 1), NUMBERS(0, 1, 1));
    data = read("red,big\nblue,small\nred,small\n");
    ok();
    named(data, 0, "");
    holds(data, 3, 1, NUMBERS(1, 0, 1), NUMBERS(0, 1, 1));
    holds(read("color,size\nred,big\nblue,small\nred,small\n", .header = GT_HEADER_NO), 4, 1,
          NUMBERS(1, 2, 0, 2), NUMBERS(1, 0, 2, 2));
    /* of R: one name fewer, since the names of the rows have none */
    data = read("\"mpg\" \"cyl\"\n\"Mazda RX4\" 21 6\n\"Fiat 128\" 32.4 4\n",
                .without = gt_names("0"), .label = "cyl");
    ok();
    named(data, 0, "mpg");
    holds(data, 2, 1, NUMBERS(21, 32.4), NUMBERS(6, 4));
    /* of scikit-learn: how many rows and columns, and the classes */
    data = read("3,2,setosa,virginica\n1,2,0\n3,4,1\n5,6,1\n");
    ok();
    cr_assert(gt_dataset_class_count(data) == 2 &&
              strcmp(gt_dataset_class_name(data, 1), "virginica") == 0);
    holds(data, 3, 2, NUMBERS(1, 2, 3, 4, 5, 6), NUMBERS(0, 1, 1));
    /* The classes of such a row are those of the last column, where it is the label and has integers that are meant as such. */
    data = read("3,2,setosa,virginica\n1.5,2,0\n3.5,4,1\n5.5,6,1\n", .label = "0");
    ok();
    cr_assert(gt_dataset_class_count(data) == 0 && gt_dataset_y(data).dtype == GT_FLOAT32);
    data = read("3,2,setosa,virginica\n1,2,0\n3,4,1\n5,6,1\n", .label_dtype = GT_FLOAT32);
    ok();
    cr_assert_eq(gt_dataset_class_count(data), 0);
    data = read("3,2,setosa,virginica\n1,2,0.5\n3,4,1\n5,6,1\n");
    ok();
    cr_assert_eq(gt_dataset_class_count(data), 0);
    data = read("3,2,setosa,virginica\n1,2,0\n3,4,1\n5,6,2\n");
    ok();
    cr_assert_eq(gt_dataset_class_count(data), 0);
    data = read("3,2,setosa,virginica\n1,2,0\n3,4,1\n5,6,1\n");
    refused(read("1,2,0\n3,4,1\n5,6,2\n", .like = data), GT_INVALID, "row 3: the label 2 is none of the 2 classes, 0 to 1");
    refused(read("1,2,0.5\n", .like = data), GT_INVALID, "row 1: the label 0.5 is none of the 2 classes, 0 to 1");
    refused(read("a,b,c\n1,2,3\n", .columns = gt_names("a", "b"), .without = gt_names("b")), GT_INVALID,
            "column \"b\" is named in .columns and in .without");
    refused(read("a,b,c\n1,2,3\n", .max_categories = 0), GT_INVALID, "max_categories must be >= 1 (got 0)");
    refused(read("a,b,c\n1,2,3\n", .skip_rows = -2), GT_INVALID, "skip_rows must be >= 0 (got -2)");
    refused(read("a,b,c\n1,2,3\n", .limit = -1), GT_INVALID, "limit must be >= 0 (got -1)");
    refused(read("4,2,setosa,virginica\n1,2,0\n3,4,1\n5,6,1\n"), GT_FORMAT,
            "the first row has 4 fields and the rows below have 3; .skip_rows = 1 passes over it");
    refused(read("a,b\n", .header = GT_HEADER_YES), GT_FORMAT, "t.csv: a header and no rows");
    refused(read("a,b\n"), GT_FORMAT, "t.csv: a header and no rows");
    refused(read("a\n", .label = "a"), GT_FORMAT, "t.csv: a header and no rows");
    refused(read("note\n", .text = gt_names("note"), .label_column = GT_NONE), GT_FORMAT, "t.csv: a header and no rows");
}

Test(tables, text, .init = open_folder, .fini = close_folder)
{
    /* delimiters are found; the point may be a comma */
    static const char *const same[] = {"a,b,c\n1.5,2,3\n4,5,6\n", "a;b;c\r\n1.5;2;3\r\n4;5;6\r\n",
                                       "a\tb\tc\n1.5\t2\t3\n4\t5\t6", "a|b|c\n1.5|2|3\n4|5|6\n",
                                       "a  b c\n 1.5   2 3\n4 5\t6 \n"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        holds(read(same[i]), 2, 2, NUMBERS(1.5, 2, 4, 5), NUMBERS(3, 6));
    holds(read("a;b;c\n1,5;2;3\n4;5;6\n", .decimal = ','), 2, 2, NUMBERS(1.5, 2, 4, 5),
          NUMBERS(3, 6));
    holds(read("a:b:c\n1.5:2:3\n4:5:6\n", .delimiter = ':'), 2, 2, NUMBERS(1.5, 2, 4, 5),
          NUMBERS(3, 6));
    holds(read("a,'b;c',c\n1.5,2,3\n'4',5,6\n", .quote = '\''), 2, 2, NUMBERS(1.5, 2, 4, 5),
          NUMBERS(3, 6));
    holds(read("1,5\n2,5\n", .decimal = ',', .label_column = GT_NONE), 2, 1, NUMBERS(1.5, 2.5),
          NULL);
    refused(read("a;b\n1.000,5;2\n3;4\n2;5\n", .decimal = ','), GT_FORMAT,
            ":2:1: \"1.000,5\" in column \"a\" is not a number");
    refused(read("a,b\n1,2\n", .decimal = ',', .delimiter = ','), GT_INVALID,
            "decimal must be '.'");
    refused(read("a,b\n1,2\n", .delimiter = 'x'), GT_INVALID, "delimiter must be printable");
    refused(read("a,b\n1e39,2\n"), GT_FORMAT, ":2:1: \"1e39\" is too large for float32");
    holds(read("a,b\n1e39,2\n2,3\n", .dtype = GT_FLOAT64, .scale = 1e-39), 2, 1, NUMBERS(1, 2e-39),
          NUMBERS(2, 3));

    /* UTF-16, as spreadsheets save "Unicode text" */
    static const char utf16[] = "\xff\xfe"
                                "a\0\t\0y\0\n\0"
                                "1\0\t\0"
                                "\xe9\0\n\0"
                                "2\0\t\0z\0\n";
    gt_Dataset *data =
        gt_dataset_from_csv(put_file("u.txt", utf16, sizeof utf16), .shuffle = false);
    ok();
    cr_assert(strcmp(gt_dataset_class_name(data, 1), "\xc3\xa9") == 0, "%s",
              gt_dataset_class_name(data, 1));
    holds(data, 2, 1, NUMBERS(1, 2), NUMBERS(1, 0));

    /* commas that are points: neither categories nor gaps */
    static const char commas[] = "a;b\n1,5;x\n2,25;y\n?;x\n";
    refused(read(commas, .na = gt_names("?")), GT_FORMAT,
            "t.csv:2:1: \"1,5\" and others in column \"a\" look like numbers with a decimal comma: "
            ".decimal = ','");
    refused(read("a;b\n1;x\n2;y\n3,5;x\n", .delimiter = ';'), GT_FORMAT,
            "\"3,5\" in column \"a\" is not a number; with .decimal = ',' its comma is a point");
    refused(read("b;a\nx;1,5\ny;2,25\n"), GT_FORMAT,
            "t.csv:2:2: \"1,5\" and others in column \"a\" look like");
    holds(
        read(commas, .na = gt_names("?"), .categories = gt_names("a"), .missing = GT_MISSING_DROP),
        2, 1, NUMBERS(0, 1), NUMBERS(0, 1));
    holds(read("a;b\n1,5;1\n1,2,3;2\nx;1\n", .delimiter = ';'), 3, 1, NUMBERS(1, 0, 2),
          NUMBERS(1, 2, 1));

    gt_Dataset *points = read("a;b\n1.5;x\n2;y\n", .delimiter = ';');
    refused(read("a;b\n1,5;x\n", .delimiter = ';', .like = points), GT_FORMAT,
            "\"1,5\" in column \"a\" is not a number; with .decimal");
    gt_dataset_free(points);

    /* dates */
    static const char *const dates[] = {"2024-01-31",           "31.1.2024",      "1/31/24",
                                        "2024-01-31T12:00:00Z", "2024/1/3 12:00", "12:30"};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        char table[128], said[128];
        snprintf(table, sizeof table, "when,y\n%s,1\n%s,2\n", dates[i], dates[i]);
        snprintf(said, sizeof said, "t.csv:2:1: \"%s\" in column \"when\" is a date or a time",
                 dates[i]);
        refused(read(table), GT_FORMAT, said);
    }
    static const char *const others[] = {"12-3", "1.2.x", "a-b-c", "1-22-3x", "10.0.0.1"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char table[128];
        snprintf(table, sizeof table, "what,y\n%s,1\n%s,2\n", others[i], others[i]);
        holds(read(table), 2, 1, NUMBERS(0, 0), NUMBERS(1, 2));
    }
    holds(read("when,x,y\n2024-01-31,3,1\n2024-01-31,4,2\n", .without = gt_names("when")), 2, 1,
          NUMBERS(3, 4), NUMBERS(1, 2));

    /* rows that do not fit, with their place */
    refused(read("a,b\n1,2\n3\n"), GT_FORMAT,
            "t.csv:3:1: expected 2 fields, as in the rows before (got 1)");
    refused(read("a,b\n1,2\n\"3,4\n"), GT_FORMAT,
            "t.csv:3:1: the quotes around this field are never closed");
    refused(read(""), GT_FORMAT, "has no rows");
    refused(read("a,b\n1,2\n", .header = 7), GT_INVALID, "unknown header 7");
    refused(gt_dataset_from_csv("/nowhere.csv"), GT_IO, "nowhere");
    refused(gt_dataset_from_csv(NULL), GT_INVALID, "NULL");
    refused(gt_dataset_from_csv(files_folder), GT_IO, "is a folder");
    refused(gt_dataset_from_csv(put_file("b", "PK\3\4\0\0\0\0", 8)), GT_FORMAT, "holds zero bytes");
}

Test(tables, labels, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *data = read("x,y\n1,1\n2,2.5\n");
    ok();
    cr_assert(gt_dataset_y(data).dtype == GT_FLOAT32 && gt_dataset_y(data).rank == 2,
              "one fraction makes values of labels");
    holds(data, 2, 1, NUMBERS(1, 2), NUMBERS(1, 2.5));
    data = read("x,y\n1,1\n2,3000000000\n", .dtype = GT_FLOAT64);
    ok();
    cr_assert(gt_dataset_y(data).dtype == GT_FLOAT64, "too large for classes");
    holds(data, 2, 1, NUMBERS(1, 2), NUMBERS(1, 3e9));
    data = read("x,y\n1,b\n2,a\n", .label_dtype = GT_INT64);
    ok();
    cr_assert(gt_dataset_y(data).dtype == GT_INT64 && gt_dataset_y(data).rank == 1 &&
              gt_dataset_class_count(data) == 2);
    holds(data, 2, 1, NUMBERS(1, 2), NUMBERS(1, 0));
    refused(read("x,y\n1,b\n2,a\n", .label_dtype = GT_FLOAT32), GT_INVALID,
            "labels are text, hence classes (column \"y\"): they cannot be read as float32");
    refused(read("1,b\n2,a\n", .label_dtype = GT_FLOAT64), GT_INVALID, "hence classes (column \"1\")");
    refused(read("x,y\n1,1\n-inf,2\n"), GT_FORMAT,
            "t.csv:3:1: \"-inf\" in column \"x\" is no finite number; if it stands for a missing value: .na = gt_names(\"-inf\")");
    refused(read("x,y\n1,1\n2,Infinity\n", .dtype = GT_FLOAT64), GT_FORMAT, "t.csv:3:2: \"Infinity\" in column \"y\"");
    refused(read("x,y\n1,1\n1e999,2\n"), GT_FORMAT, "t.csv:3:1: \"1e999\" is too large for float32");
    refused(read("x,y\n1,1\n-1e999,2\n", .dtype = GT_FLOAT64), GT_FORMAT, "t.csv:3:1: \"-1e999\" is too large for float64");
    refused(read("x;y\n1;1\n1e999;2\n", .decimal = ','), GT_FORMAT, "t.csv:3:1: \"1e999\" is too large for float32");
    data = read("x,y\n1,1\ninf,2\n3,1\n", .na = gt_names("inf"), .missing = GT_MISSING_MEAN);
    ok();
    holds(data, 3, 1, NUMBERS(1, 2, 3), NUMBERS(1, 2, 1));
    refused(read("x,w,y\n1,shop,1\n2,phone,0\n", .weight = "w"), GT_FORMAT,
            "t.csv: weights must be numbers (column \"w\" is text)");
    refused(read("x,w,y\n1,2,1\n2,3,0\n", .weight = "w", .categories = gt_names("w")), GT_FORMAT,
            "weights must be numbers (column \"w\" is text)");
    refused(read("x,y\n1,1\n2,2.5\n", .label_dtype = GT_INT32), GT_INVALID,
            "row 2: the label 2.5 is out of the range of int32");
    refused(read("x,y\n1,1\n2,2.5\n", .label_dtype = GT_FLOAT16), GT_INVALID,
            "label_dtype float16 is not supported");
    /* numbers as categories */
    data = read("pclass,x,y\n3,5,0\n1,6,1\n3,7,0\n", .categories = gt_names("pclass"),
                .one_hot = true);
    ok();
    named(data, 0, "pclass=1");
    holds(data, 3, 3, NUMBERS(0, 1, 5, 1, 0, 6, 0, 1, 7), NUMBERS(0, 1, 0));
}

Test(tables, like, .init = open_folder, .fini = close_folder)
{
    gt_Dataset *train = read("id,color,size,y\n1,red,1,no\n2,blue,3,yes\n3,red,,no\n",
                             .without = gt_names("id"), .missing = GT_MISSING_MEAN);
    ok();
    /* other columns, in another order; the mean of the training data */
    holds(gt_dataset_from_csv(put_text("test.csv", "size,y,color\n,yes,red\n5,yes,red\n"),
                              .like = train, .shuffle = false, .missing = GT_MISSING_MEAN),
          2, 2, NUMBERS(1, 2, 1, 5), NUMBERS(1, 1));
    holds(gt_dataset_from_csv(put_text("test.csv", "size,color\n4,blue\n5,red\n"), .like = train,
                              .shuffle = false, .label_column = GT_NONE),
          2, 2, NUMBERS(0, 4, 1, 5), NULL);
    refused(gt_dataset_from_csv(put_text("test.csv", "size,y,color\n4,yes,green\n"), .like = train),
            GT_FORMAT,
            "test.csv:2:3: \"green\" in column \"color\" is new: it is none of the 2 categories of "
            "the table");
    refused(gt_dataset_from_csv(put_text("test.csv", "size,y,color\n4,maybe,red\n"), .like = train),
            GT_FORMAT, "test.csv:2:2: \"maybe\" in column \"y\" is new");
    refused(gt_dataset_from_csv(put_text("test.csv", "size,y\n4,yes\n"), .like = train), GT_INVALID,
            "has no column \"color\"");
    refused(gt_dataset_from_csv(put_text("test.csv", "size,y,color\nbig,yes,red\n"), .like = train),
            GT_FORMAT,
            "\"big\" in column \"size\" is not a number, as that column is in the table");
    gt_Dataset *plain = gt_dataset_from_tensors(gt_ones(gt_shape(2, 2)), NULL);
    refused(gt_dataset_from_csv(files_path, .like = plain), GT_INVALID,
            "like must be a dataset that was read from a table");
    gt_dataset_free(plain);
    /* by place where there are no names; the parts of a split know them */
    gt_Dataset *a, *b;
    gt_Dataset *bare = read("red,1,0\nblue,2,1\nred,3,0\nblue,4,1\n");
    ok();
    gt_dataset_split(bare, 0.5, &a, &b);
    ok();
    holds(gt_dataset_from_csv(put_text("test.csv", "blue,7\nred,8\n"), .like = a, .shuffle = false,
                              .label_column = GT_NONE),
          2, 2, NUMBERS(0, 7, 1, 8), NULL);
    refused(gt_dataset_from_csv(put_text("test.csv", "7\n8\n"), .like = a), GT_FORMAT,
            "it has 1 columns, and the table that it is to be like has more");
    gt_dataset_free(a), gt_dataset_free(b), gt_dataset_free(bare), gt_dataset_free(train);
}

Test(tables, strings, .init = open_folder, .fini = close_folder)
{
    gt_Strings names = gt_load_csv_strings(put_text("t.csv", people), "name"),
               ages = gt_load_csv_strings(files_path, "1");
    ok();
    size_t length;
    cr_assert_eq(gt_strings_count(names), 4);
    const char *liz = gt_strings_get(names, 0, &length);
    cr_assert(length == 12 && memcmp(liz, "Allen, \"Liz\"", 12) == 0, "%.*s", (int)length, liz);
    gt_strings_get(ages, 2, &length);
    cr_assert_eq(length, 0, "what is missing is an empty string");
    /* a layer that looks words up, and the rows of the same table */
    gt_Layer *lookup = gt_StringLookup();
    gt_adapt(lookup, NULL, .text = gt_load_csv_strings(files_path, "sex"));
    gt_Tensor *sexes = gt_call(lookup, NULL, .text = gt_load_csv_strings(files_path, "sex"));
    ok();
    cr_assert(gt_element(sexes, 0) == gt_element(sexes, 3) &&
              gt_element(sexes, 0) != gt_element(sexes, 1));
    gt_layer_free(lookup);
    gt_Strings lines =
        gt_load_csv_strings(put_text("l.txt", "one\ntwo\n"), "0", .header = GT_HEADER_NO);
    cr_assert_eq(gt_strings_count(lines), 2, "%s", gt_error_message());
    refused(gt_load_csv_strings(files_path, "z", .header = GT_HEADER_NO), GT_INVALID,
            "it has no header; name columns by their numbers");
    refused(gt_load_csv_strings(files_path, NULL), GT_INVALID, "the column is NULL");
    refused(gt_load_csv_strings("/nowhere", "a"), GT_IO, "nowhere");
    refused(gt_load_csv_strings(files_path, "0", .delimiter = 'x'), GT_INVALID,
            "delimiter must be printable");
    refused(gt_load_csv_strings(files_path, "0", .skip_rows = -1), GT_INVALID,
            "skip_rows and limit must be >= 0");
}

/* As they are downloaded, without an option. */
Test(tables, downloaded)
{
    static const struct {
        const char *name;
        int64_t rows, columns;
        int classes;
        const char *first, *last;
    } tables[] = {
        {"iris.csv", 150, 4, 3, "setosa", "virginica"},
        {"wine_data.csv", 178, 13, 3, "class_0", "class_2"},
        {"breast_cancer.csv", 569, 30, 2, "malignant", "benign"},
        {"digits.csv.gz", 1797, 64, 0, NULL, NULL},
    };
    const char *folder = getenv("GT_TEST_TABLES");
    if (!folder)
        cr_skip_test("GT_TEST_TABLES names no folder of scikit-learn's tables");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, tables[i].name);
        gt_Dataset *data = gt_dataset_from_csv(path);
        ok();
        gt_Spec x = gt_dataset_x(data), y = gt_dataset_y(data);
        cr_assert(x.dims[0] == tables[i].rows && x.dims[1] == tables[i].columns &&
                      y.dtype == GT_INT32,
                  "%s", path);
        cr_assert(gt_dataset_class_count(data) == tables[i].classes, "%s", path);
        cr_assert(
            !tables[i].first ||
                (strcmp(gt_dataset_class_name(data, 0), tables[i].first) == 0 &&
                 strcmp(gt_dataset_class_name(data, tables[i].classes - 1), tables[i].last) == 0),
            "%s", path);
        gt_dataset_free(data);
    }
}

static void table_life(void)
{
    gt_Dataset *train = gt_dataset_from_csv(in_folder("t.csv"), .missing = GT_MISSING_MEDIAN,
                                            .without = gt_names("name"), .one_hot = true);
    gt_Dataset *test =
        gt_dataset_from_csv(in_folder("t.csv"), .like = train, .missing = GT_MISSING_MEDIAN);
    gt_Dataset *wide = gt_dataset_from_csv(in_folder("u.txt"));
    gt_Scope *scope = gt_scope_begin();
    gt_load_csv_strings(in_folder("t.csv"), "name");
    if (scope)
        gt_scope_end(scope);
    gt_dataset_free(wide);
    gt_dataset_free(test);
    gt_dataset_free(train);
}

Test(tables, no_memory, .init = open_folder, .fini = close_folder)
{
    static const char utf16[] = "\xff\xfe"
                                "a\0\t\0y\0\n\0"
                                "1\0\t\0"
                                "\xe9\0\n\0"
                                "2\0\t\0z\0\n";
    put_text("t.csv", people);
    put_file("u.txt", utf16, sizeof utf16);
    fail_allocations(table_life);
    assert_no_leaks();
}
