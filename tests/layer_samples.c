/* Prints the table of layers with the numbers of its samples as JSON, for oracle/layers.py. */
#include "layer_uses.h"

#include <stdio.h>

/* The text, which is UTF-8, between quotes. */
static void print_text(const char *text)
{
    if (!text) {
        printf("null");
        return;
    }
    putchar('"');
    for (; *text; text++)
        if (*text > 0 && *text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    putchar('"');
}

static void print_shape(const gt_Shape *shape, int rank)
{
    printf("\"shape\": [");
    for (int d = 0; d < rank; d++)
        printf("%s%lld", d ? ", " : "", (long long)shape->dims[d]);
    printf("]");
}

static void print_input(const Use *use, const Case *c, int i)
{
    const gt_SampleInput *input = &use->sample->input[i];
    if (use_is_absent(use, i)) {
        printf("null");
        return;
    }
    printf("{\"real\": %s, \"dtype\": \"%s\", ", gt_dtype_is_float(input->dtype) ? "true" : "false",
           gt_dtype_name(input->dtype));
    print_shape(&input->shape, input->shape.rank);
    printf(", \"numbers\": [");
    for (int64_t k = 0; k < c->size[i]; k++)
        printf("%s%.17g", k ? ", " : "", c->numbers[i][k]);
    printf("]");
    if (use_is_text(use, i)) {
        printf(", \"words\": ");
        print_text(input->words);
    }
    if (use_has_mask(use, i)) {
        bool mask[CASE_NUMBERS];
        int64_t size = use_mask(use, i, mask);
        printf(", \"mask\": {");
        print_shape(&input->shape, input->shape.rank < 2 ? input->shape.rank : 2);
        printf(", \"numbers\": [");
        for (int64_t k = 0; k < size; k++)
            printf("%s%d", k ? ", " : "", mask[k]);
        printf("]}");
    }
    printf("}");
}

int main(void)
{
    int count;
    const gt_LayerClass *const *table = gt_layer_classes(&count);
    for (int k = 0; k < count; k++) {
        const gt_LayerClass *type = table[k];
        printf("%s{\"name\": \"%s\", \"keras\": ", k ? ",\n" : "[", type->name);
        print_text(type->keras);
        printf(", \"samples\": [");
        for (int n = 0; type->samples[n].inputs; n++) {
            static Case c;
            const Use use = {type, &type->samples[n], n, GT_FLOAT64};
            use_case(&use, &c);
            printf("%s\n  {\"index\": %d, \"keras\": ", n ? "," : "", n);
            print_text(use.sample->keras);
            printf(", \"inputs\": [");
            for (int i = 0; i < use.sample->inputs; i++) {
                printf("%s\n    ", i ? "," : "");
                print_input(&use, &c, i);
            }
            printf("]}");
        }
        printf("]}");
    }
    printf("]\n");
    return 0;
}
