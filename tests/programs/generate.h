/* What the sources that make a program share. See generate.c. */
#ifndef GT_TESTS_PROGRAMS_GENERATE_H
#define GT_TESTS_PROGRAMS_GENERATE_H

#include "program.h"

/* What is known of a value while the program is made. */
typedef struct Known {
    bool alive, wild; /* wild: not finite */
    bool alias; /* a result of control flow, or an argument of its bodies */
    int level; /* how deep in bodies it was made */
    int block; /* in how many tapes and scopes */
    int uses;
    uint32_t tapes; /* that know it, by bit: it has a gradient there */
} Known;

typedef struct OpenBlock {
    bool is_tape;
    int tape, level;
} OpenBlock;

typedef struct Level {
    int body;
    int lowest; /* values of levels below this one are out of reach */
    int blocks; /* that were open when it began */
    /* A function with a gradient of its own must not read trainable variables under a tape. */
    bool without_variables;
    bool control; /* a branch or loop, or a function that sees what is around it */
} Level;

typedef struct TapeState {
    bool open, used, paused, persistent, watch_accessed;
    int level;
} TapeState;

typedef struct Generator {
    Program *program;
    Run run;
    Random random;
    Known known[MAX_VALUES];
    Level level[8];
    int levels;
    OpenBlock block[MAX_BLOCKS];
    int blocks;
    TapeState tape[MAX_TAPES];
    gt_DType real;   /* what most floats of the program are */
    int64_t large;   /* elements of large tensors; 0: the program has none */
    bool ended;      /* by a step that fails */
    bool recomputes; /* gt_recompute was called */
} Generator;

/* ---- values.c ---- */

/* A visible value for which `fits` is true; late ones and those that nobody used rather. -1: none. */
typedef bool Fits(const Generator *g, int value, const void *argument);
typedef struct Wanted {
    gt_DType dtype;
    gt_Shape shape;
} Wanted;

typedef struct LikeValue {
    int value;
} LikeValue;

int below(Generator *g, int count);
bool chance(Generator *g, double probability);
Body *body_of(Generator *g);
/* Is there room for a few more of everything? */
bool has_room(const Generator *g);
int new_value(Generator *g, Origin origin, gt_DType dtype, gt_Shape shape);
bool visible(const Generator *g, int value);
bool is_float(const Generator *g, int value);
uint32_t recording_tapes(const Generator *g);
uint32_t tapes_of(const Generator *g, int value);
int pick(Generator *g, Fits *fits, const void *argument);
bool any_value(const Generator *g, int value, const void *argument);
bool has_dtype(const Generator *g, int value, const void *argument);
Step new_step(Kind kind);
/* Adds a step and runs it; a crash finds it in the program. */
gt_Status add_step(Generator *g, const Step *step);
void remove_step(Generator *g);
/* After a step that worked: what its outputs are. */
void know_outputs(Generator *g, const Step *step);
bool too_large(const Generator *g, const Step *step);
/* Adds a step that ought to work; false, and nothing is left of it, if it does not. Outputs are new values. */
bool add(Generator *g, Step *step);
Step apply_step(const char *name, int inputs, const int *in, int outputs);
void set_option(Step *step, const char *name, const void *value, size_t size);
/* One output of an operation on one value, -1 if it fails. */
int apply_one(Generator *g, Step *step);
int new_constant(Generator *g, const gt_SampleInput *like, gt_DType dtype, Pattern pattern);
/* May it be a tensor that the program knows by another name, eagerly and not traced? Nothing is
 * differentiated by such a one. */
bool is_alias(const Generator *g, int value);
bool watch(Generator *g, int tape, int value);
/* A tape of this body that records; -1: none. */
int recording_tape(Generator *g);
int new_argument_or_variable(Generator *g, const gt_SampleInput *like, gt_DType dtype,
                             Pattern pattern, bool argument);
int new_leaf(Generator *g, const gt_SampleInput *like, gt_DType dtype);
bool is_wanted(const Generator *g, int value, const void *argument);
/* A value of the same type made into that shape: flattened, cut or extended, reshaped. -1: cannot. */
int coerced(Generator *g, int value, gt_Shape shape);
/* A value of that type and shape; its numbers are like the sample's, or not. -1: none can be made. */
int find_or_make(Generator *g, const gt_SampleInput *like, gt_DType dtype);
int operation_index(const char *name);

/* ---- operations.c ---- */

/* Runs a step that may be wrong. What fails stays sometimes. */
void add_or_keep_failing(Generator *g, Step *step);
/* An operation of the table; -1: any. */
void add_apply(Generator *g, int index);
void add_composite(Generator *g);
/* An assignment to a variable that is there, of a value that is there if one fits. */
void add_assignment(Generator *g);
void change_shape(Generator *g, gt_Shape *shape, bool wild);
int64_t some_dim(Generator *g);

/* ---- blocks.c ---- */

void add_tape(Generator *g);
void add_scope(Generator *g);
/* Ends the innermost tape or scope; what nobody used yet is kept, as far as there is room. */
void end_innermost(Generator *g);
bool of_this_body(const Generator *g);
void add_pause(Generator *g);
void add_gradient(Generator *g);
bool is_like(const Generator *g, int value, const void *argument);
bool is_any_float(const Generator *g, int value, const void *argument);

/* ---- bodies.c ---- */

void close_blocks(Generator *g, int blocks);
/* Functions called once and maybe once more, with other values of the same kind. */
void add_function(Generator *g);
void add_cond(Generator *g);
void add_loop(Generator *g);
void add_scan(Generator *g);

/* ---- generate.c ---- */

void add_steps(Generator *g, int count);

#endif
