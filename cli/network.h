/* The model that is trained: one that suits most tables and pictures, or what the user has written down. */
#ifndef GT_CLI_NETWORK_H
#define GT_CLI_NETWORK_H

#include "cli/rows.h"

/* What is asked for. */
typedef struct Network {
    WordList layers, metrics;
    double rate, dropout;
    bool rate_given;
    const char *model;     /* JSON, or the path of some, or of a model's file; NULL: none */
    const char *optimizer; /* "sgd", or {"class": "sgd", ...}; NULL: adam */
    const char *loss;      /* the same; NULL: what fits the labels */
} Network;

/* Compiled, and adapted to the rows x; NULL: told or raised. */
gt_Layer *network_make(const Network *network, const Rows *rows, gt_Tensor *x, gt_Tensor *y);

/* The architecture in the file of a model, with what else its metadata say; NULL: told or raised. It stays as long as the
 * program. */
char *network_text(const char *path);

#endif
